//! The company, its menus and its hours.

use std::sync::Arc;

use gateway::config::Config;
use gateway::store::MemoryStore;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Gateway, User, company_with, start_with_menus as start, texts};

const ALWAYS: &str = "{ mon = [\"00:00-24:00\"], tue = [\"00:00-24:00\"], wed = [\"00:00-24:00\"], thu = [\"00:00-24:00\"], fri = [\"00:00-24:00\"], sat = [\"00:00-24:00\"], sun = [\"00:00-24:00\"] }";

fn menu(menus: &Value, id: u64) -> &Value {
    menus["menus"].as_array().unwrap().iter().find(|menu| menu["id"] == id).unwrap_or(&Value::Null)
}

async fn open(user: &User, menu_id: u64, chat: Value) -> (StatusCode, Value) {
    let body = json!({"client_id": format!("open-{menu_id}"), "menu_id": menu_id, "chat": chat});
    user.call(Method::POST, "/chats", Some(body)).await
}

#[tokio::test]
async fn a_company_tells_its_languages_and_what_it_offers() {
    let plain = Gateway::start().await;
    let company = plain.user("uma").await.get("/company").await;
    assert_eq!(company["languages"], json!([{"code": "en", "name": "English", "default": true}]));
    for flag in ["action_tracking", "email_transcripts", "message_preview", "email_enhancement"] {
        assert_eq!(company[flag], false, "{flag}");
    }
    assert_eq!(company.get("cobrowse_domain"), None);
    plain.stop().await;

    let more = "languages = [\"it\", \"pt-BR\", { code = \"x-own\", name = \"Ours\" }]\nsupport_email = \"help@acme.example\"\naction_tracking = true\nemail_transcripts = true\nmessage_preview = true\nemail_enhancement = true\ncobrowse_domain = \"see.acme.example\"";
    let full = start(more, &[]).await;
    let company = full.user("uma").await.get("/company?lang=pt").await;
    let languages = json!([
        {"code": "it", "name": "Italiano", "default": true},
        {"code": "pt-BR", "name": "Português", "default": false},
        {"code": "x-own", "name": "Ours", "default": false},
    ]);
    assert_eq!(company["languages"], languages);
    assert_eq!((&company["name"], &company["subdomain"]), (&json!("Acme"), &json!("acme")));
    for flag in ["action_tracking", "email_transcripts", "message_preview", "email_enhancement"] {
        assert_eq!(company[flag], true, "{flag}");
    }
    assert_eq!(company["support_email"], "help@acme.example");
    assert_eq!(company["cobrowse_domain"], "see.acme.example");
    full.stop().await;
}

#[tokio::test]
async fn the_after_hours_message_is_the_companys_the_platforms_or_none() {
    let usual = start("languages = [\"en\", \"pt\", \"it\"]", &[]).await;
    let uma = usual.user("uma").await;
    let message = async |lang: &str| uma.get(&format!("/after_hours_message{lang}")).await["message"].clone();
    assert!(message("").await.as_str().unwrap().starts_with("We are closed"));
    assert!(message("?lang=it").await.as_str().unwrap().starts_with("In questo momento"));
    assert!(message("?lang=pt-BR").await.as_str().unwrap().starts_with("De momento"));
    assert_eq!(message("?lang=de").await, message("").await);
    usual.stop().await;

    let own =
        start("languages = [\"en\", \"it\"]\nafter_hours_message = { en = \"Shut.\", it = \"Chiuso.\" }", &[]).await;
    let uma = own.user("uma").await;
    assert_eq!(uma.get("/after_hours_message?lang=it").await, json!({"message": "Chiuso."}));
    assert_eq!(uma.get("/after_hours_message?lang=fr").await, json!({"message": "Shut."}));
    own.stop().await;

    let none = start("after_hours_message = \"\"", &[]).await;
    assert_eq!(none.user("uma").await.get("/after_hours_message").await, json!({"message": ""}));
    none.stop().await;
}

#[tokio::test]
async fn a_closed_queue_takes_no_chats_and_says_so_in_the_menus() {
    let always = format!("id = 61, name = \"Open\", hours = {ALWAYS}");
    let menus = [
        "id = 60, name = \"Shut\"",
        always.as_str(),
        "id = 62, name = \"Stands in\", virtual_agent = 1, virtual_agent_after_hours = true",
    ];
    let gateway = start("hours = {}", &menus).await;
    let uma = gateway.user("uma").await;
    let shown = uma.get("/menus").await;
    let chat = |id| menu(&shown, id)["channels"].clone();
    assert_eq!(chat(60), json!([{"name": "chat", "enabled": false}]));
    assert_eq!(chat(61), json!([{"name": "chat", "enabled": true}]));
    assert_eq!(chat(62), json!([{"name": "chat", "enabled": true}]));
    assert_eq!(menu(&shown, 60)["enabled"], true);

    let (status, body) = open(&uma, 60, json!({})).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::CONFLICT, &json!("after_hours")));
    let (status, _) = open(&uma, 61, json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, created) = open(&uma, 62, json!({})).await;
    assert_eq!((status, &created["chat"]["status"]), (StatusCode::CREATED, &json!("va_assigned")));
    gateway.stop().await;
}

#[tokio::test]
async fn redirected_queues_lead_to_another_queue_or_away() {
    let menus = [
        "id = 70, name = \"Moved\", redirection = { queue = 2 }",
        "id = 71, name = \"Page\", redirection = { external_link = \"https://help.acme.example/\" }",
        "id = 72, name = \"Note\", redirection = { message = { en = \"Gone\", it = \"Andato\" } }",
        "id = 73, name = \"No chat\", channels = [\"voice_call\", \"email\", \"external_link\"]",
    ];
    let gateway = start("languages = [\"en\", \"it\"]", &menus).await;
    let uma = gateway.user("uma").await;
    let shown = uma.get("/menus?lang=it").await;
    assert_eq!(menu(&shown, 70)["redirection"], json!({"option": "queue", "data": "2"}));
    assert_eq!(
        menu(&shown, 71)["redirection"],
        json!({"option": "external_link", "data": "https://help.acme.example/"})
    );
    assert_eq!(menu(&shown, 72)["redirection"], json!({"option": "message", "data": "Andato"}));
    assert_eq!(menu(&uma.get("/menus").await, 72)["redirection"]["data"], "Gone");
    assert_eq!(menu(&shown, 1).get("redirection"), None);
    let names: Vec<&str> = menu(&shown, 73)["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["voice_call", "email", "external_link"]);
    assert_eq!(menu(&shown, 71)["channels"], json!([{"name": "chat", "enabled": false}]));

    let (status, created) = open(&uma, 70, json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(created["chat"]["menus"], json!([{"id": 2, "name": "People"}]));
    for id in [71, 72, 73] {
        let (status, body) = open(&uma, id, json!({})).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")), "{id}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn hidden_menus_are_reached_by_key_or_by_the_customer_they_are_for() {
    let menus = [
        "id = 80, name = \"Key\", hidden = true, direct_access_key = \"psst\"",
        "id = 81, name = \"Best customers\", hidden = true, direct_users = [\"vip-1\", \"vip-2\"]",
    ];
    let gateway = start("", &menus).await;
    let (uma, vip) = (gateway.user("uma").await, gateway.user("vip-2").await);
    let shown = async |user: &User, path: &str| {
        let menus = user.get(path).await;
        let ids: Vec<u64> =
            menus["menus"].as_array().unwrap().iter().map(|menu| menu["id"].as_u64().unwrap()).collect();
        (ids, menus["direct"].clone())
    };
    let all = vec![1, 2, 3, 5];
    assert_eq!(shown(&uma, "/menus").await, (all.clone(), json!({"key": false, "user": false})));
    assert_eq!(shown(&uma, "/menus?key=psst").await, (vec![80], json!({"key": true, "user": false})));
    assert_eq!(shown(&uma, "/menus?key=wrong").await, (all, json!({"key": false, "user": false})));
    assert_eq!(shown(&vip, "/menus").await, (vec![81], json!({"key": false, "user": true})));
    assert_eq!(shown(&vip, "/menus?key=wrong").await, (vec![81], json!({"key": false, "user": true})));
    assert_eq!(shown(&vip, "/menus?key=folder").await, (vec![3], json!({"key": true, "user": false})));
    gateway.stop().await;
}

#[tokio::test]
async fn names_texts_and_the_virtual_agent_speak_the_chats_language() {
    let mut own = company_with(
        "languages = [\"en\", \"it\"]",
        &["id = 90, name = \"Bikes\", names = { it = \"Bici\" }, virtual_agent = 1"],
    );
    let speaks = "[[virtual_agents]]\nid = 1\nname = \"x\"\ngreeting = \"\"\nfallback = \"\"\n[virtual_agents.translations.it]\ngreeting = \"Ciao!\"\ngreeting_buttons = [\"Persona\"]\nrules = [{ keywords = [\"bici\"], answer = \"Bella.\" }]";
    let speech = Config::from_toml(speaks).unwrap().virtual_agents[0].translations["it"].clone();
    own.virtual_agents[0].translations.insert("it".into(), speech);
    let gateway = Gateway::start_with(own, Arc::new(MemoryStore::default())).await;
    let uma = gateway.user("uma").await;
    assert_eq!(menu(&uma.get("/menus?lang=it").await, 90)["name"], "Bici");
    assert_eq!(menu(&uma.get("/menus?lang=de").await, 90)["name"], "Bikes");

    let (_, created) = open(&uma, 90, json!({"lang": "it-CH"})).await;
    let chat = created["chat"]["id"].as_u64().unwrap();
    assert_eq!((&created["chat"]["lang"], &created["chat"]["menus"][0]["name"]), (&json!("it-CH"), &json!("Bici")));
    assert_eq!(created["chat"]["status_text"], "Stai parlando con Pia, un agente virtuale.");
    uma.send(chat, "m-1", "una bici").await;
    uma.send(chat, "m-2", "person").await;
    // Rules are not mixed; what is not translated is said in the default language.
    assert_eq!(texts(&uma.messages(chat).await), ["Ciao!", "(inline_button)", "una bici", "Bella.", "person", "What?"]);
    let english = uma.chat(1, "english").await;
    assert_eq!(texts(&uma.messages(english).await)[0], "Hello!");
    gateway.stop().await;
}

#[tokio::test]
async fn a_repeated_creation_finds_the_chat_of_the_first_one_whatever_the_hour() {
    let folder = tempfile::tempdir().unwrap();
    let first = Gateway::start_in(folder.path(), company_with("", &["id = 60, name = \"Day\""])).await;
    let (status, created) = open(&first.user("uma").await, 60, json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    first.stop().await;
    let closed = Gateway::start_in(folder.path(), company_with("", &["id = 60, name = \"Day\", hours = {}"])).await;
    let uma = closed.user("uma").await;
    let (status, again) = open(&uma, 60, json!({})).await;
    assert_eq!((status, &again["chat"]["id"]), (StatusCode::OK, &created["chat"]["id"]));
    let body = json!({"client_id": "another", "menu_id": 60, "chat": {}});
    assert_eq!(uma.call(Method::POST, "/chats", Some(body)).await.0, StatusCode::CONFLICT);
    closed.stop().await;
}

#[tokio::test]
async fn malformed_queries_are_refused() {
    let gateway = Gateway::start().await;
    let uma = gateway.user("uma").await;
    for path in
        ["/menus?key=a&key=b", "/company?lang=a&lang=b", "/after_hours_message?lang=a&lang=b", "/menus/x/wait_times"]
    {
        let (status, body) = uma.call(Method::GET, path, None).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_argument")), "{path}");
    }
    for path in ["/menus/3/wait_times", "/menus/99/wait_times"] {
        assert_eq!(uma.call(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn who_waits_already_waits_only_for_those_before() {
    let gateway = Gateway::start().await;
    let (uma, eve, zoe) = (gateway.user("uma").await, gateway.user("eve").await, gateway.user("zoe").await);
    uma.chat(2, "a").await;
    eve.chat(2, "b").await;
    for (user, expected) in [(&uma, 300), (&eve, 600), (&zoe, 900)] {
        assert_eq!(user.get("/menus/2/wait_times").await["chat"], expected);
    }
    gateway.stop().await;
}
