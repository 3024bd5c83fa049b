//! Tells chats that wait how far they have come, because a chat does not know the others: whoever comes near the front may be asked to check in.
//! A hint: a chat that missed one hears of it at the next look. Tells nothing where no place is configured.

use std::collections::HashMap;
use std::time::Duration;

use crate::Shared;

/// How often to look where no hint came.
const PAUSE: Duration = Duration::from_secs(10);
/// The least time between two looks: what changes meanwhile shares the next one.
const LEAST_PAUSE: Duration = Duration::from_millis(200);
/// Chats of one look.
const MOST: u64 = 10_000;

/// Looks until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    let check_in = app.chats.tools().limits.check_in;
    let Some(asked_at) = check_in.at_position.filter(|_| check_in.is_on()) else { return };
    let mut hints = app.bus.subscribe();
    loop {
        match app.store.queues(MOST).await {
            Ok(waiting) => {
                let mut places: HashMap<(&str, u64), u64> = HashMap::new();
                for chat in &waiting {
                    let place = places.entry((chat.company_id.as_str(), chat.menu_id)).or_default();
                    *place += 1;
                    if chat.queue_behind != (*place > asked_at) {
                        app.chats.tell_place(chat.chat_id, *place);
                    }
                }
            }
            Err(cause) => tracing::error!(%cause, "the queues cannot be read"),
        }
        tokio::time::sleep(LEAST_PAUSE).await;
        drop(tokio::time::timeout(PAUSE, hints.changed()).await);
    }
}
