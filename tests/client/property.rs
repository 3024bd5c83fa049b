//! Random sequences of calls with odd arguments, while things happen in the chat: each call ends with a value or a typed error, at the latest when the
//! client is closed, and nothing traps, throws or is left unhandled. A failure prints its seed; `SPORTELLO_SEED` at compile time plays it again.

use std::cell::RefCell;

use js_sys::{Array, Promise};
use sportello::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use wire::ErrorCode;

use crate::calls::contract_methods;
use crate::support::*;

const SEQUENCES: u64 = 60;
const STEPS: u64 = 60;

/// Closing settles everything at once; this much is only for what is being loaded meanwhile.
const PATIENCE_MS: i32 = 3_000;

#[wasm_bindgen(module = "/tests/client/support/fake-gateway.js")]
extern "C" {
    #[wasm_bindgen(js_name = oddValues)]
    fn odd_values() -> Array;
    #[wasm_bindgen(js_name = oddOptions)]
    fn odd_options() -> Array;
    #[wasm_bindgen(js_name = outcomeWithin)]
    fn outcome_within(promise: &Promise, ms: i32) -> Promise;
    #[wasm_bindgen]
    fn handle(promise: &Promise);
    type Unhandled;
    #[wasm_bindgen(js_name = countUnhandled)]
    fn count_unhandled() -> Unhandled;
    #[wasm_bindgen(method, getter)]
    fn reasons(this: &Unhandled) -> Array;
    #[wasm_bindgen(method)]
    fn stop(this: &Unhandled);
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick(&mut self, array: &Array) -> JsValue {
        array.get(self.below(u64::from(array.length())) as u32)
    }
}

/// Methods beyond the contract.
const OURS: [&str; 12] = [
    "restoreCobrowseSession",
    "askScreenShare",
    "attachScreenShare",
    "getForm",
    "submitForm",
    "attachBrowserForm",
    "getFeatureFlags",
    "rescheduleCall",
    "fetchTimeSlotAvailability",
    "attachTriggers",
    "countTrigger",
    "noSuchMethod",
];

fn happen(gateway: &FakeGateway, random: &mut Random) {
    match random.below(9) {
        0 => gateway.drop_sockets(1006),
        1 => gateway.go_down(),
        2 => gateway.come_up(),
        3 => gateway.refuse("", 503, "unavailable", None),
        4 => gateway.refuse("POST", 409, "conflict", None),
        5 => gateway.refuse("GET", 200, "<html>", None),
        6 => gateway.frame("{"),
        7 => set_hidden(random.below(2) == 0),
        _ => gateway.frame(r#"{"type":"update","messages":[{"$index":"x"}],"chat":{"id":7,"status":7}}"#),
    }
}

fn change(gateway: &FakeGateway, random: &mut Random) {
    let status = ["queued", "assigned", "dismissed", "va_dismissed", "checked_out", "finished", "failed"];
    let status = status[random.below(7) as usize];
    let patch = format!(
        r#"{{"status":"{status}","features":["preview"],"members":[{{"type":"agent","id":1,"display_name":"A"}}]}}"#
    );
    gateway.change(&patch);
    gateway.say("agent", 1, "hello");
}

/// Calls that get a client into every state, so that sequences get far.
fn go_on(client: &Client, random: &mut Random) -> (&'static str, Promise) {
    match random.below(7) {
        0..=1 => ("createChat", client.create_chat(&1.into(), &NONE, &NONE)),
        2 => ("loadOngoingChat", client.load_ongoing_chat(&NONE)),
        3 => ("sendTextMessage", send(client, "hello")),
        4 => ("fetchMessages", client.fetch_messages(&NONE)),
        5 => ("destroyChat", client.destroy_chat(&NONE)),
        _ => ("resumeChat", client.resume_chat(&7.into(), &NONE)),
    }
}

async fn play(seed: u64) {
    let (gateway, origin) = gateway();
    offer_chunks(seed.is_multiple_of(5));
    if seed.is_multiple_of(4) {
        gateway.block_sockets();
    }
    let mut random = Random(seed);
    let (values, options) = (odd_values(), odd_options());
    let methods: Vec<&str> = contract_methods().into_iter().chain(OURS).collect();
    let client = client(&origin);
    let recorder = Recorder::of(&client);
    let calls = RefCell::new(Vec::<(&str, Promise)>::new());
    // As a page would handle each at once; what is left unhandled is somebody else's.
    let keep = |(method, call): (&'static str, Promise)| {
        handle(&call);
        calls.borrow_mut().push((method, call));
    };
    let mut is_closed = false;
    for _ in 0..STEPS {
        match random.below(20) {
            0..=1 if is_in_chat(&client) => change(&gateway, &mut random),
            2 => happen(&gateway, &mut random),
            3..=6 => keep(go_on(&client, &mut random)),
            7 => turn().await,
            8 => client.set_chat(&random.pick(&values)),
            9 if is_in_chat(&client) => {
                let send: js_sys::Function = get(&client.chat(), "sendMessage").unchecked_into();
                let sent = send.call2(&client.chat(), &random.pick(&values), &random.pick(&options));
                keep(("chat.sendMessage", sent.expect("it throws nothing").unchecked_into()));
            }
            10 if random.below(8) == 0 => {
                client.close();
                is_closed = true;
            }
            _ => {
                let method = methods[random.below(methods.len() as u64) as usize];
                let arguments: Vec<JsValue> = (0..random.below(4)).map(|_| random.pick(&values)).collect();
                let arguments: Vec<&JsValue> = arguments.iter().collect();
                let option = random.pick(&options);
                keep((method, client.ask(method, &arguments, &option)));
            }
        }
    }
    for _ in 0..3 {
        turn().await;
    }
    assert!(!is_closed || client.outbox().length() == 0, "seed {seed}: a closed client has no outbox");
    client.close();
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let typed = |error: &JsValue| {
        text(error, "name") == "SportelloError"
            && codes.contains(&text(error, "code").as_str())
            && text(error, "code") != "internal"
    };
    for (method, call) in calls.into_inner() {
        let outcome = value(outcome_within(&call, PATIENCE_MS)).await;
        let (error, given) = (get(&outcome, "error"), get(&outcome, "value"));
        assert_ne!(in_json(&js_sys::Reflect::own_keys(&outcome).unwrap()), "[]", "seed {seed}: {method} hangs");
        if !error.is_undefined() {
            assert!(
                typed(&error),
                "seed {seed}: {method} rejects with {}: {}",
                text(&error, "code"),
                text(&error, "message")
            );
        } else if method == "sendFileMessage" || method == "chat.sendMessage" {
            assert!(given.as_f64().is_some(), "seed {seed}: {method} gives a number");
        } else if method == "fetchMessages" {
            assert!(given.is_array(), "seed {seed}: {method} gives messages");
        }
    }
    for error in recorder.all("error") {
        assert!(typed(&error), "seed {seed}: an error event {}", text(&error, "code"));
    }
    set_hidden(false);
}

fn is_in_chat(client: &Client) -> bool {
    !client.chat().is_null()
}

#[wasm_bindgen_test]
async fn no_sequence_of_calls_traps_hangs_or_leaves_a_rejection_unhandled() {
    let first = option_env!("SPORTELLO_SEED").and_then(|seed| seed.parse().ok());
    let (first, count) = first.map_or((js_sys::Date::now() as u64 % 1_000_000, SEQUENCES), |seed: u64| (seed, 1));
    wasm_bindgen_test::console_log!("seeds {first} to {}", first + count - 1);
    let page_errors = count_page_errors();
    let unhandled = count_unhandled();
    for seed in first..first + count {
        play(seed).await;
    }
    turn().await;
    page_errors.stop();
    unhandled.stop();
    let few = unhandled.reasons().slice(0, 5);
    assert_eq!(in_json(&few), "[]", "seeds from {first}");
}

/// A client in a state, from which nothing that is tried leads to another.
async fn client_in(state: &str, origin: &str, gateway: &FakeGateway) -> Client {
    let client = client(origin);
    if state != "without a chat" {
        value(client.create_chat(&1.into(), &NONE, &NONE)).await;
    }
    match state {
        "dismissed" => gateway.change(r#"{"status":"dismissed"}"#),
        "checked out" => gateway.change(r#"{"status":"checked_out"}"#),
        "finished" => drop(value(client.finish_chat(&NONE)).await),
        "destroyed" => drop(value(client.destroy_chat(&NONE)).await),
        "closed" => client.close(),
        _ => {}
    }
    turn().await;
    client
}

#[wasm_bindgen_test]
async fn every_method_answers_every_odd_argument_in_every_state() {
    const LEAVE_THE_STATE: [&str; 6] =
        ["createChat", "loadChat", "loadOngoingChat", "resumeChat", "finishChat", "destroyChat"];
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    for state in ["without a chat", "in a chat", "dismissed", "checked out", "finished", "destroyed", "closed"] {
        let (gateway, origin) = gateway();
        offer_chunks(false);
        let client = client_in(state, &origin, &gateway).await;
        let mut methods: Vec<&str> = contract_methods().into_iter().chain(OURS).collect();
        methods.sort_by_key(|method| LEAVE_THE_STATE.contains(method));
        let values = odd_values();
        for method in methods {
            let arguments = values.iter().map(|value| vec![value]);
            // The second argument is reached with a first one that is fine.
            let arguments = arguments.chain(values.iter().map(|value| vec![JsValue::from(7), value]));
            let calls: Vec<(usize, Promise)> = arguments
                .map(|arguments| client.ask(method, &arguments.iter().collect::<Vec<_>>(), &NONE))
                .enumerate()
                .collect();
            for (_, call) in &calls {
                handle(call);
            }
            for (number, call) in calls {
                let outcome = value(outcome_within(&call, PATIENCE_MS)).await;
                let error = get(&outcome, "error");
                let code = if error.is_undefined() { String::new() } else { text(&error, "code") };
                let settled = in_json(&js_sys::Reflect::own_keys(&outcome).unwrap()) != "[]";
                assert!(settled, "{state}: {method} hangs with argument {number}");
                let typed = error.is_undefined() || codes.contains(&code.as_str()) && code != "internal";
                assert!(typed, "{state}: {method} with argument {number} rejects with {code}");
                let carried_out = error.is_undefined() && state == "closed";
                assert!(!carried_out, "{method} with argument {number} is carried out by a closed client");
            }
        }
        client.close();
    }
}
