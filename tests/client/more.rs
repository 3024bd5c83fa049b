//! The calls that few chats make: their requests are worked out by the chunk `more`, which is loaded with the first of them.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

/// The newest body that a call of these carried, with the path it went to.
fn last_body(gateway: &FakeGateway) -> String {
    in_json(&gateway.bodies().iter().last().unwrap_or(NONE))
}

#[wasm_bindgen_test]
async fn the_after_hours_message_is_asked_for_in_the_callers_language_or_the_clients() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let options = options(&origin);
    set(&options, "lang", "it");
    let client = sportello::Client::new(&options).unwrap();
    let ask = |lang: &JsValue| client.ask("getAfterHourMessage", &[lang], &NONE);
    assert_eq!(value(ask(&"pt-BR".into())).await, "closed (pt-BR)");
    assert_eq!(value(ask(&NONE)).await, "closed (it)");
    assert_eq!(code(ask(&7.into())).await, "invalid_argument");
    client.close();
}

#[wasm_bindgen_test]
async fn feature_flags_are_those_of_the_gateway_and_triggers_need_the_packages_own_client() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    let flags = value(client.ask("getFeatureFlags", &[], &NONE)).await;
    assert_eq!(in_json(&flags), r#"{"chat":true,"cobrowse":false}"#);
    gateway.refuse("GET /api/v1/feature_flags", 200, "<html>", None);
    assert_eq!(code(client.ask("getFeatureFlags", &[], &NONE)).await, "protocol");
    let cb = js_sys::Function::new_no_args("");
    for (method, arguments) in [("getTrigger", vec![]), ("runTrigger", vec![cb.as_ref()]), ("runTrigger", vec![])] {
        assert_eq!(code(client.ask(method, &arguments, &NONE)).await, "invalid_argument", "{method}");
    }
    for id in [NONE, 7.into(), "".into()] {
        assert_eq!(code(client.ask("countTrigger", &[&id], &NONE)).await, "invalid_argument");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn a_page_is_shared_by_the_packages_own_client_only_and_nobody_asks_in_its_place() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let asked = gateway.count_requests("");
    let question = json(r#"{"verb":"POST","path":"/chats/7/messages","body":{}}"#);
    for method in ["createCobrowseCode", "startCobrowse", "restoreCobrowseSession"] {
        assert_eq!(code(client.ask(method, &[], &NONE)).await, "invalid_argument", "{method}");
    }
    for method in ["askScreenShare", "attachScreenShare"] {
        for argument in [NONE, JsValue::NULL, 7.into(), Object::new().into(), question.clone()] {
            assert_eq!(code(client.ask(method, &[&argument], &NONE)).await, "invalid_argument", "{method}");
        }
    }
    assert_eq!(gateway.count_requests(""), asked);
    client.close();
}

#[wasm_bindgen_test]
async fn the_deflection_is_that_of_the_current_chat_or_else_of_the_company() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    let deflection = value(client.ask("getChatDeflection", &[], &NONE)).await;
    assert_eq!((get(&deflection, "threshold"), text(&deflection, "reason")), (300.into(), String::new()));
    value(client.create_chat(&1.into(), &NONE, &NONE)).await;
    let deflection = value(client.ask("getChatDeflection", &[], &NONE)).await;
    assert_eq!(text(&deflection, "reason"), "over_capacity");
    client.close();
}

#[wasm_bindgen_test]
async fn an_escalation_and_an_event_are_tracked_with_what_the_caller_gave() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let track = |id: JsValue, channel: &str| client.ask("trackChatEscalation", &[&id, &channel.into()], &NONE);
    assert!(value(track(3.into(), "email")).await.is_undefined());
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/escalations/3","deflection_channel":"email"}"#);
    assert!(value(track("3".into(), "human_agent")).await.is_undefined());
    assert_eq!(code(track(4.into(), "email")).await, "not_found");
    for (id, channel) in [(3.5.into(), "email"), (NONE, "email"), (3.into(), ""), ((-1).into(), "email")] {
        assert_eq!(code(track(id, channel)).await, "invalid_argument");
    }

    let event = |data: &JsValue| client.ask("trackChatEndUserEvent", &[data], &NONE);
    assert!(value(event(&json(r#"{"end_user_name":"Ada","z":1,"a":[2]}"#))).await.is_undefined());
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/events","end_user_name":"Ada","z":1,"a":[2]}"#);
    let cycle = Object::new();
    set(&cycle, "cycle", &cycle);
    let big = Object::new();
    set(&big, "big", js_sys::BigInt::from(1));
    for data in [NONE, JsValue::NULL, "x".into(), Array::new().into(), cycle.into(), big.into()] {
        assert_eq!(code(event(&data)).await, "invalid_argument");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn what_belongs_to_a_chat_rejects_without_one() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    let channel = JsValue::from("email");
    let calls = [
        client.ask("trackChatEscalation", &[&3.into(), &channel], &NONE),
        client.ask("trackChatEndUserEvent", &[&Object::new()], &NONE),
        client.ask("checkIn", &[], &NONE),
        client.ask("notifyCheckInState", &[], &NONE),
        client.ask("rejoinChat", &[], &NONE),
        client.ask("getChatSurvey", &[], &NONE),
        client.ask("sendChatSurvey", &[&json(r#"{"1":1}"#)], &NONE),
        client.ask("sendChatRate", &[&json(r#"{"rating":1}"#)], &NONE),
        client.ask("sendPreviewMessage", &[&channel], &NONE),
        client.ask("updatePostSession", &[&"ready".into()], &NONE),
    ];
    for call in calls {
        assert_eq!(code(call).await, "no_chat");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn the_history_has_dates_and_its_files_are_those_of_its_own_chats() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let history = value(client.ask("getChatHistory", &[], &NONE)).await;
    assert_eq!(gateway.count_requests("GET /api/v1/chat_history?page=1"), 1);
    let chat = get(&history, "chats").unchecked_into::<Array>().get(0);
    let entry = get(&chat, "entries").unchecked_into::<Array>().get(0);
    assert!(get(&entry, "$timestamp").is_instance_of::<js_sys::Date>());
    let file = value(client.ask("getMessageAttachment", &[&entry], &NONE)).await;
    assert_eq!(
        (text(&file, "name"), text(&file, "type"), get(&file, "size")),
        ("old.png".into(), "image/png".into(), 3.into())
    );
    assert_eq!(gateway.count_requests("GET /api/v1/chats/6/media/40"), 1);
    for page in [0.into(), (-1).into(), 1.5.into(), "2".into(), JsValue::from(f64::INFINITY)] {
        assert_eq!(code(client.ask("getChatHistory", &[&page], &NONE)).await, "invalid_argument");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn a_transcript_is_asked_for_in_the_readers_language_and_clock_and_then_asked_about() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let options = options(&origin);
    set(&options, "lang", "it");
    let client = sportello::Client::new(&options).unwrap();
    assert_eq!(code(client.ask("downloadChatTranscript", &[], &NONE)).await, "no_chat");
    assert_eq!(code(client.ask("getPdfStatus", &[&8.into()], &NONE)).await, "no_chat");
    value(client.create_chat(&1.into(), &NONE, &NONE)).await;
    // An ended chat has one too.
    gateway.change(r#"{"status":"finished"}"#);
    let asked = value(client.ask("downloadChatTranscript", &[], &NONE)).await;
    assert_eq!((text(&asked, "status"), get(&asked, "chat_transcript_id")), ("pending".into(), 8.into()));
    assert_eq!(gateway.count_requests("POST /api/v1/chats/7/transcripts"), 1);
    for (id, status, failed_reason) in
        [(8, "pending", NONE), (9, "finished", NONE), (10, "failed", "too_large".into()), (11, "pending", NONE)]
    {
        let found = value(client.ask("getPdfStatus", &[&id.into()], &NONE)).await;
        assert_eq!(text(&get(&found, "headers"), "x-transcript-status"), status, "{id}");
        let data = get(&found, "data");
        assert_eq!((text(&data, "status"), get(&data, "failed_reason")), (status.into(), failed_reason), "{id}");
        let body = get(&data, "body");
        assert_eq!(body.is_instance_of::<web_sys::Blob>(), status == "finished", "{id}");
        if status == "finished" {
            assert_eq!((text(&body, "type"), get(&body, "size")), ("application/pdf".into(), 5.into()));
        }
    }
    assert_eq!(code(client.ask("getPdfStatus", &[&404.into()], &NONE)).await, "not_found");
    for id in [NONE, JsValue::NULL, "x".into(), 1.5.into(), (-1).into(), Object::new().into()] {
        assert_eq!(code(client.ask("getPdfStatus", &[&id], &NONE)).await, "invalid_argument");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn what_follows_a_chat_is_moved_on_and_written_to_after_the_end() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, recorder) = in_chat(&origin).await;
    let step = |status: &JsValue, choice: &JsValue| client.ask("updatePostSession", &[status, choice], &NONE);
    let refused = rejection(step(&"ready".into(), &NONE)).await;
    assert_eq!((text(&refused, "code"), get(&refused, "status")), ("conflict".into(), 409.into()));
    for (status, choice) in [
        (JsValue::from("READY"), NONE),
        ("offered".into(), NONE),
        (NONE, NONE),
        (3.into(), NONE),
        (Object::new().into(), NONE),
        ("ready".into(), "yes".into()),
        ("ready".into(), 1.into()),
        ("ready".into(), Array::new().into()),
    ] {
        assert_eq!(code(step(&status, &choice)).await, "invalid_argument");
    }
    gateway.change(r#"{"status":"finished","post_session_required":true,"post_session_opt_in_required":true}"#);
    recorder.wait_for("chat.ended", 1).await;
    assert_eq!(code(client.send_text_message(&"early".into(), &NONE)).await, "chat_ended");
    assert!(value(step(&"ready".into(), &true.into())).await.is_undefined());
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/post_session","status":"ready","opt_in_selection":true}"#);
    value(step(&"in_progress".into(), &JsValue::NULL)).await;
    assert_eq!(
        last_body(&gateway),
        r#"{"path":"/chats/7/post_session","status":"in_progress","opt_in_selection":null}"#
    );
    assert_eq!(text(&get(&client.chat(), "state"), "post_session_transfer_status"), "in_progress");
    value(client.send_text_message(&"fine".into(), &NONE)).await;
    value(step(&"finished".into(), &NONE)).await;
    recorder.wait_for("chat.ended", 2).await;
    assert_eq!(code(client.send_text_message(&"late".into(), &NONE)).await, "chat_ended");
    assert_eq!(recorder.errors(), Vec::<String>::new());
    client.close();
}

#[wasm_bindgen_test]
async fn a_check_in_is_confirmed_and_a_missed_one_rejoins() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, recorder) = in_chat(&origin).await;
    let refused = rejection(client.ask("checkIn", &[], &NONE)).await;
    assert_eq!((text(&refused, "code"), get(&refused, "status")), ("conflict".into(), 409.into()));
    gateway.change(r#"{"status":"queued"}"#);
    value(client.ask("notifyCheckInState", &[], &NONE)).await;
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/check_in","state":"notified"}"#);
    let state = value(client.ask("checkIn", &[], &NONE)).await;
    assert_eq!(text(&state, "check_in"), "confirmed");
    assert_eq!(text(&get(&client.chat(), "state"), "check_in"), "confirmed", "the chat has it already");
    gateway.change(r#"{"status":"checked_out"}"#);
    let state = value(client.ask("rejoinChat", &[], &NONE)).await;
    assert_eq!(text(&state, "status"), "queued");
    assert_eq!(recorder.errors(), Vec::<String>::new());
    client.close();
}

#[wasm_bindgen_test]
async fn a_chat_that_is_over_is_asked_about_and_rated() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, recorder) = in_chat(&origin).await;
    let survey = |answers: &str| client.ask("sendChatSurvey", &[&json(answers)], &NONE);
    let rate = |data: &str| client.ask("sendChatRate", &[&json(data)], &NONE);
    let asked = value(client.ask("getChatSurvey", &[], &NONE)).await;
    assert_eq!(text(&asked, "sign_off_display_text"), "Thanks");
    for early in [survey(r#"{"11":5}"#), rate(r#"{"rating":5}"#)] {
        let refused = rejection(early).await;
        assert_eq!((text(&refused, "code"), get(&refused, "status")), ("conflict".into(), 409.into()));
    }
    gateway.change(r#"{"status":"finished","features":["survey","rating"]}"#);
    recorder.wait_for("chat.ended", 1).await;
    assert!(value(survey(r#"{"11":5,"12":"a"}"#)).await.is_undefined());
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/survey","answers":{"11":5,"12":"a"}}"#);
    let refused = rejection(survey(r#"{"11":9}"#)).await;
    assert_eq!(in_json(&get(&refused, "fields")), r#"[{"question_id":11,"problem":"unknown_option"}]"#);
    assert!(value(rate(r#"{"rating":4,"feedback":null,"more":1}"#)).await.is_undefined());
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/rating","rating":4}"#);
    value(rate(r#"{"rating":1,"feedback":"slow"}"#)).await;
    assert_eq!(last_body(&gateway), r#"{"path":"/chats/7/rating","rating":1,"feedback":"slow"}"#);

    let sent = gateway.bodies().length();
    for answers in
        ["null", "{}", "[]", "7", r#"{"one":1}"#, r#"{"1":null}"#, r#"{"1":true}"#, r#"{"1":["a"]}"#, r#"{"-1":1}"#]
    {
        assert_eq!(code(survey(answers)).await, "invalid_argument", "{answers}");
    }
    for data in [
        "null",
        "{}",
        "[5]",
        "5",
        r#"{"rating":0}"#,
        r#"{"rating":6}"#,
        r#"{"rating":2.5}"#,
        r#"{"rating":"5"}"#,
        r#"{"rating":5,"feedback":7}"#,
    ] {
        assert_eq!(code(rate(data)).await, "invalid_argument", "{data}");
    }
    assert_eq!(gateway.bodies().length(), sent, "what is refused here asks nothing of the gateway");
    client.close();
}

#[wasm_bindgen_test]
async fn a_call_is_asked_for_once_however_often_its_answer_is_lost() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let options = options(&origin);
    set(&options, "lang", "it");
    let client = sportello::Client::new(&options).unwrap();
    let ask = |data: &str| client.ask("createCall", &[&"4".into(), &json(data)], &NONE);
    let key = |gateway: &FakeGateway| text(&gateway.bodies().iter().last().unwrap(), "client_id");
    let call = value(ask(r#"{"phone_number":"+390236618300","ticket_id":"T"}"#)).await;
    assert_eq!((text(&call, "status"), text(&call, "lang")), ("queued".into(), "it".into()));
    let first = key(&gateway);
    let expected = format!(
        r#"{{"path":"/menus/4/calls","client_id":"{first}","call":{{"lang":"it","phone_number":"+390236618300","ticket_id":"T"}}}}"#
    );
    assert_eq!(last_body(&gateway), expected);
    let scheduled = r#"{"phone_number":"+390236618300","lang":"pt","scheduled_at":"2030-01-02T09:00:00Z"}"#;
    gateway.refuse("POST /api/v1/menus/4/calls", 503, "unavailable", None);
    assert_eq!(code(ask(scheduled)).await, "unavailable");
    let call = value(ask(scheduled)).await;
    assert_eq!((text(&call, "status"), text(&call, "lang")), ("scheduled".into(), "pt".into()));
    let second = key(&gateway);
    assert_ne!(first, second);
    value(ask(scheduled)).await;
    assert_ne!(key(&gateway), second, "what was answered is over: this is another one");
    gateway.refuse("POST /api/v1/menus/4/calls", 409, "conflict", None);
    let refused = rejection(ask(scheduled)).await;
    assert_eq!((text(&refused, "code"), get(&refused, "status")), ("conflict".into(), 409.into()));
    client.close();
}

#[wasm_bindgen_test]
async fn a_call_is_read_moved_and_canceled() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    let call = value(client.ask("loadCall", &[&9.into()], &NONE)).await;
    assert_eq!((get(&call, "id"), text(&call, "type")), (9.into(), "Immediate".into()));
    let call = value(client.ask("cancelCall", &[&"9".into()], &NONE)).await;
    assert_eq!(text(&call, "status"), "canceled");
    assert_eq!(last_body(&gateway), r#"{"path":"/calls/9","status":"canceled"}"#);
    let call = value(client.ask("rescheduleCall", &[&9.into(), &"2030-01-02T10:00:00Z".into()], &NONE)).await;
    assert_eq!(text(&call, "scheduled_at"), "2030-01-02T10:00:00Z");
    assert_eq!(last_body(&gateway), r#"{"path":"/calls/9","scheduled_at":"2030-01-02T10:00:00Z"}"#);
    for method in ["loadCall", "cancelCall", "rescheduleCall"] {
        assert_eq!(code(client.ask(method, &[&8.into(), &"2030-01-02T10:00:00Z".into()], &NONE)).await, "not_found");
    }
    client.close();
}

#[wasm_bindgen_test]
async fn slots_are_asked_for_in_a_language_or_with_the_options_of_newer_releases() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let options = options(&origin);
    set(&options, "lang", "it");
    let client = sportello::Client::new(&options).unwrap();
    let slots = async |given: JsValue| {
        let slots = value(client.ask("getTimeSlots", &[&4.into(), &given], &NONE)).await.unchecked_into::<Array>();
        assert_eq!(slots.length(), 1);
        slots.get(0).as_string().unwrap().replace("2030-01-02T09:00:00Z", "")
    };
    assert_eq!(slots(NONE).await, "?lang=it");
    assert_eq!(slots("pt-BR".into()).await, "?lang=pt-BR");
    assert_eq!(slots(json("{}")).await, "?lang=it");
    let newer = r#"{"lang":"en","useAdvancedCallScheduling":true,"days":3,"name":"a b&c","deep":{"x":1},"none":null}"#;
    assert_eq!(slots(json(newer)).await, "?lang=en&useAdvancedCallScheduling=true&days=3&name=a+b%26c");
    let availability = value(client.ask("fetchTimeSlotAvailability", &[&"4".into(), &json(newer)], &NONE)).await;
    assert_eq!(get(&availability, "slot_ms"), JsValue::from(1_800_000));
    assert_eq!(text(&availability, "timezone"), "?lang=en&useAdvancedCallScheduling=true&days=3&name=a+b%26c");
    assert_eq!(in_json(&get(&availability, "slots")), r#"[{"at":"2030-01-02T09:00:00Z","free":1,"capacity":2}]"#);
    client.close();
}

#[wasm_bindgen_test]
async fn calls_and_slots_with_bad_arguments_are_refused_before_anything_is_sent() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    value(client.ask("loadCall", &[&9.into()], &NONE)).await;
    let before = gateway.count_requests("");
    for method in
        ["createCall", "loadCall", "cancelCall", "rescheduleCall", "getTimeSlots", "fetchTimeSlotAvailability"]
    {
        for id in
            [NONE, JsValue::NULL, (-1).into(), 1.5.into(), "".into(), "4x".into(), "../4".into(), Array::new().into()]
        {
            let data = if method == "createCall" { json(r#"{"phone_number":"+390236618300"}"#) } else { NONE };
            assert_eq!(code(client.ask(method, &[&id, &data], &NONE)).await, "invalid_argument", "{method}");
        }
    }
    let cycle = json(r#"{"phone_number":"+390236618300"}"#);
    Reflect::set(&cycle, &"cycle".into(), &cycle).unwrap();
    let bad = [
        NONE,
        JsValue::NULL,
        "+390236618300".into(),
        Array::new().into(),
        json("{}"),
        json(r#"{"phone_number":""}"#),
        json(r#"{"phone_number":390236618300}"#),
        json(r#"{"phone_number":"+390236618300","scheduled_at":7}"#),
        cycle,
    ];
    for data in bad {
        assert_eq!(code(client.ask("createCall", &[&4.into(), &data], &NONE)).await, "invalid_argument");
    }
    for time in [NONE, JsValue::NULL, "".into(), 7.into(), Object::new().into()] {
        assert_eq!(code(client.ask("rescheduleCall", &[&9.into(), &time], &NONE)).await, "invalid_argument");
    }
    for options in [JsValue::from(7), JsValue::TRUE, Array::new().into(), json(r#"{"lang":7}"#)] {
        assert_eq!(code(client.ask("getTimeSlots", &[&4.into(), &options], &NONE)).await, "invalid_argument");
    }
    assert_eq!(gateway.count_requests(""), before, "nothing was sent");
    client.close();
}

#[wasm_bindgen_test]
async fn a_message_without_a_file_of_the_gateway_has_no_attachment() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    let ask = |message: &str| client.ask("getMessageAttachment", &[&json(message)], &NONE);
    for message in [
        r#"{"type":"text","content":"x"}"#,
        r#"{"type":"document","document":{"url":"https://elsewhere.test/a.pdf"}}"#,
        r#"{"type":"document","document":{"url":"//elsewhere.test/api/v1/chats/7/media/40"}}"#,
        r#"{"type":"document","document":{"url":"/api/v1/chats/7/media/40/../../../../sessions"}}"#,
        r#"{"type":"photo","media_id":"40"}"#,
        r#"{"type":"document","document":7}"#,
        "{}",
    ] {
        assert!(value(ask(message)).await.is_null(), "{message}");
    }
    let file = value(ask(r#"{"type":"photo","$index":4,"media_id":40}"#)).await;
    assert_eq!((text(&file, "name"), text(&file, "type")), ("photo-4".into(), "application/octet-stream".into()));
    let own = r#"{"type":"document","document":{"url":"/api/v1/chats/7/media/40"},"media":{"name":"a.pdf","content_type":"application/pdf"}}"#;
    assert_eq!(text(&value(ask(own)).await, "name"), "a.pdf");
    assert_eq!(code(ask(r#"{"type":"photo","media_id":41}"#)).await, "not_found");
    for message in [NONE, JsValue::NULL, "x".into(), 7.into(), Array::new().into()] {
        assert_eq!(code(client.ask("getMessageAttachment", &[&message], &NONE)).await, "invalid_argument");
    }
    gateway.refuse("GET /api/v1/chats/7/media", 200, "<html>", None);
    assert_eq!(get(&value(ask(own)).await, "size"), JsValue::from(6), "the bytes are a file whatever they are");
    client.close();
}

#[wasm_bindgen_test]
async fn transcripts_go_to_the_addresses_and_the_same_request_is_made_once() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let options = options(&origin);
    set(&options, "lang", "it");
    let client = sportello::Client::new(&options).unwrap();
    let emails = json(r#"["a@b.example","c@d.example"]"#);
    let ask = || client.ask("sendChatTranscripts", &[&emails], &NONE);
    assert_eq!(code(ask()).await, "no_chat");
    value(client.create_chat(&1.into(), &NONE, &NONE)).await;
    gateway.refuse("POST /api/v1/chats/7/transcript_mails", 503, "unavailable", None);
    assert_eq!(code(ask()).await, "unavailable");
    assert!(value(ask()).await.is_undefined());
    let first = last_body(&gateway);
    assert!(first.contains(r#""emails":["a@b.example","c@d.example"]"#) && first.contains(r#""lang":"it""#), "{first}");
    assert!(value(ask()).await.is_undefined());
    assert_ne!(last_body(&gateway), first, "a later request is another one");
    for emails in [
        NONE,
        JsValue::NULL,
        "a@b.example".into(),
        Array::new().into(),
        json("[1]"),
        json(r#"[""]"#),
        Object::new().into(),
    ] {
        assert_eq!(code(client.ask("sendChatTranscripts", &[&emails], &NONE)).await, "invalid_argument");
    }
    client.close();
}

fn file(name: &str) -> JsValue {
    let constructor: js_sys::Function = Reflect::get(&js_sys::global(), &"File".into()).unwrap().unchecked_into();
    Reflect::construct(&constructor, &Array::of2(&Array::of1(&"x".into()), &name.into())).unwrap()
}

#[wasm_bindgen_test]
async fn a_message_by_e_mail_takes_its_files_along_and_resolves_whatever_becomes_of_it() {
    let (gateway, origin) = gateway();
    offer_chunks(false);
    let client = client(&origin);
    let types = value(client.ask("getProhibitedFileTypes", &[], &NONE)).await;
    assert_eq!(in_json(&types), r#"[{"extension":"exe","description":"Windows program"}]"#);
    let data = Object::new();
    for (name, text) in [("name", "Uma"), ("email", "uma@mail.example"), ("content", "Hello"), ("recaptcha", "t-1")] {
        set(&data, name, text);
    }
    set(&data, "files", Array::of2(&file("a.txt"), &file("b.txt")));
    let ask = |data: &JsValue| client.ask("createEmail", &[&1.into(), data], &NONE);
    // Nobody knows whether it arrived: the same again is the same message, with a new token of the page's.
    gateway.refuse("POST /api/v1/menus/1/emails", 503, "unavailable", None);
    let failed = value(ask(&data)).await;
    assert_eq!(
        in_json(&failed),
        r#"{"id":0,"type":"email","status":"failed","fail_reason":"unavailable","attachment_count":0}"#
    );
    gateway.refuse("POST /api/v1/menus/1/emails", 200, "<html>", None);
    assert_eq!(text(&value(ask(&data)).await, "fail_reason"), "protocol");
    let sent = value(ask(&data)).await;
    assert_eq!((get(&sent, "id"), get(&sent, "attachment_count")), (9.into(), 2.into()));
    let body = last_body(&gateway);
    assert!(body.contains(r#""names":"a.txt,b.txt""#) && body.contains(r#""recaptcha":"t-1""#), "{body}");
    assert_eq!(gateway.count_requests("POST /api/v1/menus/1/emails"), 3);

    gateway.refuse("POST /api/v1/menus/1/emails", 429, "rate_limited", None);
    assert_eq!(text(&value(ask(&data)).await, "fail_reason"), "rate_limited");
    gateway.go_down();
    assert_eq!(text(&value(ask(&data)).await, "fail_reason"), "network");
    gateway.come_up();

    // The caller's own mistakes and doing are no outcome of the message.
    let with = |name: &str, value: &JsValue| {
        let other = Object::assign(&Object::new(), &data);
        Reflect::set(&other, &name.into(), value).unwrap();
        other
    };
    let endless = json(r#"{"length":1e12}"#);
    for wrong in [
        with("email", &NONE),
        with("content", &7.into()),
        with("name", &Object::new()),
        with("files", &"a.txt".into()),
        with("files", &json("[1]")),
        with("files", &json(r#"[{"name":"x","size":1}]"#)),
        with("files", &endless),
    ] {
        assert_eq!(code(ask(&wrong)).await, "invalid_argument", "{}", in_json(&wrong));
    }
    for wrong in [NONE, JsValue::NULL, "x".into()] {
        assert_eq!(code(ask(&wrong)).await, "invalid_argument");
    }
    assert_eq!(code(client.ask("createEmail", &[&(-1).into(), &data], &NONE)).await, "invalid_argument");
    value(ask(&with("files", &JsValue::NULL))).await;
    gateway.hold("POST /api/v1/menus/1/emails");
    let controller = web_sys::AbortController::new().unwrap();
    let options = Object::new();
    set(&options, "signal", controller.signal());
    let aborted = client.ask("createEmail", &[&1.into(), &data], &options);
    let closed = ask(&data);
    turn().await;
    controller.abort();
    assert_eq!(code(aborted).await, "aborted");
    client.close();
    assert_eq!(code(closed).await, "closed");
}

#[wasm_bindgen_test]
async fn a_chunk_that_cannot_be_loaded_rejects_typed_and_the_next_call_tries_again() {
    let (_gateway, origin) = gateway();
    offer_chunks(false);
    let chunks = Object::new();
    let failing = js_sys::Function::new_no_args(
        "return this.works ? this.works() : Promise.reject(new TypeError('Failed to fetch'))",
    );
    set(&chunks, "more", failing.bind0(&chunks));
    let works = get(&offered_chunks(), "more");
    sportello::set_chunks(chunks.clone().into());
    let client = client(&origin);
    let error = rejection(client.ask("getChatHistory", &[], &NONE)).await;
    assert_eq!((text(&error, "code"), get(&error, "retryable")), ("wasm_load_failed".into(), JsValue::TRUE));
    Reflect::set(&chunks, &"works".into(), &works).unwrap();
    value(client.ask("getChatHistory", &[], &NONE)).await;
    client.close();
}

#[wasm_bindgen_test]
async fn a_call_whose_chunk_never_comes_is_aborted_and_closed_like_any_other() {
    let (_gateway, origin) = gateway();
    let chunks = Object::new();
    set(&chunks, "more", js_sys::Function::new_no_args("return new Promise(() => {})"));
    sportello::set_chunks(chunks.into());
    let client = client(&origin);
    let controller = web_sys::AbortController::new().unwrap();
    let options = Object::new();
    set(&options, "signal", controller.signal());
    let aborted = client.ask("getChatHistory", &[], &options);
    let closed = client.ask("getChatHistory", &[], &NONE);
    turn().await;
    controller.abort();
    assert_eq!(code(aborted).await, "aborted");
    client.close();
    assert_eq!(code(closed).await, "closed");
}

#[wasm_bindgen_test]
async fn a_text_chat_loads_no_chunk() {
    let (_gateway, origin) = gateway();
    let log = offer_chunks(false);
    let (client, _recorder) = in_chat(&origin).await;
    value(client.get_menus(&NONE, &NONE, &NONE)).await;
    value(send(&client, "hello")).await;
    value(client.fetch_messages(&NONE)).await;
    value(client.escalate_chat(&NONE, &NONE)).await;
    value(client.finish_chat(&NONE)).await;
    assert_eq!(log.length(), 0, "{}", in_json(&log));
    client.close();
}
