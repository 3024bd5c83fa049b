//! Proactive triggers and feature flags: who is offered what, and that nobody is asked twice in a day.

use std::sync::Arc;

use gateway::config::post_session::PostSession;
use gateway::store::{MemoryStore, RecordKind, RecordQuery, Store};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, User, company_with, start_with_menus};

const TRIGGERS: &str = r#"
languages = ["en", "it"]
triggers = [
    { id = "pay", menu_id = 2, lang = "it", title = { en = "Hand", it = "Mano" }, message = { en = "Help?", it = "Aiuto?" }, conditions = { url_contains = ["Checkout"], url_excludes = ["thanks"], time_on_page_ms = 5, visitor = "returning", min_visits = 2, max_visits = 9 } },
    { id = "hello", menu_id = 2, message = { en = "Hello?", it = "Ciao?" } },
    { id = "night", menu_id = 90, message = "Closed" },
    { id = "off", menu_id = 91, message = "Off" },
]
"#;
const MENUS: [&str; 2] = ["id = 90, name = \"Night\", hours = {}", "id = 91, name = \"Off\", enabled = false"];

async fn offered(user: &User, query: &str) -> Vec<Value> {
    user.get(&format!("/triggers{query}")).await["triggers"].as_array().unwrap().clone()
}

fn ids(triggers: &[Value]) -> Vec<&str> {
    triggers.iter().map(|trigger| trigger["id"].as_str().unwrap()).collect()
}

async fn run(user: &User, id: &str) -> (StatusCode, Value) {
    user.call(Method::POST, "/trigger_runs", Some(json!({"trigger_id": id}))).await
}

#[tokio::test]
async fn triggers_are_offered_in_a_language_and_only_where_their_queue_takes_chats() {
    let gateway = start_with_menus(TRIGGERS, &MENUS).await;
    let uma = gateway.user("uma").await;
    let conditions = json!({"url_contains": ["Checkout"], "url_excludes": ["thanks"], "time_on_page_ms": 5, "visitor": "returning", "min_visits": 2, "max_visits": 9});
    let always =
        json!({"url_contains": [], "url_excludes": [], "time_on_page_ms": 0, "min_visits": 0, "max_visits": 0});
    for (query, lang, hello) in [("", "en", "Hello?"), ("?lang=it-IT", "it", "Ciao?"), ("?lang=ja", "en", "Hello?")] {
        let expected = json!([
            // Its own language goes before the page's.
            {"id": "pay", "menu_id": 2, "lang": "it", "title": "Mano", "message": "Aiuto?", "conditions": conditions},
            {"id": "hello", "menu_id": 2, "lang": lang, "message": hello, "conditions": always},
        ]);
        assert_eq!(json!(offered(&uma, query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_trigger_runs_once_a_day_for_an_end_user_and_the_others_go_on() {
    let gateway = start_with_menus(TRIGGERS, &MENUS).await;
    let (uma, ugo) = (gateway.user("uma").await, gateway.user("ugo").await);
    assert_eq!(run(&uma, "hello").await, (StatusCode::OK, json!({"run": true})));
    assert_eq!(run(&uma, "hello").await, (StatusCode::OK, json!({"run": false})));
    assert_eq!(ids(&offered(&uma, "").await), ["pay"]);
    assert_eq!(run(&uma, "pay").await, (StatusCode::OK, json!({"run": true})));
    assert_eq!(ids(&offered(&uma, "").await), [""; 0]);
    assert_eq!(ids(&offered(&ugo, "").await), ["pay", "hello"]);
    assert_eq!(run(&ugo, "hello").await, (StatusCode::OK, json!({"run": true})));
}

#[tokio::test]
async fn of_pages_that_are_about_to_ask_at_once_one_may() {
    let gateway = start_with_menus(TRIGGERS, &MENUS).await;
    let uma = gateway.user("uma").await;
    let answers = futures_util::future::join_all((0..8).map(|_| run(&uma, "hello"))).await;
    assert_eq!(answers.iter().filter(|(_, body)| body["run"] == true).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_day_later_a_trigger_is_offered_again() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let store = Arc::new(MemoryStore::default());
    let gateway = Gateway::start_with(company_with(TRIGGERS, &MENUS), store.clone()).await;
    for (name, age_ms, is_over) in [("almost", DAY_MS - 60_000, false), ("over", DAY_MS, true)] {
        let user = gateway.user(name).await;
        run(&user, "hello").await;
        // The same of the other trigger, earlier.
        let newest = store.records(RecordQuery::of(RecordKind::TriggerRun, 1)).await.unwrap().remove(0);
        let mut earlier = newest.content;
        earlier.at_ms -= age_ms;
        earlier.topic = earlier.topic.map(|topic| topic.replace("hello", "pay"));
        earlier.body.insert("trigger_id".into(), "pay".into());
        store.keep_record(earlier, Vec::new()).await.unwrap();
        assert_eq!(offered(&user, "").await.len(), usize::from(is_over), "{name}");
        assert_eq!(run(&user, "pay").await.1, json!({"run": is_over}), "{name}");
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_is_refused() {
    let gateway = start_with_menus(TRIGGERS, &MENUS).await;
    let uma = gateway.user("uma").await;
    let cases = [
        (json!({"trigger_id": "nope"}), 404, "not_found"),
        (json!({"trigger_id": ""}), 404, "not_found"),
        (json!({"trigger_id": "x".repeat(10_000)}), 404, "not_found"),
        (json!({"trigger_id": 7}), 400, "invalid_argument"),
        (json!({"trigger_id": null}), 400, "invalid_argument"),
        (json!({}), 400, "invalid_argument"),
        (json!([]), 400, "invalid_argument"),
    ];
    for (body, status, code) in cases {
        let (got, answer) = uma.call(Method::POST, "/trigger_runs", Some(body.clone())).await;
        assert_eq!((got.as_u16(), answer["error"]["code"].as_str()), (status, Some(code)), "{body}");
    }
    let nobody = reqwest::get(format!("{}/api/v1/triggers", gateway.base)).await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_chat_says_at_the_desk_which_trigger_led_to_it() {
    let gateway = start_with_menus(TRIGGERS, &MENUS).await;
    let uma = gateway.user("uma").await;
    let body = json!({"client_id": "a", "menu_id": 2, "chat": {"trigger_id": "hello", "lang": "it"}});
    assert_eq!(uma.call(Method::POST, "/chats", Some(body)).await.0, StatusCode::CREATED);
    let (_, chats) = gateway.agent("ada").await.call(Method::GET, "/chats", None).await;
    let queue = chats["queue"].as_array().unwrap();
    assert_eq!((queue.len(), &queue[0]["request"]["trigger_id"]), (1, &json!("hello")));
}

#[tokio::test]
async fn feature_flags_follow_the_configuration() {
    let plain = Gateway::start().await;
    let plain = plain.user("uma").await.get("/feature_flags").await["flags"].clone();
    let mut config = company_with(
        &format!(
            "{TRIGGERS}\nmessage_preview = true\naction_tracking = true\nemail_transcripts = true\nemail_enhancement = true\nscreen_share = false\nsurvey = {{ id = 1, sign_off = \"Bye\", questions = [{{ id = 1, type = \"csat\", text = \"How?\", answers = [{{ key = \"1\", value = \"bad\" }}] }}] }}\nsupport_email = \"help@shop.example\"\nforms = [{{ id = 8, kind = \"browser\", name = \"f\", title = \"F\", url = \"/f\" }}]\ndeflection = {{ email = true }}"
        ),
        &MENUS,
    );
    config.limits.max_upload_bytes = 0;
    config.stream.websocket = false;
    config.chat.check_in.after_ms = 1_000;
    config.transcripts.per_chat_per_day = 0;
    let mut asker = config.virtual_agents[0].clone();
    (asker.id, asker.rules, asker.greeting_buttons) = (2, Vec::new(), Vec::new());
    config.virtual_agents.push(asker);
    config.companies[0].post_session = Some(PostSession { virtual_agent: 2, opt_in: false });
    let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
    let full = gateway.user("uma").await.get("/feature_flags").await["flags"].clone();
    let on = [
        "triggers",
        "message_preview",
        "action_tracking",
        "email_transcripts",
        "email_enhancement",
        "forms",
        "deflection",
        "check_in",
        "survey",
        "post_session",
    ];
    for name in on {
        assert_eq!((&plain[name], &full[name]), (&json!(false), &json!(true)), "{name}");
    }
    for name in ["websocket", "photo", "transcripts", "cobrowse"] {
        assert_eq!((&plain[name], &full[name]), (&json!(true), &json!(false)), "{name}");
    }
    assert_eq!(
        (&plain["chat"], &plain["virtual_agent"], &plain["voice_call"], &plain["email"]),
        (&json!(true), &json!(true), &json!(false), &json!(false))
    );
}
