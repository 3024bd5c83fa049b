//! What a transcript itself says, in the platform's languages: English, Portuguese and Italian. A language that it does not speak reads English.

use crate::platform::embedded::words::Tongue;

/// The words for one reader.
#[derive(Clone, Copy)]
pub(crate) struct Words(pub(crate) Tongue);

impl Words {
    fn pick(self, [english, portuguese, italian]: [&str; 3]) -> String {
        let text = match self.0 {
            Tongue::English => english,
            Tongue::Portuguese => portuguese,
            Tongue::Italian => italian,
        };
        text.to_owned()
    }

    fn named(self, texts: [&str; 3], name: &str) -> String {
        self.pick(texts).replace("{name}", name)
    }

    pub(crate) fn title(self, chat_id: u64) -> String {
        self.named(["Chat {name}", "Conversa {name}", "Chat {name}"], &chat_id.to_string())
    }

    pub(crate) fn queue(self) -> String {
        self.pick(["Topic", "Assunto", "Argomento"])
    }

    pub(crate) fn began(self) -> String {
        self.pick(["Began", "Início", "Inizio"])
    }

    pub(crate) fn ended(self) -> String {
        self.pick(["Ended", "Fim", "Fine"])
    }

    pub(crate) fn still_open(self) -> String {
        self.pick(["still open", "ainda aberta", "ancora aperta"])
    }

    pub(crate) fn made(self) -> String {
        self.pick(["Made on", "Feito em", "Creato il"])
    }

    pub(crate) fn zone(self) -> String {
        self.pick(["Time zone", "Fuso horário", "Fuso orario"])
    }

    /// With `{page}` and `{pages}` left to fill in.
    pub(crate) fn page(self) -> String {
        self.pick(["Page {page} of {pages}", "Página {page} de {pages}", "Pagina {page} di {pages}"])
    }

    pub(crate) fn chosen(self) -> String {
        self.pick(["(chosen)", "(escolhido)", "(scelto)"])
    }

    pub(crate) fn picture(self) -> String {
        self.pick(["Picture", "Imagem", "Immagine"])
    }

    pub(crate) fn more(self) -> String {
        self.pick(["More about it", "Saber mais", "Maggiori informazioni"])
    }

    pub(crate) fn unnamed(self, kind: &str) -> String {
        match kind {
            "video" => self.pick(["A video", "Um vídeo", "Un video"]),
            "audio" => self.pick(["A recording", "Uma gravação", "Una registrazione"]),
            "document" => self.pick(["A document", "Um documento", "Un documento"]),
            _ => self.pick(["A picture", "Uma imagem", "Un'immagine"]),
        }
    }

    pub(crate) fn form(self, name: Option<&str>) -> String {
        let name = name.map_or_else(|| self.pick(["a form", "um formulário", "un modulo"]), str::to_owned);
        self.named(["To fill in: {name}", "Para preencher: {name}", "Da compilare: {name}"], &name)
    }

    pub(crate) fn form_completed(self, name: Option<&str>) -> String {
        let name = name.map_or_else(|| self.pick(["a form", "um formulário", "un modulo"]), str::to_owned);
        self.named(["Filled in: {name}", "Preenchido: {name}", "Compilato: {name}"], &name)
    }

    pub(crate) fn yes_or_no(self, yes: bool) -> String {
        if yes { self.pick(["Yes", "Sim", "Sì"]) } else { self.pick(["No", "Não", "No"]) }
    }

    pub(crate) fn unknown(self, kind: &str) -> String {
        let kind: String = kind.chars().take(64).collect();
        self.named(
            ["A message of the kind “{name}”", "Uma mensagem do tipo “{name}”", "Un messaggio di tipo “{name}”"],
            &kind,
        )
    }

    /// What a notice of the platform tells; `None` where it is nothing to read later.
    pub(crate) fn notice(self, event: &str, about: &str, to: &str, reason: &str) -> Option<String> {
        let somebody = self.pick(["Somebody", "Alguém", "Qualcuno"]);
        let about = if about.is_empty() { somebody.as_str() } else { about };
        let text = match (event, reason) {
            ("formRequested" | "checkInRequired" | "checkInConfirmed" | "dismissalWarning", _) => return None,
            // What led to a shared screen is nothing to read later, nor that it came to nothing.
            (
                "cobrowseRequestedFromAgent"
                | "cobrowseRequestedFromEndUser"
                | "cobrowseCodeGenerated"
                | "cobrowseFailed",
                _,
            ) => return None,
            ("cobrowseStarted", _) => self.pick([
                "The customer shared their screen",
                "O cliente partilhou o ecrã",
                "Il cliente ha condiviso lo schermo",
            ]),
            ("cobrowseEnded", _) => self.pick([
                "The screen is no longer shared",
                "O ecrã deixou de ser partilhado",
                "Lo schermo non è più condiviso",
            ]),
            ("memberJoined", _) => self.named(["{name} joined", "{name} entrou", "{name} è entrato"], about),
            ("memberLeft", _) => self.named(["{name} left", "{name} saiu", "{name} è uscito"], about),
            ("escalationStarted", _) => {
                self.pick(["A person was asked for", "Foi pedida uma pessoa", "È stata chiesta una persona"])
            }
            ("escalationAccepted", _) => self
                .named(["{name} took over", "{name} assumiu a conversa", "{name} ha preso in carico la chat"], about),
            ("escalationDeflected", "after_hours") => self.pick([
                "Nobody was there at this hour",
                "Ninguém estava disponível a esta hora",
                "A quest'ora non c'era nessuno",
            ]),
            ("escalationDeflected", _) => self.pick([
                "No person could take over",
                "Nenhuma pessoa pôde assumir a conversa",
                "Nessuna persona ha potuto prendere in carico la chat",
            ]),
            ("chatDismissed", _) => self.pick([
                "Paused, because nothing was written for a while",
                "Em pausa, porque nada foi escrito durante algum tempo",
                "In pausa, perché per un po' non è stato scritto nulla",
            ]),
            ("chatResumed", _) => self.pick(["Went on", "Continuou", "Ripresa"]),
            ("chatTransferred", _) if !to.is_empty() => {
                self.named(["Handed on to {name}", "Passada a {name}", "Passata a {name}"], to)
            }
            ("chatTransferred", _) => self.pick(["Handed on", "Passada a outra pessoa", "Passata ad altri"]),
            ("checkInTimedOut", _) => self.pick([
                "No answer: the place in the queue was lost",
                "Sem resposta: o lugar na fila perdeu-se",
                "Nessuna risposta: il posto in coda è andato perso",
            ]),
            ("chatEnded", "expired") => self.pick([
                "The chat ended: nobody was free in time",
                "A conversa terminou: ninguém ficou livre a tempo",
                "La chat è terminata: nessuno era libero in tempo",
            ]),
            ("chatEnded", "timeout") => self.pick([
                "The chat ended, because nothing was written for long",
                "A conversa terminou, porque nada foi escrito durante muito tempo",
                "La chat è terminata, perché a lungo non è stato scritto nulla",
            ]),
            ("chatEnded", _) => self.pick(["The chat ended", "A conversa terminou", "La chat è terminata"]),
            (other, _) => {
                let other: String = other.chars().take(64).collect();
                self.named(["Update: {name}", "Atualização: {name}", "Aggiornamento: {name}"], &other)
            }
        };
        Some(text)
    }
}
