//! What the tests share: the gateway inside the page, and a recorder that waits for events instead of for time.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use sportello::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/tests/client/support/fake-gateway.js")]
extern "C" {
    pub(crate) type FakeGateway;
    #[wasm_bindgen(constructor)]
    fn install(origin: &str) -> FakeGateway;
    #[wasm_bindgen(method)]
    pub(crate) fn refuse(this: &FakeGateway, start: &str, status: u16, code: &str, retry_after_seconds: Option<u32>);
    #[wasm_bindgen(method)]
    pub(crate) fn hold(this: &FakeGateway, start: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn release(this: &FakeGateway);
    #[wasm_bindgen(method, js_name = goDown)]
    pub(crate) fn go_down(this: &FakeGateway);
    #[wasm_bindgen(method, js_name = comeUp)]
    pub(crate) fn come_up(this: &FakeGateway);
    #[wasm_bindgen(method, js_name = setDeaf)]
    pub(crate) fn set_deaf(this: &FakeGateway, deaf: bool);
    #[wasm_bindgen(method, js_name = becomeUser)]
    pub(crate) fn become_user(this: &FakeGateway, id: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn say(this: &FakeGateway, user_type: &str, user_id: u32, content: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn change(this: &FakeGateway, patch: &str);
    #[wasm_bindgen(method, js_name = prepareChat)]
    pub(crate) fn prepare_chat(this: &FakeGateway, count: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn frame(this: &FakeGateway, text: &str);
    #[wasm_bindgen(method, js_name = dropSockets)]
    pub(crate) fn drop_sockets(this: &FakeGateway, code: u16);
    #[wasm_bindgen(method, js_name = countRequests)]
    pub(crate) fn count_requests(this: &FakeGateway, start: &str) -> u32;
    #[wasm_bindgen(method, js_name = storedContents)]
    pub(crate) fn stored_contents(this: &FakeGateway) -> String;
    #[wasm_bindgen(method, js_name = framesOf)]
    pub(crate) fn frames_of(this: &FakeGateway, kind: &str) -> String;
    #[wasm_bindgen(method, js_name = openSockets)]
    pub(crate) fn open_sockets(this: &FakeGateway) -> u32;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn bodies(this: &FakeGateway) -> Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn messages(this: &FakeGateway) -> Array;

    #[wasm_bindgen(js_name = fullStorage)]
    pub(crate) fn full_storage() -> JsValue;
    #[wasm_bindgen(js_name = withStorageRefused)]
    pub(crate) fn with_storage_refused(run: &mut dyn FnMut());
    #[wasm_bindgen(method, js_name = blockSockets)]
    pub(crate) fn block_sockets(this: &FakeGateway);
    #[wasm_bindgen(js_name = chunksWith)]
    fn chunks_with(open: &JsValue, lost: bool, more: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = setHidden)]
    pub(crate) fn set_hidden(hidden: bool);
    #[wasm_bindgen]
    pub(crate) fn frame() -> JsValue;
    #[wasm_bindgen(js_name = postFrom)]
    pub(crate) fn post_from(source: &JsValue, origin: &str, data: &JsValue);

    pub(crate) type PageErrors;
    #[wasm_bindgen(js_name = countPageErrors)]
    pub(crate) fn count_page_errors() -> PageErrors;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn count(this: &PageErrors) -> u32;
    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &PageErrors);

    #[wasm_bindgen(js_name = watchedController)]
    pub(crate) fn watched_controller() -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32);
}

#[wasm_bindgen(module = "/pkg-template/events.js")]
extern "C" {
    #[wasm_bindgen(js_name = open)]
    fn open_events(url: &str, heard: &Function, ended: &Function) -> JsValue;
}

#[wasm_bindgen(module = "/pkg-template/more.js")]
extern "C" {
    #[wasm_bindgen(js_name = plan, catch)]
    fn plan_more(method: &JsValue, arguments: &JsValue, lang: &JsValue, signal: &JsValue) -> Result<JsValue, JsValue>;
}

// `more` imports these from beside itself; this puts them there.
#[wasm_bindgen(module = "/pkg-template/forms.js")]
extern "C" {
    #[wasm_bindgen(js_name = plan)]
    fn _plan_form(arguments: &JsValue, signal: &JsValue) -> JsValue;
}

// This too.
#[wasm_bindgen(module = "/pkg-template/email.js")]
extern "C" {
    #[wasm_bindgen(js_name = plan)]
    fn _plan_email(arguments: &JsValue, lang: &JsValue) -> JsValue;
}

#[wasm_bindgen(module = "/pkg-template/triggers.js")]
extern "C" {
    #[wasm_bindgen(js_name = plan)]
    fn _plan_trigger(arguments: &JsValue, signal: &JsValue) -> JsValue;
}

#[wasm_bindgen(module = "/pkg-template/screen-share.js")]
extern "C" {
    #[wasm_bindgen(js_name = plan)]
    fn _plan_share(arguments: &JsValue) -> JsValue;
}

// And these from beside that one.
#[wasm_bindgen(module = "/pkg-template/screen-session.js")]
extern "C" {
    type Sharing;
    #[wasm_bindgen(constructor)]
    fn _new(page: &JsValue) -> Sharing;
}

#[wasm_bindgen(module = "/pkg-template/errors.js")]
extern "C" {
    #[wasm_bindgen(js_name = isSportelloError)]
    fn _is_sportello_error(value: &JsValue) -> bool;
}

type Plan = dyn FnMut(JsValue, JsValue, JsValue, JsValue) -> Result<JsValue, JsValue>;

/// Lets clients load chunks: the package's own `events` and `more`, and a `files` that keeps files in memory. Gives what `files` was
/// asked.
pub(crate) fn offer_chunks(files_are_lost: bool) -> Array {
    let open = Closure::<dyn FnMut(String, Function, Function) -> JsValue>::new(|url: String, heard, ended| {
        open_events(&url, &heard, &ended)
    });
    let more = Closure::<Plan>::new(|method, arguments, lang, signal| plan_more(&method, &arguments, &lang, &signal));
    let chunks = chunks_with(&open.into_js_value(), files_are_lost, &more.into_js_value());
    OFFERED.with(|slot| *slot.borrow_mut() = chunks.clone());
    sportello::set_chunks(chunks.clone());
    get(&chunks, "log").unchecked_into()
}

/// The chunks that were offered last.
pub(crate) fn offered_chunks() -> JsValue {
    OFFERED.with(|slot| slot.borrow().clone())
}

thread_local! {
    static OFFERED: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
    static ORIGINS: RefCell<u32> = const { RefCell::new(0) };
}

/// A gateway under an origin of its own, so that nothing a test stores meets another's.
pub(crate) fn gateway() -> (FakeGateway, String) {
    let number = ORIGINS.with(|origins| {
        *origins.borrow_mut() += 1;
        *origins.borrow()
    });
    let origin = format!("https://gateway-{number}.test");
    let local = local_storage();
    // A browser profile may be used again.
    for key in Object::keys(&local).iter().filter_map(|key| key.as_string()).filter(|key| key.contains(&origin)) {
        let _ = Reflect::delete_property(&local, &JsValue::from_str(&key));
    }
    (FakeGateway::install(&origin), origin)
}

pub(crate) fn local_storage() -> Object {
    get(&js_sys::global(), "localStorage").unchecked_into()
}

/// The stored keys of a gateway that contain this.
pub(crate) fn stored_keys(origin: &str, part: &str) -> Vec<String> {
    let keys = Object::keys(&local_storage()).iter().filter_map(|key| key.as_string()).collect::<Vec<_>>();
    keys.into_iter().filter(|key| key.contains(origin) && key.contains(part)).collect()
}

/// Options for a client of this gateway whose site gives a token at once.
pub(crate) fn options(origin: &str) -> Object {
    let options = Object::new();
    set(&options, "companyId", "c");
    set(&options, "host", origin);
    let authenticate = Closure::<dyn FnMut() -> Promise>::new(|| {
        let answer = Object::new();
        set(&answer, "token", "jwt");
        Promise::resolve(&JsValue::from(answer))
    });
    set(&options, "authenticate", authenticate.into_js_value());
    let reconnect = Object::new();
    set(&reconnect, "initialMs", 1);
    set(&reconnect, "maxMs", 5);
    set(&options, "reconnect", &reconnect);
    options
}

pub(crate) fn client(origin: &str) -> Client {
    Client::new(&options(origin)).expect("the options are fine")
}

pub(crate) fn set(target: &JsValue, name: &str, value: impl Into<JsValue>) {
    Reflect::set(target, &JsValue::from_str(name), &value.into()).expect("a plain object");
}

pub(crate) fn get(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &JsValue::from_str(name)).expect("an object")
}

pub(crate) fn text(target: &JsValue, name: &str) -> String {
    get(target, name).as_string().unwrap_or_default()
}

pub(crate) const NONE: JsValue = JsValue::UNDEFINED;

/// A promise's value, or the error it rejected with.
pub(crate) async fn outcome(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}

/// A promise's value.
pub(crate) async fn value(promise: Promise) -> JsValue {
    match outcome(promise).await {
        Ok(value) => value,
        Err(error) => panic!("rejected: {}: {}", text(&error, "code"), text(&error, "message")),
    }
}

/// The error that a promise rejected with.
pub(crate) async fn rejection(promise: Promise) -> JsValue {
    outcome(promise).await.expect_err("the promise should have been rejected")
}

/// The code that a promise rejected with.
pub(crate) async fn code(promise: Promise) -> String {
    text(&rejection(promise).await, "code")
}

/// A value given as JSON.
pub(crate) fn json(text: &str) -> JsValue {
    js_sys::JSON::parse(text).expect("JSON")
}

/// A value as JSON.
pub(crate) fn in_json(value: &JsValue) -> String {
    js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// One turn of the page's event loop.
pub(crate) async fn turn() {
    let promise = Promise::new(&mut |resolve, _| set_timeout(&resolve, 0));
    outcome(promise).await.expect("a timer");
}

#[derive(Default)]
struct Record {
    events: Vec<(String, JsValue)>,
    waiting: Vec<(String, usize, Function)>,
}

/// Remembers events and lets a test wait for them.
#[derive(Clone)]
pub(crate) struct Recorder {
    record: Rc<RefCell<Record>>,
}

pub(crate) const EVENTS: [&str; 21] = [
    "ready",
    "authenticated",
    "chat.ongoing",
    "chat.updated",
    "chat.message",
    "chat.memberJoined",
    "chat.memberLeft",
    "chat.typingStarted",
    "chat.typingEnded",
    "chat.connected",
    "chat.disconnected",
    "chat.dismissed",
    "chat.timeout",
    "chat.ended",
    "chat.destroyed",
    "chat.reconnected",
    "chat.delivery",
    "chat.unread",
    "chat.uploadProgress",
    "connection",
    "error",
];

impl Recorder {
    /// Records every event of a client.
    pub(crate) fn of(client: &Client) -> Self {
        let recorder = Recorder { record: Rc::default() };
        for name in EVENTS {
            let heard = recorder.clone();
            let listener = Closure::<dyn FnMut(JsValue)>::new(move |argument| heard.hear(name, argument));
            client.on(&name.into(), listener.into_js_value()).expect("a function");
        }
        recorder
    }

    fn hear(&self, name: &str, argument: JsValue) {
        self.record.borrow_mut().events.push((name.to_owned(), argument));
        let count = self.all(name).len();
        let (due, waiting) = std::mem::take(&mut self.record.borrow_mut().waiting)
            .into_iter()
            .partition(|(wanted, needed, _)| wanted == name && *needed <= count);
        self.record.borrow_mut().waiting = waiting;
        let due: Vec<(String, usize, Function)> = due;
        for (_, _, resolve) in due {
            let _ = resolve.call0(&JsValue::NULL);
        }
    }

    /// The arguments of all events of this name so far.
    pub(crate) fn all(&self, name: &str) -> Vec<JsValue> {
        self.record
            .borrow()
            .events
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, argument)| argument.clone())
            .collect()
    }

    /// The names of the events so far, without those that are beside the point.
    pub(crate) fn names(&self) -> Vec<String> {
        let quiet = ["connection", "chat.delivery", "chat.unread", "chat.uploadProgress"];
        self.record
            .borrow()
            .events
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !quiet.contains(&name.as_str()))
            .collect()
    }

    /// Waits until an event has happened so often; gives its newest argument.
    pub(crate) async fn wait_for(&self, name: &str, count: usize) -> JsValue {
        if self.all(name).len() < count {
            let promise = Promise::new(&mut |resolve, _| {
                self.record.borrow_mut().waiting.push((name.to_owned(), count, resolve));
            });
            outcome(promise).await.expect("an event");
        }
        self.all(name).get(count - 1).cloned().expect("it happened")
    }

    /// The texts of the messages so far.
    pub(crate) fn contents(&self) -> String {
        self.all("chat.message").iter().map(|message| text(message, "content")).collect::<Vec<_>>().join("|")
    }

    /// The codes of the error events so far.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.all("error").iter().map(|error| text(error, "code")).collect()
    }
}

/// A client whose chat 7 is connected, with what it heard.
pub(crate) async fn in_chat(origin: &str) -> (Client, Recorder) {
    let client = client(origin);
    let recorder = Recorder::of(&client);
    value(client.create_chat(&JsValue::from(1), &NONE, &NONE)).await;
    recorder.wait_for("chat.connected", 1).await;
    (client, recorder)
}

pub(crate) fn send(client: &Client, content: &str) -> Promise {
    client.send_text_message(&JsValue::from_str(content), &NONE)
}

/// The contract's methods with their arguments one by one, as a page calls them.
pub(crate) trait Contract {
    fn ask(&self, method: &str, arguments: &[&JsValue], options: &JsValue) -> Promise;

    fn get_company(&self, options: &JsValue) -> Promise {
        self.ask("getCompany", &[], options)
    }
    fn get_menus(&self, key: &JsValue, lang: &JsValue, options: &JsValue) -> Promise {
        self.ask("getMenus", &[key, lang], options)
    }
    fn get_wait_times(&self, menu_id: &JsValue, lang: &JsValue, options: &JsValue) -> Promise {
        self.ask("getWaitTimes", &[menu_id, lang], options)
    }
    fn create_chat(&self, menu_id: &JsValue, data: &JsValue, options: &JsValue) -> Promise {
        self.ask("createChat", &[menu_id, data], options)
    }
    fn load_chat(&self, chat_id: &JsValue, options: &JsValue) -> Promise {
        self.ask("loadChat", &[chat_id], options)
    }
    fn load_ongoing_chat(&self, options: &JsValue) -> Promise {
        self.ask("loadOngoingChat", &[], options)
    }
    fn resume_chat(&self, chat_id: &JsValue, options: &JsValue) -> Promise {
        self.ask("resumeChat", &[chat_id], options)
    }
    fn finish_chat(&self, options: &JsValue) -> Promise {
        self.ask("finishChat", &[], options)
    }
    fn destroy_chat(&self, options: &JsValue) -> Promise {
        self.ask("destroyChat", &[], options)
    }
    fn fetch_messages(&self, options: &JsValue) -> Promise {
        self.ask("fetchMessages", &[], options)
    }
    fn send_text_message(&self, content: &JsValue, options: &JsValue) -> Promise {
        self.ask("sendTextMessage", &[content], options)
    }
    fn send_file_message(&self, file: &JsValue, options: &JsValue) -> Promise {
        self.ask("sendFileMessage", &[file], options)
    }
    fn escalate_chat(&self, data: &JsValue, options: &JsValue) -> Promise {
        self.ask("escalateChat", &[data], options)
    }
}

impl Contract for Client {
    fn ask(&self, method: &str, arguments: &[&JsValue], options: &JsValue) -> Promise {
        self.call(method, &arguments.iter().collect::<Array>().into(), options)
    }
}
