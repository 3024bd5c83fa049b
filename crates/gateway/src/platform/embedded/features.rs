//! Feature flags: what this gateway, and a company on it, offer. Reads the configuration only; what a single chat offers is in its `features`.

use std::collections::BTreeMap;

use super::company::Company;
use super::menus;
use crate::App;
use crate::config::Channel;
use crate::http::takes_files;
use crate::store::MediaKind;

/// Whether each feature is there, by its name.
pub(crate) fn flags(app: &App, company: &Company) -> BTreeMap<String, bool> {
    let settings = &company.settings;
    let queues = menus::queues(&settings.menus);
    let has_channel = |channel| queues.iter().any(|queue| queue.enabled && queue.channels.contains(&channel));
    let has_virtual_agent = queues.iter().any(|queue| queue.enabled && queue.virtual_agent.is_some());
    let check_in = &app.config.chat.check_in;
    let mut flags = vec![
        ("chat", has_channel(Channel::Chat)),
        ("virtual_agent", has_virtual_agent),
        ("triggers", !settings.triggers.is_empty()),
        ("forms", !settings.forms.is_empty()),
        ("message_preview", settings.message_preview),
        ("check_in", check_in.after_ms > 0 || check_in.at_position > 0 || check_in.hidden_after_ms > 0),
        ("deflection", company.menu_ids().any(|id| company.deflection(Some(id)).is_some())),
        ("action_tracking", settings.action_tracking),
        ("email_transcripts", settings.email_transcripts),
        ("email_enhancement", settings.email_enhancement),
        ("voice_call", has_channel(Channel::VoiceCall)),
        ("email", has_channel(Channel::Email) && company.has_mail),
        ("survey", company.menu_ids().any(|id| company.survey(id).is_some())),
        ("post_session", company.menu_ids().any(|id| company.post_session(id).is_some())),
        ("transcripts", app.config.transcripts.per_chat_per_day > 0 && app.config.transcripts.per_end_user_per_day > 0),
        ("websocket", app.config.stream.websocket),
        ("cobrowse", settings.screen_share),
    ];
    flags.extend(MediaKind::ALL.map(|kind| (kind.as_str(), takes_files(&app.config.limits, kind))));
    flags.into_iter().map(|(name, is_there)| (name.to_owned(), is_there)).collect()
}
