//! Asking for a person: what is offered instead, deflected escalations and what customers choose then.

use gateway::config::Hours;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, User, company_with, start_with_menus, texts, within};

const LINKS: &str = "links = [{ id = 7, name = { en = \"Guides\", it = \"Guide\" }, url = \"https://a.example/guides\" }, { id = 8, name = \"Shops\", url = \"https://a.example/shops\" }]\nlanguages = [\"en\", \"it\"]";

/// Queue 50 is full as soon as anybody would have to wait; 51 is closed, and its virtual agent stands in; 52 has no deflection.
async fn start() -> Gateway {
    let menus = [
        "id = 50, name = \"Full\", virtual_agent = 1, deflection = { threshold_ms = 90000, email = true, links = [8, 7] }",
        "id = 51, name = \"Shut\", virtual_agent = 1, virtual_agent_after_hours = true, hours = {}, deflection = { links = [7] }",
        "id = 52, name = \"Plain\", virtual_agent = 1",
        "id = 53, name = \"No waiting\", virtual_agent = 1, deflection = { threshold_ms = 1000, keep_waiting = false }",
        "id = 54, name = \"Silent\", virtual_agent = 1, virtual_agent_after_hours = true, hours = {}, deflection = { after_hours = false }",
    ];
    start_with_menus(LINKS, &menus).await
}

async fn escalate(user: &User, chat: u64, body: Value) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/escalations"), Some(body)).await
}

async fn choose(user: &User, chat: u64, id: &Value, channel: &str) -> (StatusCode, Value) {
    let path = format!("/chats/{chat}/escalations/{id}");
    user.call(Method::PATCH, &path, Some(json!({"deflection_channel": channel}))).await
}

async fn status(user: &User, chat: u64) -> Value {
    user.get(&format!("/chats/{chat}")).await["chat"]["status"].clone()
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["error"]["code"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn what_is_offered_instead_follows_the_live_queue() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let (full, shut, plain) = (uma.chat(50, "a").await, uma.chat(51, "b").await, uma.chat(52, "c").await);
    let offered = async |chat: u64, lang: &str| uma.get(&format!("/chats/{chat}/deflection{lang}")).await;
    let links = |names: [&str; 2]| json!([{"id": 8, "name": names[0], "url": "https://a.example/shops"}, {"id": 7, "name": names[1], "url": "https://a.example/guides"}]);
    let expected = json!({
        "enabled": true, "threshold": 90, "email": true, "keep_waiting": true, "reason": "over_capacity",
        "external_deflection_links": {"enabled": true, "ids": [8, 7]}, "links": links(["Shops", "Guides"]),
    });
    assert_eq!(offered(full, "").await, expected);
    assert_eq!(offered(full, "?lang=it").await["links"], links(["Shops", "Guide"]));
    let shown = offered(shut, "").await;
    assert_eq!(
        (&shown["enabled"], &shown["reason"], &shown["threshold"]),
        (&json!(true), &json!("after_hours"), &json!(0))
    );
    let none = json!({
        "enabled": false, "threshold": 0, "email": false, "keep_waiting": false,
        "external_deflection_links": {"enabled": false, "ids": []}, "links": [],
    });
    assert_eq!(offered(plain, "").await, none);
    assert_eq!(uma.get("/deflection").await, none, "the company itself has none");

    let menus = uma.get("/menus").await;
    let menu = |id: u64| {
        let found = menus["menus"].as_array().unwrap().iter().find(|menu| menu["id"] == id).unwrap();
        found.get("deflection").cloned()
    };
    assert_eq!(menu(50), Some(json!({"enabled": true, "type": "over_capacity"})));
    assert_eq!(menu(51), Some(json!({"enabled": true, "type": "after_hours"})));
    assert_eq!(menu(52), None);
    assert_eq!(menu(54), Some(json!({"enabled": false, "type": "after_hours"})));

    // With somebody on duty nobody waits.
    let mut list = gateway.agent("ada").await.list().await;
    list.expect("chats").await;
    let shown = offered(full, "").await;
    assert_eq!((&shown["enabled"], shown.get("reason")), (&json!(false), None));
    let menus = uma.get("/menus").await;
    let deflection =
        menus["menus"].as_array().unwrap().iter().find(|menu| menu["id"] == 50).unwrap()["deflection"].clone();
    assert_eq!(deflection, json!({"enabled": false, "type": "over_capacity"}));

    let eve = gateway.user("eve").await;
    assert_eq!(eve.call(Method::GET, &format!("/chats/{full}/deflection"), None).await.0, StatusCode::NOT_FOUND);
    gateway.stop().await;
}

#[tokio::test]
async fn the_companys_own_deflection_is_there_without_a_chat_and_for_queues_without_one() {
    let more = format!("{LINKS}\nhours = {{}}\ndeflection = {{ email = true, links = [7] }}");
    let gateway = start_with_menus(&more, &["id = 50, name = \"Plain\""]).await;
    let uma = gateway.user("uma").await;
    let shown = uma.get("/deflection?lang=it").await;
    assert_eq!(
        (&shown["enabled"], &shown["reason"], &shown["email"]),
        (&json!(true), &json!("after_hours"), &json!(true))
    );
    assert_eq!(shown["links"][0]["name"], "Guide");
    let menus = uma.get("/menus").await;
    let inherited = menus["menus"].as_array().unwrap().iter().find(|menu| menu["id"] == 50).unwrap();
    assert_eq!(inherited["deflection"], json!({"enabled": true, "type": "after_hours"}));
    gateway.stop().await;
}

#[tokio::test]
async fn a_deflected_escalation_tells_both_sides_and_waiting_all_the_same_enters_the_queue() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(50, "a").await;
    let mut stream = uma.join(chat, 0).await;
    let (code_of_first, deflected) = escalate(&uma, chat, json!({"reason": "by_end_user_ask"})).await;
    assert_eq!(code_of_first, StatusCode::CREATED);
    let options = json!([
        {"channel": "human_agent"},
        {"channel": "email"},
        {"channel": "external_link", "id": 8, "name": "Shops", "url": "https://a.example/shops"},
        {"channel": "external_link", "id": 7, "name": "Guides", "url": "https://a.example/guides"},
        {"channel": "virtual_agent", "id": 1, "name": "Pia"},
    ]);
    let expected =
        json!({"id": 3, "chat_id": chat, "status": "deflected", "reason": "over_capacity", "options": options});
    assert_eq!(deflected, expected);
    stream.until_index(3).await;
    let notice = &stream.messages[2];
    assert_eq!(
        (&notice["type"], &notice["event"], &notice["$userType"]),
        (&json!("noti"), &json!("escalationDeflected"), &json!("system"))
    );
    assert_eq!(
        (&notice["escalation_id"], &notice["reason"], &notice["options"]),
        (&json!(3), &json!("over_capacity"), &options)
    );
    assert_eq!(status(&uma, chat).await, "va_assigned");
    // The virtual agent goes on.
    uma.send(chat, "m-1", "what now").await;
    assert_eq!(texts(&uma.messages(chat).await)[3..], ["what now", "What?"]);

    for _ in 0..2 {
        let chosen = choose(&uma, chat, &json!(3), "human_agent").await;
        assert_eq!(chosen, (StatusCode::OK, json!({"id": 3, "chat_id": chat, "status": "escalated"})));
    }
    assert_eq!(status(&uma, chat).await, "queued");
    assert_eq!(texts(&uma.messages(chat).await)[5..], ["(escalationStarted)"]);
    assert_eq!(code(&choose(&uma, chat, &json!(3), "email").await), (409, "conflict"));
    // Who waits already is not led away; the escalation is the one that led there.
    let (_, again) = escalate(&uma, chat, json!({})).await;
    assert_eq!(again, json!({"id": 6, "chat_id": chat, "status": "escalated"}));
    let chosen = choose(&uma, chat, &json!(6), "human_agent").await;
    assert_eq!(chosen, (StatusCode::OK, json!({"id": 6, "chat_id": chat, "status": "escalated"})));
    assert_eq!(code(&choose(&uma, chat, &json!(6), "email").await), (409, "conflict"));
    // The agent who is to take the chat reads why.
    let desk = gateway.agent("ada").await;
    let (_, shown) = desk.call(Method::GET, &format!("/chats/{chat}/events"), None).await;
    let escalations = shown["escalations"].as_array().unwrap();
    let read: Vec<_> = escalations.iter().map(|e| (&e["id"], &e["reason"], &e["deflection_channel"])).collect();
    let human = json!("human_agent");
    assert_eq!(read, [(&json!(3), &json!("by_end_user_ask"), &human), (&json!(6), &Value::Null, &Value::Null)]);
    gateway.stop().await;
}

#[tokio::test]
async fn other_choices_are_recorded_and_a_link_ends_the_chat() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    for (n, channel, after) in
        [(1, "email", "va_assigned"), (2, "virtual_agent", "va_assigned"), (3, "external_link", "finished")]
    {
        let chat = uma.chat(50, &format!("open-{n}")).await;
        let (_, deflected) = escalate(&uma, chat, json!({})).await;
        for _ in 0..2 {
            let chosen = choose(&uma, chat, &deflected["id"], channel).await;
            assert_eq!(
                chosen,
                (StatusCode::OK, json!({"id": deflected["id"], "chat_id": chat, "status": "deflected"}))
            );
        }
        assert_eq!(status(&uma, chat).await, after, "{channel}");
        let other = if channel == "email" { "virtual_agent" } else { "email" };
        assert_eq!(code(&choose(&uma, chat, &deflected["id"], other).await), (409, "conflict"));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_choice_must_be_one_that_was_offered_for_an_escalation_that_was_made() {
    let gateway = start().await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let shut = uma.chat(51, "a").await;
    let (_, deflected) = escalate(&uma, shut, json!({})).await;
    assert_eq!((&deflected["status"], &deflected["reason"]), (&json!("deflected"), &json!("after_hours")));
    let options = json!([
        {"channel": "external_link", "id": 7, "name": "Guides", "url": "https://a.example/guides"},
        {"channel": "virtual_agent", "id": 1, "name": "Pia"},
    ]);
    assert_eq!(deflected["options"], options);
    let id = &deflected["id"];
    assert_eq!(code(&choose(&uma, shut, id, "human_agent").await), (409, "conflict"), "nobody is there");
    assert_eq!(code(&choose(&uma, shut, id, "email").await), (409, "conflict"), "not offered");
    assert_eq!(code(&choose(&uma, shut, id, "pigeon").await), (400, "invalid_argument"));
    assert_eq!(code(&choose(&uma, shut, id, "").await), (400, "invalid_argument"));
    for unknown in [json!(0), json!(1), json!(99), json!(u64::MAX)] {
        assert_eq!(code(&choose(&uma, shut, &unknown, "virtual_agent").await), (404, "not_found"), "{unknown}");
    }
    assert_eq!(code(&choose(&uma, shut, &json!("x"), "virtual_agent").await).0, 400);
    assert_eq!(code(&choose(&eve, shut, id, "virtual_agent").await), (404, "not_found"));
    let path = format!("/chats/{shut}/escalations/{id}");
    for body in [json!({}), json!({"deflection_channel": 5}), json!([])] {
        assert_eq!(code(&uma.call(Method::PATCH, &path, Some(body)).await), (400, "invalid_argument"));
    }
    let hasty = uma.chat(53, "b").await;
    let (_, deflected) = escalate(&uma, hasty, json!({})).await;
    assert_eq!(deflected["options"], json!([{"channel": "virtual_agent", "id": 1, "name": "Pia"}]));
    assert_eq!(code(&choose(&uma, hasty, &deflected["id"], "human_agent").await), (409, "conflict"));
    gateway.stop().await;
}

#[tokio::test]
async fn force_escalates_past_a_full_queue_and_not_into_a_closed_one() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let (full, shut, silent) = (uma.chat(50, "a").await, uma.chat(51, "b").await, uma.chat(54, "c").await);
    assert_eq!(escalate(&uma, full, json!({"force_escalate": true})).await.1["status"], "escalated");
    assert_eq!(escalate(&uma, shut, json!({"force_escalate": true})).await.1["reason"], "after_hours");
    assert_eq!(escalate(&uma, silent, json!({"force_escalate": false})).await.1["reason"], "after_hours");
    for body in [json!({"force_escalate": "yes"}), json!({"reason": 5}), json!([]), json!("x")] {
        assert_eq!(code(&escalate(&uma, shut, body.clone()).await), (400, "invalid_argument"), "{body}");
    }
    assert_eq!(code(&escalate(&uma, shut, json!({"reason": "x".repeat(400)})).await), (413, "too_large"));
    uma.call(Method::DELETE, &format!("/chats/{full}"), None).await;
    assert_eq!(code(&escalate(&uma, full, json!({})).await), (409, "chat_ended"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_virtual_agents_own_escalation_is_deflected_by_the_same_rule() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let shut = uma.chat(51, "a").await;
    uma.send(shut, "m-1", "a person please").await;
    assert_eq!(texts(&uma.messages(shut).await)[2..], ["a person please", "One moment.", "(escalationDeflected)"]);
    assert_eq!(status(&uma, shut).await, "va_assigned");
    let chosen = choose(&uma, shut, &json!(5), "virtual_agent").await;
    assert_eq!(chosen, (StatusCode::OK, json!({"id": 5, "chat_id": shut, "status": "deflected"})));

    // The snapshot follows the queue: with somebody on duty the full one is free.
    let full = uma.chat(50, "b").await;
    uma.send(full, "m-1", "person").await;
    assert_eq!(status(&uma, full).await, "va_assigned");
    let mut list = gateway.agent("ada").await.list().await;
    list.expect("chats").await;
    within(async {
        let mut n = 1;
        while status(&uma, full).await != "queued" {
            n += 1;
            uma.send(full, &format!("m-{n}"), "person").await;
        }
    })
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_dismissed_chat_does_not_come_back_to_a_closed_queue_but_a_message_is_never_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = company_with("", &[]);
    config.chat.dismiss_after_ms = 200;
    config.chat.dismiss_warning_ms = 0;
    let open = Gateway::start_in(folder.path(), config.clone()).await;
    let (uma, ada) = (open.user("uma").await, open.agent("ada").await);
    let chat = uma.chat(2, "a").await;
    let mut stream = uma.join(chat, 0).await;
    ada.accept(chat).await;
    uma.send(chat, "m-1", "hello").await;
    ada.send(chat, "a-1", "hi").await;
    stream.until_status("dismissed").await;
    open.stop().await;

    config.companies[0].hours = Some(Hours::default());
    let closed = Gateway::start_in(folder.path(), config).await;
    let uma = closed.user("uma").await;
    let resumed = uma.call(Method::POST, &format!("/chats/{chat}/resume"), Some(json!({}))).await;
    assert_eq!(code(&resumed), (409, "after_hours"));
    assert_eq!(code(&escalate(&uma, chat, json!({"force_escalate": true})).await), (409, "after_hours"));
    assert_eq!(status(&uma, chat).await, "dismissed");
    assert_eq!(uma.send(chat, "m-2", "until tomorrow").await.0, StatusCode::CREATED);
    assert_eq!(status(&uma, chat).await, "queued");
    closed.stop().await;
}

#[tokio::test]
async fn waiting_all_the_same_is_no_choice_once_the_chat_is_over() {
    let gateway = start().await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(50, "a").await;
    let (_, deflected) = escalate(&uma, chat, json!({})).await;
    uma.call(Method::DELETE, &format!("/chats/{chat}"), None).await;
    assert_eq!(code(&choose(&uma, chat, &deflected["id"], "human_agent").await), (409, "chat_ended"));
    let chosen = choose(&uma, chat, &deflected["id"], "email").await;
    assert_eq!(chosen.0, StatusCode::OK, "nothing was chosen before");
    gateway.stop().await;
}
