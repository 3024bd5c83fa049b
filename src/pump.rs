//! Drives the engine: one input in, then every output carried out, in order.
//!
//! The one rule: the engine is never borrowed while JavaScript runs. A listener, a promise handler or a storage object may call the client
//! at any time; such calls only add to the queue of inputs, which the running pump works off. That is why nothing here is re-entrant and no
//! call can be refused for being made "at the wrong moment".

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use engine::client::{
    Call, Client as Engine, Event, FILE_KEY_END, Input, OpId, Output, RequestId, Settled, StreamId, Transport,
};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;
use wire::{Document, ErrorCode, Field};

use crate::binding::arguments::CallOptions;
use crate::binding::convert::{emission, present};
use crate::binding::current::CurrentChat;
use crate::binding::errors::{refusal, to_js_error};
use crate::binding::listeners::{Listeners, report};
use crate::binding::log::{Level, log};
use crate::binding::options::Options;
use crate::web::clock::{Timer, now_ms};
use crate::web::document::Js;
use crate::web::entropy::random_bits;
use crate::web::locks::Locks;
use crate::web::page::{PageEvent, PageEvents};
use crate::web::storage::{Refused, Storage};
use crate::web::stream::{Events, Report, Socket, Stream};
use crate::web::{files, http, plans};

/// So many inputs are worked off before the page gets its turn again.
const TURN: u32 = 1_000;

/// What a promise of ours resolves to.
#[derive(Clone)]
pub(crate) enum Shape {
    /// Whatever the engine settles.
    Value,
    /// Nothing, as the contract says.
    Void,
    /// What the chunk `more` makes of it.
    Planned {
        /// The method.
        method: String,
        /// The array of its arguments.
        arguments: JsValue,
    },
}

/// A call that is not settled.
struct Op {
    resolve: Function,
    reject: Function,
    shape: Shape,
    /// Makes the result of the gateway's answer.
    finish: Option<Function>,
    on_progress: Option<Function>,
    abort: Option<AbortListener>,
}

/// A listener on the caller's `AbortSignal`; taken off when dropped.
struct AbortListener {
    signal: web_sys::AbortSignal,
    callback: Closure<dyn FnMut()>,
}

impl Drop for AbortListener {
    fn drop(&mut self) {
        let _ = self.signal.remove_event_listener_with_callback("abort", self.callback.as_ref().unchecked_ref());
    }
}

/// One client: the engine with its ports.
pub(crate) struct Pump {
    engine: RefCell<Engine<Js>>,
    inputs: RefCell<VecDeque<Input<Js>>>,
    running: Cell<bool>,
    ops: RefCell<Vec<(OpId, Op)>>,
    last_op: Cell<OpId>,
    authenticate: Function,
    lang: Option<String>,
    /// How long an upload may make no progress.
    stalled_ms: f64,
    origin: String,
    requests: RefCell<Vec<(RequestId, AbortController)>>,
    uploads: RefCell<Vec<(String, AbortController)>>,
    locks: RefCell<Option<Locks>>,
    stream: RefCell<Option<(StreamId, Stream)>>,
    /// The stream that the engine wants: one that opens later than it is wanted is let go.
    wanted_stream: Cell<Option<StreamId>>,
    storage: RefCell<Storage>,
    timer: RefCell<Option<Timer>>,
    page: RefCell<Option<PageEvents>>,
    pub(crate) listeners: Listeners,
    pub(crate) chat: CurrentChat,
    /// A client that nobody refers to goes on until it is closed: its listeners still want to hear.
    myself: RefCell<Option<Rc<Pump>>>,
}

impl Pump {
    pub(crate) fn start(options: Options) -> Rc<Pump> {
        let stalled_ms = options.config.call_timeout_ms as f64;
        let lang = options.config.lang.clone();
        let engine = Engine::new(options.config, Box::new(random_bits));
        let locks = Locks::new(engine.page_id());
        let pump = Rc::new(Pump {
            engine: RefCell::new(engine),
            inputs: RefCell::default(),
            running: Cell::new(false),
            ops: RefCell::default(),
            last_op: Cell::new(0),
            authenticate: options.authenticate,
            lang,
            stalled_ms,
            origin: options.origin,
            requests: RefCell::default(),
            uploads: RefCell::default(),
            locks: RefCell::new(Some(locks)),
            stream: RefCell::default(),
            wanted_stream: Cell::default(),
            storage: RefCell::new(Storage::new(options.storage)),
            timer: RefCell::default(),
            page: RefCell::default(),
            listeners: Listeners::default(),
            chat: CurrentChat::default(),
            myself: RefCell::default(),
        });
        let weak = Rc::downgrade(&pump);
        *pump.timer.borrow_mut() = Some(Timer::new(Closure::new(move || {
            if let Some(pump) = weak.upgrade() {
                if let Some(timer) = pump.timer.borrow_mut().as_mut() {
                    timer.fired();
                }
                pump.feed(Input::Tick);
            }
        })));
        let weak = Rc::downgrade(&pump);
        *pump.page.borrow_mut() = Some(PageEvents::listen(move |event, hidden| {
            if let Some(pump) = weak.upgrade() {
                pump.feed(Input::Hidden(hidden));
                match event {
                    PageEvent::Woke => pump.feed(Input::Wake),
                    PageEvent::WentOffline => pump.feed(Input::Doubt),
                    PageEvent::Looked => {}
                }
            }
        }));
        *pump.myself.borrow_mut() = Some(pump.clone());
        // The constructor's caller gets to add its listeners first.
        let begun = pump.clone();
        spawn_local(async move { begun.feed(Input::Start) });
        pump
    }

    /// Ends everything; harmless when repeated.
    pub(crate) fn close(self: &Rc<Self>) {
        self.feed(Input::Close);
        // Nobody comes back for what still waits; a closed client tells listeners nothing, so it comes to an end.
        while !self.running.get() && !self.inputs.borrow().is_empty() {
            self.work_off();
        }
        self.page.borrow_mut().take();
        drop(self.locks.take());
        if let Some(timer) = self.timer.borrow_mut().as_mut() {
            timer.disarm();
        }
        self.myself.borrow_mut().take();
    }

    /// Reads something of the engine; `None` only within the engine itself, which never calls out.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Engine<Js>) -> T) -> Option<T> {
        self.engine.try_borrow().ok().map(|engine| read(&engine))
    }

    /// Makes a call and gives the promise of its outcome.
    pub(crate) fn call(self: &Rc<Self>, call: Call<Js>, shape: Shape, options: CallOptions) -> Promise {
        let CallOptions { signal, on_progress } = options;
        if signal.as_ref().is_some_and(web_sys::AbortSignal::aborted) {
            return Promise::reject(&refusal(ErrorCode::Aborted, "The signal was aborted before the call."));
        }
        self.last_op.set(self.last_op.get().wrapping_add(1));
        let op = self.last_op.get();
        let mut functions = None;
        let promise = Promise::new(&mut |resolve, reject| functions = Some((resolve, reject)));
        if let Some((resolve, reject)) = functions {
            let abort = signal.and_then(|signal| self.listen_for_abort(op, signal));
            self.ops.borrow_mut().push((op, Op { resolve, reject, shape, finish: None, on_progress, abort }));
        }
        self.feed(Input::Call { op, call });
        promise
    }

    fn listen_for_abort(self: &Rc<Self>, op: OpId, signal: web_sys::AbortSignal) -> Option<AbortListener> {
        let weak = Rc::downgrade(self);
        let callback = Closure::<dyn FnMut()>::new(move || {
            if let Some(pump) = weak.upgrade() {
                pump.feed(Input::Abort { op });
            }
        });
        signal.add_event_listener_with_callback("abort", callback.as_ref().unchecked_ref()).ok()?;
        Some(AbortListener { signal, callback })
    }

    /// Hands in one input, and carries out what follows unless that is already under way further up the stack.
    pub(crate) fn feed(self: &Rc<Self>, input: Input<Js>) {
        self.inputs.borrow_mut().push_back(input);
        self.work_off();
    }

    fn work_off(self: &Rc<Self>) {
        if self.running.replace(true) {
            return;
        }
        // A page whose listeners answer each event with another call must still get its turn.
        for _ in 0..TURN {
            let next = self.inputs.borrow_mut().pop_front();
            let Some(input) = next else { break };
            for output in self.step(input) {
                self.perform(output);
            }
        }
        self.running.set(false);
        let is_idle = self.inputs.borrow().is_empty();
        let next_timeout_ms = if is_idle { self.engine.borrow().next_timeout_ms() } else { Some(0) };
        if let Some(timer) = self.timer.borrow_mut().as_mut() {
            timer.arm(next_timeout_ms);
        }
    }

    fn step(&self, input: Input<Js>) -> Vec<Output<Js>> {
        let mut engine = self.engine.borrow_mut();
        engine.handle(input, now_ms());
        std::iter::from_fn(|| engine.poll()).collect()
    }

    fn perform(self: &Rc<Self>, output: Output<Js>) {
        match output {
            Output::Load { prefix } => {
                let (entries, result) = self.storage.borrow().load(&prefix);
                self.report_storage(result);
                self.feed(Input::Loaded { prefix, entries });
            }
            Output::Store { key, value } => {
                let result = self.storage.borrow_mut().store(key, value);
                self.report_storage(result);
            }
            Output::Forget { key } => {
                self.storage.borrow_mut().forget(&key);
                self.forget_file(key);
            }
            Output::ForgetOthers { prefix, keep } => {
                let forgotten = self.storage.borrow_mut().forget_others(&prefix, &keep);
                for key in forgotten {
                    self.forget_file(key);
                }
            }
            Output::Authenticate => self.authenticate(),
            Output::Http(request) => self.send_request(request),
            Output::Plan { request, op } => self.plan(request, op),
            Output::CancelHttp { request } => {
                if let Some(controller) = take(&self.requests, &request) {
                    controller.abort();
                }
            }
            Output::OpenStream { stream, transport } => self.open_stream(stream, transport),
            Output::Lock { name } => self.lock(&name),
            Output::Unlock => {
                if let Some(locks) = self.locks.borrow().as_ref() {
                    locks.unlock();
                }
            }
            Output::KeepFile { key, file } => self.keep_file(key, file),
            Output::Upload { client_id, op, key, file, form } => self.upload(client_id, op, key, file, form),
            Output::CancelUpload { client_id } => {
                if let Some(controller) = take(&self.uploads, &client_id) {
                    controller.abort();
                }
            }
            Output::SendFrame { stream, frame } => {
                if let (Some((open, socket)), Some(json)) = (self.stream.borrow().as_ref(), frame.to_json())
                    && *open == stream
                {
                    socket.send(&json);
                }
            }
            Output::CloseStream { stream } => {
                let is_it = self.stream.borrow().as_ref().is_some_and(|(open, _)| *open == stream);
                if is_it {
                    drop(self.stream.take());
                }
                if self.wanted_stream.get() == Some(stream) {
                    self.wanted_stream.set(None);
                }
            }
            Output::Chat(chat) => self.chat.set(self, chat),
            Output::Settle { op, result } => self.settle(op, result),
            Output::Emit(event) => self.emit(event),
        }
    }

    fn report_storage(self: &Rc<Self>, result: Result<(), Refused>) {
        if result.is_err() {
            self.feed(Input::StorageFailed);
        }
    }

    fn authenticate(self: &Rc<Self>) {
        let called = self.authenticate.call0(&JsValue::UNDEFINED);
        let pump = self.clone();
        spawn_local(async move {
            let answer = match called {
                Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
                Err(error) => Err(error),
            };
            let token = answer.ok().and_then(|answer| Js(answer).text("token")).filter(|token| !token.is_empty());
            pump.feed(Input::Token(token.ok_or(())));
        });
    }

    fn send_request(self: &Rc<Self>, request: engine::client::Request<Js>) {
        let id = request.id;
        let Ok(controller) = AbortController::new() else {
            return self.feed(Input::HttpDone { request: id, response: None });
        };
        let signal = controller.signal();
        self.requests.borrow_mut().push((id, controller));
        let (pump, origin) = (self.clone(), self.origin.clone());
        spawn_local(async move {
            let response = http::send(origin, request, signal).await;
            // A cancelled request is no longer listed, and nothing more is expected of it.
            if take(&pump.requests, &id).is_some() {
                pump.feed(Input::HttpDone { request: id, response });
            }
        });
    }

    fn plan(self: &Rc<Self>, request: RequestId, op: OpId) {
        let shape = self.ops.borrow().iter().find(|(other, _)| *other == op).map(|(_, op)| op.shape.clone());
        let (Some(Shape::Planned { method, arguments }), Ok(controller)) = (shape, AbortController::new()) else {
            return;
        };
        let signal = controller.signal();
        self.requests.borrow_mut().push((request, controller));
        let pump = self.clone();
        spawn_local(async move {
            let planned = plans::plan(&method, &arguments, pump.lang.as_deref(), signal).await;
            if take(&pump.requests, &request).is_none() {
                return;
            }
            let plan = planned.map(|(plan, finish)| {
                if let Some((_, op)) = pump.ops.borrow_mut().iter_mut().find(|(other, _)| *other == op) {
                    op.finish = finish;
                }
                plan
            });
            pump.feed(Input::Planned { request, plan });
        });
    }

    fn lock(self: &Rc<Self>, name: &str) {
        let weak = Rc::downgrade(self);
        let granted = move |pages| {
            if let Some(pump) = weak.upgrade() {
                pump.feed(Input::Locked { pages });
            }
        };
        if let Some(locks) = self.locks.borrow().as_ref() {
            locks.lock(name, granted);
        }
    }

    /// A file is kept beside the browser's own storage; whoever brings another storage, or none, keeps no files.
    fn keep_file(self: &Rc<Self>, key: String, file: Js) {
        if self.storage.borrow().is_of_browser() {
            let pump = self.clone();
            spawn_local(async move {
                if !files::keep(key, file).await {
                    pump.feed(Input::StorageFailed);
                }
            });
        }
    }

    fn forget_file(&self, key: String) {
        if key.ends_with(FILE_KEY_END) && self.storage.borrow().is_of_browser() {
            spawn_local(files::forget(key));
        }
    }

    fn upload(self: &Rc<Self>, client_id: String, op: Option<OpId>, key: String, file: Option<Js>, form: Js) {
        let Ok(controller) = AbortController::new() else { return };
        let signal = controller.signal();
        self.uploads.borrow_mut().push((client_id.clone(), controller));
        let (pump, origin, stalled_ms) = (self.clone(), self.origin.clone(), self.stalled_ms);
        let (weak, name) = (Rc::downgrade(self), client_id.clone());
        let progress = move |sent: f64, total: f64| {
            if let Some(pump) = weak.upgrade() {
                pump.progressed(&name, op, sent, total);
            }
        };
        spawn_local(async move {
            let result = files::upload(origin, form, key, file, stalled_ms, signal, progress).await;
            if take(&pump.uploads, &client_id).is_some() {
                pump.feed(Input::Uploaded { client_id, result });
            }
        });
    }

    fn progressed(&self, client_id: &str, op: Option<OpId>, sent: f64, total: f64) {
        if !self.uploads.borrow().iter().any(|(other, _)| other == client_id) {
            return;
        }
        let progress = Js::build(vec![
            ("clientId", Field::Text(client_id.to_owned())),
            ("sentBytes", Field::Int(sent as i64)),
            ("totalBytes", Field::Int(total as i64)),
        ]);
        self.listeners.emit("chat.uploadProgress", Some(&progress.0));
        let ops = self.ops.borrow();
        let on_progress = ops.iter().find(|(other, _)| Some(*other) == op).and_then(|(_, op)| op.on_progress.clone());
        drop(ops);
        if let Some(Err(error)) = on_progress.map(|hear| hear.call1(&JsValue::UNDEFINED, &progress.0)) {
            report(&error);
        }
    }

    fn open_stream(self: &Rc<Self>, stream: StreamId, transport: Transport) {
        self.wanted_stream.set(Some(stream));
        let weak = Rc::downgrade(self);
        let report = move |report: Report| {
            if let Some(pump) = weak.upgrade() {
                pump.feed(match report {
                    Report::Opened => Input::StreamOpened { stream },
                    Report::Frame(frame) => Input::StreamFrame { stream, frame },
                    Report::Closed(code) => Input::StreamClosed { stream, code },
                });
            }
        };
        match transport {
            Transport::WebSocket => match Socket::open(&self.origin, report) {
                Some(socket) => drop(self.stream.replace(Some((stream, Stream::Socket(socket))))),
                None => self.feed(Input::StreamClosed { stream, code: 1006 }),
            },
            Transport::ServerSentEvents => {
                let (pump, origin) = (self.clone(), self.origin.clone());
                spawn_local(async move {
                    let events = Events::open(origin, report).await;
                    if pump.wanted_stream.get() != Some(stream) {
                        return;
                    }
                    match events {
                        Some(events) => {
                            drop(pump.stream.replace(Some((stream, Stream::Events(events)))));
                            pump.feed(Input::StreamOpened { stream });
                        }
                        None => pump.feed(Input::StreamClosed { stream, code: 1006 }),
                    }
                });
            }
        }
    }

    fn settle(self: &Rc<Self>, op: OpId, result: Result<Settled<Js>, engine::client::Error>) {
        let Some(op) = take(&self.ops, &op) else { return };
        drop(op.abort);
        if let Err(error) = &result {
            log_error(error);
        }
        let (value, error) = match result {
            Ok(settled) => (self.settled_value(settled), JsValue::UNDEFINED),
            Err(error) => (JsValue::UNDEFINED, to_js_error(&error)),
        };
        let value = match (&op.shape, op.finish) {
            // One that takes an error too makes a result of it.
            (_, Some(finish)) if error.is_undefined() || finish.length() > 1 => finish
                .call2(&JsValue::UNDEFINED, &value, &error)
                .map_err(|_| refusal(ErrorCode::Protocol, "The gateway's answer cannot be read.")),
            _ if !error.is_undefined() => Err(error),
            (Shape::Void, _) => Ok(JsValue::UNDEFINED),
            _ => Ok(value),
        };
        let _ = match value {
            Ok(value) => op.resolve.call1(&JsValue::UNDEFINED, &value),
            Err(error) => op.reject.call1(&JsValue::UNDEFINED, &error),
        };
    }

    fn settled_value(self: &Rc<Self>, settled: Settled<Js>) -> JsValue {
        match settled {
            Settled::Done => JsValue::UNDEFINED,
            Settled::Body(body) => body.0,
            Settled::Chat { id, state } => self.chat.object(self, id, state),
            Settled::NoChat => JsValue::NULL,
            Settled::Messages(messages) => messages.into_iter().map(present).collect::<js_sys::Array>().into(),
            Settled::Sent { index, .. } => JsValue::from_f64(index as f64),
            Settled::NotSent => JsValue::from_f64(-1.0),
        }
    }

    fn emit(self: &Rc<Self>, event: Event<Js>) {
        match &event {
            Event::Error(error) => log_error(error),
            Event::Connection(state) => log(Level::Info, &["connection: ", state.as_str()].concat()),
            Event::Ready => log(Level::Info, "ready"),
            _ => {}
        }
        let (name, argument) = emission(event, &self.chat);
        self.listeners.emit(name, argument.as_ref());
    }

    /// Makes another chat the current one, or none, because the application assigned it.
    pub(crate) fn assign_chat(self: &Rc<Self>, value: &JsValue) {
        let state = Reflect::get(value, &JsValue::from_str("state")).ok().map(Js);
        let id = state.and_then(|state| state.count("id"));
        if id == self.chat.id() {
            return;
        }
        match id {
            Some(chat_id) => {
                let loaded =
                    JsFuture::from(self.call(Call::LoadChat { chat_id }, Shape::Value, CallOptions::default()));
                // Nobody waits for it: its failure shows as a chat that stays as it was.
                spawn_local(async move { drop(loaded.await) });
            }
            None => self.feed(Input::Detach),
        }
    }
}

fn log_error(error: &engine::client::Error) {
    log(Level::Warn, &[error.code.as_str(), ": ", &error.message].concat());
}

/// Takes an entry out by its key. There are few at a time.
fn take<K: PartialEq, T>(entries: &RefCell<Vec<(K, T)>>, key: &K) -> Option<T> {
    let mut entries = entries.borrow_mut();
    let position = entries.iter().position(|(other, _)| other == key)?;
    Some(entries.swap_remove(position).1)
}
