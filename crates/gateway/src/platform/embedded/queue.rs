//! The queues as they stand: who waits, who is on duty, and what that means for the next customer. First in, first out: the desk lists chats
//! by the time at which they entered, and agents take them from the top.

use wire::rest::WaitTimes;

use super::wait_time::{Situation, seconds};
use super::{Embedded, calls};
use crate::App;
use crate::store::{Load, StoreError};

/// Chats in queues that are looked through to find a place; who waits behind so many hears of all who wait.
const MOST_WAITING: u64 = 10_000;

/// Whose waiting time is asked for: what of theirs waits already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) end_user_id: u64,
    pub(crate) chat_id: Option<u64>,
}

/// What there is to do for a company's agents. One who has a call has no time for chats.
pub(crate) async fn load(app: &App, company_id: &str) -> Result<Load, StoreError> {
    let phone = calls::phone(app, company_id, None).await?;
    Ok(with_calls(app, app.store.load(company_id).await?, &phone.agents))
}

fn with_calls(app: &App, mut load: Load, agents: &[u64]) -> Load {
    let most = app.config.desk.chats_per_agent.max(1);
    for id in agents {
        let taken = load.assigned.entry(*id).or_default();
        *taken = most.max(*taken);
    }
    load
}

/// The waiting times of a queue, which is named by its company and number. For someone whose own chat or call waits already, only those before it
/// count.
pub(crate) async fn wait_times(app: &App, queue: (&str, u64), own: Own) -> Result<WaitTimes, StoreError> {
    let phone = calls::phone(app, queue.0, Some(own.end_user_id)).await?;
    let mut load = with_calls(app, app.store.load(queue.0).await?, &phone.agents);
    if let Some(chat_id) = own.chat_id {
        let waiting = app.store.queues(MOST_WAITING).await?;
        let mut ours = waiting.iter().filter(|chat| chat.company_id == queue.0);
        if let Some(before) = ours.position(|chat| chat.chat_id == chat_id) {
            load.waiting = u64::try_from(before).unwrap_or(u64::MAX);
        }
    }
    let handling_ms = handling_ms(app, queue).await?;
    let Staff { agents, places, taken, busy } = staff(app, &load, queue.0);
    let chat = Situation { waiting: load.waiting, places, taken, handling_ms };
    // An agent on the phone does nothing else, and one with a chat does not answer the phone.
    let voice_call = Situation { waiting: phone.waiting, places: agents, taken: busy, handling_ms };
    Ok(WaitTimes { chat: seconds(chat), voice_call: seconds(voice_call) })
}

/// The same for chats alone, with a load that was read before.
pub(crate) async fn chat_seconds(app: &App, load: &Load, queue: (&str, u64)) -> Result<u64, StoreError> {
    let Staff { places, taken, .. } = staff(app, load, queue.0);
    let handling_ms = handling_ms(app, queue).await?;
    Ok(seconds(Situation { waiting: load.waiting, places, taken, handling_ms }))
}

async fn handling_ms(app: &App, (company_id, menu_id): (&str, u64)) -> Result<u64, StoreError> {
    let settings = &app.config.wait_time;
    let mean = app.store.mean_handling_ms(company_id, menu_id, settings.sample_chats).await?;
    Ok(mean.unwrap_or(settings.default_handling_ms))
}

/// The agents on duty for a company and what they are at.
struct Staff {
    agents: u64,
    /// Chats that they could have.
    places: u64,
    /// Chats that they have.
    taken: u64,
    /// Those who have any.
    busy: u64,
}

fn staff(app: &App, load: &Load, company_id: &str) -> Staff {
    let per_agent = app.config.desk.chats_per_agent;
    let on_duty: Vec<u64> =
        app.platform.duty.on_duty().into_iter().filter(|id| serves(&app.platform, *id, company_id)).collect();
    let agents = u64::try_from(on_duty.len()).unwrap_or(0);
    let chats_of = |id: &u64| load.assigned.get(id).copied().unwrap_or(0);
    Staff {
        agents,
        places: agents.saturating_mul(per_agent),
        // An agent with more chats than places takes none of the others' places.
        taken: on_duty.iter().map(|id| chats_of(id).min(per_agent)).sum(),
        busy: on_duty.iter().map(|id| chats_of(id).min(1)).sum(),
    }
}

fn serves(platform: &Embedded, agent_id: u64, company_id: &str) -> bool {
    platform.agents.by_id(agent_id).is_some_and(|agent| agent.serves(company_id))
}
