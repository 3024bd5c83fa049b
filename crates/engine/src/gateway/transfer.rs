//! An agent hands a chat on, to another agent or to a queue. Whether there is such an agent or queue, and whether the agent is on duty, is for
//! whoever asks to find out: a chat knows neither.

use wire::ErrorCode;

use super::screen_share::ShareEnd;
use super::state::{Actor, Draft, Notice, Script, Status};

/// Where an agent sends a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferTo {
    /// To the end of a queue, by its number.
    Queue(u64),
    /// To an agent, by number, who has it at once.
    Agent(u64),
}

impl<B: Clone> Draft<B> {
    /// Only the agent who has the chat can, and not to themselves.
    pub(super) fn transfer(&mut self, actor: Actor, to: TransferTo, script: &dyn Script<B>) -> Result<(), ErrorCode> {
        if self.state.status.is_over() {
            return Err(ErrorCode::ChatEnded);
        }
        if self.state.status != Status::Assigned || !self.takes_part(actor) {
            return Err(ErrorCode::Conflict);
        }
        if let TransferTo::Agent(id) = to
            && self.state.agent_id == Some(id)
        {
            return Err(ErrorCode::Conflict);
        }
        self.end_share(ShareEnd::AgentChanged, script);
        match to {
            TransferTo::Agent(id) => self.assign(id),
            TransferTo::Queue(menu_id) => {
                self.state.menu_id = menu_id;
                let agent_id = self.state.agent_id;
                self.enter_queue();
                if planted!("planted-transfer-keeps-agent") {
                    self.state.agent_id = agent_id;
                }
            }
        }
        self.notify(Notice::ChatTransferred(to), script);
        Ok(())
    }
}
