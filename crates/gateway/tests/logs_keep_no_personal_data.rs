//! A whole conversation at the finest log level, and nothing personal in the log: no token, cookie, password, name, address or message.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{Gateway, PASSWORD, SECRET, company_with, now_s, signed};
use gateway::config::{Log, LogFormat, LogLevel};
use gateway::telemetry;
use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

const TEXT: &str = "my card number is 4111-1111";

#[tokio::test]
async fn a_conversation_leaves_nothing_personal_in_the_log() {
    let captured = Captured::default();
    let log = Log { format: LogFormat::Json, level: LogLevel::Trace };
    tracing::subscriber::set_global_default(telemetry::subscriber(log, captured.clone())).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let form = "message_preview = true\nsurvey = { id = 1, sign_off = \"x\", questions = [{ id = 9, type = \"free-form\", text = \"q\" }] }\nforms = [{ id = 7, kind = \"custom\", name = \"f\", title = \"F\", questions = [{ id = 1, type = \"text_entry\", question = \"q\", is_masked = true }, { id = 2, type = \"date\", question = \"d\" }] }]";
    let company = format!("{form}\nsupport_email = \"help@home.example\"\nemail_transcripts = true");
    let mut config = company_with(
        &company,
        &["id = 50, name = \"Letters\", channels = [\"email\"]", "id = 80, name = \"C\", channels = [\"voice_call\"]"],
    );
    config.mail.from = "Acme <acme@home.example>".to_owned();
    config.mail.folder = Some(folder.path().join("mail"));
    config.mail.per_minute = 60_000;
    let gateway = Gateway::start_in(folder.path(), config).await;
    let claims = json!({"identifier": "ident-77", "name": "Uma Visitor", "email": "uma@home.example",
        "phone": "+15550100", "exp": now_s() + 600});
    let site_token = signed(&claims, SECRET);
    let end_user_secret = "s".repeat(43);
    let http = reqwest::Client::new();
    let body = json!({"company_id": "acme", "token": site_token, "end_user_secret": end_user_secret});
    let answer = http.post(format!("{}/api/v1/sessions", gateway.base)).json(&body).send().await.unwrap();
    assert!(answer.status().is_success());
    let uma = gateway.user("ident-77").await;

    let entries = json!({"note": {"label": TEXT, "value": "uma@home.example"}});
    let signed_data = signed(&json!({"custom_data": entries, "iat": now_s(), "exp": now_s() + 60}), SECRET);
    let forged_data =
        signed(&json!({"custom_data": entries, "iat": now_s(), "exp": now_s() + 60}), "not the secret at all");
    let transfer = json!({"greeting_override": TEXT, "agent": {"name": "Uma Visitor"}});
    let custom_data = |token: &str| json!({"signed": token, "unsigned": {"note": entries["note"], "external_chat_transfer": transfer}});
    let refused = json!({"client_id": "open-0", "menu_id": 1, "chat": {"custom_data": custom_data(&forged_data)}});
    assert_eq!(uma.call(Method::POST, "/chats", Some(refused)).await.0, 400);
    let chat = json!({"greeting": TEXT, "email": "uma@home.example", "custom_data": custom_data(&signed_data)});
    let request = json!({"client_id": "open-1", "menu_id": 1, "chat": chat});
    let (_, created) = uma.call(Method::POST, "/chats", Some(request)).await;
    let chat = created["chat"]["id"].as_u64().unwrap();
    let mut stream = uma.join(chat, 0).await;
    stream.expect("joined").await;
    let event = json!({"name": "clicked", "end_user_name": "Uma Visitor", "what": TEXT});
    uma.call(Method::POST, &format!("/chats/{chat}/events"), Some(event)).await;
    uma.call(Method::GET, &format!("/menus?key={TEXT}"), None).await;
    uma.call(Method::POST, &format!("/chats/{chat}/escalations"), Some(json!({"reason": TEXT.repeat(40)}))).await;
    uma.send(chat, "m-1", &format!("person, {TEXT}")).await;
    let ada = gateway.agent("ada").await;
    let mut list = ada.list().await;
    list.expect("chats").await;
    ada.accept(chat).await;
    let mut desk = ada.join(chat, 0).await;
    desk.until_index(4).await;
    ada.send(chat, "a-1", TEXT).await;
    stream.say(json!({"type": "preview", "content": TEXT})).await;
    desk.expect("preview").await;
    uma.call(Method::POST, &format!("/chats/{chat}/preview"), Some(json!({"content": TEXT}))).await;
    let form = json!({"client_id": "f-1", "message": {"type": "form", "form_id": 7}});
    let (_, handed_out) = ada.call(Method::POST, &format!("/chats/{chat}/messages"), Some(form)).await;
    let forms = format!("/chats/{chat}/forms/{}", handed_out["index"]);
    for (id, date, status) in [("s-1", TEXT, 400), ("s-1", "2026-11-24", 201), ("s-2", "2026-11-24", 409)] {
        let response = json!([{"question_id": 1, "value": TEXT}, {"question_id": 2, "value": date}]);
        let body = json!({"client_id": id, "form_response": response});
        assert_eq!(uma.call(Method::POST, &forms, Some(body)).await.0, status);
    }
    assert_eq!(ada.call(Method::GET, &forms, None).await.0, 200);
    stream.say(json!({"type": "typing", "typing": true})).await;
    desk.expect("typing").await;

    let shares = format!("/chats/{chat}/screen_shares");
    let begin =
        json!({"client_id": "share-0001", "page_id": "page-0001", "from": "code", "custom_data": {"note": TEXT}});
    let (_, begun) = uma.call(Method::POST, &shares, Some(begin)).await;
    let code = begun["code"].as_str().unwrap();
    for typed in [TEXT, code] {
        ada.call(Method::POST, &format!("/chats/{chat}/screen_share/join"), Some(json!({"code": typed}))).await;
    }
    let active = json!({"page_id": "page-0001", "status": "active"});
    assert_eq!(uma.call(Method::PATCH, &format!("{shares}/1"), Some(active)).await.0, 200);
    let path = format!("/desk/api/v1/chats/{chat}/screen_share/stream");
    let mut viewer = common::Stream::open(&gateway.base, &path, &[("cookie", &ada.cookie)]).await;
    viewer.say(json!({"type": "join"})).await;
    viewer.expect("share").await;
    for (query, status) in [("page_id=page-0001&epoch=1&seq=1", 200), (&format!("page_id={TEXT}&epoch=1&seq=1"), 400)] {
        let request = uma.request(Method::POST, &format!("{shares}/1/records?{query}")).body(TEXT);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    viewer.say_text(TEXT).await;
    viewer.refusal().await;

    let photo = json!({"client_id": "p-1", "type": "photo", "name": "Uma Visitor.png", "size": 100});
    let (_, place) = uma.call(Method::POST, &format!("/chats/{chat}/uploads"), Some(photo)).await;
    let signature = place["upload"]["fields"]["signature"].as_str().unwrap();
    for (file, signature) in
        [(b"\x89PNG\r\n\x1A\n4111-1111", signature), (b"4111-1111  PNG   ", signature), (b"4111-1111  PNG   ", TEXT)]
    {
        let form = reqwest::multipart::Form::new()
            .text("policy", place["upload"]["fields"]["policy"].as_str().unwrap().to_owned())
            .text("signature", signature.to_owned())
            .part("file", reqwest::multipart::Part::bytes(file.to_vec()).file_name(TEXT));
        http.post(format!("{}/api/v1/uploads?note={TEXT}", gateway.base)).multipart(form).send().await.unwrap();
    }
    let mut events = uma.events(chat, 0).await;
    events.expect("joined").await;
    uma.call(Method::POST, &format!("/chats/{chat}/typing"), Some(json!({"typing": true}))).await;
    drop(events);

    for email in ["uma@home.example", "uma@home.example\r\nBcc: x"] {
        let body = json!({"emails": [email]});
        uma.call(Method::POST, &format!("/chats/{chat}/transcript_mails"), Some(body)).await;
        let data = json!({"client_id": "e-1", "name": "Uma Visitor", "email": email, "content": TEXT});
        let form = reqwest::multipart::Form::new()
            .text("data", data.to_string())
            .part("files[]", reqwest::multipart::Part::bytes(TEXT.as_bytes()).file_name(TEXT));
        uma.request(Method::POST, "/menus/50/emails").multipart(form).send().await.unwrap();
    }
    let (_, emails) = ada.call(Method::GET, "/emails", None).await;
    let reply = json!({"client_id": "r-1", "content": TEXT});
    let (status, _) =
        ada.call(Method::POST, &format!("/emails/{}/replies", emails["emails"][0]["id"]), Some(reply)).await;
    assert_eq!(status, 201);
    common::within(async {
        while std::fs::read_dir(folder.path().join("mail")).unwrap().count() < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    for (key, phone, status) in
        [("k-1", "+39 02 3661 8300", 201), ("k-1", "+39 02 3661 8300", 200), ("k-2", "+1 3661 8300", 400)]
    {
        let call =
            json!({"phone_number": phone, "email": "uma@home.example", "custom_data": custom_data(&signed_data)});
        let request = json!({"client_id": key, "call": call});
        let (got, call) = uma.call(Method::POST, "/menus/80/calls", Some(request)).await;
        assert_eq!(got, status);
        let taken = json!({"status": "assigned"});
        ada.call(Method::PATCH, &format!("/calls/{}", call["id"]), Some(taken)).await;
    }

    // Refusals are where secrets slip into logs.
    for (body, header) in
        [(TEXT.to_owned(), uma.token.clone()), (format!("{{\"client_id\":\"{TEXT}\"}}"), format!("x{}", uma.token))]
    {
        let request = http.post(format!("{}/api/v1/chats/{chat}/messages?note={TEXT}", gateway.base));
        request.bearer_auth(header).header("content-type", "application/json").body(body).send().await.unwrap();
    }
    let request = http.post(format!("{}/desk/api/v1/sessions", gateway.base));
    request.json(&json!({"login": "uma@home.example", "password": "a wrong password"})).send().await.unwrap();
    stream.say_text(TEXT).await;
    stream.refusal().await;

    let over = json!({"status": "finished"});
    assert_eq!(uma.call(Method::PATCH, &format!("/chats/{chat}"), Some(over)).await.0, 200);
    for (text, status) in [(TEXT, 204), ("something else", 409)] {
        let (survey, rating) = (json!({"answers": {"9": text}}), json!({"rating": 1, "feedback": text}));
        assert_eq!(uma.call(Method::POST, &format!("/chats/{chat}/survey"), Some(survey)).await.0, status);
        assert_eq!(uma.call(Method::POST, &format!("/chats/{chat}/rating"), Some(rating)).await.0, status);
    }
    assert_eq!(ada.call(Method::GET, "/results", None).await.0, 200);
    gateway.stop().await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.lines().count() > 8, "the log was captured:\n{log}");
    // Clocks and random numbers have any digits now and then.
    let told = log.lines().map(|line| {
        let mut line: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).expect("each line is JSON");
        for number in ["timestamp", "duration_us", "request_id"] {
            line.remove(number);
        }
        serde_json::Value::from(line).to_string()
    });
    let log = told.collect::<Vec<_>>().join("\n");
    for route in [
        "/api/v1/menus/{menu_id}/emails",
        "/api/v1/sessions",
        "/api/v1/chats/{chat_id}/messages",
        "/api/v1/uploads",
        "an agent signed in",
        "/api/v1/chats/{chat_id}/screen_shares/{share_id}/records",
    ] {
        assert!(log.contains(route), "{route} is not in the log");
    }
    let cookie = ada.cookie.split_once('=').unwrap().1;
    let secrets = [
        TEXT,
        "4111",
        SECRET,
        PASSWORD,
        "a wrong password",
        &site_token,
        &signed_data,
        &forged_data,
        &uma.token,
        &end_user_secret,
        cookie,
        &ada.csrf,
        "ident-77",
        "Uma",
        "uma@home.example",
        "+15550100",
        "3661",
        "Hello!",
        "One moment",
        "Bearer",
        signature,
        code,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "the log shows {secret:?}");
    }
}
