//! Calls: asked for at once or in a slot of time, moved, canceled, and moved on by the desk.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway::store::{Changed, MemoryStore, RecordKind, Store};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Desk, Gateway, SECRET, User, company_with, now_s, signed, within};

const PHONE: &str = "+39 02 3661 8300";
/// Every hour of the week, one call in each; as many calls as a test likes.
const HOURLY: &str = "id = 80, name = \"Call us\", names = { it = \"Chiamaci\" }, channels = [\"voice_call\"], \
    calls = { slot_ms = 3600000, lead_ms = 3600000, horizon_ms = 86400000, per_slot = 2, country = \"IT\", open_per_end_user = 50, per_end_user_per_day = 50 }";

struct Scene {
    gateway: Gateway,
    store: Arc<MemoryStore>,
}

async fn scene(menus: &[&str]) -> Scene {
    let store = Arc::new(MemoryStore::default());
    let config = company_with("languages = [\"en\", \"it\"]", menus);
    Scene { gateway: Gateway::start_with(config, Arc::clone(&store) as Arc<dyn Store>).await, store }
}

async fn ask(user: &User, menu_id: u64, client_id: &str, call: Value) -> (StatusCode, Value) {
    let body = json!({"client_id": client_id, "call": call});
    user.call(Method::POST, &format!("/menus/{menu_id}/calls"), Some(body)).await
}

async fn change(user: &User, call: &Value, patch: Value) -> (StatusCode, Value) {
    user.call(Method::PATCH, &format!("/calls/{}", call["id"]), Some(patch)).await
}

async fn shift(desk: &Desk, call: &Value, status: &str) -> (StatusCode, Value) {
    desk.call(Method::PATCH, &format!("/calls/{}", call["id"]), Some(json!({"status": status}))).await
}

async fn slots(user: &User, menu_id: u64) -> Vec<String> {
    let body = user.get(&format!("/menus/{menu_id}/time_slots?lang=en&useAdvancedCallScheduling=true")).await;
    body["time_slots"].as_array().unwrap().iter().map(|slot| slot.as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn refused((status, body): (StatusCode, Value), expected: u16, code: &str) {
    assert_eq!((status.as_u16(), body["error"]["code"].as_str()), (expected, Some(code)), "{body}");
}

#[tokio::test]
async fn a_call_at_once_waits_for_an_agent_and_the_same_key_asks_only_once() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let uma = gateway.user("uma").await;
    let call = json!({"phone_number": "02 3661 8300", "lang": "it", "unknown": 1});
    let (status, first) = ask(&uma, 80, "a", call.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    let expected = json!({
        "id": first["id"], "lang": "it", "menu_id": 80, "status": "queued", "type": "Immediate", "recording_permitted": false,
        "survey_enabled": false, "created_at": first["created_at"], "menus": [{"id": 80, "name": "Chiamaci"}],
    });
    assert_eq!(first, expected);
    assert_eq!(uma.get(&format!("/calls/{}", first["id"])).await, first);
    let (status, again) = ask(&uma, 80, "a", call.clone()).await;
    assert_eq!((status, &again["id"]), (StatusCode::OK, &first["id"]));
    let (status, other) = ask(&uma, 80, "b", call.clone()).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(other["id"], first["id"]);
    // A key is its end user's own.
    let (status, hers) = ask(&gateway.user("eva").await, 80, "a", call).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(hers["id"], first["id"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_slot_is_had_by_as_many_as_it_has_room_for_and_is_free_again_after_a_cancellation() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let uma = gateway.user("uma").await;
    let offered = slots(&uma, 80).await;
    assert!((22..=24).contains(&offered.len()), "{offered:?}");
    let at = &offered[3];
    let call = json!({"phone_number": PHONE, "scheduled_at": at});
    // Of nine who are quick, two get it.
    let asked = join_all((0..9).map(|n| {
        let (uma, call) = (uma.clone(), call.clone());
        async move { ask(&uma, 80, &format!("c-{n}"), call).await }
    }))
    .await;
    let got: Vec<&Value> =
        asked.iter().filter(|(status, _)| *status == StatusCode::CREATED).map(|(_, body)| body).collect();
    assert_eq!(got.len(), 2);
    assert_eq!(
        (&got[0]["status"], &got[0]["type"], &got[0]["scheduled_at"]),
        (&json!("scheduled"), &json!("Scheduled"), &json!(at))
    );
    assert!(asked.iter().all(|(status, body)| *status == StatusCode::CREATED || body["error"]["code"] == "conflict"));
    assert!(!slots(&uma, 80).await.contains(at));
    let availability = uma.get("/menus/80/time_slot_availability").await;
    assert_eq!((&availability["slot_ms"], &availability["timezone"]), (&json!(3_600_000), &json!("UTC")));
    let shown = availability["slots"].as_array().unwrap();
    assert_eq!(shown[3], json!({"at": at, "free": 0, "capacity": 2}));
    assert_eq!(shown[4]["free"], 2);

    let (status, canceled) = change(&uma, got[0], json!({"status": "canceled"})).await;
    assert_eq!((status, &canceled["status"]), (StatusCode::OK, &json!("canceled")));
    assert_eq!(change(&uma, got[0], json!({"status": "canceled"})).await.0, StatusCode::OK, "again");
    assert!(slots(&uma, 80).await.contains(at));
    assert_eq!(uma.get("/menus/80/time_slot_availability").await["slots"][3]["free"], 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_call_moves_to_another_slot_that_has_room() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let uma = gateway.user("uma").await;
    let offered = slots(&uma, 80).await;
    for n in 0..2 {
        ask(&uma, 80, &format!("full-{n}"), json!({"phone_number": PHONE, "scheduled_at": offered[5]})).await;
    }
    let (_, call) = ask(&uma, 80, "a", json!({"phone_number": PHONE})).await;
    let (status, moved) = change(&uma, &call, json!({"scheduled_at": offered[1]})).await;
    assert_eq!(status, StatusCode::OK, "{moved}");
    assert_eq!(
        (&moved["status"], &moved["type"], &moved["scheduled_at"]),
        (&json!("scheduled"), &json!("Scheduled"), &json!(offered[1]))
    );
    refused(change(&uma, &call, json!({"scheduled_at": offered[5]})).await, 409, "conflict");
    refused(change(&uma, &call, json!({"scheduled_at": "2020-01-01T00:00:00Z"})).await, 409, "conflict");
    assert_eq!(uma.get(&format!("/calls/{}", call["id"])).await["scheduled_at"], json!(offered[1]), "nothing moved");
    // Within a full slot it stays where it is.
    ask(&uma, 80, "b", json!({"phone_number": PHONE, "scheduled_at": offered[1]})).await;
    assert_eq!(change(&uma, &call, json!({"scheduled_at": offered[1]})).await.0, StatusCode::OK);
    // The same moment in another zone's words is the same slot.
    let (status, moved) = change(&uma, &call, json!({"scheduled_at": offered[2].replace('Z', "+00:00")})).await;
    assert_eq!((status, &moved["scheduled_at"]), (StatusCode::OK, &json!(offered[2])));
    assert_eq!(uma.get("/menus/80/time_slot_availability").await["slots"][1]["free"], 1, "the former slot has room");
    gateway.stop().await;
}

#[tokio::test]
async fn a_scheduled_call_enters_the_queue_when_its_time_has_come_also_after_a_restart() {
    let Scene { gateway, store } = scene(&[HOURLY]).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let at = slots(&uma, 80).await.remove(0);
    let (_, call) = ask(&uma, 80, "a", json!({"phone_number": PHONE, "scheduled_at": at})).await;
    gateway.stop().await;
    let id = call["id"].as_u64().unwrap();
    let mut record = store.record(RecordKind::Call, id).await.unwrap().unwrap();
    record.content.due_at_ms = Some(now_s() * 1000 - 5000);
    assert_eq!(store.change_record(record, Vec::new()).await.unwrap(), Changed::Changed);
    let gateway = Gateway::start_with(company_with("", &[HOURLY]), store).await;
    let mut list = Desk { base: gateway.base.clone(), ..ada }.list().await;
    within(async { while list.expect("calls").await["open"][0]["status"] != "queued" {} }).await;
    let uma = gateway.user("uma").await;
    assert_eq!(uma.get(&format!("/calls/{id}")).await["status"], "queued");
    drop(list);
    gateway.stop().await;
}

#[tokio::test]
async fn the_desk_hears_of_a_call_with_all_that_was_said_and_moves_it_to_its_end() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let (uma, ada, grace) = (gateway.user("uma").await, gateway.agent("ada").await, gateway.agent("grace").await);
    let mut list = ada.list().await;
    assert_eq!(list.expect("calls").await["open"], json!([]));
    let token = signed(
        &json!({"custom_data": {"tier": {"value": "gold"}, "secret": {"value": 1, "invisible_to_agent": true}, "reserved_verified_customer": {"value": true}}, "iat": now_s(), "exp": now_s() + 60}),
        SECRET,
    );
    let (_, call) = ask(
        &uma,
        80,
        "a",
        json!({
            "phone_number": "02 3661 8300 ext. 12", "ticket_id": "T-1", "email": "uma@example.com",
            "recording_permission": "recording_permission_granted",
            "custom_data": {"signed": token, "unsigned": {"cart": {"value": 3}}},
        }),
    )
    .await;
    assert_eq!(call["recording_permitted"], true, "{call}");
    let shown = list.expect("calls").await["open"][0].clone();
    let expected = json!({
        "id": call["id"], "revision": 1, "company_id": "acme", "lang": "en", "menu_id": 80, "menu_names": ["Call us"], "status": "queued",
        "type": "Immediate", "scheduled_at": null, "created_at": call["created_at"], "waiting_since_ms": shown["waiting_since_ms"],
        "phone_number": "+390236618300", "phone_number_text": shown["phone_number_text"], "recording_permission": "recording_permission_granted",
        "recording_permitted": true, "email": "uma@example.com", "ticket_id": "T-1", "end_user": {"id": shown["end_user"]["id"], "identifier": "uma"},
        "end_user_name": "Uma Visitor", "agent": null,
        "custom_data": {"unsigned": {"cart": {"value": 3}}, "signed": {"tier": {"value": "gold"}}},
        "customer_flags": {"verified_customer": true, "bad_actor": false, "repeat_customer": false},
        "customer_flags_signed": {"verified_customer": true, "bad_actor": false, "repeat_customer": false},
    });
    assert_eq!(shown, expected);
    assert!(shown["phone_number_text"].as_str().unwrap().starts_with("+39 02"), "{shown}");

    for (agent, status, expected) in [
        (&ada, "connected", 409),
        (&ada, "assigned", 200),
        (&ada, "assigned", 200),
        (&grace, "assigned", 409),
        (&grace, "canceled", 409),
        (&ada, "connecting", 200),
        (&ada, "queued", 200),
        (&grace, "assigned", 200),
        (&grace, "connecting", 200),
        (&grace, "connected", 200),
        (&grace, "canceled", 409),
        (&grace, "finished", 200),
        (&grace, "failed", 409),
        (&ada, "scheduled", 400),
        (&ada, "ringing", 400),
    ] {
        let (got, body) = shift(agent, &call, status).await;
        assert_eq!(got.as_u16(), expected, "{status}: {body}");
        if got == StatusCode::OK {
            assert_eq!(body["call"]["status"], status);
        }
    }
    assert_eq!(uma.get(&format!("/calls/{}", call["id"])).await["status"], "finished");
    refused(change(&uma, &call, json!({"status": "canceled"})).await, 409, "conflict");
    let (_, calls) = ada.call(Method::GET, "/calls", None).await;
    assert_eq!(calls["open"], json!([]));
    assert_eq!((&calls["over"][0]["id"], &calls["over"][0]["agent"]["name"]), (&call["id"], &json!("Grace")));
    drop(list);
    gateway.stop().await;
}

#[tokio::test]
async fn a_call_that_is_in_progress_is_neither_canceled_nor_moved() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let at = slots(&uma, 80).await.remove(0);
    let (_, call) = ask(&uma, 80, "a", json!({"phone_number": PHONE, "scheduled_at": at})).await;
    assert_eq!(shift(&ada, &call, "assigned").await.0, StatusCode::OK, "before its time");
    refused(change(&uma, &call, json!({"scheduled_at": slots(&uma, 80).await[2]})).await, 409, "conflict");
    // Given back, it waits for its time again.
    assert_eq!(shift(&ada, &call, "queued").await.1["call"]["status"], "scheduled");
    assert_eq!(shift(&ada, &call, "assigned").await.0, StatusCode::OK);
    assert_eq!(shift(&ada, &call, "connecting").await.0, StatusCode::OK);
    refused(change(&uma, &call, json!({"status": "canceled"})).await, 409, "conflict");
    gateway.stop().await;
}

#[tokio::test]
async fn of_two_agents_who_take_a_call_at_once_one_gets_it() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let (ada, grace, uma) = (gateway.agent("ada").await, gateway.agent("grace").await, gateway.user("uma").await);
    for round in 0..5 {
        let (_, call) = ask(&uma, 80, &format!("c-{round}"), json!({"phone_number": PHONE})).await;
        let (a, g) = tokio::join!(shift(&ada, &call, "assigned"), shift(&grace, &call, "assigned"));
        let mut statuses = [a.0.as_u16(), g.0.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn calls_belong_to_their_end_user_and_to_the_agents_of_their_company() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let (uma, eva, olga) = (gateway.user("uma").await, gateway.user("eva").await, gateway.agent("olga").await);
    let (_, call) = ask(&uma, 80, "a", json!({"phone_number": PHONE})).await;
    refused(eva.call(Method::GET, &format!("/calls/{}", call["id"]), None).await, 404, "not_found");
    refused(change(&eva, &call, json!({"status": "canceled"})).await, 404, "not_found");
    refused(shift(&olga, &call, "assigned").await, 404, "not_found");
    assert_eq!(olga.call(Method::GET, "/calls", None).await.1, json!({"open": [], "over": []}));
    let mut list = olga.list().await;
    assert_eq!(list.expect("calls").await["open"], json!([]));
    drop(list);
    gateway.stop().await;
}

#[tokio::test]
async fn waiting_times_count_calls_that_wait_and_agents_who_have_one() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let (uma, eva, ada) = (gateway.user("uma").await, gateway.user("eva").await, gateway.agent("ada").await);
    let mut list = ada.list().await;
    list.expect("chats").await;
    let waits = async |user: &User| user.get("/menus/80/wait_times").await;
    assert_eq!(waits(&uma).await, json!({"chat": 0, "voice_call": 0}));
    let (_, first) = ask(&uma, 80, "a", json!({"phone_number": PHONE})).await;
    ask(&eva, 80, "b", json!({"phone_number": PHONE})).await;
    assert_eq!(waits(&uma).await["voice_call"], 0, "nobody is before the own call");
    assert_eq!(waits(&eva).await["voice_call"], 300);
    assert_eq!(waits(&gateway.user("ida").await).await["voice_call"], 600);
    // An agent who has a call has time for nothing else.
    assert_eq!(shift(&ada, &first, "assigned").await.0, StatusCode::OK);
    assert_eq!(waits(&gateway.user("ida").await).await, json!({"chat": 100, "voice_call": 600}));
    for status in ["connecting", "connected", "finished"] {
        shift(&ada, &first, status).await;
    }
    assert_eq!(waits(&gateway.user("ida").await).await, json!({"chat": 0, "voice_call": 300}));
    drop(list);
    gateway.stop().await;
}

#[tokio::test]
async fn one_end_user_has_only_so_many_calls() {
    let menu = "id = 80, name = \"Call us\", channels = [\"voice_call\"], calls = { open_per_end_user = 2, per_end_user_per_day = 3 }";
    let Scene { gateway, .. } = scene(&[menu]).await;
    let uma = gateway.user("uma").await;
    let call = json!({"phone_number": PHONE});
    let (_, first) = ask(&uma, 80, "a", call.clone()).await;
    assert_eq!(ask(&uma, 80, "b", call.clone()).await.0, StatusCode::CREATED);
    refused(ask(&uma, 80, "c", call.clone()).await, 429, "rate_limited");
    let at = slots(&uma, 80).await.remove(0);
    refused(ask(&uma, 80, "d", json!({"phone_number": PHONE, "scheduled_at": at})).await, 429, "rate_limited");
    change(&uma, &first, json!({"status": "canceled"})).await;
    let (status, third) = ask(&uma, 80, "c", call.clone()).await;
    assert_eq!(status, StatusCode::CREATED);
    change(&uma, &third, json!({"status": "canceled"})).await;
    refused(ask(&uma, 80, "e", call.clone()).await, 429, "rate_limited");
    assert_eq!(ask(&gateway.user("eva").await, 80, "a", call).await.0, StatusCode::CREATED);
    gateway.stop().await;
}

#[tokio::test]
async fn a_queue_takes_calls_by_its_channels_its_hours_and_its_redirection() {
    let menus = [
        HOURLY,
        "id = 81, name = \"Chat only\"",
        "id = 82, name = \"Never\", channels = [\"voice_call\"], hours = {}",
        "id = 83, name = \"Sent on\", channels = [\"voice_call\"], redirection = { queue = 80 }",
        "id = 84, name = \"Elsewhere\", channels = [\"voice_call\"], redirection = { message = \"Later\" }",
        "id = 85, name = \"Off\", channels = [\"voice_call\"], enabled = false",
    ];
    let Scene { gateway, .. } = scene(&menus).await;
    let uma = gateway.user("uma").await;
    let call = json!({"phone_number": PHONE});
    for (menu_id, status, code) in [
        (81, 409, "conflict"),
        (82, 409, "after_hours"),
        (84, 409, "conflict"),
        (85, 409, "conflict"),
        (99, 404, "not_found"),
    ] {
        refused(ask(&uma, menu_id, &format!("m-{menu_id}"), call.clone()).await, status, code);
    }
    for (menu_id, status) in [(81, 409), (84, 409), (85, 409), (99, 404)] {
        for path in ["time_slots", "time_slot_availability"] {
            let (got, body) = uma.call(Method::GET, &format!("/menus/{menu_id}/{path}"), None).await;
            assert_eq!(got.as_u16(), status, "{menu_id} {path}: {body}");
        }
    }
    assert_eq!(slots(&uma, 82).await, Vec::<String>::new());
    assert_eq!(slots(&uma, 83).await, slots(&uma, 80).await);
    assert_eq!(ask(&uma, 83, "on", call).await.1["menu_id"], 80);
    let shown = uma.get("/menus").await;
    let enabled = |id: u64| {
        let menu = shown["menus"].as_array().unwrap().iter().find(|menu| menu["id"] == id).unwrap();
        menu["channels"]
            .as_array()
            .unwrap()
            .iter()
            .find(|channel| channel["name"] == "voice_call")
            .map(|channel| channel["enabled"].clone())
    };
    assert_eq!(
        [80, 81, 82, 83, 84, 85].map(enabled),
        [Some(json!(true)), None, Some(json!(false)), Some(json!(true)), Some(json!(false)), Some(json!(false))]
    );
    gateway.stop().await;
}

#[tokio::test]
async fn requests_for_calls_that_are_malformed_are_refused() {
    let Scene { gateway, .. } = scene(&[HOURLY]).await;
    let (uma, ada) = (gateway.user("uma").await, gateway.agent("ada").await);
    let with = |key: &str, value: Value| {
        let mut call = json!({"phone_number": PHONE});
        call[key] = value;
        call
    };
    let long = "x".repeat(400);
    for (call, status, code) in [
        (json!({}), 400, "invalid_argument"),
        (with("phone_number", json!("")), 400, "invalid_argument"),
        (with("phone_number", json!("911")), 400, "invalid_argument"),
        (with("phone_number", json!("+39 123")), 400, "invalid_argument"),
        (with("phone_number", json!(390236618300_u64)), 400, "invalid_argument"),
        (with("phone_number", json!(null)), 400, "invalid_argument"),
        (with("phone_number", json!(long)), 413, "too_large"),
        (with("lang", json!(5)), 400, "invalid_argument"),
        (with("lang", json!(long)), 413, "too_large"),
        (with("email", json!([])), 400, "invalid_argument"),
        (with("ticket_id", json!(long)), 413, "too_large"),
        (with("recording_permission", json!("yes")), 400, "invalid_argument"),
        (with("recording_permission", json!(true)), 400, "invalid_argument"),
        (with("scheduled_at", json!("tomorrow")), 400, "invalid_argument"),
        (with("scheduled_at", json!("2026-11-24T09:30:00")), 400, "invalid_argument"),
        (with("scheduled_at", json!("1900-01-01T00:00:00Z")), 400, "invalid_argument"),
        (with("scheduled_at", json!(1_800_000_000)), 400, "invalid_argument"),
        (with("scheduled_at", json!("9998-12-31T00:00:00Z")), 409, "conflict"),
        (with("custom_data", json!("x")), 400, "invalid_argument"),
        (with("custom_data", json!({"signed": "no.good.token"})), 400, "token_invalid"),
    ] {
        refused(ask(&uma, 80, "a", call).await, status, code);
    }
    refused(ask(&uma, 80, "not good", json!({"phone_number": PHONE})).await, 400, "invalid_argument");
    refused(uma.call(Method::POST, "/menus/80/calls", Some(json!({"client_id": "a"}))).await, 400, "invalid_argument");
    let (_, call) = ask(&uma, 80, "a", json!({"phone_number": PHONE})).await;
    for patch in [
        json!({}),
        json!({"status": "finished"}),
        json!({"status": 5}),
        json!({"scheduled_at": "later"}),
        json!({"status": "canceled", "scheduled_at": "2026-11-24T09:30:00Z"}),
    ] {
        refused(change(&uma, &call, patch).await, 400, "invalid_argument");
    }
    for id in ["0", "999999", "18446744073709551615"] {
        refused(uma.call(Method::GET, &format!("/calls/{id}"), None).await, 404, "not_found");
        let patch = Some(json!({"status": "assigned"}));
        refused(ada.call(Method::PATCH, &format!("/calls/{id}"), patch).await, 404, "not_found");
    }
    refused(uma.call(Method::GET, "/calls/x", None).await, 400, "invalid_argument");
    let stranger = User { token: "none".into(), ..uma.clone() };
    refused(ask(&stranger, 80, "a", json!({"phone_number": PHONE})).await, 401, "unauthorized");
    gateway.stop().await;
}
