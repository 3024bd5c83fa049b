//! Silence: dismissal, return and timeout, as customer and agent see them, with chats that nobody has loaded among them.

use std::sync::Arc;

use gateway::config::Hours;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, Stream, User, config, texts, within};

async fn start(timers: &str) -> Gateway {
    Gateway::start_with(config(&format!("chat = {{ {timers} }}")), Arc::new(MemoryStore::default())).await
}

/// A chat with a question and an answer that stays without one.
async fn answered(uma: &User, ada: &Desk) -> u64 {
    let chat = uma.chat(2, "open-1").await;
    assert_eq!(ada.accept(chat).await.0, StatusCode::OK);
    assert_eq!(uma.send(chat, "u-1", "hello").await.0, StatusCode::CREATED);
    assert_eq!(ada.send(chat, "a-1", "hello yourself").await.0, StatusCode::CREATED);
    chat
}

#[tokio::test]
async fn a_silent_customer_is_dismissed_and_comes_back_by_resume_or_by_writing() {
    let gateway = start("dismiss_after_ms = 400").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = answered(&uma, &ada).await;
    let resume = format!("/chats/{chat}/resume");
    let mut customer = uma.join(chat, 0).await;
    let mut agent = ada.join(chat, 0).await;
    let mut list = ada.list().await;
    let dismissed = customer.until_status("dismissed").await;
    assert_eq!(dismissed["members"], json!([]));
    assert!(dismissed.get("ended_by").is_none());
    agent.until_status("dismissed").await;
    // The agent sees it leave, and nobody finds it in the queue.
    within(async {
        loop {
            let chats = list.expect("chats").await;
            if chats["mine"] == json!([]) && chats["queue"] == json!([]) {
                break;
            }
        }
    })
    .await;
    assert_eq!(uma.get("/chats/ongoing").await["chat"]["id"], json!(chat));
    let (status, refusal) = ada.send(chat, "a-2", "wait").await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    // A retry of what was stored brings nothing back.
    assert_eq!(uma.send(chat, "u-1", "hello").await.0, StatusCode::OK);
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["status"], "dismissed");

    let (status, body) = uma.call(Method::POST, &resume, Some(json!({}))).await;
    assert_eq!((status, &body["chat"]["status"]), (StatusCode::OK, &json!("queued")));
    let (status, refusal) = uma.call(Method::POST, &resume, Some(json!({}))).await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let eve = gateway.user("eve").await;
    assert_eq!(eve.call(Method::POST, &resume, Some(json!({}))).await.0, StatusCode::NOT_FOUND);
    customer.until_status("queued").await;

    ada.accept(chat).await;
    uma.send(chat, "u-2", "so").await;
    ada.send(chat, "a-3", "yes?").await;
    customer.until_status("dismissed").await;
    uma.send(chat, "u-3", "I was away").await;
    customer.until_status("queued").await;
    let said = texts(&uma.messages(chat).await);
    let expected = [
        "(escalationAccepted)",
        "hello",
        "hello yourself",
        "(chatDismissed)",
        "(chatResumed)",
        "(escalationAccepted)",
        "so",
        "yes?",
        "(chatDismissed)",
        "I was away",
        "(chatResumed)",
    ];
    assert_eq!(said, expected);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_stays_silent_ends_by_itself() {
    let gateway = start("dismiss_after_ms = 0, timeout_ms = 400").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    let mut customer = uma.join(chat, 0).await;
    let ended = customer.until_status("finished").await;
    assert_eq!(ended["ended_by"], "timeout");
    let last = uma.messages(chat).await.pop().unwrap();
    assert_eq!((&last["event"], &last["ended_by"]), (&json!("chatEnded"), &json!("timeout")));
    assert_eq!(uma.get("/chats/ongoing").await, json!({"chat": null}));
    gateway.stop().await;
}

#[tokio::test]
async fn timers_of_chats_that_nobody_has_loaded_run_out_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (uma, chat) = {
        let gateway = Gateway::start_in(folder.path(), config("")).await;
        let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
        let chat = answered(&uma, &ada).await;
        gateway.stop().await;
        (uma, chat)
    };
    let gateway =
        Gateway::start_in(folder.path(), config("chat = { dismiss_after_ms = 100, timeout_ms = 1500 }")).await;
    // Looking at the chat by REST loads nothing.
    let uma = User { base: gateway.base.clone(), ..uma };
    let status = async || uma.get(&format!("/chats/{chat}")).await["chat"]["status"].clone();
    within(async { while status().await != "dismissed" {} }).await;
    within(async { while status().await != "finished" {} }).await;
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["ended_by"], "timeout");
    gateway.stop().await;
}

/// A body with a status and an error code.
fn refused(answer: &(StatusCode, Value), status: u16, code: &str) {
    assert_eq!((answer.0.as_u16(), &answer.1["error"]["code"]), (status, &json!(code)), "{}", answer.1);
}

/// The agent's number.
async fn id_of(desk: &Desk) -> u64 {
    desk.call(Method::GET, "/me", None).await.1["agent"]["id"].as_u64().unwrap()
}

async fn transfer(desk: &Desk, chat: u64, body: Value) -> (StatusCode, Value) {
    desk.call(Method::POST, &format!("/chats/{chat}/transfer"), Some(body)).await
}

/// The newest message whose event is this one.
fn notice(messages: &[Value], event: &str) -> Value {
    messages.iter().rev().find(|message| message["event"] == event).cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_agent_hands_a_chat_to_a_colleague_who_is_on_duty() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let (ada, grace, olga) = (gateway.agent("ada").await, gateway.agent("grace").await, gateway.agent("olga").await);
    let (grace_id, olga_id) = (id_of(&grace).await, id_of(&olga).await);
    let chat = answered(&uma, &ada).await;
    let colleagues = async || {
        let (status, body) = ada.call(Method::GET, "/agents?company_id=acme", None).await;
        assert_eq!(status, StatusCode::OK);
        body["agents"].as_array().unwrap().clone()
    };
    let seen: Vec<(String, bool, u64)> = colleagues()
        .await
        .iter()
        .map(|agent| {
            let name = agent["name"].as_str().unwrap().to_owned();
            (name, agent["on_duty"].as_bool().unwrap(), agent["chats"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(seen, [("Ada".to_owned(), false, 1), ("Grace".to_owned(), false, 0)], "of this company");

    let to_grace = json!({"agent_id": grace_id});
    refused(&transfer(&ada, chat, to_grace.clone()).await, 409, "conflict");
    refused(&transfer(&ada, chat, json!({"agent_id": 999})).await, 404, "not_found");
    refused(&transfer(&ada, chat, json!({"agent_id": olga_id})).await, 404, "not_found");
    for wrong in [json!({}), json!({"agent_id": 1, "menu_id": 2}), json!({"agent_id": "grace"})] {
        refused(&transfer(&ada, chat, wrong).await, 400, "invalid_argument");
    }
    refused(&transfer(&grace, chat, to_grace.clone()).await, 404, "not_found");

    let mut list = grace.list().await;
    list.expect("chats").await;
    assert_eq!(colleagues().await[1]["on_duty"], json!(true));
    let mut customer = uma.join(chat, 0).await;
    let (status, body) = transfer(&ada, chat, to_grace.clone()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((&body["chat"]["status"], &body["chat"]["agent"]["name"]), (&json!("assigned"), &json!("Grace")));
    assert_eq!(body["chat"]["agent"]["status"], "online");
    assert_eq!(body["chat"]["all_agents"][0]["status"], "offline");
    within(async { while list.expect("chats").await["mine"][0]["id"] != json!(chat) {} }).await;
    within(async {
        while notice(&customer.messages, "chatTransferred").is_null() {
            customer.expect("update").await;
        }
    })
    .await;
    let told = notice(&customer.messages, "chatTransferred");
    assert_eq!(told["to"], json!({"type": "agent", "id": grace_id, "name": "Grace"}));
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["members"][0]["display_name"], "Grace");
    // Who handed it on reads, and that is all.
    assert_eq!(ada.call(Method::GET, &format!("/chats/{chat}/messages"), None).await.0, StatusCode::OK);
    refused(&ada.send(chat, "a-9", "wait").await, 409, "conflict");
    refused(&transfer(&ada, chat, to_grace.clone()).await, 409, "conflict");
    refused(&transfer(&grace, chat, to_grace).await, 409, "conflict");
    assert_eq!(grace.send(chat, "g-1", "hello from Grace").await.0, StatusCode::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn an_agent_hands_a_chat_to_a_queue_where_it_waits_for_whoever_is_free() {
    let gateway = Gateway::start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let (ada, olga) = (gateway.agent("ada").await, gateway.agent("olga").await);
    let chat = answered(&uma, &ada).await;
    let other = eve.chat(1, "open-1").await;
    eve.send(other, "e-1", "person").await;

    let (status, body) = ada.call(Method::GET, "/menus?company_id=acme", None).await;
    assert_eq!(status, StatusCode::OK);
    let menus = body["menus"].as_array().unwrap();
    assert_eq!(menus.iter().map(|menu| menu["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 31, 5]);
    assert_eq!(menus[2], json!({"id": 31, "name": "Below", "path": ["Folder"], "enabled": true}));
    assert_eq!(menus[3]["enabled"], json!(false));
    refused(&ada.call(Method::GET, "/menus?company_id=nobody", None).await, 404, "not_found");
    refused(&olga.call(Method::GET, "/menus?company_id=acme", None).await, 404, "not_found");
    refused(&olga.call(Method::GET, "/agents?company_id=acme", None).await, 404, "not_found");
    assert_eq!(ada.call(Method::GET, "/menus", None).await.0, StatusCode::BAD_REQUEST);
    let all = ada.call(Method::GET, "/agents", None).await.1;
    assert_eq!(all["agents"].as_array().unwrap().len(), 3, "colleagues of every company that Ada serves");

    refused(&transfer(&ada, chat, json!({"menu_id": 99})).await, 404, "not_found");
    refused(&transfer(&ada, chat, json!({"menu_id": 3})).await, 404, "not_found");
    refused(&transfer(&ada, chat, json!({"menu_id": 5})).await, 409, "conflict");
    let (status, body) = transfer(&ada, chat, json!({"menu_id": 1})).await;
    assert_eq!((status, &body["chat"]["status"]), (StatusCode::OK, &json!("queued")), "{body}");
    assert_eq!(body["chat"]["company_id"], "acme");
    let messages = uma.messages(chat).await;
    let told = notice(&messages, "chatTransferred");
    assert_eq!(told["to"], json!({"type": "queue", "id": 1, "name": "Orders"}));
    assert_eq!(messages.last(), Some(&told), "its virtual agent does not begin anew");
    uma.send(chat, "u-9", "hello?").await;
    assert_eq!(texts(&uma.messages(chat).await).last().unwrap(), "hello?");
    let mine = uma.get(&format!("/chats/{chat}")).await;
    assert_eq!(mine["chat"]["menus"][0]["name"], "Orders");
    let (_, chats) = ada.call(Method::GET, "/chats", None).await;
    let queue: Vec<u64> = chats["queue"].as_array().unwrap().iter().map(|chat| chat["id"].as_u64().unwrap()).collect();
    assert_eq!(queue, [other, chat], "at the end");
    assert_eq!(ada.accept(chat).await.0, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn a_queue_whose_people_are_away_takes_no_transfers() {
    let mut closed = config("");
    closed.companies[0].menus[2].children[0].hours = Some(Hours::default());
    let gateway = Gateway::start_with(closed, Arc::new(MemoryStore::default())).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = answered(&uma, &ada).await;
    refused(&transfer(&ada, chat, json!({"menu_id": 31})).await, 409, "after_hours");
    assert_eq!(uma.get(&format!("/chats/{chat}")).await["chat"]["status"], "assigned");
    gateway.stop().await;
}

#[tokio::test]
async fn who_is_silent_is_warned_before_being_dismissed() {
    let gateway = start("dismiss_after_ms = 1500, dismiss_warning_ms = 1000").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = answered(&uma, &ada).await;
    let mut customer = uma.join(chat, 0).await;
    customer.until_status("dismissed").await;
    let answer_ms = customer.messages[2]["$timestamp"].as_u64().unwrap();
    let warning = notice(&customer.messages, "dismissalWarning");
    let (warned_ms, dismiss_at_ms) =
        (warning["$timestamp"].as_u64().unwrap(), warning["dismiss_at_ms"].as_u64().unwrap());
    assert!(warned_ms >= answer_ms + 500 && dismiss_at_ms >= answer_ms + 1500 && dismiss_at_ms >= warned_ms + 1000);
    let dismissed = notice(&customer.messages, "chatDismissed");
    assert!(dismissed["$timestamp"].as_u64().unwrap() >= dismiss_at_ms);
    let expected = ["(escalationAccepted)", "hello", "hello yourself", "(dismissalWarning)", "(chatDismissed)"];
    assert_eq!(texts(&customer.messages), expected);
    gateway.stop().await;
}

#[tokio::test]
async fn a_virtual_agent_is_let_go_and_goes_on_when_the_customer_comes_back() {
    let gateway = start("va_dismiss_after_ms = 300").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    let mut customer = uma.join(chat, 0).await;
    let dismissed = customer.until_status("va_dismissed").await;
    assert_eq!((&dismissed["members"], &dismissed["virtual_agent"]), (&json!([]), &json!(null)));
    assert!(dismissed["features"].as_array().unwrap().contains(&json!("resume")));
    assert_eq!(uma.get("/chats/ongoing").await["chat"]["id"], json!(chat));
    let resume = format!("/chats/{chat}/resume");
    let (status, body) = uma.call(Method::POST, &resume, Some(json!({}))).await;
    assert_eq!((status, &body["chat"]["status"]), (StatusCode::OK, &json!("va_assigned")));
    assert_eq!(body["chat"]["virtual_agent"]["name"], "Pia");
    assert_eq!(body["chat"]["virtual_agent"]["status"], "online");
    customer.until_status("va_dismissed").await;
    uma.send(chat, "u-1", "I am back").await;
    let said = texts(&uma.messages(chat).await);
    let from = said.iter().position(|text| text == "I am back").unwrap();
    assert_eq!(said[from..=from + 2], ["I am back", "(chatResumed)", "What?"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_that_nobody_takes_fails() {
    let gateway = start("queue_timeout_ms = 300").await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(2, "open-1").await;
    let mut customer = uma.join(chat, 0).await;
    let failed = customer.until_status("failed").await;
    assert_eq!((&failed["ended_by"], &failed["fail_reason"]), (&json!("system"), &json!("expired")));
    assert_eq!((&failed["features"], &failed["timeout_at"]), (&json!(["rating"]), &json!(null)));
    let last = uma.messages(chat).await.pop().unwrap();
    assert_eq!((&last["event"], &last["ended_by"]), (&json!("chatEnded"), &json!("system")));
    assert_eq!(last["fail_reason"], "expired");
    assert_eq!(uma.get("/chats/ongoing").await, json!({"chat": null}));
    refused(&uma.send(chat, "u-1", "late").await, 409, "chat_ended");
    let ada = gateway.agent("ada").await;
    refused(&ada.accept(chat).await, 409, "chat_ended");
    assert_eq!(ada.call(Method::GET, "/chats", None).await.1["queue"], json!([]));
    gateway.stop().await;
}

async fn check_in(user: &User, chat: u64, state: &str) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/check_in"), Some(json!({"state": state}))).await
}

async fn rejoin(user: &User, chat: u64) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/rejoin"), Some(json!({}))).await
}

/// The customer's stream until it was asked so often.
async fn until_asked(customer: &mut Stream, times: usize) -> Value {
    within(async {
        loop {
            let asked = customer.messages.iter().filter(|message| message["event"] == "checkInRequired").count();
            if asked >= times {
                return notice(&customer.messages, "checkInRequired");
            }
            customer.expect("update").await;
        }
    })
    .await
}

#[tokio::test]
async fn who_waits_is_asked_answers_and_is_asked_again() {
    let gateway = start("check_in = { after_ms = 400, timeout_ms = 20000 }").await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(2, "open-1").await;
    refused(&check_in(&uma, chat, "confirmed").await, 409, "conflict");
    let mut customer = uma.join(chat, 0).await;
    let asked = until_asked(&mut customer, 1).await;
    let at_ms = asked["$timestamp"].as_u64().unwrap();
    assert_eq!((&asked["timeout_ms"], &asked["expires_at_ms"]), (&json!(20_000), &json!(at_ms + 20_000)));
    let state = uma.get(&format!("/chats/{chat}")).await;
    let pending = json!({"timeout_ms": 20_000, "expires_at_ms": at_ms + 20_000, "notified": false});
    assert_eq!((&state["chat"]["status"], &state["chat"]["check_in"]), (&json!("queued"), &pending));
    assert!(state["chat"]["features"].as_array().unwrap().contains(&json!("check_in")));

    refused(&check_in(&uma, chat, "perhaps").await, 400, "invalid_argument");
    let path = format!("/chats/{chat}/check_in");
    for wrong in [json!({}), json!({"state": 1}), json!([])] {
        refused(&uma.call(Method::POST, &path, Some(wrong)).await, 400, "invalid_argument");
    }
    refused(&check_in(&eve, chat, "confirmed").await, 404, "not_found");
    refused(&check_in(&uma, 999, "confirmed").await, 404, "not_found");

    let (status, body) = check_in(&uma, chat, "notified").await;
    assert_eq!((status, &body["chat"]["check_in"]["notified"]), (StatusCode::OK, &json!(true)));
    let until_ms = body["chat"]["check_in"]["expires_at_ms"].as_u64().unwrap();
    assert!(until_ms >= at_ms + 20_000);
    let (_, again) = check_in(&uma, chat, "notified").await;
    assert_eq!(again["chat"]["check_in"]["expires_at_ms"], json!(until_ms), "the time begins anew once");
    let (status, body) = check_in(&uma, chat, "confirmed").await;
    assert_eq!((status, &body["chat"]["status"]), (StatusCode::OK, &json!("queued")));
    assert!(body["chat"].get("check_in").is_none());
    refused(&check_in(&uma, chat, "confirmed").await, 409, "conflict");
    refused(&rejoin(&uma, chat).await, 409, "conflict");
    until_asked(&mut customer, 2).await;
    // The agent who comes ends the question.
    let ada = gateway.agent("ada").await;
    assert_eq!(ada.accept(chat).await.0, StatusCode::OK);
    refused(&check_in(&uma, chat, "confirmed").await, 409, "conflict");
    assert!(uma.get(&format!("/chats/{chat}")).await["chat"].get("check_in").is_none());
    gateway.stop().await;
}

#[tokio::test]
async fn who_misses_a_check_in_leaves_the_queue_and_rejoins_it_as_configured() {
    for (rejoins, at_front) in [("back", false), ("front", true)] {
        let timers = format!("check_in = {{ hidden_after_ms = 1, timeout_ms = 150, rejoin = \"{rejoins}\" }}");
        let gateway = start(&timers).await;
        let (uma, eve, ada) = (gateway.user("uma").await, gateway.user("eve").await, gateway.agent("ada").await);
        let (chat, other) = (uma.chat(2, "open-1").await, eve.chat(2, "open-1").await);
        let mut customer = uma.join(chat, 0).await;
        customer.say(json!({"type": "visibility", "visible": false})).await;
        let gone = customer.until_status("checked_out").await;
        assert!(gone["features"].as_array().unwrap().contains(&json!("rejoin")));
        assert_eq!(texts(&customer.messages), ["(checkInRequired)", "(checkInTimedOut)"]);
        refused(&ada.accept(chat).await, 409, "conflict");
        refused(&check_in(&uma, chat, "confirmed").await, 409, "conflict");
        let queue = async || {
            let (_, chats) = ada.call(Method::GET, "/chats", None).await;
            chats["queue"].as_array().unwrap().iter().map(|chat| chat["id"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(queue().await, [other]);
        assert_eq!(uma.send(chat, "u-1", "still here").await.0, StatusCode::CREATED);
        assert_eq!(uma.get("/chats/ongoing").await["chat"]["status"], "checked_out", "a message does not requeue");
        refused(&rejoin(&eve, chat).await, 404, "not_found");
        customer.say(json!({"type": "visibility", "visible": true})).await;
        let (status, body) = rejoin(&uma, chat).await;
        assert_eq!((status, &body["chat"]["status"]), (StatusCode::OK, &json!("queued")));
        assert_eq!(queue().await, if at_front { [chat, other] } else { [other, chat] });
        refused(&rejoin(&uma, chat).await, 409, "conflict");
        let finish = Some(json!({"status": "finished"}));
        assert_eq!(uma.call(Method::PATCH, &format!("/chats/{chat}"), finish).await.0, StatusCode::OK);
        refused(&rejoin(&uma, chat).await, 409, "conflict");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn whose_turn_comes_near_is_asked_and_who_began_there_is_not() {
    let gateway = start("check_in = { at_position = 1, timeout_ms = 20000 }").await;
    let ada = gateway.agent("ada").await;
    let mut chats = Vec::new();
    for name in ["uma", "eve", "ivo"] {
        let user = gateway.user(name).await;
        let chat = user.chat(2, "open-1").await;
        let stream = user.join(chat, 0).await;
        chats.push((user, chat, stream));
    }
    // Another queue has a front of its own.
    let elsewhere = gateway.user("ned").await;
    let other = elsewhere.chat(31, "open-1").await;
    // A chat that waits behind says so in its state, which its readers get.
    for (_, _, stream) in &mut chats[1..] {
        within(async { while stream.expect("update").await["chat"]["status"] != "queued" {} }).await;
    }
    assert_eq!(ada.accept(chats[0].1).await.0, StatusCode::OK);
    until_asked(&mut chats[1].2, 1).await;
    assert_eq!(check_in(&chats[1].0, chats[1].1, "confirmed").await.0, StatusCode::OK);
    assert_eq!(ada.accept(chats[1].1).await.0, StatusCode::OK);
    until_asked(&mut chats[2].2, 1).await;
    for (user, chat, times) in [(&chats[0].0, chats[0].1, 0), (&chats[1].0, chats[1].1, 1), (&elsewhere, other, 0)] {
        let asked = user.messages(chat).await.iter().filter(|message| message["event"] == "checkInRequired").count();
        assert_eq!(asked, times);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_hidden_page_is_told_of_by_frame_or_by_request() {
    let gateway = start("check_in = { hidden_after_ms = 200, timeout_ms = 20000 }").await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(2, "open-1").await;
    let visibility = format!("/chats/{chat}/visibility");
    refused(&eve.call(Method::POST, &visibility, Some(json!({"visible": false}))).await, 404, "not_found");
    for wrong in [json!({}), json!({"visible": "no"})] {
        refused(&uma.call(Method::POST, &visibility, Some(wrong)).await, 400, "invalid_argument");
    }
    // By request, beside server-sent events.
    let mut events = uma.events(chat, 0).await;
    let (status, body) = uma.call(Method::POST, &visibility, Some(json!({"visible": false}))).await;
    assert_eq!((status, body), (StatusCode::NO_CONTENT, json!(null)));
    events.until_index(1).await;
    assert_eq!(events.messages[0]["event"], "checkInRequired");
    assert_eq!(check_in(&uma, chat, "confirmed").await.0, StatusCode::OK);
    uma.call(Method::POST, &visibility, Some(json!({"visible": true}))).await;
    drop(events);
    // By frame; a page in view speaks for all.
    let (mut hidden, mut shown) = (uma.join(chat, 0).await, uma.join(chat, 0).await);
    shown.expect("joined").await;
    shown.say(json!({"type": "visibility", "visible": true})).await;
    shown.say(json!({"type": "ping"})).await;
    shown.expect("pong").await;
    hidden.say(json!({"type": "visibility", "visible": false})).await;
    hidden.say(json!({"type": "ping"})).await;
    hidden.expect("pong").await;
    shown.say(json!({"type": "visibility", "visible": false})).await;
    until_asked(&mut hidden, 2).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_check_in_that_was_asked_for_before_a_restart_runs_out_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let timers = "chat = { check_in = { after_ms = 1, timeout_ms = 600 } }";
    let (uma, chat, until_ms) = {
        let gateway = Gateway::start_in(folder.path(), config(timers)).await;
        let uma = gateway.user("uma").await;
        let chat = uma.chat(2, "open-1").await;
        let mut customer = uma.join(chat, 0).await;
        let asked = until_asked(&mut customer, 1).await;
        gateway.stop().await;
        (uma, chat, asked["expires_at_ms"].as_u64().unwrap())
    };
    let gateway = Gateway::start_in(folder.path(), config(timers)).await;
    let uma = User { base: gateway.base.clone(), ..uma };
    let status = async || uma.get(&format!("/chats/{chat}")).await["chat"]["status"].clone();
    within(async { while status().await != "checked_out" {} }).await;
    let last = uma.messages(chat).await.pop().unwrap();
    assert_eq!(last["event"], "checkInTimedOut");
    assert!(last["$timestamp"].as_u64().unwrap() >= until_ms);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chat_says_when_it_times_out_and_how_its_agent_is_called() {
    let gateway = start("timeout_ms = 600000").await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = answered(&uma, &ada).await;
    let state = async || uma.get(&format!("/chats/{chat}")).await["chat"].clone();
    let shown = state().await;
    let (created, timeout) = (shown["created_at"].as_str().unwrap(), shown["timeout_at"].as_str().unwrap());
    assert!(timeout > created && timeout.ends_with('Z'), "{timeout}");
    assert_eq!((&shown["agent"]["first_name"], &shown["agent"]["status"]), (&json!("Ada"), &json!("offline")));
    let mut list = ada.list().await;
    list.expect("chats").await;
    assert_eq!(state().await["agent"]["status"], "online");
    assert!(!shown["features"].as_array().unwrap().contains(&json!("check_in")), "nothing is configured");
    uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    assert!(state().await.get("timeout_at").is_none());
    gateway.stop().await;
}
