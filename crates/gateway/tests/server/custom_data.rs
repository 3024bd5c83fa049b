//! What a site says about its customer when it opens a chat.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, SECRET, User, now_s, signed, texts};

async fn open(user: &User, menu_id: u64, key: &str, chat: Value) -> (StatusCode, Value) {
    let body = json!({"client_id": key, "menu_id": menu_id, "chat": chat});
    user.call(Method::POST, "/chats", Some(body)).await
}

async fn shown(desk: &Desk, chat: &Value) -> Value {
    let (_, chats) = desk.call(Method::GET, "/chats", None).await;
    chats["queue"].as_array().unwrap().iter().find(|shown| shown["id"] == chat["chat"]["id"]).unwrap().clone()
}

fn token(custom_data: Value) -> String {
    signed(&json!({"custom_data": custom_data, "iat": now_s(), "exp": now_s() + 60}), SECRET)
}

#[tokio::test]
async fn custom_data_reaches_the_desk_in_the_sites_order_and_only_what_is_signed_is_verified() {
    let gateway = Gateway::start().await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let token = token(json!({
        "tier": {"label": "Tier", "value": "gold"},
        "account": {"label": "Account", "value": 7, "type": "number"},
        "score": {"label": "Score", "value": 1, "invisible_to_agent": true},
        "reserved_verified_customer": {"label": "", "value": true, "type": "boolean"},
    }));
    let unsigned = json!({
        "zip": {"label": "Zip", "value": "20100"},
        "city": {"label": "City", "value": "Milano"},
        "reserved_repeat_customer": {"value": true},
        "reserved_verified_customer": {"value": false},
    });
    let (status, chat) = open(&uma, 2, "a", json!({"custom_data": {"signed": token, "unsigned": unsigned}})).await;
    assert_eq!(status, StatusCode::CREATED, "{chat}");
    let seen = shown(&ada, &chat).await;
    let entries = r#"{"unsigned":{"zip":{"label":"Zip","value":"20100"},"city":{"label":"City","value":"Milano"}},"signed":{"tier":{"label":"Tier","value":"gold"},"account":{"label":"Account","value":7,"type":"number"}}}"#;
    assert_eq!(seen["custom_data"].to_string(), entries);
    assert_eq!(seen["customer_flags"], json!({"verified_customer": true, "bad_actor": false, "repeat_customer": true}));
    let verified = json!({"verified_customer": true, "bad_actor": false, "repeat_customer": false});
    assert_eq!(seen["customer_flags_signed"], verified);
    assert!(!seen.to_string().contains(&token), "the token itself is nobody's business");

    let liar = json!({"reserved_verified_customer": {"value": true}, "reserved_bad_actor": {"value": true}});
    let (_, chat) = open(&uma, 2, "b", json!({"custom_data": {"unsigned": liar}})).await;
    let seen = shown(&ada, &chat).await;
    assert_eq!(seen["custom_data"], json!({"unsigned": {}, "signed": {}}));
    assert_eq!(seen["customer_flags"], json!({"verified_customer": true, "bad_actor": true, "repeat_customer": false}));
    let nothing = json!({"verified_customer": false, "bad_actor": false, "repeat_customer": false});
    assert_eq!(seen["customer_flags_signed"], nothing);
    gateway.stop().await;
}

#[tokio::test]
async fn a_signed_token_must_be_the_sites_and_good_now() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let now = now_s();
    let claims = |iat: Value, exp: u64| json!({"custom_data": {"a": {"value": 1}}, "iat": iat, "exp": exp});
    let good = token(json!({"a": {"value": 1}}));
    let table = [
        (good.clone(), None),
        (String::new(), None),
        // An empty token and one without data are no reason to refuse a customer.
        (signed(&json!({"iat": now, "exp": now + 60}), SECRET), None),
        (signed(&json!({"custom_data": {}, "iat": now, "exp": now + 60}), SECRET), None),
        (signed(&claims(json!(now), now + 60), "the wrong secret of a stranger"), Some("token_invalid")),
        (signed(&claims(json!(now - 7200), now - 3600), SECRET), Some("token_expired")),
        (signed(&claims(json!(now + 3600), now + 7200), SECRET), Some("token_invalid")),
        (signed(&json!({"custom_data": {}, "exp": now + 60}), SECRET), Some("token_invalid")),
        (signed(&json!({"custom_data": {}, "iat": now}), SECRET), Some("token_invalid")),
        (signed(&json!({"custom_data": [], "iat": now, "exp": now + 60}), SECRET), Some("token_invalid")),
        ("not.a.token".to_owned(), Some("token_invalid")),
        (format!("{}x", good), Some("token_invalid")),
    ];
    for (n, (token, expected)) in table.into_iter().enumerate() {
        let (status, body) = open(&uma, 2, &format!("open-{n}"), json!({"custom_data": {"signed": token}})).await;
        let expected_status = if expected.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::CREATED };
        assert_eq!((status, body["error"]["code"].as_str()), (expected_status, expected), "{n}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_repeated_creation_is_answered_although_its_token_has_expired_since() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    let (_, first) = open(&uma, 2, "same", json!({"custom_data": {"signed": token(json!({}))}})).await;
    let old = signed(&json!({"iat": 1, "exp": 2}), SECRET);
    let (status, again) = open(&uma, 2, "same", json!({"custom_data": {"signed": old}})).await;
    assert_eq!((status, &again["chat"]["id"]), (StatusCode::OK, &first["chat"]["id"]));
    gateway.stop().await;
}

#[tokio::test]
async fn a_conversation_from_elsewhere_goes_on_here() {
    let gateway = Gateway::start().await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let transcript = json!([
        {"sender": "end_user", "timestamp": "2021-03-15 12:00:00Z", "content": [{"type": "text", "text": "Hi"}]},
        {"sender": "agent", "timestamp": "2021-03-15 12:00:05Z", "content": [
            {"type": "buttons", "buttons": [{"label": "Yes", "selected": true}]},
            {"type": "media", "media": {"type": "image", "url": "https://a.example/x.png"}},
        ]},
    ]);
    let transfer = json!({
        "greeting_override": "As I said before…",
        "agent": {"name": "Max", "avatar": "https://a.example/max.png"},
        "transcript": transcript,
    });
    let request = json!({"custom_data": {"unsigned": {"external_chat_transfer": transfer, "k": {"value": 1}}}});
    let (_, chat) = open(&uma, 1, "a", request).await;
    let max = json!({"id": 1, "name": "Max", "avatar_url": "https://a.example/max.png", "status": "online"});
    assert_eq!((&chat["chat"]["virtual_agent"], &chat["chat"]["all_virtual_agents"][0]), (&max, &max));
    assert_eq!(chat["chat"]["members"][0]["display_name"], "Max");
    assert!(chat["chat"]["status_text"].as_str().unwrap().contains("Max"));
    let id = chat["chat"]["id"].as_u64().unwrap();
    assert_eq!(texts(&uma.messages(id).await)[0], "As I said before…");
    uma.send(id, "m-1", "person").await;
    let seen = shown(&ada, &chat).await;
    assert_eq!(seen["external_transcript"], transcript);
    assert_eq!(seen["custom_data"]["unsigned"], json!({"k": {"value": 1}}));

    let (_, plain) = open(&uma, 2, "b", json!({})).await;
    assert_eq!(shown(&ada, &plain).await["external_transcript"], json!([]));
    let wrong = json!({"custom_data": {"unsigned": {"external_chat_transfer": {"transcript": [{"sender": "me"}]}}}});
    let (status, body) = open(&uma, 2, "c", wrong).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")));
    gateway.stop().await;
}

#[tokio::test]
async fn every_field_of_the_request_is_seen_at_the_desk_and_must_have_its_type() {
    let gateway = Gateway::start().await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let request = json!({
        "lang": "en-GB", "trigger_id": "t-9", "ticket_id": "T-1", "email": "new@shop.example", "greeting": "Hello there",
        "cobrowsable": true, "message_preview": false, "own": {"kept": [1]},
    });
    let (_, chat) = open(&uma, 2, "a", request.clone()).await;
    let seen = shown(&ada, &chat).await;
    assert_eq!(seen["request"], request);
    assert_eq!((&seen["lang"], &seen["end_user_email"]), (&json!("en-GB"), &json!("new@shop.example")));
    let (_, none) = open(&uma, 2, "b", json!({})).await;
    let seen = shown(&ada, &none).await;
    assert_eq!((&seen["request"], &seen["end_user_email"]), (&json!({}), &json!(null)));
    for (n, (field, wrong)) in [
        ("lang", json!(1)),
        ("trigger_id", json!(1)),
        ("ticket_id", json!([])),
        ("email", json!({})),
        ("greeting", json!(true)),
        ("cobrowsable", json!("yes")),
        ("message_preview", json!(1)),
        ("custom_data", json!([])),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, body) = open(&uma, 2, &format!("wrong-{n}"), json!({field: wrong})).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")), "{field}");
    }
    gateway.stop().await;
}
