//! Mail: transcripts that customers have sent, messages by e-mail with their files, what agents do about them; in a folder, to a server that has its
//! moods, over a restart, and never more than the limits say.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::post;
use gateway::config::{Config, Recaptcha, Secret, Security, Smtp};
use gateway::store::MemoryStore;
use mail_parser::{Message, MessageParser, MimeHeaders};
use reqwest::multipart::{self, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::common::{Desk, Gateway, User, company_with, json_of, within};

const QUEUE: u64 = 50;

/// The usual company with mail in a folder, and a queue that is reached by e-mail.
fn config(folder: &Path) -> Config {
    let company =
        "support_email = \"help@shop.example\"\nemail_transcripts = true\nredaction = [{ builtin = \"card\" }]";
    let menus = [
        "id = 50, name = \"Letters\", channels = [\"email\"]",
        "id = 51, name = \"Closed letters\", channels = [\"chat\", \"email\"], hours = {}",
        "id = 52, name = \"Off\", channels = [\"email\"], enabled = false",
    ];
    let mut config = company_with(company, &menus);
    config.mail.from = "Acme <chat@shop.example>".to_owned();
    config.mail.folder = Some(folder.join("mail"));
    config.mail.per_minute = 60_000;
    config
}

async fn start(folder: &Path) -> Gateway {
    Gateway::start_in(folder, config(folder)).await
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join("mail")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    files.sort();
    files
}

/// The mails of a folder, once there are so many.
async fn mails(folder: &Path, count: usize) -> Vec<Vec<u8>> {
    until(|| files(folder).len() >= count).await;
    let files = files(folder);
    assert_eq!(files.len(), count);
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Looks again and again: a folder tells nobody.
async fn until(holds: impl Fn() -> bool) {
    within(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn parsed(mail: &[u8]) -> Message<'_> {
    MessageParser::default().parse(mail).expect("a mail")
}

fn to(mail: &Message<'_>) -> String {
    mail.to().unwrap().first().unwrap().address().unwrap().to_owned()
}

/// Name, type and bytes.
type File<'a> = (&'a str, &'a str, &'a [u8]);

/// A message by e-mail as a page posts it.
async fn write(user: &User, menu: u64, data: Value, files: &[File<'_>]) -> (StatusCode, Value) {
    let mut form =
        multipart::Form::new().part("data", Part::text(data.to_string()).mime_str("application/json").unwrap());
    for (name, content_type, bytes) in files {
        let part = Part::bytes(bytes.to_vec()).file_name((*name).to_owned()).mime_str(content_type).unwrap();
        form = form.part("files[]", part);
    }
    let request = user.request(Method::POST, &format!("/menus/{menu}/emails")).multipart(form);
    json_of(within(request.send()).await.unwrap()).await
}

fn letter(client_id: &str) -> Value {
    json!({"client_id": client_id, "name": "Uma Visitor", "email": "uma@mail.example", "content": "Is the bill right?\nUma", "lang": "en"})
}

async fn ask_for_transcript(user: &User, chat: u64, body: Value) -> (StatusCode, Value) {
    user.call(Method::POST, &format!("/chats/{chat}/transcript_mails"), Some(body)).await
}

async fn email_at_desk(desk: &Desk, id: u64) -> Value {
    let (status, body) = desk.call(Method::GET, &format!("/emails/{id}"), None).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["email"].clone()
}

#[tokio::test]
async fn a_transcript_goes_to_each_address_once_and_hides_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(folder.path()).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let chat = uma.chat(2, "open-1").await;
    ada.accept(chat).await;
    uma.send(chat, "m-1", "My card is 4111 1111 1111 1111.\n[10:00] Ada: I give it all back").await;
    ada.send(chat, "a-1", "Grüße — 你好 🚲").await;
    let body = json!({"emails": ["uma@mail.example", "UMA@mail.example", "office@mail.example"], "client_id": "t-1", "lang": "it"});
    for _ in 0..3 {
        assert_eq!(ask_for_transcript(&uma, chat, body.clone()).await.0, StatusCode::NO_CONTENT);
    }
    // What is said after the request is not in it, whenever the mail leaves.
    let mails = mails(folder.path(), 2).await;
    let mut receivers = Vec::new();
    for mail in &mails {
        let mail = parsed(mail);
        receivers.push(to(&mail));
        assert_eq!(mail.to().unwrap().iter().count(), 1, "nobody sees the other's address");
        assert_eq!(mail.subject().unwrap(), format!("La tua conversazione con Acme (#{chat})"));
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("chat@shop.example"));
        assert_eq!(mail.reply_to().unwrap().first().unwrap().address(), Some("help@shop.example"));
        let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
        assert!(text.starts_with("Qualcuno che ha parlato con Acme"), "{text}");
        assert!(text.contains("Uma V.:\n  My card is •••• 1111.\n  [10:00] Ada: I give"), "{text}");
        assert!(text.contains("Ada:\n  Grüße — 你好 🚲"), "{text}");
        assert!(!text.contains("4111 1111"), "{text}");
        let pdf = mail.attachment(0).unwrap();
        assert_eq!(pdf.attachment_name(), Some(format!("transcript-{chat}.pdf").as_str()));
        assert!(pdf.contents().starts_with(b"%PDF-") && mail.attachment_count() == 1);
    }
    assert_eq!(receivers, ["uma@mail.example", "office@mail.example"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_transcript_is_refused_where_it_is_not_offered_and_where_the_request_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(folder.path()).await;
    let (uma, eve) = (gateway.user("uma").await, gateway.user("eve").await);
    let chat = uma.chat(1, "open-1").await;
    let six: Vec<String> = (0..6).map(|n| format!("a{n}@mail.example")).collect();
    let table = [
        (json!({}), 400),
        (json!({"emails": "uma@mail.example"}), 400),
        (json!({"emails": []}), 400),
        (json!({"emails": six}), 400),
        (json!({"emails": ["nobody"]}), 400),
        (json!({"emails": ["uma@mail.example\r\nBcc: x@y.example"]}), 400),
        (json!({"emails": ["uma@mail.example,eve@mail.example"]}), 400),
        (json!({"emails": ["uma@mail.example", 7]}), 400),
        (json!({"emails": ["uma@mail.example"], "client_id": "a:b"}), 400),
    ];
    for (body, expected) in table {
        assert_eq!(ask_for_transcript(&uma, chat, body.clone()).await.0.as_u16(), expected, "{body}");
    }
    let good = json!({"emails": ["uma@mail.example"]});
    assert_eq!(ask_for_transcript(&eve, chat, good.clone()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask_for_transcript(&uma, 999, good.clone()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(files(folder.path()).len(), 0);
    gateway.stop().await;

    // A company that sends none, and a gateway without mail.
    let without = |switch: &str| company_with(&format!("email_transcripts = {switch}"), &[]);
    for (switch, expected) in [("false", StatusCode::FORBIDDEN), ("true", StatusCode::CONFLICT)] {
        let gateway = Gateway::start_with(without(switch), Arc::new(MemoryStore::default())).await;
        let uma = gateway.user("uma").await;
        let chat = uma.chat(1, "open-1").await;
        let (status, body) = ask_for_transcript(&uma, chat, good.clone()).await;
        assert_eq!((status, &body["error"]["code"]), (expected, &json!("unsupported")));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn transcripts_are_few_about_a_chat_of_an_end_user_and_of_a_company() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.mail.transcripts = gateway::config::TranscriptCaps { per_chat: 2, per_end_user: 3, per_company: 4 };
    let gateway = Gateway::start_in(folder.path(), config).await;
    let (uma, ugo) = (gateway.user("uma").await, gateway.user("ugo").await);
    let (first, second) = (uma.chat(1, "open-1").await, uma.chat(1, "open-2").await);
    let of_ugo = ugo.chat(1, "open-1").await;
    let body = json!({"emails": ["uma@mail.example"]});
    let mut seen = Vec::new();
    for (user, chat) in
        [(&uma, first), (&uma, first), (&uma, first), (&uma, second), (&uma, second), (&ugo, of_ugo), (&ugo, of_ugo)]
    {
        let (status, answer) = ask_for_transcript(user, chat, body.clone()).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer["error"]["retry_after_ms"].as_u64().unwrap() > 0);
        }
        seen.push(status.as_u16());
    }
    assert_eq!(seen, [204, 204, 429, 204, 429, 204, 429]);
    // Many at once do not get past the limit either.
    let third = ugo.chat(1, "open-2").await;
    let tries = (0..8).map(|_| ask_for_transcript(&ugo, third, body.clone()));
    let taken = futures_util::future::join_all(tries).await.iter().filter(|(status, _)| status.is_success()).count();
    assert_eq!(taken, 0);
    mails(folder.path(), 4).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_message_with_files_reaches_the_desk_and_the_companys_address_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(folder.path()).await;
    let (uma, ada, olga) = (gateway.user("uma").await, gateway.agent("ada").await, gateway.agent("olga").await);
    let every_byte: Vec<u8> = (0..=255_u8).cycle().take(700_001).collect();
    let lines = b"one\ntwo\r\nthree\r.\n.\n".to_vec();
    let given: [File<'_>; 3] = [
        ("Grüße 你好.bin", "application/x-thing", &every_byte),
        ("lines.txt", "text/plain", &lines),
        ("empty.csv", "text/csv", b""),
    ];
    let (status, sent) = write(&uma, QUEUE, letter("e-1"), &given).await;
    assert_eq!(status, StatusCode::CREATED, "{sent}");
    let id = sent["id"].as_u64().unwrap();
    assert_eq!(sent, json!({"id": id, "type": "email", "status": "open", "fail_reason": "", "attachment_count": 3}));
    // The same again, also without the files: it is there.
    for files in [&given[..], &[]] {
        assert_eq!(write(&uma, QUEUE, letter("e-1"), files).await, (StatusCode::OK, sent.clone()));
    }

    let mail = mails(folder.path(), 1).await.remove(0);
    let mail = parsed(&mail);
    assert_eq!(to(&mail), "help@shop.example");
    let reply_to = mail.reply_to().unwrap().first().unwrap();
    assert_eq!((reply_to.name(), reply_to.address()), (Some("Uma Visitor"), Some("uma@mail.example")));
    assert_eq!(mail.subject().unwrap(), format!("[Letters] Uma Visitor (#{id})"));
    assert!(mail.body_text(0).unwrap().replace("\r\n", "\n").starts_with("Is the bill right?\nUma\n"));
    let attached: Vec<(String, String, Vec<u8>)> = mail
        .attachments()
        .map(|part| {
            let kind = part.content_type().unwrap();
            let kind = format!("{}/{}", kind.ctype(), kind.subtype().unwrap());
            (part.attachment_name().unwrap().to_owned(), kind, part.contents().to_vec())
        })
        .collect();
    let expected: Vec<(String, String, Vec<u8>)> =
        given.iter().map(|(name, kind, bytes)| ((*name).to_owned(), (*kind).to_owned(), bytes.to_vec())).collect();
    assert!(
        attached == expected,
        "{:?}",
        attached.iter().map(|(name, kind, b)| (name, kind, b.len())).collect::<Vec<_>>()
    );

    let (_, listed) = ada.call(Method::GET, "/emails?status=open&company_id=acme", None).await;
    assert_eq!((listed["emails"].as_array().unwrap().len(), &listed["emails"][0]["id"]), (1, &json!(id)));
    assert_eq!(listed["emails"][0]["menus"][0]["name"], "Letters");
    // The mail is there before the record of it.
    within(async {
        while email_at_desk(&ada, id).await["forwarded"] != "sent" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let shown = email_at_desk(&ada, id).await;
    assert_eq!(shown["content"], "Is the bill right?\nUma");
    for (position, (name, _, bytes)) in given.iter().enumerate() {
        assert_eq!(shown["attachments"][position]["name"], *name);
        let url = format!("{}/desk/api/v1/emails/{id}/attachments/{position}", ada.base);
        let answer = within(ada.http.get(url).header("cookie", &ada.cookie).send()).await.unwrap();
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
        assert!(answer.bytes().await.unwrap() == *bytes, "{name}");
    }
    // An agent of another company sees nothing of it.
    let (_, none) = olga.call(Method::GET, "/emails", None).await;
    assert_eq!(none["emails"], json!([]));
    for (method, path, body) in [
        (Method::GET, format!("/emails/{id}"), None),
        (Method::GET, format!("/emails/{id}/attachments/0"), None),
        (Method::PATCH, format!("/emails/{id}"), Some(json!({"status": "done"}))),
        (Method::POST, format!("/emails/{id}/replies"), Some(json!({"client_id": "r", "content": "x"}))),
    ] {
        assert_eq!(olga.call(method, &path, body).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn an_agent_answers_by_mail_once_and_closes_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(folder.path()).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let (_, sent) = write(&uma, QUEUE, letter("e-1"), &[]).await;
    let path = format!("/emails/{}", sent["id"]);
    let reply = |key: &str, content: &str| {
        let body = json!({"client_id": key, "content": content});
        let (ada, path) = (ada.clone(), format!("{path}/replies"));
        async move { ada.call(Method::POST, &path, Some(body)).await }
    };
    assert_eq!(reply("r-1", "Yes, it is.").await.0, StatusCode::CREATED);
    assert_eq!(reply("r-1", "Yes, it is.").await.0, StatusCode::OK);
    for (key, content) in [("a:b", "x"), ("r-2", " "), ("", "x")] {
        assert_eq!(reply(key, content).await.0, StatusCode::BAD_REQUEST, "{key} {content}");
    }
    assert_eq!(reply("r-3", &"x".repeat(70_000)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let mails = mails(folder.path(), 2).await;
    let mail = parsed(&mails[1]);
    assert_eq!(to(&mail), "uma@mail.example");
    assert_eq!(mail.subject().unwrap(), format!("Re: Letters (#{})", sent["id"]));
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    assert!(text.starts_with("Yes, it is.\n") && text.contains("> Is the bill right?\n> Uma\n"), "{text}");
    let (status, done) = ada.call(Method::PATCH, &path, Some(json!({"status": "done"}))).await;
    assert_eq!((status, &done["email"]["status"]), (StatusCode::OK, &json!("done")));
    assert_eq!(done["email"]["replies"][0]["agent_name"], "Ada");
    let (_, open) = ada.call(Method::GET, "/emails?status=open", None).await;
    assert_eq!(open["emails"], json!([]));
    for wrong in [json!({"status": "failed"}), json!({}), json!({"status": 1})] {
        assert_eq!(ada.call(Method::PATCH, &path, Some(wrong)).await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(ada.call(Method::GET, "/emails?status=x", None).await.0, StatusCode::BAD_REQUEST);
    // Nothing is lost of it where answer and mail meet: the page may have been a while.
    within(async {
        while email_at_desk(&ada, sent["id"].as_u64().unwrap()).await["replies"][0]["state"] != "sent" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn what_a_person_did_wrong_is_an_outcome_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    (config.email.max_files, config.email.max_file_bytes, config.email.max_total_bytes) = (2, 1000, 1500);
    let gateway = Gateway::start_in(folder.path(), config).await;
    let uma = gateway.user("uma").await;
    let small: &[u8] = b"x";
    let with = |name: &str, value: Value| {
        let mut data = letter("e-1");
        data[name] = value;
        data
    };
    let long = vec![1_u8; 1001];
    let half = vec![1_u8; 800];
    let table: [(u64, Value, Vec<File<'_>>, &str, &str); 12] = [
        (QUEUE, with("email", json!("nobody")), vec![], "invalid_email", "email"),
        (QUEUE, with("email", json!("a@b.example\r\nBcc: x@y.example")), vec![], "invalid_email", "email"),
        (QUEUE, with("content", json!(" \n")), vec![], "no_content", "email"),
        (QUEUE, with("content", json!("x".repeat(65_537))), vec![], "too_long", "email"),
        (QUEUE, with("name", json!("x".repeat(321))), vec![], "too_long", "email"),
        (
            QUEUE,
            letter("e-1"),
            vec![("ok.txt", "text/plain", small), ("setup.EXE ", "text/plain", small)],
            "prohibited_file_type",
            "email",
        ),
        (QUEUE, letter("e-1"), vec![("a.txt", "text/plain", small); 3], "too_many_files", "email"),
        (QUEUE, letter("e-1"), vec![("a.txt", "text/plain", &long)], "file_too_large", "email"),
        (QUEUE, letter("e-1"), vec![("a.txt", "text/plain", &half); 2], "file_too_large", "email"),
        (51, with("email", json!("nobody")), vec![], "invalid_email", "after_hours"),
        (52, letter("e-1"), vec![], "unsupported", "email"),
        (999, letter("e-1"), vec![], "not_found", "email"),
    ];
    for (menu, data, files, reason, kind) in table {
        let (status, body) = write(&uma, menu, data, &files).await;
        let expected = json!({"id": 0, "type": kind, "status": "failed", "fail_reason": reason, "attachment_count": 0});
        assert_eq!((status, body), (StatusCode::OK, expected), "{reason}");
    }
    until(|| std::fs::read_dir(folder.path().join("media/emails")).unwrap().count() == 0).await;
    // A queue without the channel, and one that is closed for chats only.
    assert_eq!(write(&uma, 2, letter("e-1"), &[]).await.1["fail_reason"], "unsupported");
    let (status, body) = write(&uma, 51, letter("e-1"), &[("a.txt", "text/plain", small)]).await;
    assert_eq!((status, &body["type"]), (StatusCode::CREATED, &json!("after_hours")));
    assert_eq!(std::fs::read_dir(folder.path().join("media/emails")).unwrap().count(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_malformed_message_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(folder.path()).await;
    let uma = gateway.user("uma").await;
    let url = format!("/menus/{QUEUE}/emails");
    let data = |text: String| multipart::Form::new().text("data", text);
    let table = [
        (data("{".to_owned()), 400),
        (data("{}".to_owned()), 400),
        (data("[]".to_owned()), 400),
        (data(json!({"client_id": "a:b", "email": "a@b.example", "content": "x"}).to_string()), 400),
        (data(json!({"client_id": "a", "email": 1, "content": "x"}).to_string()), 400),
        (data("x".repeat(200_000)), 413),
        (multipart::Form::new(), 400),
        (multipart::Form::new().text("files[]", "x"), 400),
    ];
    for (form, expected) in table {
        let answer = within(uma.request(Method::POST, &url).multipart(form).send()).await.unwrap();
        assert_eq!(answer.status().as_u16(), expected);
    }
    assert_eq!(uma.call(Method::POST, &url, Some(letter("e-1"))).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(uma.call(Method::POST, "/menus/x/emails", Some(json!({}))).await.0, StatusCode::BAD_REQUEST);
    let cut_off = "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{";
    let request =
        uma.request(Method::POST, &url).header("content-type", "multipart/form-data; boundary=b").body(cut_off);
    assert_eq!(within(request.send()).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let stranger = User { token: "x".to_owned(), ..uma.clone() };
    assert_eq!(write(&stranger, QUEUE, letter("e-1"), &[]).await.0, StatusCode::UNAUTHORIZED);
    gateway.stop().await;
}

#[tokio::test]
async fn messages_of_a_day_are_limited_and_the_vendors_word_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    (config.email.per_end_user, config.email.per_company) = (2, 3);
    let gateway = Gateway::start_in(folder.path(), config).await;
    let (uma, ugo) = (gateway.user("uma").await, gateway.user("ugo").await);
    let mut reasons = Vec::new();
    for (user, key) in [(&uma, "e-1"), (&uma, "e-2"), (&uma, "e-3"), (&ugo, "e-1"), (&ugo, "e-2"), (&uma, "e-1")] {
        let (_, body) = write(user, QUEUE, letter(key), &[("a.txt", "text/plain", b"x")]).await;
        reasons.push(body["fail_reason"].as_str().unwrap().to_owned());
    }
    assert_eq!(reasons, ["", "", "over_cap_email", "", "over_cap_email", ""]);
    gateway.stop().await;
}

#[tokio::test]
async fn what_may_not_be_attached_is_told_and_configured() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(folder.path()).await;
    let list = gateway.user("uma").await.get("/prohibited_file_types").await;
    let types = list["file_types"].as_array().unwrap();
    assert!(types.contains(&json!({"extension": "exe", "description": "Windows program"})) && types.len() > 10);
    gateway.stop().await;
    let mut config = config(folder.path());
    let own = gateway::config::FileType { extension: "xyz".to_owned(), description: "Things".to_owned() };
    config.email.prohibited_file_types = Some(vec![own]);
    let gateway = Gateway::start_in(folder.path(), config).await;
    let uma = gateway.user("uma").await;
    let list = uma.get("/prohibited_file_types").await;
    assert_eq!(list, json!({"file_types": [{"extension": "xyz", "description": "Things"}]}));
    let (_, refused) = write(&uma, QUEUE, letter("e-1"), &[("a.XYZ", "text/plain", b"x")]).await;
    assert_eq!(refused["fail_reason"], "prohibited_file_type");
    assert_eq!(write(&uma, QUEUE, letter("e-1"), &[("a.exe", "text/plain", b"x")]).await.0, StatusCode::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn the_channel_is_enabled_where_it_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let enabled = |menus: &Value, id: u64| {
        let menu = menus["menus"].as_array().unwrap().iter().find(|menu| menu["id"] == id).unwrap().clone();
        let channel =
            menu["channels"].as_array().unwrap().iter().find(|channel| channel["name"] == "email").unwrap().clone();
        channel["enabled"].as_bool().unwrap()
    };
    for (has_mail, expected) in [(true, [true, true, false]), (false, [false, false, false])] {
        let mut config = config(folder.path());
        if !has_mail {
            config.mail = gateway::config::Mail::default();
        }
        let gateway = Gateway::start_with(config, Arc::new(MemoryStore::default())).await;
        let uma = gateway.user("uma").await;
        let menus = uma.get("/menus").await;
        assert_eq!([50, 51, 52].map(|id| enabled(&menus, id)), expected);
        if !has_mail {
            assert_eq!(write(&uma, QUEUE, letter("e-1"), &[]).await.1["fail_reason"], "unsupported");
        }
        gateway.stop().await;
    }
}

/// A mail server that answers each `DATA` with the next of its moods, and keeps what it took.
struct MailServer {
    port: u16,
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl MailServer {
    async fn start(moods: &[&'static str]) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&taken);
        let mut moods: Vec<&'static str> = moods.iter().rev().copied().collect();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (read, mut write) = socket.into_split();
                let mut read = BufReader::new(read);
                write.write_all(b"220 ready\r\n").await.unwrap();
                let mut line = Vec::new();
                while read.read_until(b'\n', &mut line).await.unwrap_or(0) > 0 {
                    let answer = match line.to_ascii_uppercase().get(..4) {
                        Some(b"EHLO") => "250 mail.example\r\n".to_owned(),
                        Some(b"DATA") => {
                            write.write_all(b"354 go on\r\n").await.unwrap();
                            let mut mail: Vec<u8> = Vec::new();
                            while !mail.ends_with(b"\r\n.\r\n") {
                                read.read_until(b'\n', &mut mail).await.unwrap();
                            }
                            mail.truncate(mail.len() - 3);
                            let mood = moods.pop().unwrap_or("250 taken");
                            if mood.starts_with('2') {
                                kept.lock().unwrap().push(mail);
                            }
                            format!("{mood}\r\n")
                        }
                        Some(b"QUIT") => "221 bye\r\n".to_owned(),
                        _ => "250 fine\r\n".to_owned(),
                    };
                    if write.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                    line.clear();
                }
            }
        });
        MailServer { port, taken }
    }
}

fn by_smtp(folder: &Path, port: u16) -> Config {
    let mut config = config(folder);
    config.mail.folder = None;
    config.mail.retry_ms = 1;
    config.mail.smtp = Some(Smtp {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        user: None,
        password: Secret::default(),
    });
    config
}

#[tokio::test]
async fn a_server_that_is_busy_gets_the_mail_later_and_one_that_refuses_it_never() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(&["451 later", "421 later", "250 taken", "550 no such user"]).await;
    let gateway = Gateway::start_in(folder.path(), by_smtp(folder.path(), server.port)).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let stands = |id: u64, state: &'static str| {
        let ada = ada.clone();
        async move {
            within(async {
                while email_at_desk(&ada, id).await["forwarded"] != state {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
    };
    let lines = b".\n..\nend".to_vec();
    let (_, first) = write(&uma, QUEUE, letter("e-1"), &[("dots.txt", "text/plain", &lines)]).await;
    stands(first["id"].as_u64().unwrap(), "sent").await;
    let (_, second) = write(&uma, QUEUE, letter("e-2"), &[]).await;
    stands(second["id"].as_u64().unwrap(), "failed").await;
    let taken = server.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    let mail = parsed(&taken[0]);
    assert_eq!(to(&mail), "help@shop.example");
    assert_eq!(mail.attachment(0).unwrap().contents(), lines);
    gateway.stop().await;
}

#[tokio::test]
async fn what_was_taken_leaves_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let gateway = Gateway::start_in(folder.path(), by_smtp(folder.path(), port)).await;
    let uma = gateway.user("uma").await;
    let chat = uma.chat(1, "open-1").await;
    uma.send(chat, "m-1", "before the restart").await;
    let body = json!({"emails": ["uma@mail.example"]});
    assert_eq!(ask_for_transcript(&uma, chat, body).await.0, StatusCode::NO_CONTENT);
    uma.send(chat, "m-2", "after the request").await;
    let (_, sent) = write(&uma, QUEUE, letter("e-1"), &[("a.bin", "application/x-a", b"\0\x01")]).await;
    assert_eq!(sent["status"], "open");
    gateway.stop().await;

    let gateway = start(folder.path()).await;
    let mails = mails(folder.path(), 2).await;
    let mut by_receiver: Vec<(String, String)> = mails
        .iter()
        .map(|mail| {
            let mail = parsed(mail);
            (to(&mail), mail.body_text(0).unwrap().into_owned())
        })
        .collect();
    by_receiver.sort();
    assert_eq!(by_receiver[0].0, "help@shop.example");
    assert_eq!(by_receiver[1].0, "uma@mail.example");
    assert!(by_receiver[1].1.contains("before the restart") && !by_receiver[1].1.contains("after the request"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_person_passes_and_nobody_where_the_verifier_is_silent() {
    async fn verify(form: String) -> (StatusCode, String) {
        let value = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap().to_owned();
        assert_eq!(value("secret="), "secret+of+the+site");
        match value("response=").as_str() {
            "person" => {
                (StatusCode::OK, json!({"success": true, "score": 0.9, "hostname": "shop.example"}).to_string())
            }
            "scoreless" => (StatusCode::OK, json!({"success": true}).to_string()),
            "robot" => (StatusCode::OK, json!({"success": true, "score": 0.1}).to_string()),
            "broken" => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
            "odd" => (StatusCode::OK, "<html>".to_owned()),
            _ => (StatusCode::OK, json!({"success": false, "error-codes": ["timeout-or-duplicate"]}).to_string()),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let verify_url = format!("http://{}/siteverify", listener.local_addr().unwrap());
    let app = axum::Router::new().route("/siteverify", post(verify));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.recaptcha = Some(Recaptcha { verify_url, secret: Secret("secret of the site".to_owned()), min_score: 0.5 });
    let gateway = Gateway::start_in(folder.path(), config).await;
    let uma = gateway.user("uma").await;
    let table = [
        (json!("person"), ""),
        (json!("scoreless"), ""),
        (json!("robot"), "recaptcha_failed"),
        (json!("old"), "recaptcha_failed"),
        (json!(""), "recaptcha_failed"),
        (json!("x".repeat(9000)), "recaptcha_failed"),
        (Value::Null, "recaptcha_failed"),
        (json!("broken"), "recaptcha_unavailable"),
        (json!("odd"), "recaptcha_unavailable"),
    ];
    for (index, (token, reason)) in table.into_iter().enumerate() {
        let mut data = letter(&format!("e-{index}"));
        data["recaptcha"] = token.clone();
        let (_, body) = write(&uma, QUEUE, data, &[]).await;
        assert_eq!(body["fail_reason"], reason, "{token}");
    }
    // A message that is there is not asked about again: a token is good for once.
    let mut again = letter("e-0");
    again["recaptcha"] = json!("old");
    assert_eq!(write(&uma, QUEUE, again, &[]).await.1["status"], "open");
    gateway.stop().await;
}
