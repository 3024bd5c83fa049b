//! What goes into the client engine and what comes out of it.

use super::backoff::BackoffOptions;
use super::chat::Member;
use super::error::Error;
use super::outbox::Delivery;

/// A call of the application; the driver's own number.
pub type OpId = u32;

/// A REST request; the engine's own number.
pub type RequestId = u32;

/// An event stream; the engine's own number.
pub type StreamId = u32;

/// The settings of one client.
#[derive(Clone, Debug)]
pub struct Config {
    /// The company key.
    pub company_id: String,
    /// The gateway's origin; only used to keep stored values of different gateways apart.
    pub gateway: String,
    /// The end user's language where a call names none.
    pub lang: Option<String>,
    /// How long a message may wait in the outbox before it is given up.
    pub send_timeout_ms: u64,
    /// How long any other call may take.
    pub call_timeout_ms: u64,
    /// How many message bodies are kept.
    pub history_limit: usize,
    /// The waits between tries.
    pub backoff: BackoffOptions,
    /// How long opening and joining the event stream may take together.
    pub connect_timeout_ms: u64,
    /// How soon a stream that is doubted must say something.
    pub probe_timeout_ms: u64,
    /// Whether the driver can carry the event stream as server-sent events.
    pub server_sent_events: bool,
}

/// A call of the application.
#[derive(Clone, Debug)]
pub enum Call<D> {
    /// `getCompany`.
    Company,
    /// `getMenus`.
    Menus {
        /// The direct access key.
        key: Option<String>,
        /// The language.
        lang: Option<String>,
    },
    /// `getWaitTimes`.
    WaitTimes {
        /// The queue.
        menu_id: u64,
        /// The language.
        lang: Option<String>,
    },
    /// `createChat`.
    CreateChat {
        /// The queue.
        menu_id: u64,
        /// The caller's `ChatRequest`.
        chat: Option<D>,
    },
    /// `loadChat`.
    LoadChat {
        /// The chat.
        chat_id: u64,
    },
    /// `loadOngoingChat`.
    LoadOngoingChat,
    /// `resumeChat`.
    ResumeChat {
        /// The chat.
        chat_id: u64,
    },
    /// `finishChat`.
    FinishChat,
    /// `destroyChat`.
    DestroyChat,
    /// `fetchMessages`.
    FetchMessages,
    /// `sendTextMessage` and `chat.sendMessage`.
    Send {
        /// The chat, where the caller holds one; the current chat otherwise.
        chat_id: Option<u64>,
        /// The message's body. For a file: its type, and what [`FILE_FIELD`] says about the file.
        message: D,
        /// The file that the message shows.
        file: Option<D>,
    },
    /// `escalateChat`.
    Escalate {
        /// The caller's `EscalateRequest`.
        request: Option<D>,
    },
    /// `sendPreviewMessage`.
    Preview {
        /// What the end user has typed so far.
        content: String,
    },
    /// A call whose request the driver works out: the engine asks for it by [`Output::Plan`].
    Planned {
        /// The end user has a part in it, which may take any time.
        is_patient: bool,
    },
}

/// Which path a [`Plan`] begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `/api/v1`.
    Company,
    /// The chat that was the current one when the call was made; without one the call fails with `no_chat`.
    Chat,
    /// The same, but `/api/v1` where there was none.
    Either,
}

/// What the answer to a request must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Anything.
    Any,
    /// A body in JSON.
    Json,
    /// The bytes of a file, which stay where the driver puts them.
    File,
    /// There is none: the body is a message for the chat, and goes through the outbox as every message does.
    Message,
}

/// The request of a [`Call::Planned`].
#[derive(Clone, Debug)]
pub struct Plan<D> {
    /// The method.
    pub method: Method,
    /// Where `path` begins.
    pub scope: Scope,
    /// The rest of the path, and the query.
    pub path: String,
    /// The JSON body.
    pub body: Option<D>,
    /// What the answer must be.
    pub answer: Answer,
}

/// What happened.
#[derive(Debug)]
pub enum Input<D> {
    /// Begin: read storage, authenticate, become ready.
    Start,
    /// What [`Output::Load`] asked for.
    Loaded {
        /// Echoed from the output.
        prefix: String,
        /// Every stored key that starts with it, with its value.
        entries: Vec<(String, String)>,
    },
    /// Storage refused a read or a write, or is full.
    StorageFailed,
    /// The site's `authenticate` gave a token, or failed.
    Token(Result<String, ()>),
    /// The application calls.
    Call {
        /// Echoed in [`Output::Settle`].
        op: OpId,
        /// What it asks.
        call: Call<D>,
    },
    /// The application abandons a call.
    Abort {
        /// Which.
        op: OpId,
    },
    /// The end user types, or stopped.
    Typing(bool),
    /// The page is hidden, or shown again.
    Hidden(bool),
    /// What [`Output::Plan`] asked for; `None` where the call needs no request.
    Planned {
        /// Which.
        request: RequestId,
        /// The request, or why there can be none.
        plan: Result<Option<Plan<D>>, Error>,
    },
    /// The end user has seen everything so far.
    MarkRead,
    /// The application puts the current chat aside; nothing changes on the gateway.
    Detach,
    /// A REST request was answered; `None` where the network failed.
    HttpDone {
        /// Which.
        request: RequestId,
        /// The answer.
        response: Option<Response<D>>,
    },
    /// A stream is open.
    StreamOpened {
        /// Which.
        stream: StreamId,
    },
    /// A stream said something.
    StreamFrame {
        /// Which.
        stream: StreamId,
        /// The parsed frame; `None` where it was no JSON.
        frame: Option<D>,
    },
    /// A stream is closed, or could not be opened.
    StreamClosed {
        /// Which.
        stream: StreamId,
        /// The close code.
        code: u16,
    },
    /// What [`Output::Lock`] asked for.
    Locked {
        /// The pages that live; `None` where nobody can tell.
        pages: Option<Vec<String>>,
    },
    /// What [`Output::Upload`] asked for is done, or why not.
    Uploaded {
        /// The message's idempotency key.
        client_id: String,
        /// How it went.
        result: Result<(), Error>,
    },
    /// The network is back, the page is shown again or woke up.
    Wake,
    /// The network may be gone.
    Doubt,
    /// The time of `next_timeout_ms` has come.
    Tick,
    /// The end: everything still waiting fails with `closed`.
    Close,
}

/// An answer to a REST request.
#[derive(Clone, Debug)]
pub struct Response<D> {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after_ms: Option<u64>,
    /// The parsed body, where there is one.
    pub body: Option<D>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the methods")]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

/// A REST request.
#[derive(Clone, Debug)]
pub struct Request<D> {
    /// Echoed in [`Input::HttpDone`].
    pub id: RequestId,
    /// The method.
    pub method: Method,
    /// Path and query, from the gateway's origin on.
    pub path: String,
    /// The bearer token.
    pub token: Option<String>,
    /// The JSON body; with `is_for_file`, a form.
    pub body: Option<D>,
    /// Whether a success is answered with a file instead of JSON, or one is sent.
    pub is_for_file: bool,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output<D> {
    /// Read every stored key that starts with this, then say [`Input::Loaded`].
    Load {
        /// The start of the keys.
        prefix: String,
    },
    /// Forget every stored key that starts with `prefix` but not with `keep`, without reading its value.
    ForgetOthers {
        /// The start of the keys.
        prefix: String,
        /// The start of those that stay.
        keep: String,
    },
    /// Store a value.
    Store {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// Forget a value.
    Forget {
        /// The key.
        key: String,
    },
    /// Ask the site for a token, then say [`Input::Token`].
    Authenticate,
    /// Send a request, then say [`Input::HttpDone`].
    Http(Request<D>),
    /// Work out the request of a [`Call::Planned`], then say [`Input::Planned`]. [`Output::CancelHttp`] abandons that too.
    Plan {
        /// Echoed in the input.
        request: RequestId,
        /// The call.
        op: OpId,
    },
    /// Abandon a request; nothing more is expected of it.
    CancelHttp {
        /// Which.
        request: RequestId,
    },
    /// Open the event stream.
    OpenStream {
        /// Its number.
        stream: StreamId,
        /// How.
        transport: Transport,
    },
    /// Wait until no other page of this end user flushes its outbox, then say [`Input::Locked`].
    Lock {
        /// The lock's name.
        name: String,
    },
    /// Let the lock go, or stop waiting for it.
    Unlock,
    /// Keep a file for a later page. What is kept goes when the stored value with the same key is forgotten.
    KeepFile {
        /// The key of the stored message.
        key: String,
        /// The file.
        file: D,
    },
    /// Post a form with a file, then say [`Input::Uploaded`].
    Upload {
        /// Echoed in the input.
        client_id: String,
        /// The call that waits for the file; none after a reload.
        op: Option<OpId>,
        /// The key under which the file was kept, by this page or an earlier one.
        key: String,
        /// The file, where this page still has it.
        file: Option<D>,
        /// What the gateway said: `url` and `fields`.
        form: D,
    },
    /// Abandon an upload; nothing more is expected of it.
    CancelUpload {
        /// Which.
        client_id: String,
    },
    /// Say something on the stream.
    SendFrame {
        /// Which.
        stream: StreamId,
        /// The frame.
        frame: D,
    },
    /// Close a stream; nothing more is expected of it.
    CloseStream {
        /// Which.
        stream: StreamId,
    },
    /// The current chat is now this one, in this state. Comes before the events and answers that speak of it.
    Chat(Option<(u64, D)>),
    /// Answer a call.
    Settle {
        /// Which.
        op: OpId,
        /// How it went.
        result: Result<Settled<D>, Error>,
    },
    /// Tell listeners.
    Emit(Event<D>),
}

/// How an event stream is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Server-sent events through `fetch`: the client cannot speak on it after `join`.
    ServerSentEvents,
}

/// The member of a file message in the outbox that describes its file: `name`, `content_type` and `size`.
pub const FILE_FIELD: &str = "$file";

/// The end of the key of a stored message whose file is kept.
pub const FILE_KEY_END: &str = "|file";

/// What a call resolves to.
#[derive(Debug)]
pub enum Settled<D> {
    /// Nothing.
    Done,
    /// The gateway's answer as it is.
    Body(D),
    /// A chat with its state: an object that the application holds on to.
    Chat {
        /// Its number.
        id: u64,
        /// Its state.
        state: D,
    },
    /// No chat is ongoing.
    NoChat,
    /// Messages in index order.
    Messages(Vec<D>),
    /// A message is stored.
    Sent {
        /// Its index.
        index: u64,
        /// Its idempotency key.
        client_id: String,
    },
    /// A file was given up; an [`Event::Error`] said why.
    NotSent,
}

/// How the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// No chat needs a stream.
    Idle,
    /// Opening the stream.
    Connecting,
    /// The stream is joined.
    Online,
    /// Waiting for the next try.
    Offline,
}

impl ConnectionState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionState::Idle => "idle",
            ConnectionState::Connecting => "connecting",
            ConnectionState::Online => "online",
            ConnectionState::Offline => "offline",
        }
    }
}

/// What listeners hear of. Events about the chat carry the current chat, which the driver knows from [`Output::Chat`].
#[derive(Debug)]
pub enum Event<D> {
    /// `ready`.
    Ready,
    /// `authenticated`.
    Authenticated,
    /// `chat.ongoing`.
    ChatOngoing,
    /// `chat.updated`.
    ChatUpdated,
    /// `chat.connected`.
    ChatConnected,
    /// `chat.reconnected`.
    ChatReconnected,
    /// `chat.disconnected`.
    ChatDisconnected,
    /// `chat.dismissed`.
    ChatDismissed,
    /// `chat.timeout`.
    ChatTimeout,
    /// `chat.ended`.
    ChatEnded,
    /// `chat.destroyed`.
    ChatDestroyed,
    /// `chat.message`.
    Message(D),
    /// `chat.memberJoined`.
    MemberJoined(Member),
    /// `chat.memberLeft`.
    MemberLeft(Member),
    /// `chat.typingStarted`.
    TypingStarted(Member),
    /// `chat.typingEnded`.
    TypingEnded(Member),
    /// `chat.delivery`.
    Delivery(Delivery),
    /// `chat.unread`.
    Unread(u64),
    /// `connection`.
    Connection(ConnectionState),
    /// `error`.
    Error(Error),
}
