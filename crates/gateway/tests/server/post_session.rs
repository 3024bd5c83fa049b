//! What follows the human part of a chat, as customer and agent see it.

use std::sync::Arc;

use gateway::config::post_session::{MenuPostSession, PostSession};
use gateway::config::{Config, ConfigError, VirtualAgent};
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, User, company_with, config, texts, within};

/// Asks, and finds out what was asked for.
const ASKER: &str = r#"
id = 2
name = "Vera"
greeting = "Solved?"
greeting_session_variables = [{ capture_target = "end_user_response", capture_key = "solved", display_order_in_adapter = 2 }]
fallback = "Noted."
[[rules]]
keywords = ["no"]
answer = "Why?"
session_variables = [
    { capture_target = "payload", capture_key = "unhappy", payload = true, display_order_in_adapter = 1 },
    { capture_target = "end_user_response", capture_key = "why" },
]
[[rules]]
keywords = ["bye"]
answer = "Bye."
action = "finish"
"#;

/// Queue 31 inherits from the company, 41 from the folder above it, which asks first; 42 and 44 have none.
fn followed(timeout_ms: u64) -> Config {
    let mut config = company_with(
        "redaction = [{ builtin = \"card\" }]",
        &[
            r#"id = 40, name = "Asked", children = [{ id = 41, name = "Below" }, { id = 44, name = "Off" }]"#,
            r#"id = 42, name = "None""#,
        ],
    );
    config.virtual_agents.push(toml::from_str::<VirtualAgent>(ASKER).unwrap());
    config.chat.post_session_timeout_ms = timeout_ms;
    let company = config.companies.first_mut().unwrap();
    company.post_session = Some(PostSession { virtual_agent: 2, opt_in: false });
    for menu in &mut company.menus {
        match menu.id {
            40 => {
                menu.post_session = Some(MenuPostSession::Of(PostSession { virtual_agent: 2, opt_in: true }));
                menu.children[1].post_session = Some(MenuPostSession::Switch(false));
            }
            42 => menu.post_session = Some(MenuPostSession::Switch(false)),
            _ => {}
        }
    }
    config.validate().unwrap();
    config
}

async fn start(timeout_ms: u64) -> Gateway {
    Gateway::start_with(followed(timeout_ms), Arc::new(MemoryStore::default())).await
}

/// A chat of this queue that Ada had and ended.
async fn ended(uma: &User, ada: &Desk, menu_id: u64, client_id: &str) -> u64 {
    let chat = uma.chat(menu_id, client_id).await;
    assert_eq!(ada.accept(chat).await.0, StatusCode::OK);
    let finish = Some(json!({"status": "finished"}));
    assert_eq!(ada.call(Method::PATCH, &format!("/chats/{chat}"), finish).await.0, StatusCode::OK);
    chat
}

fn has(chat: &Value, feature: &str) -> bool {
    chat["features"].as_array().unwrap().contains(&json!(feature))
}

async fn step(uma: &User, chat: u64, body: Value) -> (StatusCode, Value) {
    uma.call(Method::PATCH, &format!("/chats/{chat}/post_session"), Some(body)).await
}

/// Moves it on, and gives the chat.
async fn moved(uma: &User, chat: u64, status: &str) -> Value {
    let (code, body) = step(uma, chat, json!({"status": status, "opt_in_selection": true})).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    assert_eq!(body["chat"]["post_session_transfer_status"], status);
    body["chat"].clone()
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["error"]["code"].as_str().unwrap_or_default())
}

/// What a chat says about what follows: whether something does, whether one is asked first, and where it stands.
fn part(chat: &Value) -> (bool, bool, Option<&str>) {
    let flag = |name: &str| chat[name].as_bool().unwrap();
    let status = chat.get("post_session_transfer_status").map(|status| status.as_str().unwrap());
    (flag("post_session_required"), flag("post_session_opt_in_required"), status)
}

#[tokio::test]
async fn a_virtual_agent_goes_on_after_the_agent_and_what_it_finds_out_is_on_the_desk() {
    let gateway = start(0).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = ended(&uma, &ada, 41, "open-1").await;
    let mut customer = uma.join(chat, 0).await;
    let joined = customer.expect("joined").await["chat"].clone();
    assert_eq!((part(&joined), &joined["status"]), ((true, true, None), &json!("finished")));
    assert!(has(&joined, "post_session") && !has(&joined, "text"), "{joined}");
    assert_eq!(uma.get("/chats/ongoing").await["chat"], json!(null), "nobody has taken it up");
    assert_eq!(code(&uma.send(chat, "early", "x").await), (409, "chat_ended"));

    let ready = moved(&uma, chat, "ready").await;
    assert_eq!((part(&ready), &ready["members"]), ((true, true, Some("ready")), &json!([])));
    let begun = moved(&uma, chat, "in_progress").await;
    assert_eq!(begun["members"], json!([{"type": "virtual_agent", "id": 2, "display_name": "Vera"}]));
    assert_eq!((&begun["virtual_agent"]["name"], &begun["ended_by"]), (&json!("Vera"), &json!("agent")));
    for feature in ["text", "photo", "document", "post_session"] {
        assert!(has(&begun, feature), "{feature}");
    }
    assert_eq!(begun["status"], "finished", "the chat is over all the time");
    assert_eq!(uma.get("/chats/ongoing").await["chat"]["id"], json!(chat), "a page that comes back finds it");

    for (client_id, text) in [("u-1", "no"), ("u-2", "my card 4111 1111 1111 1111 was charged"), ("u-3", "that is it")]
    {
        assert_eq!(uma.send(chat, client_id, text).await.0, StatusCode::CREATED);
    }
    assert_eq!(code(&ada.send(chat, "a-9", "me too").await), (409, "chat_ended"));
    let (_, page) = ada.call(Method::GET, &format!("/chats/{chat}/post_session"), None).await;
    assert_eq!(
        (&page["status"], &page["opted_in"], &page["ended_at"]),
        (&json!("in_progress"), &json!(true), &json!(null))
    );
    assert!(page["started_at"].is_string());
    assert_eq!(uma.send(chat, "u-4", "bye").await.0, StatusCode::CREATED);

    let over = uma.get(&format!("/chats/{chat}")).await["chat"].clone();
    assert_eq!(
        (part(&over), &over["members"], has(&over, "post_session")),
        ((true, true, Some("finished")), &json!([]), false)
    );
    assert_eq!(over["all_virtual_agents"][0]["name"], "Vera");
    assert_eq!(code(&uma.send(chat, "late", "x").await), (409, "chat_ended"));
    assert_eq!(uma.get("/chats/ongoing").await["chat"], json!(null));
    let said = texts(&uma.messages(chat).await);
    let expected = [
        "(escalationAccepted)",
        "(chatEnded)",
        "(postSessionStarted)",
        "Solved?",
        "no",
        "Why?",
        "my card 4111 1111 1111 1111 was charged",
        "Noted.",
        "that is it",
        "Noted.",
        "bye",
        "Bye.",
        "(postSessionEnded)",
    ];
    assert_eq!(said, expected);
    customer.until_index(expected.len() as u64).await;

    let (status, page) = ada.call(Method::GET, &format!("/chats/{chat}/post_session"), None).await;
    assert_eq!((status, &page["status"], &page["end_user_messages"]), (StatusCode::OK, &json!("finished"), &json!(4)));
    assert!(page["ended_at"].is_string());
    assert_eq!(page["virtual_agent"]["name"], "Vera");
    let found: Vec<(&Value, &Value)> =
        page["results"].as_array().unwrap().iter().map(|found| (&found["key"], &found["value"])).collect();
    let shown = json!("my card •••• 1111 was charged");
    assert_eq!(found, [(&json!("unhappy"), &json!(true)), (&json!("solved"), &json!("no")), (&json!("why"), &shown)]);
    // What is found out is not for the page, neither live nor in history.
    let history = uma.get("/chat_history?page=1").await;
    assert_eq!(history["chats"][0]["entries"].as_array().unwrap().len(), expected.len());
    for text in [json!(customer.messages).to_string(), history.to_string()] {
        assert!(!text.contains("session_variables") && !text.contains("unhappy"), "{text}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn it_follows_where_it_is_configured_and_after_either_side_ended_the_chat() {
    let gateway = start(0).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    for (menu_id, by_agent, expected) in [
        (31, true, (true, false, None)),
        (31, false, (true, false, None)),
        (41, false, (true, true, None)),
        (44, true, (false, false, None)),
        (42, true, (false, false, None)),
    ] {
        let chat = uma.chat(menu_id, &format!("{menu_id}-{by_agent}")).await;
        ada.accept(chat).await;
        let (path, finish) = (format!("/chats/{chat}"), Some(json!({"status": "finished"})));
        let status = if by_agent {
            ada.call(Method::PATCH, &path, finish).await.0
        } else {
            uma.call(Method::PATCH, &path, finish).await.0
        };
        assert_eq!(status, StatusCode::OK);
        let state = uma.get(&path).await["chat"].clone();
        assert_eq!(part(&state), expected, "{menu_id} {by_agent}");
        let (status, _) = ada.call(Method::GET, &format!("{path}/post_session"), None).await;
        assert_eq!(status, if expected.0 { StatusCode::OK } else { StatusCode::NOT_FOUND });
    }
    let alone = uma.chat(31, "nobody-came").await;
    uma.call(Method::PATCH, &format!("/chats/{alone}"), Some(json!({"status": "finished"}))).await;
    assert_eq!(part(&uma.get(&format!("/chats/{alone}")).await["chat"]), (false, false, None));
    gateway.stop().await;
}

#[tokio::test]
async fn who_says_no_is_left_alone() {
    let gateway = start(0).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = ended(&uma, &ada, 41, "open-1").await;
    let said = uma.messages(chat).await.len();
    assert_eq!(code(&step(&uma, chat, json!({"status": "ready"})).await), (409, "conflict"));
    let no = json!({"status": "ready", "opt_in_selection": false});
    for _ in 0..2 {
        let (status, body) = step(&uma, chat, no.clone()).await;
        assert_eq!((status, part(&body["chat"])), (StatusCode::OK, (true, true, Some("finished"))));
    }
    assert_eq!(uma.messages(chat).await.len(), said);
    let (_, page) = ada.call(Method::GET, &format!("/chats/{chat}/post_session"), None).await;
    assert_eq!((&page["opted_in"], &page["started_at"], &page["results"]), (&json!(false), &json!(null), &json!([])));
    // Who was not asked may still say no, and who throws the chat away is not followed.
    let chat = ended(&uma, &ada, 31, "open-2").await;
    let (_, body) = step(&uma, chat, json!({"status": "finished"})).await;
    assert_eq!(part(&body["chat"]), (true, false, Some("finished")));
    let chat = ended(&uma, &ada, 31, "open-3").await;
    moved(&uma, chat, "ready").await;
    moved(&uma, chat, "in_progress").await;
    let (_, body) = uma.call(Method::DELETE, &format!("/chats/{chat}"), None).await;
    assert_eq!((part(&body["chat"]).2, &body["chat"]["members"]), (Some("finished"), &json!([])));
    gateway.stop().await;
}

#[tokio::test]
async fn steps_out_of_order_and_requests_that_are_none_are_refused() {
    let gateway = start(0).await;
    let (uma, eve, ada) = (gateway.user("uma").await, gateway.user("eve").await, gateway.agent("ada").await);
    let open = uma.chat(31, "open").await;
    let chat = ended(&uma, &ada, 31, "ended").await;
    let table = [
        (open, json!({"status": "ready"}), (409, "conflict")),
        (999, json!({"status": "ready"}), (404, "not_found")),
        (chat, json!({"status": "in_progress"}), (409, "conflict")),
        (chat, json!({"status": "waiting"}), (409, "conflict")),
        (chat, json!({"status": "offered"}), (400, "invalid_argument")),
        (chat, json!({"status": "READY"}), (400, "invalid_argument")),
        (chat, json!({"status": 7}), (400, "invalid_argument")),
        (chat, json!({}), (400, "invalid_argument")),
        (chat, json!([]), (400, "invalid_argument")),
        (chat, json!({"status": "ready", "opt_in_selection": "yes"}), (400, "invalid_argument")),
        (chat, json!({"status": "ready", "opt_in_selection": {}}), (400, "invalid_argument")),
        (chat, json!({"status": "x".repeat(200_000)}), (413, "too_large")),
    ];
    for (chat, body, expected) in table {
        let shown: String = body.to_string().chars().take(80).collect();
        assert_eq!(code(&step(&uma, chat, body).await), expected, "{chat} {shown}");
    }
    assert_eq!(code(&step(&eve, chat, json!({"status": "ready"})).await), (404, "not_found"));
    assert_eq!(part(&uma.get(&format!("/chats/{chat}")).await["chat"]), (true, false, None), "nothing has changed");
    let other = gateway.agent("grace").await;
    assert_eq!(other.call(Method::GET, &format!("/chats/{chat}/post_session"), None).await.0, StatusCode::NOT_FOUND);
    moved(&uma, chat, "ready").await;
    assert_eq!(code(&step(&uma, chat, json!({"status": "waiting"})).await), (409, "conflict"));
    moved(&uma, chat, "in_progress").await;
    moved(&uma, chat, "in_progress").await;
    assert_eq!(code(&step(&uma, chat, json!({"status": "ready"})).await), (409, "conflict"));
    moved(&uma, chat, "waiting").await;
    assert_eq!(uma.send(chat, "back", "hm").await.0, StatusCode::CREATED);
    assert_eq!(part(&uma.get(&format!("/chats/{chat}")).await["chat"]).2, Some("in_progress"));
    // Nobody is led back to a person.
    let (status, refusal) = uma.call(Method::POST, &format!("/chats/{chat}/escalations"), Some(json!({}))).await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::CONFLICT, &json!("chat_ended")));
    // Ending the chat ends this.
    let (_, body) = uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(json!({"status": "finished"}))).await;
    assert_eq!(part(&body["chat"]).2, Some("finished"));
    assert_eq!(code(&step(&uma, chat, json!({"status": "in_progress"})).await), (409, "conflict"));
    gateway.stop().await;
}

#[tokio::test]
async fn it_outlives_a_restart_and_ends_by_itself_when_nobody_answers() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_in(folder.path(), followed(0)).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let begun = ended(&uma, &ada, 41, "open-1").await;
    for status in ["ready", "in_progress"] {
        moved(&uma, begun, status).await;
    }
    let offered = ended(&uma, &ada, 31, "open-2").await;
    gateway.stop().await;

    let gateway = Gateway::start_in(folder.path(), followed(0)).await;
    let uma = User { base: gateway.base.clone(), ..uma };
    assert_eq!(uma.get("/chats/ongoing").await["chat"]["id"], json!(begun));
    assert_eq!(uma.send(begun, "u-1", "no").await.0, StatusCode::CREATED);
    assert_eq!(texts(&uma.messages(begun).await).last().unwrap(), "Why?", "Vera has not forgotten it");
    gateway.stop().await;

    let gateway = Gateway::start_in(folder.path(), followed(300)).await;
    let uma = User { base: gateway.base.clone(), ..uma };
    let status = async |chat: u64| {
        let chat = uma.get(&format!("/chats/{chat}")).await["chat"].clone();
        part(&chat).2.map(str::to_owned)
    };
    for chat in [begun, offered] {
        within(async { while status(chat).await.as_deref() != Some("finished") {} }).await;
    }
    assert_eq!(texts(&uma.messages(begun).await).last().unwrap(), "(postSessionEnded)");
    assert_eq!(texts(&uma.messages(offered).await).last().unwrap(), "(chatEnded)");
    assert_eq!(code(&uma.send(begun, "u-2", "late").await), (409, "chat_ended"));
    gateway.stop().await;
}

#[tokio::test]
async fn files_go_to_the_virtual_agent_too_and_end_with_it() {
    let gateway = start(0).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = ended(&uma, &ada, 31, "open-1").await;
    let upload = |client_id: &str| Some(json!({"client_id": client_id, "type": "photo", "name": "a.png", "size": 10}));
    let path = format!("/chats/{chat}/uploads");
    let announce = async |client_id: &str| uma.call(Method::POST, &path, upload(client_id)).await;
    assert_eq!(code(&announce("f-1").await), (409, "chat_ended"));
    for status in ["ready", "in_progress"] {
        moved(&uma, chat, status).await;
    }
    assert_eq!(announce("f-2").await.0, StatusCode::CREATED);
    moved(&uma, chat, "finished").await;
    assert_eq!(code(&announce("f-3").await), (409, "chat_ended"));
    gateway.stop().await;
}

#[test]
fn a_configuration_that_cannot_work_says_why() {
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = followed(0);
        change(&mut config);
        match config.validate() {
            Err(ConfigError::Invalid(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    let rule = |text: &str| toml::from_str::<gateway::config::Rule>(text).unwrap();
    let nobody = PostSession { virtual_agent: 9, opt_in: false };
    type Change<'a> = &'a dyn Fn(&mut Config);
    let table: [(Change, &str); 8] = [
        (&|config| config.companies[0].post_session = Some(nobody), "virtual agent 9, which is not configured"),
        (&|config| config.companies[0].menus[1].post_session = Some(MenuPostSession::Of(nobody)), "menu 2"),
        (
            &|config| config.companies[0].menus[1].post_session = Some(MenuPostSession::Switch(true)),
            "false, or says which",
        ),
        // Pia hands over to people.
        (
            &|config| config.companies[0].post_session = Some(PostSession { virtual_agent: 1, opt_in: false }),
            "asks for a person",
        ),
        (
            &|config| {
                let text = "keywords = [\"x\"]\nmessages = [{ type = \"sticky_button\", buttons = [{ title = \"t\", action = \"escalation\" }] }]";
                config.virtual_agents[1].rules.push(rule(text));
            },
            "asks for a person",
        ),
        (
            &|config| {
                let text = "keywords = [\"x\"]\naction = \"finish\"\nsession_variables = [{ capture_target = \"end_user_response\", capture_key = \"k\" }]";
                config.virtual_agents[1].rules.push(rule(text));
            },
            "go with something that is said",
        ),
        (&|config| config.virtual_agents[1].greeting_session_variables[0].capture_key.clear(), "capture_key"),
        (&|config| config.virtual_agents[1].greeting_session_variables[0].payload = Some(json!(1)), "payload"),
    ];
    for (change, expected) in table {
        let text = with(change);
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(config("").chat.post_session_timeout_ms, 1_800_000);
}
