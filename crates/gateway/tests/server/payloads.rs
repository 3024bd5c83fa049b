//! What a virtual agent says besides texts: as the customer reads it, and as agents do.

use std::sync::Arc;

use gateway::config::Rule;
use gateway::store::MemoryStore;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Gateway, company_with};

const RULES: [&str; 3] = [
    r#"
    keywords = ["show"]
    answer = "Look."
    buttons = ["One"]
    messages = [
        { type = "complex", components = [{ type = "text", messages = ["a", "b"] }, { type = "image", images = [{ url = "/samples/city-bike.svg", text = "a bike" }] }] },
        { type = "server_message", kind = "page", messages = ["for the page"] },
        { type = "content_card", cards = [{ title = "c", images = ["/i.svg"] }] },
    ]
    "#,
    "keywords = [\"hand over\"]\nmessages = [{ type = \"action\", action = \"escalation\" }]",
    "keywords = [\"stop\"]\nmessages = [{ type = \"text\", messages = [\"Bye.\"] }, { type = \"action\", action = \"end\" }]",
];

async fn start() -> Gateway {
    let mut config = company_with("", &[]);
    let agent = config.virtual_agents.first_mut().unwrap();
    agent.rules.extend(RULES.iter().map(|rule| toml::from_str::<Rule>(rule).unwrap()));
    config.validate().unwrap();
    Gateway::start_with(config, Arc::new(MemoryStore::default())).await
}

#[tokio::test]
async fn payloads_are_said_in_one_turn_and_what_belongs_together_says_so() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "a").await;
    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;
    let (_, sent) = uma.send(chat, "m-1", "show me").await;
    let asked = sent["index"].as_u64().unwrap();
    let messages = uma.messages(chat).await;
    let said: Vec<&Value> = messages.iter().filter(|message| message["$index"].as_u64().unwrap() > asked).collect();
    let kinds: Vec<&str> = said.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "inline_button", "text", "text", "image", "server_message", "content_card"]);
    let first_of_group = said[2]["$index"].clone();
    for (message, is_grouped) in said.iter().zip([false, false, true, true, true, false, false]) {
        let group = message.get("groupMessageId");
        assert_eq!(group, is_grouped.then_some(&first_of_group), "{}", message["type"]);
    }
    assert_eq!(said[4]["url"], json!(format!("{}/samples/city-bike.svg", gateway.base)));
    assert_eq!(said[5]["message"], json!({"type": "page", "messages": ["for the page"]}));
    assert_eq!(said[6]["cards"], json!([{"title": "c", "images": [format!("{}/i.svg", gateway.base)]}]));
    stream.until_index(asked + 7).await;
    assert_eq!(stream.messages.last().unwrap()["type"], "content_card");
    assert_eq!(stream.messages[stream.messages.len() - 2]["message"]["messages"][0], "for the page");
    gateway.stop().await;
}

#[tokio::test]
async fn agents_are_told_of_a_server_message_and_not_what_it_says() {
    let gateway = start().await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(1, "a").await;
    uma.send(chat, "m-1", "show me").await;
    uma.send(chat, "m-2", "person").await;
    ada.accept(chat).await;
    let mut stream = ada.join(chat, 0).await;
    stream.expect("joined").await;
    let (_, page) = ada.call(Method::GET, &format!("/chats/{chat}/messages?after_index=0"), None).await;
    let on_page = page["messages"].as_array().unwrap().clone();
    let last = on_page.last().unwrap()["$index"].as_u64().unwrap();
    stream.until_index(last).await;
    for messages in [&on_page, &stream.messages] {
        let indexes: Vec<u64> = messages.iter().map(|message| message["$index"].as_u64().unwrap()).collect();
        assert_eq!(indexes, (1..=last).collect::<Vec<u64>>(), "no gap for agents");
        let hidden = messages.iter().find(|message| message["type"] == "server_message").unwrap();
        assert_eq!(hidden.get("message"), None);
        assert!(!json!(messages).to_string().contains("for the page"));
    }
    let own = uma.messages(chat).await;
    let shown = own.iter().find(|message| message["type"] == "server_message").unwrap();
    let hidden = on_page.iter().find(|message| message["type"] == "server_message").unwrap();
    assert_eq!((&shown["$sid"], &shown["signature"]), (&hidden["$sid"], &hidden["signature"]));
    gateway.stop().await;
}

#[tokio::test]
async fn an_action_hands_over_or_ends() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    for (client_id, text, status, last) in [("a", "hand over", "queued", "noti"), ("b", "stop", "finished", "noti")] {
        let chat = uma.chat(1, client_id).await;
        uma.send(chat, "m-1", text).await;
        assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["status"], status);
        let messages = uma.messages(chat).await;
        assert_eq!(messages.last().unwrap()["type"], last);
    }
    gateway.stop().await;
}
