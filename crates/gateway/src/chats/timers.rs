//! Finds the chats that nobody has loaded and whose timers are due: at the start, and again and again. A chat that is loaded watches its own
//! timers. Few are loaded at a time, however many are due: the longest silent first.

use std::time::Duration;

use crate::Shared;
use crate::clock::now_ms;
use crate::store::Overdue;

/// How often to look, at most: what is due may be so much late.
const PAUSE: Duration = Duration::from_secs(10);
/// The least time between two looks.
const LEAST_PAUSE: Duration = Duration::from_millis(50);
/// Chats of one look, of each kind.
const BATCH: u64 = 500;

/// Looks until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    let limits = app.chats.tools().limits;
    let Some(shortest_ms) = limits.shortest_timer_ms() else { return };
    let pause = Duration::from_millis(shortest_ms / 4).clamp(LEAST_PAUSE, PAUSE);
    loop {
        match app.store.quiet_chats(Overdue::at(&limits, now_ms()), BATCH).await {
            Ok(chats) => chats.into_iter().for_each(|chat_id| app.chats.wake(chat_id)),
            Err(cause) => tracing::error!(%cause, "chats whose timers are due cannot be read"),
        }
        tokio::time::sleep(pause).await;
    }
}
