//! Rates and counts: requests per address and end user, sign-ins, open streams. Memory is bounded: keys that have been quiet are forgotten
//! every minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use wire::ErrorCode;

use super::Peer;
use crate::App;
use crate::config::{self, Rate};
use crate::error::Error;

/// How often quiet keys are forgotten.
pub(crate) const SWEEP: Duration = Duration::from_secs(60);

/// A rate for each key.
struct Limiter<K: Hash + Eq + Clone>(Option<DefaultKeyedRateLimiter<K>>);

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(rate: Rate) -> Limiter<K> {
        let quota = NonZeroU32::new(rate.per_minute).map(|per_minute| {
            let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(per_minute).allow_burst(burst)
        });
        Limiter(quota.map(RateLimiter::dashmap))
    }

    fn check(&self, key: &K) -> Result<(), Error> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Error::rate_limited(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1))
        })
    }

    fn sweep(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// The rates in force.
pub(crate) struct RateLimits {
    addresses: Limiter<IpAddr>,
    end_users: Limiter<u64>,
    screens: Limiter<u64>,
    sign_in_addresses: Limiter<IpAddr>,
    sign_in_logins: Limiter<[u8; 32]>,
}

impl RateLimits {
    pub(crate) fn new(limits: &config::Limits) -> RateLimits {
        RateLimits {
            addresses: Limiter::new(limits.requests_per_address),
            end_users: Limiter::new(limits.requests_per_end_user),
            screens: Limiter::new(limits.screen_requests_per_end_user),
            sign_in_addresses: Limiter::new(limits.sign_ins),
            sign_in_logins: Limiter::new(limits.sign_ins),
        }
    }

    pub(crate) fn check_address(&self, address: IpAddr) -> Result<(), Error> {
        self.addresses.check(&network(address))
    }

    pub(crate) fn check_end_user(&self, id: u64) -> Result<(), Error> {
        self.end_users.check(&id)
    }

    /// What the page of an end user whose screen is shared asks, many times a second.
    pub(crate) fn check_screen(&self, id: u64) -> Result<(), Error> {
        self.screens.check(&id)
    }

    pub(crate) fn check_sign_in(&self, address: IpAddr, login: &str) -> Result<(), Error> {
        self.sign_in_addresses.check(&network(address))?;
        self.sign_in_logins.check(&crate::auth::keys::sha256(login))
    }

    pub(crate) fn sweep(&self) {
        self.addresses.sweep();
        self.end_users.sweep();
        self.screens.sweep();
        self.sign_in_addresses.sweep();
        self.sign_in_logins.sweep();
    }
}

/// What counts as one caller: an IPv6 customer has a whole /64 network to choose addresses from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

/// Refuses an address that asks too often. Pages and files do not count: they cost little and come in bursts.
pub(super) async fn per_address(State(app): State<Arc<App>>, peer: Peer, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Server-sent events tell their refusals themselves.
    let is_stream = path == "/api/v1/stream" && request.method() == Method::POST;
    let counts = path.starts_with("/api/") || path.starts_with("/desk/api/") || path.starts_with("/demo/");
    if counts
        && !is_stream
        && !super::screen_share::is_relayed(path)
        && let Err(error) = app.limits.check_address(peer.0)
    {
        return error.into_response();
    }
    next.run(request).await
}

/// Open streams by whom they belong to.
#[derive(Default)]
pub(crate) struct StreamCounts(Mutex<HashMap<StreamOwner, usize>>);

/// Whom a stream belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StreamOwner {
    Address(IpAddr),
    EndUser(u64),
}

impl StreamOwner {
    pub(crate) fn address(address: IpAddr) -> StreamOwner {
        StreamOwner::Address(network(address))
    }
}

impl StreamCounts {
    /// Counts one more, until the place is dropped; refuses beyond `most`.
    pub(crate) fn take(app: &Arc<App>, owner: StreamOwner, most: usize) -> Result<StreamPlace, Error> {
        let mut counts = app.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(owner).or_default();
        if *count >= most {
            return Err(Error::new(ErrorCode::RateLimited, "Too many open streams: close some first."));
        }
        *count += 1;
        drop(counts);
        Ok(StreamPlace { app: Arc::clone(app), owner })
    }
}

/// A counted stream.
pub(crate) struct StreamPlace {
    app: Arc<App>,
    owner: StreamOwner,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut counts = self.app.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.owner) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_wait_is_told() {
        let limiter = Limiter::new(Rate { per_minute: 60, burst: 3 });
        for _ in 0..3 {
            limiter.check(&1).unwrap();
        }
        let error = limiter.check(&1).unwrap_err();
        assert!(error.retry_after_ms.is_some_and(|ms| (1..=1001).contains(&ms)));
        limiter.check(&2).unwrap();
        let off = Limiter::new(Rate { per_minute: 0, burst: 0 });
        for _ in 0..1000 {
            off.check(&1).unwrap();
        }
    }

    #[test]
    fn one_ipv6_network_is_one_caller() {
        let ip = |text: &str| network(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::1"), ip("2001:db8:1:3::1"));
        assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    }
}
