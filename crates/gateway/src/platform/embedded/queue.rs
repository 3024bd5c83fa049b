//! The queue as it stands: who waits, who is on duty, and what that means for the next customer. First in, first out: the desk lists chats
//! by the time at which they entered, and agents take them from the top.

use wire::rest::WaitTimes;

use super::Embedded;
use super::wait_time::{Situation, seconds};
use crate::config::{Desk, WaitTime};
use crate::store::{Store, StoreError};

/// The waiting times of a queue.
pub(crate) async fn wait_times(
    platform: &Embedded,
    store: &dyn Store,
    (company_id, menu_id): (&str, u64),
    (desk, settings): (&Desk, &WaitTime),
) -> Result<WaitTimes, StoreError> {
    let load = store.load(company_id).await?;
    let mean = store.mean_handling_ms(company_id, menu_id, settings.sample_chats).await?;
    let handling_ms = mean.unwrap_or(settings.default_handling_ms);
    let on_duty: Vec<u64> =
        platform.duty.on_duty().into_iter().filter(|id| serves(platform, *id, company_id)).collect();
    let agents = u64::try_from(on_duty.len()).unwrap_or(0);
    let chats_of = |id: &u64| load.assigned.get(id).copied().unwrap_or(0);
    let chat = Situation {
        waiting: load.waiting,
        places: agents.saturating_mul(desk.chats_per_agent),
        // An agent with more chats than places takes none of the others' places.
        taken: on_duty.iter().map(|id| chats_of(id).min(desk.chats_per_agent)).sum(),
        handling_ms,
    };
    // An agent on the phone does nothing else, and one with a chat does not answer the phone.
    let voice_call = Situation {
        waiting: 0,
        places: agents,
        taken: on_duty.iter().map(|id| chats_of(id).min(1)).sum(),
        handling_ms,
    };
    Ok(WaitTimes { chat: seconds(chat), voice_call: seconds(voice_call) })
}

fn serves(platform: &Embedded, agent_id: u64, company_id: &str) -> bool {
    platform.agents.by_id(agent_id).is_some_and(|agent| agent.serves(company_id))
}
