//! Logs: one line per request and per event, as text or JSON, on standard error. The gateway's own lines carry ids, codes and times and
//! never a token, a cookie, a name or a message. Libraries may only warn: at finer levels some of them print frames and headers.

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{Log, LogFormat, LogLevel};

/// The gateway's log, written to `writer`.
pub fn subscriber<W>(log: Log, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(env!("CARGO_CRATE_NAME"), level);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(writer).with_filter(filter).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).with_filter(filter).boxed(),
    };
    Registry::default().with(layer)
}

/// Sends the process's log to standard error. A second call changes nothing.
pub fn init(log: Log) {
    // Only fails where a log is set up already, such as by a test.
    drop(tracing::subscriber::set_global_default(subscriber(log, std::io::stderr)));
}
