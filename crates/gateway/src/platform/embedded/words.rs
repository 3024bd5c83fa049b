//! What the platform itself says to customers, in the languages it speaks: English, Portuguese and Italian. A company that answers in others
//! gets English here and writes its own texts in the configuration. Plain text throughout: nothing needs escaping.

use engine::gateway::Status;

use crate::config::texts::{fitting, primary};

/// A language that the platform speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    English,
    Portuguese,
    Italian,
}

impl Tongue {
    /// The one for a BCP 47 tag; English where the platform does not speak it.
    pub(crate) fn of(lang: &str) -> Tongue {
        match fitting(["pt", "it"].into_iter(), primary(lang)) {
            Some("pt") => Tongue::Portuguese,
            Some("it") => Tongue::Italian,
            _ => Tongue::English,
        }
    }

    fn pick(self, [english, portuguese, italian]: [&'static str; 3]) -> &'static str {
        match self {
            Tongue::English => english,
            Tongue::Portuguese => portuguese,
            Tongue::Italian => italian,
        }
    }

    /// What a chat's state means for the customer. `with` is the agent or virtual agent in the chat.
    pub(crate) fn status_text(self, status: Status, with: Option<&str>) -> String {
        let text = match status {
            Status::VaAssigned => self.pick([
                "You are chatting with {name}, a virtual agent.",
                "Está a conversar com {name}, um agente virtual.",
                "Stai parlando con {name}, un agente virtuale.",
            ]),
            Status::Queued => self.pick([
                "You are in the queue. Someone will be with you soon.",
                "Está na fila. Alguém o atenderá em breve.",
                "Sei in coda. Qualcuno ti risponderà presto.",
            ]),
            Status::Assigned => self.pick([
                "You are chatting with {name}.",
                "Está a conversar com {name}.",
                "Stai parlando con {name}.",
            ]),
            Status::Dismissed | Status::VaDismissed => self.pick([
                "You were away for a while. Write something to go on.",
                "Esteve ausente algum tempo. Escreva algo para continuar.",
                "Sei rimasto assente per un po'. Scrivi qualcosa per continuare.",
            ]),
            Status::CheckedOut => self.pick([
                "You have left the queue, because you did not confirm that you are still there.",
                "Saiu da fila porque não confirmou que ainda está aí.",
                "Hai lasciato la coda perché non hai confermato di essere ancora qui.",
            ]),
            Status::Finished => {
                self.pick(["The chat is over.", "A conversa terminou.", "La conversazione è terminata."])
            }
            Status::Failed => self.pick([
                "Sorry, nobody could take your chat.",
                "Lamentamos, ninguém pôde atender a sua conversa.",
                "Spiacenti, nessuno ha potuto rispondere alla tua chat.",
            ]),
        };
        text.replace("{name}", with.unwrap_or_else(|| self.pick(["someone", "alguém", "qualcuno"])))
    }

    /// What customers read outside the hours where the company wrote nothing.
    pub(crate) fn after_hours(self) -> &'static str {
        self.pick([
            "We are closed at the moment. Please come back during our business hours.",
            "De momento estamos encerrados. Volte, por favor, no nosso horário de atendimento.",
            "In questo momento siamo chiusi. Torna durante il nostro orario di apertura.",
        ])
    }

    /// The subject of a mail with a transcript.
    pub(crate) fn transcript_subject(self, company: &str, chat_id: u64) -> String {
        let text = self.pick([
            "Your conversation with {company} (#{chat})",
            "A sua conversa com {company} (#{chat})",
            "La tua conversazione con {company} (#{chat})",
        ]);
        text.replace("{chat}", &chat_id.to_string()).replace("{company}", company)
    }

    /// The first line of such a mail.
    pub(crate) fn transcript_opening(self, company: &str) -> String {
        let text = self.pick([
            "Someone who chatted with {company} asked us to send you this conversation.",
            "Alguém que conversou com {company} pediu-nos que lhe enviássemos esta conversa.",
            "Qualcuno che ha parlato con {company} ci ha chiesto di inviarti questa conversazione.",
        ]);
        text.replace("{company}", company)
    }

    /// A customer without a name.
    pub(crate) fn customer(self) -> &'static str {
        self.pick(["Customer", "Cliente", "Cliente"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_own_words_and_others_get_english() {
        let table = [
            ("en", Tongue::English),
            ("pt-BR", Tongue::Portuguese),
            ("IT", Tongue::Italian),
            ("de", Tongue::English),
            ("", Tongue::English),
        ];
        for (lang, expected) in table {
            assert_eq!(Tongue::of(lang), expected, "{lang}");
        }
        for status in Status::ALL {
            let texts = [Tongue::English, Tongue::Portuguese, Tongue::Italian]
                .map(|tongue| tongue.status_text(status, Some("Ada")));
            assert!(texts[0] != texts[1] && texts[1] != texts[2] && texts[0] != texts[2], "{texts:?}");
            assert!(texts.iter().all(|text| !text.contains('{')), "{texts:?}");
        }
        assert_eq!(Tongue::Italian.status_text(Status::Assigned, Some("Ada")), "Stai parlando con Ada.");
        assert_eq!(Tongue::English.status_text(Status::Assigned, None), "You are chatting with someone.");
    }
}
