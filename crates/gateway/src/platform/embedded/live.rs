//! The live state of the queues, as a snapshot that can be read without waiting: whether a queue is open, and how long a newcomer would
//! wait in it. A virtual agent must be a pure function of what it is given, so that a message and its answer are one transaction; this is
//! what it is given about the world. The snapshot is at most a second old, and whoever decides by request brings it up to date first.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::company::Company;
use super::queue;
use crate::Shared;
use crate::clock::now_ms;
use crate::store::StoreError;

/// How often hours are looked at.
const TICK: Duration = Duration::from_secs(1);
/// The least time between two looks at the store.
const LEAST_PAUSE: Duration = Duration::from_millis(50);
/// The longest time between two looks at the store: a hint may be lost.
const TICKS_BETWEEN_LOOKS: u32 = 10;

/// How a queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueState {
    /// Its people are away.
    pub(crate) closed: bool,
    /// How long a newcomer would wait; unknown where nobody is deflected by it.
    pub(crate) wait_s: Option<u64>,
}

/// How every queue stands, by company.
#[derive(Default)]
pub(crate) struct Live(RwLock<HashMap<String, HashMap<u64, QueueState>>>);

impl Live {
    /// A queue's state; one that nobody knows is open and empty.
    pub(crate) fn of(&self, company_id: &str, menu_id: u64) -> QueueState {
        let companies = self.0.read().unwrap_or_else(PoisonError::into_inner);
        companies.get(company_id).and_then(|queues| queues.get(&menu_id)).copied().unwrap_or_default()
    }

    fn keep(&self, company_id: &str, queues: HashMap<u64, QueueState>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(company_id.to_owned(), queues);
    }

    /// Looks at the clock alone.
    fn tick(&self, company: &Company) {
        let now_ms = now_ms();
        let mut companies = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(queues) = companies.get_mut(&company.settings.id) {
            queues.iter_mut().for_each(|(menu_id, state)| state.closed = !company.is_open(*menu_id, now_ms));
        }
    }
}

/// Brings the snapshot of one company up to date. The store is only asked where somebody may be deflected by the wait.
pub(crate) async fn look(app: &crate::App, company: &Company) -> Result<(), StoreError> {
    let id = &company.settings.id;
    let by_wait =
        |menu_id: &u64| company.deflection(Some(*menu_id)).is_some_and(|deflection| deflection.threshold_ms > 0);
    let load = match company.menu_ids().any(|id| by_wait(&id)) {
        true => Some(queue::load(app, id).await?),
        false => None,
    };
    let mut queues = HashMap::new();
    for menu_id in company.menu_ids() {
        let wait_s = match load.as_ref().filter(|_| by_wait(&menu_id)) {
            Some(load) => Some(queue::chat_seconds(app, load, (id, menu_id)).await?),
            None => None,
        };
        queues.insert(menu_id, QueueState { closed: !company.is_open(menu_id, now_ms()), wait_s });
    }
    app.platform.live.keep(id, queues);
    Ok(())
}

/// Keeps the snapshot until the gateway stops.
pub(crate) async fn watch(app: Shared) {
    let mut hints = app.bus.subscribe();
    let mut ticks = TICKS_BETWEEN_LOOKS;
    loop {
        let companies: Vec<Arc<Company>> = app.platform.companies().cloned().collect();
        for company in companies {
            if ticks < TICKS_BETWEEN_LOOKS {
                app.platform.live.tick(&company);
            } else if let Err(cause) = look(&app, &company).await {
                tracing::error!(%cause, "the state of the queues cannot be read");
            }
        }
        ticks = if ticks < TICKS_BETWEEN_LOOKS { ticks + 1 } else { 0 };
        tokio::select! {
            more = hints.changed() => {
                if !more {
                    return;
                }
                ticks = TICKS_BETWEEN_LOOKS;
                tokio::time::sleep(LEAST_PAUSE).await;
            }
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
