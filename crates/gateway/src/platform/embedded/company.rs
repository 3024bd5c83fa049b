//! What is the same for every chat of a company: its configuration, with what a queue inherits from the folders above it worked out once.

use std::collections::HashMap;
use std::sync::Arc;

use super::hours::Schedule;
use super::words::Tongue;
use crate::config::forms::Form;
use crate::config::post_session::{MenuPostSession, PostSession};
use crate::config::survey::Survey;
use crate::config::texts::fitting;
use crate::config::{self, Calls, Deflection, Menu, Texts};
use crate::redaction::Redactor;

/// A company.
pub(crate) struct Company {
    pub(crate) settings: config::Company,
    schedule: Option<Arc<Schedule>>,
    /// The hours of a queue that has none.
    always: Schedule,
    queues: HashMap<u64, Queue>,
    leads_users: bool,
    pub(crate) redactor: Redactor,
    /// The gateway has mail, so that messages of the channel `email` can be taken and answered.
    pub(crate) has_mail: bool,
}

/// What a queue has, or inherits.
#[derive(Clone, Default)]
struct Queue {
    schedule: Option<Arc<Schedule>>,
    deflection: Option<Arc<Deflection>>,
    survey: Option<Arc<Survey>>,
    post_session: Option<PostSession>,
    calls: Arc<Calls>,
}

impl Company {
    pub(crate) fn new(settings: config::Company) -> Company {
        let schedule = |hours: &config::Hours| Arc::new(Schedule::new(hours, &settings.timezone.0));
        let top = Queue {
            schedule: settings.hours.as_ref().map(schedule),
            deflection: settings.deflection.clone().map(Arc::new),
            survey: settings.survey.clone().map(Arc::new),
            post_session: settings.post_session,
            calls: Arc::new(settings.calls.clone().unwrap_or_default()),
        };
        let mut queues = HashMap::new();
        let mut leads_users = false;
        let mut left: Vec<(&Menu, Queue)> = settings.menus.iter().map(|menu| (menu, top.clone())).collect();
        while let Some((menu, above)) = left.pop() {
            let own = Queue {
                schedule: menu.hours.as_ref().map(schedule).or(above.schedule),
                deflection: menu.deflection.clone().map(Arc::new).or(above.deflection),
                survey: menu.survey.clone().map(Arc::new).or(above.survey),
                post_session: match menu.post_session {
                    Some(MenuPostSession::Of(part)) => Some(part),
                    Some(MenuPostSession::Switch(_)) => None,
                    None => above.post_session,
                },
                calls: menu.calls.clone().map_or(above.calls, Arc::new),
            };
            left.extend(menu.children.iter().map(|child| (child, own.clone())));
            leads_users |= !menu.direct_users.is_empty();
            queues.insert(menu.id, own);
        }
        let redactor = Redactor::new(&settings.redaction);
        let always = Schedule::always(&settings.timezone.0);
        Company { schedule: top.schedule, always, settings, queues, leads_users, redactor, has_mail: false }
    }

    /// The same in a gateway that has mail, or has none.
    pub(crate) fn with_mail(self, has_mail: bool) -> Company {
        Company { has_mail, ..self }
    }

    /// One of its forms.
    pub(crate) fn form(&self, id: u64) -> Option<&Form> {
        self.settings.forms.iter().find(|form| form.id == id)
    }

    /// The languages to read a text in: the one for a language that was asked for, then the default.
    pub(crate) fn langs<'a>(&'a self, asked: &'a str) -> [&'a str; 2] {
        [self.lang(Some(asked)), self.default_lang()]
    }

    /// The language where none was asked for.
    pub(crate) fn default_lang(&self) -> &str {
        self.settings.languages.first().map_or("en", |language| language.code.as_str())
    }

    /// The company's language for one that was asked for: the same or nearest one, otherwise the default. A company that names no
    /// languages follows whoever asks.
    pub(crate) fn lang<'a>(&'a self, asked: Option<&'a str>) -> &'a str {
        let asked = asked.filter(|lang| !lang.is_empty()).unwrap_or_else(|| self.default_lang());
        if self.settings.languages.is_empty() {
            return asked;
        }
        let offered = self.settings.languages.iter().map(|language| language.code.as_str());
        fitting(offered, asked).unwrap_or_else(|| self.default_lang())
    }

    /// A text of the company in its language for one that was asked for.
    pub(crate) fn wording<'a>(&'a self, texts: &'a Texts, asked: Option<&str>) -> &'a str {
        let lang = self.lang(asked);
        texts.wording(&[lang, self.default_lang()])
    }

    /// The words of the platform for a language that was asked for.
    pub(crate) fn tongue(&self, asked: Option<&str>) -> Tongue {
        Tongue::of(self.lang(asked))
    }

    /// The platform's or the company's own message outside the hours.
    pub(crate) fn after_hours_message(&self, asked: Option<&str>) -> &str {
        match &self.settings.after_hours_message {
            Some(texts) => self.wording(texts, asked),
            None => self.tongue(asked).after_hours(),
        }
    }

    /// Whether a queue's people are there at this time.
    pub(crate) fn is_open(&self, menu_id: u64, at_ms: u64) -> bool {
        let schedule = self.queues.get(&menu_id).and_then(|queue| queue.schedule.as_ref());
        schedule.is_none_or(|schedule| schedule.is_open(at_ms))
    }

    /// The hours in which a queue's people are there.
    pub(crate) fn hours(&self, menu_id: u64) -> &Schedule {
        self.queues.get(&menu_id).and_then(|queue| queue.schedule.as_deref()).unwrap_or(&self.always)
    }

    /// How a queue's calls can be had.
    pub(crate) fn calls(&self, menu_id: u64) -> Arc<Calls> {
        self.queues.get(&menu_id).map(|queue| Arc::clone(&queue.calls)).unwrap_or_default()
    }

    /// Whether the company as a whole is open at this time.
    pub(crate) fn is_open_itself(&self, at_ms: u64) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.is_open(at_ms))
    }

    /// Whether some customers are sent to a part of the tree by their identifier.
    pub(crate) fn leads_users(&self) -> bool {
        self.leads_users
    }

    /// What is offered instead of waiting in a queue; a queue that is no longer configured follows the company.
    pub(crate) fn deflection(&self, menu_id: Option<u64>) -> Option<&Deflection> {
        match menu_id.and_then(|id| self.queues.get(&id)) {
            Some(queue) => queue.deflection.as_deref(),
            None => self.settings.deflection.as_ref(),
        }
    }

    /// What is asked after a queue's chats, if anything; a queue that is no longer configured follows the company.
    pub(crate) fn survey(&self, menu_id: u64) -> Option<&Survey> {
        let survey = match self.queues.get(&menu_id) {
            Some(queue) => queue.survey.as_deref(),
            None => self.settings.survey.as_ref(),
        };
        survey.filter(|survey| !survey.questions.is_empty())
    }

    /// What follows the human part of a queue's chats; nothing where the queue is no longer configured.
    pub(crate) fn post_session(&self, menu_id: u64) -> Option<PostSession> {
        self.queues.get(&menu_id)?.post_session
    }

    /// The queues.
    pub(crate) fn menu_ids(&self) -> impl Iterator<Item = u64> {
        self.queues.keys().copied()
    }
}
