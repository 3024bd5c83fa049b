//! The application's calls as REST requests: what each asks, what its answer does to the chat, and how a refused, aborted or late one
//! ends. Every call is settled exactly once.

use wire::{Document, ErrorCode, Field, MESSAGES_PAGE_LIMIT};

use super::engine::Client;
use super::error::Error;
use super::identity::random_text;
use super::text::{decimal, with_query};
use super::types::{Answer, Call, Event, Method, OpId, Output, Plan, Request, RequestId, Response, Scope, Settled};

/// Characters of an idempotency key: 132 random bits.
const CLIENT_ID_LENGTH: usize = 22;

/// How many times as long as any other call a file may take.
const DOWNLOAD_PATIENCE: u64 = 20;

/// How long the same question for a chat, while unanswered, means the same chat.
const CREATION_MS: u64 = 60_000;

/// A `createChat` whose answer did not come.
pub(crate) struct Creation {
    question: String,
    client_id: String,
    until_ms: u64,
}

/// What the answer to a request is for.
pub(crate) enum Purpose<D> {
    /// A session.
    Exchange,
    /// The driver works out the request; the chat is the one that was current at the call.
    Plan { op: OpId, chat_id: Option<u64> },
    /// The answer is the call's result.
    Rest(OpId, Answer),
    /// The chat of the body becomes the current one, from its first message on.
    CreateChat(OpId),
    /// The chat of the body becomes the current one, from its newest message on.
    LoadChat(OpId),
    /// The same, where one is ongoing.
    LoadOngoingChat(OpId),
    /// One more page of messages of the chat.
    Page { op: OpId, chat_id: u64, collected: Vec<(u64, D)> },
    /// A place for the file of a message of the outbox.
    Reserve { client_id: String },
    /// A message of the outbox.
    Post { client_id: String },
    /// Nobody minds how it ends.
    Quiet,
}

impl<D> Purpose<D> {
    fn op(&self) -> Option<OpId> {
        match self {
            Purpose::Rest(op, _)
            | Purpose::Plan { op, .. }
            | Purpose::CreateChat(op)
            | Purpose::LoadChat(op)
            | Purpose::LoadOngoingChat(op)
            | Purpose::Page { op, .. } => Some(*op),
            Purpose::Exchange | Purpose::Reserve { .. } | Purpose::Post { .. } | Purpose::Quiet => None,
        }
    }
}

/// A request that is not answered yet.
pub(crate) struct Pending<D> {
    id: RequestId,
    purpose: Purpose<D>,
    method: Method,
    path: String,
    body: Option<D>,
    deadline_ms: u64,
    /// The token it went out with; none while it waits for a session.
    token: Option<String>,
    /// It left for the network.
    pub(crate) sent: bool,
    /// It was repeated with a new session once.
    renewed: bool,
    /// The end user for whom it was asked, where one was known.
    pub(crate) issued_as: Option<u64>,
}

impl<D> Pending<D> {
    /// Whether it is part of a `fetchMessages` of this chat.
    pub(crate) fn is_page_of(&self, chat: u64) -> bool {
        matches!(self.purpose, Purpose::Page { chat_id, .. } if chat_id == chat)
    }
}

impl<D: Document> Client<D> {
    pub(crate) fn handle_call(&mut self, op: OpId, call: Call<D>) {
        match call {
            Call::Company => self.get(Purpose::Rest(op, Answer::Json), "/api/v1/company".to_owned()),
            Call::Menus { key, lang } => {
                let lang = lang.or_else(|| self.config.lang.clone());
                self.get(
                    Purpose::Rest(op, Answer::Json),
                    with_query("/api/v1/menus", &[("key", key.as_deref()), ("lang", lang.as_deref())]),
                );
            }
            Call::WaitTimes { menu_id, lang } => {
                let lang = lang.or_else(|| self.config.lang.clone());
                let path = ["/api/v1/menus/", &decimal(menu_id), "/wait_times"].concat();
                self.get(Purpose::Rest(op, Answer::Json), with_query(&path, &[("lang", lang.as_deref())]));
            }
            Call::CreateChat { menu_id, chat } => self.create_chat(op, menu_id, chat),
            Call::LoadChat { chat_id } => self.get(Purpose::LoadChat(op), chat_path(chat_id, "")),
            Call::LoadOngoingChat => self.get(Purpose::LoadOngoingChat(op), "/api/v1/chats/ongoing".to_owned()),
            Call::ResumeChat { chat_id } => {
                let body = Some(D::build(Vec::new()));
                self.request(Purpose::LoadChat(op), Method::Post, chat_path(chat_id, "/resume"), body);
            }
            Call::FinishChat => {
                let body = D::build(vec![("status", Field::Text("finished".to_owned()))]);
                self.ask_of_chat(op, Method::Patch, "", body);
            }
            Call::DestroyChat => self.destroy_chat(op),
            Call::FetchMessages => self.fetch_messages(op),
            Call::Send { chat_id, message, file } => self.send_message(op, chat_id, message, file),
            Call::Escalate { request } => {
                let body = request.unwrap_or_else(|| D::build(Vec::new()));
                self.ask_of_chat(op, Method::Post, "/escalations", body);
            }
            Call::Preview { content } => self.preview(op, content),
            Call::Planned { is_patient } => {
                let chat_id = self.chat_id();
                self.get(Purpose::Plan { op, chat_id }, String::new());
                if is_patient && let Some(pending) = self.requests.last_mut() {
                    pending.deadline_ms = u64::MAX;
                }
            }
        }
    }

    fn chat_id(&self) -> Option<u64> {
        self.chat.as_ref().map(|chat| chat.id)
    }

    /// Asks something of the current chat; only success counts.
    fn ask_of_chat(&mut self, op: OpId, method: Method, path: &str, body: D) {
        let plan = Plan { method, scope: Scope::Chat, path: path.to_owned(), body: Some(body), answer: Answer::Any };
        self.carry_out(op, self.chat_id(), plan);
    }

    fn carry_out(&mut self, op: OpId, chat_id: Option<u64>, mut plan: Plan<D>) {
        if plan.answer == Answer::Message
            && let Some(message) = plan.body.take()
        {
            return self.send_message(op, chat_id, message, None);
        }
        let path = match (plan.scope, chat_id) {
            (Scope::Chat | Scope::Either, Some(chat_id)) => chat_path(chat_id, &plan.path),
            (Scope::Chat, None) => return self.settle(op, Err(no_chat())),
            (Scope::Company | Scope::Either, _) => ["/api/v1", plan.path.as_str()].concat(),
        };
        self.request(Purpose::Rest(op, plan.answer), plan.method, path, plan.body);
        if plan.answer == Answer::File
            && let Some(pending) = self.requests.last_mut()
        {
            let patience_ms = self.config.call_timeout_ms.saturating_mul(DOWNLOAD_PATIENCE);
            pending.deadline_ms = self.now_ms.saturating_add(patience_ms);
        }
    }

    /// The driver worked out the request of a call, or could not.
    pub(crate) fn planned(&mut self, request: RequestId, plan: Result<Option<Plan<D>>, Error>) {
        let is_it = |pending: &Pending<D>| pending.id == request && matches!(pending.purpose, Purpose::Plan { .. });
        let Some(position) = self.requests.iter().position(is_it) else { return };
        let Purpose::Plan { op, chat_id } = self.requests.swap_remove(position).purpose else { return };
        match plan {
            Ok(Some(plan)) => self.carry_out(op, chat_id, plan),
            Ok(None) => self.settle(op, Ok(Settled::Done)),
            Err(error) => self.settle(op, Err(error)),
        }
    }

    fn create_chat(&mut self, op: OpId, menu_id: u64, chat: Option<D>) {
        // Asking again after an answer was lost must not open a second chat.
        let question = [decimal(menu_id), chat.as_ref().and_then(D::to_json).unwrap_or_default()].concat();
        let unanswered = self.unanswered_creation.take();
        let (client_id, until_ms) = match unanswered {
            Some(same) if same.question == question && self.now_ms < same.until_ms => (same.client_id, same.until_ms),
            _ => (self.new_client_id(), self.now_ms.saturating_add(CREATION_MS)),
        };
        self.unanswered_creation = Some(Creation { question, client_id: client_id.clone(), until_ms });
        let mut fields = vec![("client_id", Field::Text(client_id)), ("menu_id", Field::Int(menu_id as i64))];
        match (chat, &self.config.lang) {
            (Some(chat), _) => fields.push(("chat", Field::Document(chat))),
            (None, Some(lang)) => fields.push(("chat", Field::Object(vec![("lang", Field::Text(lang.clone()))]))),
            (None, None) => {}
        }
        self.request(Purpose::CreateChat(op), Method::Post, "/api/v1/chats".to_owned(), Some(D::build(fields)));
    }

    pub(crate) fn new_client_id(&mut self) -> String {
        random_text(CLIENT_ID_LENGTH, &mut *self.entropy)
    }

    fn destroy_chat(&mut self, op: OpId) {
        let Some(chat_id) = self.chat_id() else { return self.settle(op, Ok(Settled::Done)) };
        let error = Error::new(ErrorCode::ChatEnded, "The chat was destroyed.");
        self.drop_messages_of(chat_id, &error);
        self.detach();
        self.emit(Event::ChatDestroyed);
        self.request(Purpose::Rest(op, Answer::Any), Method::Delete, chat_path(chat_id, ""), None);
    }

    fn fetch_messages(&mut self, op: OpId) {
        let Some(chat_id) = self.chat_id() else {
            self.emit(Event::Error(no_chat()));
            return self.settle(op, Ok(Settled::Messages(Vec::new())));
        };
        self.timeline.hold();
        self.fetch_page(op, chat_id, 0, Vec::new());
    }

    fn fetch_page(&mut self, op: OpId, chat_id: u64, after_index: u64, collected: Vec<(u64, D)>) {
        let (after, limit) = (decimal(after_index), decimal(MESSAGES_PAGE_LIMIT));
        let path =
            with_query(&chat_path(chat_id, "/messages"), &[("after_index", Some(&after)), ("limit", Some(&limit))]);
        self.get(Purpose::Page { op, chat_id, collected }, path);
    }

    fn get(&mut self, purpose: Purpose<D>, path: String) {
        self.request(purpose, Method::Get, path, None);
    }

    /// Sends a request, or keeps it until there is a session.
    pub(crate) fn request(&mut self, purpose: Purpose<D>, method: Method, path: String, body: Option<D>) {
        self.last_request = self.last_request.wrapping_add(1);
        let pending = Pending {
            id: self.last_request,
            purpose,
            method,
            path,
            body,
            deadline_ms: self.now_ms.saturating_add(self.config.call_timeout_ms),
            token: None,
            sent: false,
            renewed: false,
            issued_as: self.identity.end_user_id,
        };
        self.requests.push(pending);
        self.send_waiting_requests();
    }

    /// Sends what waited for a session, or asks for one.
    pub(crate) fn send_waiting_requests(&mut self) {
        let token = self.session.token().map(str::to_owned);
        let mut needs_session = false;
        for pending in self.requests.iter_mut().filter(|pending| !pending.sent) {
            if let Purpose::Plan { op, .. } = pending.purpose {
                pending.sent = true;
                self.outputs.push_back(Output::Plan { request: pending.id, op });
                continue;
            }
            if !matches!(pending.purpose, Purpose::Exchange) {
                if token.is_none() {
                    needs_session = true;
                    continue;
                }
                pending.token.clone_from(&token);
                pending.issued_as = self.identity.end_user_id;
            }
            pending.sent = true;
            self.outputs.push_back(Output::Http(Request {
                id: pending.id,
                method: pending.method,
                path: pending.path.clone(),
                token: pending.token.clone(),
                body: pending.body.clone(),
                is_for_file: matches!(pending.purpose, Purpose::Rest(_, Answer::File)),
            }));
        }
        if needs_session {
            self.ensure_session();
        }
    }

    pub(crate) fn handle_http(&mut self, request: RequestId, response: Option<Response<D>>) {
        let Some(position) = self.requests.iter().position(|pending| pending.id == request && pending.sent) else {
            return;
        };
        let unauthorized = response.as_ref().is_some_and(|response| response.status == 401);
        if unauthorized && self.repeat_with_new_session(position) {
            return;
        }
        let pending = self.requests.swap_remove(position);
        let result = match response {
            None => Err(Error::new(ErrorCode::Network, "The gateway could not be reached.")),
            Some(response) if (200..300).contains(&response.status) => Ok(response),
            Some(response) => {
                Err(Error::from_response(response.status, response.retry_after_ms, response.body.as_ref()))
            }
        };
        self.answer(pending, result);
    }

    /// A session can end early, when the gateway's key changed: each request is repeated once with a new one.
    fn repeat_with_new_session(&mut self, position: usize) -> bool {
        let Some(pending) = self.requests.get_mut(position) else { return false };
        if pending.renewed || matches!(pending.purpose, Purpose::Exchange) {
            return false;
        }
        pending.renewed = true;
        pending.sent = false;
        let refused = pending.token.take().unwrap_or_default();
        self.invalidate_session(&refused);
        self.send_waiting_requests();
        true
    }

    fn answer(&mut self, pending: Pending<D>, result: Result<Response<D>, Error>) {
        let body = result.map(|response| response.body);
        match pending.purpose {
            Purpose::Exchange => self.exchanged(body.map(|body| Response { status: 200, retry_after_ms: None, body })),
            Purpose::Reserve { client_id } => self.reserved(&client_id, body),
            Purpose::Post { client_id } => self.posted(&client_id, body),
            Purpose::Quiet => {}
            Purpose::Plan { op, .. } => self.settle(op, body.map(|_| Settled::Done)),
            Purpose::Rest(op, answer) => {
                // Whatever answers with the chat has changed it.
                if let Ok(Some(state)) = body.as_ref().map(|body| body.as_ref()?.field("chat")) {
                    self.update_chat(state);
                }
                let result = body.and_then(|body| match body {
                    Some(body) if answer != Answer::Any => Ok(Settled::Body(body)),
                    None if answer != Answer::Any => Err(unreadable()),
                    _ => Ok(Settled::Done),
                });
                self.settle(op, result);
            }
            Purpose::CreateChat(op) => self.chat_arrived(op, body, ChatArrival::Created),
            Purpose::LoadChat(op) => self.chat_arrived(op, body, ChatArrival::Loaded),
            Purpose::LoadOngoingChat(op) => self.chat_arrived(op, body, ChatArrival::Ongoing),
            Purpose::Page { op, chat_id, collected } => self.page_arrived(op, chat_id, collected, body),
        }
    }

    fn chat_arrived(&mut self, op: OpId, body: Result<Option<D>, Error>, arrival: ChatArrival) {
        let body = match body.and_then(|body| body.ok_or_else(unreadable)) {
            Ok(body) => body,
            Err(error) => return self.settle(op, Err(error)),
        };
        let Some(state) = body.field("chat") else {
            if arrival != ChatArrival::Ongoing {
                return self.settle(op, Err(unreadable()));
            }
            if self.chat.as_ref().is_some_and(|chat| !chat.finished) {
                self.detach();
            }
            return self.settle(op, Ok(Settled::NoChat));
        };
        let Some((id, state)) = self.attach(state, arrival == ChatArrival::Created) else {
            return self.settle(op, Err(unreadable()));
        };
        self.settle(op, Ok(Settled::Chat { id, state }));
        match arrival {
            ChatArrival::Created => self.unanswered_creation = None,
            ChatArrival::Ongoing => self.emit(Event::ChatOngoing),
            ChatArrival::Loaded => {}
        }
        self.emit(Event::ChatUpdated);
    }

    fn page_arrived(&mut self, op: OpId, chat_id: u64, mut collected: Vec<(u64, D)>, body: Result<Option<D>, Error>) {
        if self.chat.as_ref().is_none_or(|chat| chat.id != chat_id) {
            // The chat was put aside meanwhile, and its timeline with it.
            return self.fetch_failed(
                op,
                chat_id,
                Error::new(ErrorCode::NoChat, "The chat was put aside during fetchMessages."),
            );
        }
        let page = body.and_then(|body| read_page(body.as_ref()).ok_or_else(unreadable));
        let (messages, last_index) = match page {
            Ok(page) => page,
            Err(error) => return self.fetch_failed(op, chat_id, error),
        };
        let before = collected.last().map_or(0, |(index, _)| *index);
        let is_end = messages.is_empty();
        collected.extend(messages.into_iter().filter(|(index, _)| *index > before));
        let newest = collected.last().map_or(0, |(index, _)| *index);
        if newest < last_index && !is_end && newest > before && !planted!("planted-short-page-is-the-end") {
            return self.fetch_page(op, chat_id, newest, collected);
        }
        self.timeline.fetched(&collected);
        let messages = collected.into_iter().map(|(_, message)| message).collect();
        self.settle(op, Ok(Settled::Messages(messages)));
        // Released by the next tick: the caller must have had its turn before live messages go on.
        self.releases += 1;
    }

    /// `fetchMessages` answers with nothing and an error event (seed 003), except where its caller abandoned it.
    fn fetch_failed(&mut self, op: OpId, chat_id: u64, error: Error) {
        // What waited for a former end user is shown to nobody.
        let changed = error.code == ErrorCode::IdentityChanged && !planted!("planted-former-user-shown");
        if !changed && self.chat.as_ref().is_some_and(|chat| chat.id == chat_id) {
            self.timeline.release();
            self.show_released();
        }
        if matches!(error.code, ErrorCode::Aborted | ErrorCode::Closed | ErrorCode::IdentityChanged) {
            return self.settle(op, Err(error));
        }
        self.emit(Event::Error(error));
        self.settle(op, Ok(Settled::Messages(Vec::new())));
    }

    pub(crate) fn handle_abort(&mut self, op: OpId) {
        let error = Error::new(ErrorCode::Aborted, "The call was aborted.");
        if let Some(client_id) = self.outbox.by_op(op).map(|entry| entry.client_id.clone()) {
            self.give_up_message(&client_id, error);
            return;
        }
        self.fail_requests(&error, |pending| pending.purpose.op() == Some(op));
    }

    /// Ends every request that is chosen, as if it had been answered with this error.
    pub(crate) fn fail_requests(&mut self, error: &Error, chosen: impl Fn(&Pending<D>) -> bool) {
        let (failed, kept) = std::mem::take(&mut self.requests).into_iter().partition(|pending| chosen(pending));
        self.requests = kept;
        let failed: Vec<Pending<D>> = failed;
        for pending in failed {
            if pending.sent {
                self.output(Output::CancelHttp { request: pending.id });
            }
            match pending.purpose {
                Purpose::Page { op, chat_id, .. } => self.fetch_failed(op, chat_id, error.clone()),
                // It never left: it waits for a session in the outbox.
                Purpose::Post { client_id } | Purpose::Reserve { client_id } if !pending.sent => {
                    self.outbox.back_to_queue(&client_id);
                }
                _ => self.answer(pending, Err(error.clone())),
            }
        }
    }

    /// Ends the request or upload that carries a message of the outbox.
    pub(crate) fn cancel_post(&mut self, client_id: &str) {
        let is_it = |pending: &Pending<D>| match &pending.purpose {
            Purpose::Post { client_id: other } | Purpose::Reserve { client_id: other } => other == client_id,
            _ => false,
        };
        if let Some(position) = self.requests.iter().position(is_it) {
            let pending = self.requests.swap_remove(position);
            if pending.sent {
                self.output(Output::CancelHttp { request: pending.id });
            }
        } else if self.outbox.get(client_id).is_some_and(|entry| entry.is_uploading()) {
            self.output(Output::CancelUpload { client_id: client_id.to_owned() });
        }
    }

    /// Ends the requests that took too long.
    pub(crate) fn expire_requests(&mut self) {
        let now_ms = self.now_ms;
        let error = Error::new(ErrorCode::Timeout, "The gateway did not answer in time.");
        if self.requests.iter().any(|pending| pending.deadline_ms <= now_ms) {
            self.fail_requests(&error, |pending| pending.deadline_ms <= now_ms);
        }
    }

    pub(crate) fn next_request_timeout_ms(&self) -> Option<u64> {
        self.requests.iter().map(|pending| pending.deadline_ms).min()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChatArrival {
    Created,
    Loaded,
    Ongoing,
}

fn read_page<D: Document>(body: Option<&D>) -> Option<(Vec<(u64, D)>, u64)> {
    let body = body?;
    let messages = body.field("messages")?.items()?;
    let messages =
        messages.into_iter().map(|message| Some((message.count("$index")?, message))).collect::<Option<Vec<_>>>()?;
    Some((messages, body.count("last_index")?))
}

/// The path of a chat, or of something of it.
pub(crate) fn chat_path(chat_id: u64, rest: &str) -> String {
    ["/api/v1/chats/", &decimal(chat_id), rest].concat()
}

pub(crate) fn no_chat() -> Error {
    Error::new(ErrorCode::NoChat, "There is no ongoing chat: create or load one first.")
}

pub(crate) fn unreadable() -> Error {
    Error::new(ErrorCode::Protocol, "The gateway's answer cannot be read.")
}
