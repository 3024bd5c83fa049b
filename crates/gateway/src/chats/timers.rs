//! Finds the chats that nobody has loaded and whose timers are due: at the start, and again and again. A chat that is loaded watches its own
//! timers. Few are loaded at a time, however many are due: the longest silent first.

use std::time::Duration;

use crate::Shared;
use crate::clock::now_ms;

/// How often to look, at most: what is due may be so much late.
const PAUSE: Duration = Duration::from_secs(10);
/// The least time between two looks.
const LEAST_PAUSE: Duration = Duration::from_millis(50);
/// Chats of one look, of each timer.
const BATCH: u64 = 500;

/// Looks until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    let limits = app.chats.tools().limits;
    let timers = [limits.dismiss_after_ms, limits.chat_timeout_ms];
    let Some(shortest_ms) = timers.into_iter().flatten().min() else { return };
    let pause = Duration::from_millis(shortest_ms / 4).clamp(LEAST_PAUSE, PAUSE);
    loop {
        let now_ms = now_ms();
        let since_ms = |timer_ms: Option<u64>| timer_ms.and_then(|ms| now_ms.checked_sub(ms));
        let quiet = app.store.quiet_chats(since_ms(limits.dismiss_after_ms), since_ms(limits.chat_timeout_ms), BATCH);
        match quiet.await {
            Ok(chats) => chats.into_iter().for_each(|chat_id| app.chats.wake(chat_id)),
            Err(cause) => tracing::error!(%cause, "chats whose timers are due cannot be read"),
        }
        tokio::time::sleep(pause).await;
    }
}
