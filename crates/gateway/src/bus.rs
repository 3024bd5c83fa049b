//! The bus: hints that something changed, so that whoever shows it looks again. It carries no data: the database is the truth, and a lost
//! hint delays a view until its next look, never loses anything. In-process today; the trait is what a bus between processes would fill.

use std::sync::Arc;

use tokio::sync::watch;

/// Tells and hears that chats changed.
pub trait Bus: Send + Sync + 'static {
    /// Chats changed: a queue, a status, a newest message.
    fn publish_chats_changed(&self);
    /// Hears hints from now on.
    fn subscribe(&self) -> Hints;
}

/// Hints as they arrive; several at once count as one.
#[derive(Debug)]
pub struct Hints(watch::Receiver<u64>);

impl Hints {
    /// Waits for the next hint. `false` where there will be no more.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

/// A bus within one process.
#[derive(Debug)]
pub struct LocalBus(watch::Sender<u64>);

impl LocalBus {
    /// A bus that nobody listens to yet.
    #[must_use]
    pub fn new() -> Arc<LocalBus> {
        Arc::new(LocalBus(watch::Sender::new(0)))
    }
}

impl Bus for LocalBus {
    fn publish_chats_changed(&self) {
        self.0.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    fn subscribe(&self) -> Hints {
        Hints(self.0.subscribe())
    }
}
