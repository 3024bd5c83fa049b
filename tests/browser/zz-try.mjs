import { withStage } from "./support/stage.mjs";
import { startConversation } from "./support/conversation.mjs";
await withStage(async (stage) => {
  const { customer, desk } = await startConversation(stage);
  for (const [n,p] of [['c',customer],['d',desk]]) { p.on('console', m=>console.log(n, m.text())); p.on('response', r=>{ if(r.url().includes('screen')) console.log(n, r.status(), r.request().method(), r.url().slice(0,140)); }); }
  try {
  await desk.getByRole("button",{name:"Ask to see the screen"}).click();
  await customer.locator("dialog[open]").waitFor({timeout:8000});
  await customer.screenshot({path:'/tmp/dk/consent.png'});
  console.log(await customer.locator("dialog[open]").innerText());
  await customer.locator("dialog[open] .js-cobrowse-allow").click();
  await desk.getByText(/You see the page of/).waitFor({timeout:15000});
  await new Promise(r=>setTimeout(r,1500));
  } catch(e) { console.log(e.message.slice(0,500)); }
  await desk.screenshot({path:'/tmp/dk/desk.png'}); await customer.screenshot({path:'/tmp/dk/cust.png'});
  console.log(await desk.locator('#screen').innerText());
}).catch(e=>console.log(e.message));
