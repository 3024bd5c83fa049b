//! What only the author of a text reads: on streams, in pages and in the history, on both sides and over a restart.

use std::sync::Arc;

use gateway::config::Config;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, User, company_with, within};

const RULES: &str =
    r#"redaction = [{ builtin = "card" }, { pattern = '(?i)\bsecret (\w)\w*', replacement = "secret $1…" }]"#;
const CARD: &str = "My card is 4111 1111 1111 1111.";
const CARD_SHOWN: &str = "My card is •••• 1111.";

fn configured() -> Config {
    company_with(RULES, &[])
}

async fn start() -> Gateway {
    Gateway::start_with(configured(), Arc::new(MemoryStore::default())).await
}

async fn at_desk(desk: &Desk, chat: u64) -> Vec<Value> {
    let (_, page) = desk.call(Method::GET, &format!("/chats/{chat}/messages"), None).await;
    page["messages"].as_array().unwrap().clone()
}

async fn in_history(user: &User) -> Vec<Value> {
    user.get("/chat_history").await["chats"][0]["entries"].as_array().unwrap().clone()
}

fn at(messages: &[Value], sent: &Value) -> Value {
    messages.iter().find(|message| message["$index"] == sent["index"]).unwrap().clone()
}

/// The page's text as it was sent.
async fn text_of(request: reqwest::RequestBuilder) -> String {
    within(request.send()).await.unwrap().text().await.unwrap()
}

/// The author reads `content` and `unredacted`, the others `shown`; everything else is the same.
fn check(own: &Value, others: &Value, content: &str, shown: &str) {
    assert_eq!((&own["content"], &own["unredacted"]), (&json!(content), &json!(content)));
    assert_eq!((&others["content"], others.get("unredacted")), (&json!(shown), None));
    let envelope = |message: &Value| {
        let mut message = message.as_object().unwrap().clone();
        message.retain(|key, _| key != "content" && key != "unredacted");
        message
    };
    assert_eq!(envelope(own), envelope(others), "ids and marks are the same for both");
}

#[tokio::test]
async fn only_the_author_reads_what_was_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), configured()).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open").await;
    ada.accept(chat).await;
    let (mut hers, mut adas) = (uma.join(chat, 0).await, ada.join(chat, 0).await);
    let mut second_page = uma.join(chat, 0).await;

    let (status, of_uma) = uma.send(chat, "m-1", CARD).await;
    assert_eq!(status, StatusCode::CREATED);
    let markdown = json!({"client_id": "m-2", "message": {"type": "markdown", "content": "*Secret sesame*", "own": "secret kept"}});
    let (_, of_uma_too) = uma.call(Method::POST, &format!("/chats/{chat}/messages"), Some(markdown)).await;
    let (_, of_ada) = ada.send(chat, "a-1", "Mine is secret too: 4222-2222-2222-2").await;
    let last = of_ada["index"].as_u64().unwrap();
    for stream in [&mut hers, &mut adas, &mut second_page] {
        stream.until_index(last).await;
    }
    let expect = |umas: &[Value], adas: &[Value]| {
        check(&at(umas, &of_uma), &at(adas, &of_uma), CARD, CARD_SHOWN);
        check(&at(umas, &of_uma_too), &at(adas, &of_uma_too), "*Secret sesame*", "*secret s…*");
        assert_eq!(at(adas, &of_uma_too)["own"], "secret kept", "only the text is looked at");
        check(
            &at(adas, &of_ada),
            &at(umas, &of_ada),
            "Mine is secret too: 4222-2222-2222-2",
            "Mine is secret t…: •••• 2222",
        );
    };
    expect(&hers.messages, &adas.messages);
    expect(&second_page.messages, &adas.messages);
    expect(&uma.messages(chat).await, &at_desk(&ada, chat).await);
    let marks = (at(&hers.messages, &of_uma)["signature"].clone(), at(&hers.messages, &of_uma)["$sid"].clone());
    assert_eq!(marks.1, of_uma["sid"]);
    gateway.stop().await;

    let gateway = Gateway::start_in(folder.path(), configured()).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let (mut hers, mut adas) = (uma.join(chat, 0).await, ada.join(chat, 0).await);
    hers.until_index(last).await;
    adas.until_index(last).await;
    expect(&hers.messages, &adas.messages);
    expect(&uma.messages(chat).await, &at_desk(&ada, chat).await);
    let kept = at(&hers.messages, &of_uma);
    assert_eq!((kept["signature"].clone(), kept["$sid"].clone()), marks);
    uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    expect(&in_history(&uma).await, &at_desk(&ada, chat).await);
    gateway.stop().await;
}

#[tokio::test]
async fn a_colleague_is_not_the_author() {
    let gateway = start().await;
    let (uma, ada, grace) = (gateway.user("uma").await, gateway.agent("ada").await, gateway.agent("grace").await);
    let chat = uma.chat(2, "open").await;
    let before = at_desk(&grace, chat).await.len();
    ada.accept(chat).await;
    let (_, sent) = ada.send(chat, "a-1", CARD).await;
    let (status, _) = ada.call(Method::POST, &format!("/chats/{chat}/transfer"), Some(json!({"menu_id": 2}))).await;
    assert!(status.is_success(), "{status}");
    grace.accept(chat).await;
    let (mut graces, mut adas) = (grace.join(chat, 0).await, ada.join(chat, 0).await);
    graces.until_index(sent["index"].as_u64().unwrap()).await;
    adas.until_index(sent["index"].as_u64().unwrap()).await;
    assert!(graces.messages.len() > before);
    check(&at(&adas.messages, &sent), &at(&graces.messages, &sent), CARD, CARD_SHOWN);
    check(&at(&at_desk(&ada, chat).await, &sent), &at(&at_desk(&grace, chat).await, &sent), CARD, CARD_SHOWN);
    gateway.stop().await;
}

#[tokio::test]
async fn a_greeting_is_redacted_wherever_agents_read_it() {
    let gateway = start().await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let body = json!({"client_id": "open", "menu_id": 2, "chat": {"greeting": CARD}});
    let (_, opened) = uma.call(Method::POST, "/chats", Some(body)).await;
    let chat = opened["chat"]["id"].as_u64().unwrap();
    let (_, listed) = ada.accept(chat).await;
    assert_eq!(listed["chat"]["request"]["greeting"], CARD_SHOWN);
    let first = json!({"index": 1});
    check(&at(&uma.messages(chat).await, &first), &at(&at_desk(&ada, chat).await, &first), CARD, CARD_SHOWN);
    gateway.stop().await;
}

#[tokio::test]
async fn the_virtual_agent_answers_what_was_written() {
    let mut config = company_with(r#"redaction = [{ pattern = "person", replacement = "…" }]"#, &[]);
    config.companies[0].menus[0].virtual_agent = Some(1);
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open").await;
    uma.send(chat, "m-1", "person").await;
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["status"], "queued");
    let contents: Vec<Value> = uma.messages(chat).await.iter().map(|message| message["content"].clone()).collect();
    assert!(contents.contains(&json!("One moment.")), "{contents:?}");
    gateway.stop().await;
}

#[tokio::test]
async fn what_nothing_redacts_is_one_text_for_everybody() {
    for rules in ["", RULES] {
        let gateway = Gateway::start_with(company_with(rules, &[]), Arc::new(MemoryStore::default())).await;
        let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
        let chat = uma.chat(2, "open").await;
        ada.accept(chat).await;
        uma.send(chat, "m-1", "My number is 4111 1111 1111 1112.").await;
        ada.send(chat, "a-1", "That is no card.").await;
        let hers = text_of(uma.request(Method::GET, &format!("/chats/{chat}/messages"))).await;
        let at_desk = ada.http.get(format!("{}/desk/api/v1/chats/{chat}/messages", ada.base));
        let adas = text_of(at_desk.header("cookie", &ada.cookie)).await;
        assert!(hers.contains("1111 1112"), "{hers}");
        assert!(!hers.contains("unredacted"), "{hers}");
        assert_eq!(hers, adas);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_preview_is_redacted() {
    let config = company_with(&format!("message_preview = true\n{RULES}"), &[]);
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open").await;
    ada.accept(chat).await;
    let (mut hers, mut adas) = (uma.join(chat, 0).await, ada.join(chat, 0).await);
    hers.expect("joined").await;
    adas.expect("joined").await;
    hers.say(json!({"type": "preview", "content": CARD})).await;
    assert_eq!(adas.expect("preview").await["content"], CARD_SHOWN);
    gateway.stop().await;
}

#[tokio::test]
async fn nobody_writes_unredacted_themselves() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open").await;
    let message = json!({"client_id": "m-1", "message": {"type": "text", "content": "a", "unredacted": "b"}});
    let (status, body) = uma.call(Method::POST, &format!("/chats/{chat}/messages"), Some(message)).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")));
    gateway.stop().await;
}

#[test]
fn a_configuration_that_cannot_be_used_names_the_rule() {
    let company = "[[companies]]\nid = \"acme\"\nname = \"A\"\nsecret = \"0123456789abcdef\"\n";
    let menu = "\n[[companies.menus]]\nid = 1\nname = \"M\"\n";
    let table = [
        (r#"{ builtin = "card" }, { pattern = "[a-", replacement = "" }"#, "redaction 2, pattern \"[a-\""),
        (r#"{ pattern = "x*", replacement = "" }"#, "matches the empty text"),
        (r#"{ pattern = "(?:a{500}){500}", replacement = "" }"#, "redaction 1, pattern \"(?:a{500}){500}\": it needs"),
        (r#"{ pattern = "x" }"#, "redaction 1 must have"),
        (r#"{ builtin = "card", replacement = "x" }"#, "redaction 1 must have"),
        (r#"{ builtin = "iban" }"#, "iban"),
    ];
    for (rules, expected) in table {
        let text = format!("{company}redaction = [{rules}]{menu}");
        let error = Config::from_toml(&text).and_then(|config| config.validate()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} should mention {expected}");
    }
}
