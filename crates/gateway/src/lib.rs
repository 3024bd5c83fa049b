//! The Sportello gateway: what stands between a customer's browser and a contact centre.
//!
//! [`serve`] is the entry: listener, configuration and shutdown are arguments, so that tests run a real gateway on port 0. Inside, requests
//! come in at `http` and `stream`, a task per active chat in `chats` drives the engine's session, the `platform` says what a contact centre
//! is, and the [`store`] keeps what must survive. It refuses to answer a write before it is on disk.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod auth;
pub mod bus;
mod chats;
pub mod cli;
mod clock;
pub mod config;
mod error;
mod http;
mod listener;
mod mail;
mod media;
mod message;
mod platform;
mod recaptcha;
mod redaction;
mod screen;
mod stream;
pub mod telemetry;
mod transcript;

/// The store: what must survive a restart. The trait and its types are a crate of their own; SQLite is the store that gateways run on.
pub mod store {
    pub mod sqlite;

    pub use ::store::*;
    pub use sqlite::SqliteStore;
}

pub use ::store::MessageBody;

use crate::store::{SqliteStore, Store, StoreError};
use auth::keys::Keys;
use auth::session_token::SessionTokens;
use bus::{Bus, LocalBus};
use chats::{Chats, Tools};
use config::{Config, ConfigError, Secret};
use http::limits::{RateLimits, StreamCounts};
use listener::ImpatientListener;
use mail::Post;
use media::Media;
use platform::embedded::Embedded;
use platform::embedded::agents::Agents;
use recaptcha::Verifier;
use screen::Screens;
use transcript::Transcripts;

/// Why the gateway did not start, or stopped by itself. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be used.
    #[error("{0}; check the folder of --data and that no other gateway uses it")]
    Store(#[from] StoreError),
    /// The data directory or the network cannot be used.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        cause: std::io::Error,
    },
}

/// What every request can reach.
pub(crate) struct App {
    config: Config,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    platform: Arc<Embedded>,
    chats: Chats,
    media: Media,
    /// Mail that leaves, where it is configured.
    post: Option<Post>,
    /// Who checks for persons, where someone does.
    verifier: Option<Verifier>,
    transcripts: Transcripts,
    keys: Keys,
    tokens: SessionTokens,
    limits: RateLimits,
    /// Screen shares on their way.
    screens: Arc<Screens>,
    streams: StreamCounts,
    /// The listener is reachable from this machine only.
    on_loopback: bool,
    /// Cancelled when the gateway stops.
    shutdown: CancellationToken,
    /// Open streams.
    tasks: TaskTracker,
}

pub(crate) type Shared = Arc<App>;

impl App {
    fn signs_demo_tokens(&self) -> bool {
        self.config.demo && self.on_loopback
    }

    fn is_https(&self) -> bool {
        self.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// Opens the store in a data directory, which is made where it does not exist.
///
/// # Errors
/// Where the directory or the database cannot be used.
pub async fn open_store(data: &Path) -> Result<Arc<dyn Store>, ServeError> {
    let io = |cause| ServeError::Io { what: format!("the data directory {} cannot be made", data.display()), cause };
    private_folder().recursive(true).create(data).map_err(io)?;
    Ok(Arc::new(SqliteStore::open(&data.join("sportello.sqlite")).await?))
}

/// Conversations and keys are nobody else's business on this machine.
fn private_folder() -> std::fs::DirBuilder {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// The secret with which demo tokens are signed: random, and the same for as long as the data directory lives.
///
/// # Errors
/// Where the store fails.
pub async fn demo_secret(store: &dyn Store) -> Result<Secret, ServeError> {
    let made = random_key()?;
    let kept = store.meta_or_insert("demo_secret", made.to_vec()).await?;
    Ok(Secret(auth::keys::to_text(&kept)))
}

fn random_key() -> Result<[u8; auth::keys::ROOT_KEY_BYTES], ServeError> {
    auth::keys::random().map_err(|error| ServeError::Io {
        what: "the operating system gives no random numbers".to_owned(),
        cause: std::io::Error::other(error),
    })
}

async fn keys(store: &dyn Store) -> Result<Keys, ServeError> {
    let kept = store.meta_or_insert("root_key", random_key()?.to_vec()).await?;
    let root = kept.try_into().map_err(|_| StoreError::Corrupt("root key"))?;
    Ok(Keys::new(root))
}

/// Serves until `shutdown` is ready, then lets go of everyone within the configured deadline and closes the store.
///
/// # Errors
/// Where the configuration or the store cannot be used, or the listener breaks.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    store: Arc<dyn Store>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    config.validate()?;
    let address =
        listener.local_addr().map_err(|cause| ServeError::Io { what: "the listener is not usable".into(), cause })?;
    let app = Arc::new(build(config, store, address).await?);
    let sweeper = tokio::spawn(sweep(Arc::clone(&app)));
    let timers = tokio::spawn(chats::timers::watch(Arc::clone(&app)));
    let queues = tokio::spawn(platform::embedded::live::watch(Arc::clone(&app)));
    let places = tokio::spawn(chats::places::watch(Arc::clone(&app)));
    let outbox = tokio::spawn(mail::outbox::watch(Arc::clone(&app)));
    let transcripts = tokio::spawn(transcript::jobs::watch(Arc::clone(&app)));
    let calls = tokio::spawn(platform::embedded::calls::watch(Arc::clone(&app)));
    let stop = {
        let app = Arc::clone(&app);
        async move {
            shutdown.await;
            tracing::info!("shutting down");
            app.shutdown.cancel();
        }
    };
    let service = http::router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let write_timeout = Duration::from_millis(app.config.stream.write_timeout_ms);
    let listener = ImpatientListener::new(listener, write_timeout).tap_io(|_| {});
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop);
    tracing::info!(%address, "listening");
    let drained = async {
        let result = serving.await;
        app.tasks.close();
        app.tasks.wait().await;
        result
    };
    let result = tokio::select! {
        result = drained => result,
        () = deadline(&app) => Ok(()),
    };
    sweeper.abort();
    timers.abort();
    queues.abort();
    places.abort();
    outbox.abort();
    transcripts.abort();
    calls.abort();
    app.store.close().await;
    tracing::info!("stopped");
    result.map_err(|cause| ServeError::Io { what: "the listener broke".to_owned(), cause })
}

async fn build(config: Config, store: Arc<dyn Store>, address: SocketAddr) -> Result<App, ServeError> {
    let keys = keys(store.as_ref()).await?;
    let media = Media::open(config.data.as_deref())
        .map_err(|cause| ServeError::Io { what: "the folder of files cannot be used".to_owned(), cause })?;
    let post = Post::open(&config.mail)
        .map_err(|cause| ServeError::Io { what: "mail cannot be sent as [mail] says".to_owned(), cause })?;
    let verifier = config.recaptcha.as_ref().map(Verifier::new).transpose();
    let verifier = verifier.map_err(|cause| ServeError::Io { what: "[recaptcha] cannot be used".to_owned(), cause })?;
    let agents = Agents::register(&config.agents, store.as_ref()).await?;
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let platform = Arc::new(Embedded::new(&config, agents, base.trim_end_matches('/').to_owned()));
    let bus: Arc<dyn Bus> = LocalBus::new();
    let screens = Arc::new(Screens::new(&config.limits));
    let chats = Chats::new(Tools {
        store: Arc::clone(&store),
        bus: Arc::clone(&bus),
        keys: keys.clone(),
        platform: Arc::clone(&platform),
        heartbeat_ms: config.stream.heartbeat_ms,
        max_page_bytes: config.limits.max_page_bytes,
        limits: config.chat.session_limits(),
        screens: Arc::clone(&screens),
    });
    let transcripts = Transcripts::new(&config.transcripts);
    Ok(App {
        tokens: SessionTokens::new(&keys),
        limits: RateLimits::new(&config.limits),
        screens,
        streams: StreamCounts::default(),
        on_loopback: address.ip().is_loopback(),
        shutdown: CancellationToken::new(),
        tasks: TaskTracker::new(),
        config,
        store,
        bus,
        platform,
        chats,
        media,
        post,
        verifier,
        transcripts,
        keys,
    })
}

/// Ready when a stop has taken as long as it may.
async fn deadline(app: &App) {
    app.shutdown.cancelled().await;
    tokio::time::sleep(Duration::from_millis(app.config.shutdown.deadline_ms)).await;
}

async fn sweep(app: Shared) {
    loop {
        tokio::time::sleep(http::limits::SWEEP).await;
        app.limits.sweep();
    }
}
