//! The end user's session with the gateway: asking the site for its token, exchanging it, renewing it in time and in a single flight, and
//! what happens when the token names somebody else.

use wire::{Document, ErrorCode, Field};

use super::backoff::Backoff;
use super::calls::Purpose;
use super::connection::spread_after;
use super::engine::Client;
use super::error::Error;
use super::identity::random_text;
use super::types::{Event, Method, Output, Response};

/// Characters of an end user's secret: 258 random bits.
const SECRET_LENGTH: usize = 43;

/// How long before its end a session is renewed, at most; a short session is renewed at three quarters of its life.
const RENEWAL_MARGIN_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Storage has not answered yet.
    Loading,
    /// Nothing is on its way.
    Idle,
    /// The site was asked for its token, which must come by this time.
    Authenticating { until_ms: u64 },
    /// The gateway was asked for a session.
    Exchanging,
}

pub(crate) struct Session {
    phase: Phase,
    token: Option<String>,
    renew_at_ms: Option<u64>,
    /// Not before this time, because the gateway asked for it.
    asked_until_ms: u64,
    backoff: Backoff,
    announced: bool,
}

impl Session {
    pub(crate) fn new() -> Self {
        Session {
            phase: Phase::Loading,
            token: None,
            renew_at_ms: None,
            asked_until_ms: 0,
            backoff: Backoff::default(),
            announced: false,
        }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// When a renewal or another try is due.
    pub(crate) fn next_timeout_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Idle => self.renew_at_ms,
            Phase::Authenticating { until_ms } => Some(until_ms),
            Phase::Loading | Phase::Exchanging => None,
        }
    }
}

impl<D: Document> Client<D> {
    /// Storage answered the first question: the secret that names an anonymous end user.
    pub(crate) fn loaded_secret(&mut self, entries: Vec<(String, String)>) {
        let stored = entries.into_iter().map(|(_, value)| value).find(|value| value.len() == SECRET_LENGTH);
        if stored.is_none() {
            let secret = random_text(SECRET_LENGTH, &mut *self.entropy);
            self.output(Output::Store { key: self.identity.secret_key(), value: secret.clone() });
            self.identity.secret = Some(secret);
        } else {
            self.identity.secret = stored;
        }
        self.session.phase = Phase::Idle;
        self.ensure_session();
    }

    /// Asks for a new session, unless that is under way.
    pub(crate) fn ensure_session(&mut self) {
        if self.session.phase == Phase::Idle && self.now_ms >= self.session.asked_until_ms {
            let until_ms = self.now_ms.saturating_add(self.config.call_timeout_ms);
            self.session.phase = Phase::Authenticating { until_ms };
            self.session.renew_at_ms = None;
            self.output(Output::Authenticate);
        }
    }

    /// The gateway refused the token: the next request waits for a new one.
    pub(crate) fn invalidate_session(&mut self, refused: &str) {
        if self.session.token() == Some(refused) {
            self.session.token = None;
        }
        if self.session.token.is_none() {
            self.ensure_session();
        }
    }

    pub(crate) fn handle_token(&mut self, token: Result<String, ()>) {
        // The answer to a question that was given up is as good as any, where one is awaited.
        if !matches!(self.session.phase, Phase::Authenticating { .. }) {
            return;
        }
        let Ok(token) = token else {
            let message = "authenticate() failed, gave no token or did not answer in time: it must resolve to { token }, a JWT signed with the company secret.";
            return self.session_failed(Error::new(ErrorCode::AuthenticationFailed, message));
        };
        self.session.phase = Phase::Exchanging;
        let mut fields =
            vec![("company_id", Field::Text(self.config.company_id.clone())), ("token", Field::Text(token))];
        if let Some(secret) = &self.identity.secret {
            fields.push(("end_user_secret", Field::Text(secret.clone())));
        }
        self.request(Purpose::Exchange, Method::Post, "/api/v1/sessions".to_owned(), Some(D::build(fields)));
    }

    /// The gateway answered the exchange.
    pub(crate) fn exchanged(&mut self, response: Result<Response<D>, Error>) {
        let granted = response.and_then(|response| {
            let body = response.body.as_ref();
            let read = body.and_then(|body| {
                Some((body.text("session_token")?, body.count("expires_in_ms")?, body.field("end_user")?.count("id")?))
            });
            read.ok_or_else(|| {
                Error::new(ErrorCode::Protocol, "The gateway's answer to the session exchange cannot be read.")
            })
        });
        match granted {
            Ok((token, expires_in_ms, end_user_id)) => self.session_granted(token, expires_in_ms, end_user_id),
            Err(error) => self.session_failed(error),
        }
    }

    fn session_granted(&mut self, token: String, expires_in_ms: u64, end_user_id: u64) {
        let margin_ms = RENEWAL_MARGIN_MS.min(expires_in_ms / 4);
        self.session.phase = Phase::Idle;
        self.session.token = Some(token);
        self.session.renew_at_ms = Some(self.now_ms.saturating_add(expires_in_ms - margin_ms));
        self.session.backoff.reset();

        let former = self.identity.end_user_id.replace(end_user_id);
        let changed = former != Some(end_user_id);
        if changed {
            if former.is_some() {
                self.leave_former_identity();
            }
            let keep = self.identity.outbox_prefix_of(end_user_id);
            self.output(Output::ForgetOthers { prefix: self.identity.outbox_prefix(), keep });
            self.look_for_orphans();
            self.emit(Event::Authenticated);
        }
        if !self.session.announced {
            self.session.announced = true;
            self.emit(Event::Ready);
        }
        self.send_waiting_requests();
    }

    /// Nothing of the former end user is sent, shown or kept.
    fn leave_former_identity(&mut self) {
        let error =
            Error::new(ErrorCode::IdentityChanged, "The end user changed; what the former one asked for was dropped.");
        let clients: Vec<String> = self.outbox.entries().map(|entry| entry.client_id.clone()).collect();
        for client_id in clients.iter().filter(|_| !planted!("planted-former-outbox-kept")) {
            self.give_up_message(client_id, error.clone());
        }
        self.fail_requests(&error, |pending| pending.issued_as.is_some());
        self.unanswered_creation = None;
        self.forget_tabs();
        self.detach();
    }

    fn session_failed(&mut self, error: Error) {
        self.session.phase = Phase::Idle;
        if error.code == ErrorCode::Closed {
            return;
        }
        let asked_ms = error.retry_after_ms.map_or(0, |ms| spread_after(ms, (self.entropy)()));
        self.session.asked_until_ms = self.now_ms.saturating_add(asked_ms);
        let wait_ms = self.session.backoff.next_wait_ms(self.config.backoff, (self.entropy)()).max(asked_ms);
        // The very first retry at once would only repeat what just failed.
        let wait_ms = wait_ms.max(self.config.backoff.initial_ms);
        // A wrong company or origin stays wrong; the next call tries again all the same.
        let hopeless =
            matches!(error.code, ErrorCode::CompanyUnknown | ErrorCode::OriginForbidden | ErrorCode::InvalidArgument);
        self.session.renew_at_ms = (!hopeless).then(|| self.now_ms.saturating_add(wait_ms));
        self.emit(Event::Error(error.clone()));
        self.fail_requests(&error, |pending| !pending.sent);
    }

    /// Renews a session whose time has come, and gives up a site that does not answer.
    pub(crate) fn renew_session_if_due(&mut self) {
        if self.session.next_timeout_ms().is_some_and(|at_ms| at_ms <= self.now_ms) {
            match self.session.phase {
                Phase::Authenticating { .. } => self.handle_token(Err(())),
                _ => self.ensure_session(),
            }
        }
    }
}
