// Surveys and ratings: what a queue asks after a chat, its answers and the rating, and what they come to at the desk.
import assert from "node:assert/strict";

import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const CONFIG = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]
languages = ["it", "en"]
survey = { id = 7, sign_off = { it = "Grazie", en = "Thanks" }, questions = [{ id = 71, type = "free-form", text = { it = "Altro?", en = "More?" } }, { id = 72, type = "enumeration", name = "chi", text = "Chi", answers = [{ key = "a", value = { it = "Ada", en = "Ada L." } }, { key = "b", value = "Bruno" }] }] }

[[companies.menus]]
id = 1
name = "Unica coda"

[[companies.menus]]
id = 2
name = "Senza domande"
survey = { id = 8, sign_off = "", questions = [] }
`;

const numbers = (from, to, words = {}) => Array.from({ length: to - from + 1 }, (_, at) => ({ key: `${from + at}`, value: words[from + at] ?? `${from + at}` }));

scene("the demo's survey has every type of question; its answers and a rating reach the desk", async (scene, ledger) => {
  scene.expectFaults(/40[09]/u);
  const customer = await scene.customer({ identifier: "nora" });
  const { state: { id } } = await customer.call("createChat", 4);
  await customer.hears("chat.connected");
  const desk = await scene.desk();
  await desk.accept(id);
  assert.deepEqual(await customer.refusal("sendChatRate", { rating: 5 }), { code: "conflict", status: 409 });
  await desk.finish(id);
  const [ended] = await customer.hears("chat.ended");
  assert.deepEqual(ended.state.features, ["survey", "rating"]);

  const survey = await customer.call("getChatSurvey");
  ledger.gave("getChatSurvey", survey, {
    id: 1, lang: "en", sign_off_display_text: "Thank you! We read every answer.",
    questions: [
      { id: 1, type: "csat", display_text: "How satisfied are you with this chat?", name: "satisfaction", is_csat: true, position: 1, valid_answers: numbers(1, 5, { 1: "not at all", 2: "not much", 3: "so-so", 4: "satisfied", 5: "very satisfied" }) },
      { id: 2, type: "star", display_text: "How was the person you talked to?", name: "agent", is_csat: false, position: 2, valid_answers: numbers(1, 5) },
      { id: 3, type: "scale", display_text: "How likely are you to recommend us?", name: "recommendation", is_csat: false, position: 3, valid_answers: numbers(0, 10, { 0: "0 (not at all)", 10: "10 (very)" }) },
      { id: 4, type: "enumeration", display_text: "What was it about?", name: "subject", is_csat: false, position: 4, valid_answers: [{ key: "order", value: "an order" }, { key: "repair", value: "a repair" }, { key: "other", value: "something else" }] },
      { id: 5, type: "free-form", display_text: "What should we do better?", name: "better", is_csat: false, position: 5 },
    ],
  }, "ChatSurveyResponse");

  const wrong = await customer.run(() => globalThis.client.sendChatSurvey({ 1: 6, 4: "order", 9: "x" }).then(() => null, ({ code, fields }) => ({ code, fields })));
  assert.deepEqual(wrong, { code: "invalid_argument", fields: [{ question_id: 1, problem: "unknown_option" }, { question_id: 9, problem: "unknown_question" }] });
  const answers = { 1: "4", 2: 5, 3: 0, 4: "repair", 5: "Longer hours" };
  ledger.gave("sendChatSurvey", await customer.call("sendChatSurvey", answers), undefined);
  assert.equal(await customer.call("sendChatSurvey", answers), undefined, "the same again");
  assert.equal((await customer.refusal("sendChatSurvey", { 1: 1 })).code, "conflict");
  ledger.gave("sendChatRate", await customer.call("sendChatRate", { rating: 4, feedback: "Kind" }), undefined);
  assert.equal(await customer.call("sendChatRate", { rating: 4, feedback: "Kind" }), undefined);
  assert.equal((await customer.refusal("sendChatRate", { rating: 5 })).code, "conflict");

  const { ratings, questions } = await desk.ask("GET", "/results");
  ledger.effect("RateRequest.rating", [ratings.count, ratings.mean_x100], [1, 400]);
  ledger.effect("RateRequest.feedback", ratings.latest.map(({ chat_id, rating, feedback }) => ({ chat_id, rating, feedback })), [{ chat_id: id, rating: 4, feedback: "Kind" }]);
  const given = questions.slice(0, 5).map((question) => question.latest[0]?.text ?? question.distribution.find(({ count }) => count === 1)?.key);
  ledger.effect("SurveyAnswers.*", given, ["4", "5", "0", "repair", "Longer hours"]);
  assert.deepEqual(questions.slice(0, 3).map((question) => question.mean_x100), [400, 500, 0]);

  // A new page knows the chat by its number only.
  const later = await scene.customer({ identifier: "nora" });
  const { state } = await later.call("loadChat", id);
  assert.deepEqual(state.features, [], "all was given");
  assert.deepEqual((await later.call("getChatSurvey")).questions.length, 5);
  desk.close();
});

scene("a company asks in the client's language, and a queue may ask nothing", async (scene, ledger) => {
  scene.expectFaults(/404/u);
  const token = sign({ identifier: "ugo" });
  const customer = await scene.customer({ companyId: "other", token });
  await customer.call("createChat", 1);
  const choices = [{ key: "a", value: "Ada" }, { key: "b", value: "Bruno" }];
  ledger.gave("getChatSurvey", await customer.call("getChatSurvey"), {
    id: 7, lang: "it", sign_off_display_text: "Grazie",
    questions: [
      { id: 71, type: "free-form", display_text: "Altro?", is_csat: false, position: 1 },
      { id: 72, type: "enumeration", display_text: "Chi", name: "chi", is_csat: false, position: 2, valid_answers: choices },
    ],
  }, "ChatSurveyResponse");
  await customer.call("finishChat");
  await customer.call("sendChatSurvey", { 71: "tutto bene", 72: "b" });

  const english = await scene.customer({ companyId: "other", token, lang: "en" });
  await english.call("createChat", 1);
  const { lang, sign_off_display_text: words } = await english.call("getChatSurvey");
  assert.deepEqual([lang, words], ["en", "Thanks"]);
  await english.call("destroyChat");

  const { state: { id } } = await english.call("createChat", 2);
  assert.equal((await english.refusal("getChatSurvey")).code, "not_found");
  await english.call("finishChat");
  assert.deepEqual((await english.call("loadChat", id)).state.features, ["rating"]);
  assert.equal((await english.refusal("sendChatSurvey", { 71: "x" })).code, "not_found");
  assert.equal(await english.call("sendChatRate", { rating: 1 }), undefined);
}, { config: CONFIG });
