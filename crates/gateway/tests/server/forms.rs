//! Forms: handed out by agents and virtual agents, asked in a language, answered once, masked answers for agents only.

use std::sync::Arc;

use gateway::config::{Config, Rule};
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, User, company_with};

const FORMS: &str = r#"
languages = ["en", "it"]
forms = [
    { id = 7, kind = "custom", name = "return", title = { en = "Return", it = "Reso" }, subtitle = "Thirty days", image = "https://a.example/r.png", external_form_id = "x-7", header = "Before", footer = "After", questions = [{ id = 1, type = "text_entry", question = { en = "Order", it = "Ordine" }, is_mandatory = true, placeholder = "A-1", help_text = "On the bill", character_limit = 10 }, { id = 2, type = "list_picker", question = "Why", is_multiselect = true, options = [{ id = 1, value = "small", image = "https://a.example/s.png" }, { id = 2, value = "damaged" }] }, { id = 3, type = "text_entry", question = "Account", is_masked = true }, { id = 4, type = "toggle", question = "Sure", toggle_on_text = "yes", toggle_off_text = "no" }] },
    { id = 8, kind = "browser", name = "feedback", title = "Feedback", url = "/forms/feedback.html" },
]
"#;

fn configured() -> Config {
    let mut config = company_with(FORMS, &[]);
    let rule: Rule = toml::from_str("keywords = [\"form\"]\nanswer = \"Here you are.\"\nform = 7").unwrap();
    config.virtual_agents.first_mut().unwrap().rules.push(rule);
    config
}

async fn start() -> Gateway {
    Gateway::start_with(configured(), Arc::new(MemoryStore::default())).await
}

/// A chat that Ada has.
async fn with_ada(gateway: &Gateway, uma: &User, client_id: &str) -> (Desk, u64) {
    let ada = gateway.agent("ada").await;
    let chat = uma.chat(2, client_id).await;
    ada.accept(chat).await;
    (ada, chat)
}

async fn hand_out(ada: &Desk, chat: u64, client_id: &str, form_id: u64) -> (StatusCode, Value) {
    let message = json!({"client_id": client_id, "message": {"type": "form", "form_id": form_id}});
    ada.call(Method::POST, &format!("/chats/{chat}/messages"), Some(message)).await
}

async fn at_desk(ada: &Desk, chat: u64) -> Vec<Value> {
    let (_, page) = ada.call(Method::GET, &format!("/chats/{chat}/messages?after_index=0"), None).await;
    page["messages"].as_array().unwrap().clone()
}

async fn submit(user: &User, chat: u64, form: &Value, client_id: &str, response: Value) -> (StatusCode, Value) {
    let body = json!({"client_id": client_id, "form_response": response});
    user.call(Method::POST, &format!("/chats/{chat}/forms/{form}"), Some(body)).await
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn an_agent_hands_out_a_form_and_reads_what_only_agents_may_read() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    let (_, offered) = ada.call(Method::GET, &format!("/forms?chat_id={chat}"), None).await;
    assert_eq!(
        offered,
        json!({"forms": [{"id": 7, "name": "return", "title": "Return", "kind": "custom"}, {"id": 8, "name": "feedback", "title": "Feedback", "kind": "browser"}]})
    );
    let (status, sent) = hand_out(&ada, chat, "f-1", 7).await;
    assert_eq!(status, StatusCode::CREATED);
    let again = hand_out(&ada, chat, "f-1", 7).await;
    assert_eq!((again.0, &again.1), (StatusCode::OK, &sent));

    let messages = uma.messages(chat).await;
    let [notice, form] = &messages[messages.len() - 2..] else { panic!("two messages") };
    assert_eq!((&notice["event"], &notice["$userType"]), (&json!("formRequested"), &json!("system")));
    assert_eq!((&form["$index"], &form["$sid"]), (&sent["index"], &sent["sid"]));
    assert_eq!(
        form["form"],
        json!({"id": 7, "form_type": "custom_form", "name": "return", "title": "Return", "subtitle": "Thirty days", "external_form_id": "x-7", "smart_action_id": form["$index"], "image": "https://a.example/r.png"})
    );

    let id = form["$index"].clone();
    let asked = uma.get(&format!("/chats/{chat}/forms/{id}?lang=it")).await;
    assert_eq!(
        (&asked["title"], &asked["header"], &asked["footer"]),
        (&json!("Reso"), &json!("Before"), &json!("After"))
    );
    assert_eq!(
        asked["questions"][0],
        json!({"id": 1, "type": "text_entry", "question": "Ordine", "position": 1, "is_mandatory": true, "is_masked": false, "placeholder": "A-1", "help_text": "On the bill", "content_type": "text", "character_limit": 10})
    );
    assert_eq!(
        asked["questions"][1]["options"],
        json!([{"id": 1, "value": "small", "image": "https://a.example/s.png", "list_position": 1}, {"id": 2, "value": "damaged", "list_position": 2}])
    );
    assert_eq!(
        (&asked["questions"][3]["toggle_on_text"], &asked["questions"][2]["is_masked"]),
        (&json!("yes"), &json!(true))
    );
    assert_eq!(code(&ada.call(Method::GET, &format!("/chats/{chat}/forms/{id}"), None).await), (404, "not_found"));

    let answers = json!([{"question_id": 3, "value": "IT60 X054"}, {"question_id": 1, "value": "A-77"}, {"question_id": 2, "value": [2, "1"]}]);
    let (status, stored) = submit(&uma, chat, &id, "s-1", answers.clone()).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(submit(&uma, chat, &id, "s-1", answers.clone()).await, (StatusCode::OK, stored.clone()));
    assert_eq!(code(&submit(&uma, chat, &id, "s-2", answers).await), (409, "conflict"));
    let masked = json!([
        {"question_id": 1, "question": "Order", "value": "A-77"},
        {"question_id": 2, "question": "Why", "value": ["damaged", "small"]},
        {"question_id": 3, "question": "Account", "value": "••••"},
    ]);
    for said in [uma.messages(chat).await, at_desk(&ada, chat).await] {
        let done = said.last().unwrap();
        assert_eq!((&done["event"], &done["$index"]), (&json!("formCompleted"), &stored["index"]));
        assert_eq!(
            (&done["form_name"], &done["smart_action_id"], &done["form_data"]),
            (&json!("return"), &id, &masked)
        );
    }
    let (_, clear) = ada.call(Method::GET, &format!("/chats/{chat}/forms/{id}"), None).await;
    assert_eq!((&clear["form_name"], &clear["form_data"][2]["value"]), (&json!("return"), &json!("IT60 X054")));
    // Who serves the company and never had the chat reads the mask only.
    let grace = gateway.agent("grace").await;
    assert_eq!(code(&grace.call(Method::GET, &format!("/chats/{chat}/forms/{id}"), None).await), (404, "not_found"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_virtual_agent_hands_out_a_form_in_the_same_change() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "a").await;
    uma.send(chat, "m-1", "the form please").await;
    let messages = uma.messages(chat).await;
    let kinds: Vec<&str> = messages.iter().rev().take(3).map(|m| m["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["form", "noti", "text"]);
    let form = messages.last().unwrap();
    assert_eq!((&form["$userType"], &form["form"]["smart_action_id"]), (&json!("virtual_agent"), &form["$index"]));
    let (status, _) = submit(&uma, chat, &form["$index"], "s-1", json!([{"question_id": 1, "value": "A-1"}])).await;
    assert_eq!(status, StatusCode::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn wrong_answers_are_named_and_nothing_is_stored() {
    let gateway = start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    let (_, sent) = hand_out(&ada, chat, "f-1", 7).await;
    let id = sent["index"].clone();
    let before = uma.messages(chat).await.len();
    let wrong = json!([{"question_id": 1, "value": "far too long a number"}, {"question_id": 2, "value": 9}, {"question_id": 5, "value": 1}]);
    let refused = submit(&uma, chat, &id, "s-1", wrong).await;
    assert_eq!(code(&refused), (400, "invalid_argument"));
    assert_eq!(
        refused.1["error"]["fields"],
        json!([{"question_id": 5, "problem": "unknown_question"}, {"question_id": 1, "problem": "too_long"}, {"question_id": 2, "problem": "unknown_option"}])
    );
    assert!(!refused.1.to_string().contains("far too long"), "no answer is repeated");
    let good = json!([{"question_id": 1, "value": "A-1"}]);
    let table = [
        (&uma, id.clone(), "bad:key", good.clone(), (400, "invalid_argument")),
        (&uma, json!(1), "s-1", good.clone(), (404, "not_found")),
        (&uma, json!(999), "s-1", good.clone(), (404, "not_found")),
        (&uma, json!(0), "s-1", good.clone(), (404, "not_found")),
        (&eve, id.clone(), "s-1", good.clone(), (404, "not_found")),
        (&uma, id.clone(), "s-1", json!("nothing"), (400, "invalid_argument")),
        (&uma, id.clone(), "s-1", json!([{"question_id": "one", "value": 1}]), (400, "invalid_argument")),
    ];
    for (user, form, client_id, response, expected) in table {
        assert_eq!(code(&submit(user, chat, &form, client_id, response).await), expected, "{form} {client_id}");
    }
    assert_eq!(code(&hand_out(&ada, chat, "f-2", 99).await), (400, "invalid_argument"));
    assert_eq!(uma.messages(chat).await.len(), before);
    assert_eq!(submit(&uma, chat, &id, "s-1", good).await.0, StatusCode::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn a_browser_form_is_completed_by_a_message_with_its_signature() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    let (_, sent) = hand_out(&ada, chat, "f-1", 8).await;
    let (_, custom) = hand_out(&ada, chat, "f-2", 7).await;
    let messages = uma.messages(chat).await;
    let find = |index: &Value| messages.iter().find(|message| message["$index"] == *index).unwrap();
    let form = find(&sent["index"]);
    assert_eq!(form["form"]["preview_endpoint"], json!(format!("{}/forms/feedback.html", gateway.base)));
    let complete = async |client_id: &str, more: Value| {
        let mut message = json!({"type": "noti", "content": "", "event": "formCompleted", "form_name": "feedback", "form_data": {"stars": 5}});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({"client_id": client_id, "message": message});
        uma.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await
    };
    let signature = &form["signature"];
    assert_eq!(code(&complete("c-1", json!({})).await), (400, "invalid_argument"));
    assert_eq!(code(&complete("c-1", json!({"signature": "forged"})).await), (400, "invalid_argument"));
    let elsewhere = json!({"signature": signature, "smart_action_id": custom["index"]});
    assert_eq!(code(&complete("c-1", elsewhere).await), (400, "invalid_argument"));
    let of_custom = json!({"signature": find(&custom["index"])["signature"]});
    assert_eq!(code(&complete("c-1", of_custom).await), (400, "invalid_argument"));
    let (status, stored) = complete("c-1", json!({"signature": signature})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(
        complete("c-1", json!({"signature": signature, "smart_action_id": sent["index"]})).await,
        (StatusCode::OK, stored)
    );
    assert_eq!(code(&complete("c-2", json!({"signature": signature})).await), (409, "conflict"));
    let done = at_desk(&ada, chat).await.pop().unwrap();
    assert_eq!(
        (&done["smart_action_id"], &done["form_data"], &done["form_signature"]),
        (&sent["index"], &json!({"stars": 5}), signature)
    );
    gateway.stop().await;
}

#[tokio::test]
async fn of_two_submissions_at_once_one_is_stored_and_the_agent_reads_its_own_masked_answers() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    for round in 0..8 {
        let (_, sent) = hand_out(&ada, chat, &format!("f-{round}"), 7).await;
        let id = &sent["index"];
        let answers = |who: &str| json!([{"question_id": 1, "value": who}, {"question_id": 3, "value": format!("account of {who}")}]);
        // The third is a retry of the first that says something else.
        let tries = tokio::join!(
            submit(&uma, chat, id, "s-1", answers("one")),
            submit(&uma, chat, id, "s-2", answers("two")),
            submit(&uma, chat, id, "s-1", answers("three")),
        );
        let stored = [tries.0, tries.1, tries.2].iter().filter(|answer| answer.0 == StatusCode::CREATED).count();
        assert_eq!(stored, 1);
        let (_, clear) = ada.call(Method::GET, &format!("/chats/{chat}/forms/{id}"), None).await;
        let data = &clear["form_data"];
        let account = format!("account of {}", data[0]["value"].as_str().unwrap());
        assert_eq!(data[1]["value"], account, "both answers are of one submission");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_form_of_a_chat_that_is_over_is_answered_no_more() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    let (_, sent) = hand_out(&ada, chat, "f-1", 7).await;
    uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    let answers = json!([{"question_id": 1, "value": "A-1"}, {"question_id": 3, "value": "secret"}]);
    assert_eq!(code(&submit(&uma, chat, &sent["index"], "s-1", answers).await), (409, "chat_ended"));
    gateway.stop().await;
}

#[tokio::test]
async fn what_was_handed_out_as_a_custom_form_is_never_completed_as_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), configured()).await;
    let uma = gateway.user("uma").await;
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    let (_, sent) = hand_out(&ada, chat, "f-1", 7).await;
    gateway.stop().await;
    // The form is not configured any more.
    let mut config = configured();
    config.companies.iter_mut().for_each(|company| company.forms.retain(|form| form.id != 7));
    config.virtual_agents.iter_mut().for_each(|agent| agent.rules.retain(|rule| rule.form.is_none()));
    let gateway = Gateway::start_in(folder.path(), config).await;
    let uma = gateway.user("uma").await;
    let form = uma.messages(chat).await.pop().unwrap();
    let message = json!({"type": "noti", "event": "formCompleted", "signature": form["signature"], "form_data": {"account": "in clear"}});
    let body = json!({"client_id": "c-1", "message": message});
    let refused = uma.call(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await;
    assert_eq!(code(&refused), (400, "invalid_argument"));
    let answers = json!([{"question_id": 1, "value": "A-1"}]);
    assert_eq!(code(&submit(&uma, chat, &sent["index"], "s-1", answers).await), (404, "not_found"));
    gateway.stop().await;
}

#[test]
fn a_rule_that_hands_out_a_form_of_nobody_is_refused() {
    let mut config = configured();
    config.companies.iter_mut().for_each(|company| company.forms.clear());
    assert!(config.validate().unwrap_err().to_string().contains("form 7"));
}

#[tokio::test]
async fn an_answered_form_stays_answered_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), configured()).await;
    let uma = gateway.user("uma").await;
    let (ada, chat) = with_ada(&gateway, &uma, "a").await;
    let (_, sent) = hand_out(&ada, chat, "f-1", 7).await;
    let answers = json!([{"question_id": 1, "value": "A-1"}, {"question_id": 3, "value": "secret"}]);
    let (_, stored) = submit(&uma, chat, &sent["index"], "s-1", answers.clone()).await;
    gateway.stop().await;

    let gateway = Gateway::start_in(folder.path(), configured()).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    assert_eq!(submit(&uma, chat, &sent["index"], "s-1", answers.clone()).await, (StatusCode::OK, stored));
    assert_eq!(code(&submit(&uma, chat, &sent["index"], "s-2", answers).await), (409, "conflict"));
    let (_, clear) = ada.call(Method::GET, &format!("/chats/{chat}/forms/{}", sent["index"]), None).await;
    assert_eq!(clear["form_data"][1]["value"], "secret");
    gateway.stop().await;
}
