//! Token buckets, and the headers that tell how full they are.
//!
//! <https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html>

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    str::FromStr,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use problem::{Kind, Problem};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// So many requests at once, and as many again in so many seconds: `300/30`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    requests: NonZeroU32,
    seconds: NonZeroU32,
}

/// The text is no rate.
#[derive(Debug, thiserror::Error)]
#[error("it is not REQUESTS/SECONDS, two numbers above 0")]
pub struct NoRate;

/// Who connects: an IPv4 address, or the 64 bits of an IPv6 address that a client cannot choose.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct AddressKey(IpAddr);

/// A bucket for each key.
pub(super) struct Buckets<K: Clone + Eq + Hash> {
    name: &'static str,
    rate: Rate,
    policy: Option<HeaderValue>,
    limiter: DefaultKeyedRateLimiter<K, StateInformationMiddleware>,
}

impl Rate {
    /// A rate of so many requests in so many seconds; one at least of each.
    pub const fn new(requests: u32, seconds: u32) -> Self {
        const fn at_least_one(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Self { requests: at_least_one(requests), seconds: at_least_one(seconds) }
    }

    /// What one request takes to come back.
    fn period(self) -> Duration {
        let period = Duration::from_secs(self.seconds.get().into()) / self.requests.get();
        period.max(Duration::from_nanos(1))
    }
}

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let (requests, seconds) = text.split_once('/').ok_or(NoRate)?;
        let number = |text: &str| text.trim().parse().map_err(|_| NoRate);
        Ok(Self { requests: number(requests)?, seconds: number(seconds)? })
    }
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    pub(super) fn new(name: &'static str, rate: Rate) -> Self {
        let quota = Quota::with_period(rate.period()).unwrap_or(Quota::per_second(rate.requests));
        let policy = format!("\"{name}\";q={};w={}", rate.requests, rate.seconds);
        Self {
            name,
            rate,
            policy: HeaderValue::try_from(policy).ok(),
            limiter: RateLimiter::keyed(quota.allow_burst(rate.requests)).with_middleware(),
        }
    }

    /// Takes a token from a bucket, and says how many are left.
    pub(super) fn take(&self, key: &K, told: &mut HeaderMap) -> Result<(), Problem> {
        let taken = self.limiter.check_key(key);
        let (left, wait) = match &taken {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(DefaultClock::default().now()))),
        };
        if let Some(policy) = &self.policy {
            told.append(RATE_LIMIT_POLICY, policy.clone());
        }
        let full = self.rate.period() * self.rate.requests.get().saturating_sub(left);
        let state = format!("\"{}\";r={left};t={}", self.name, up_to_seconds(full));
        if let Ok(state) = HeaderValue::try_from(state) {
            told.append(RATE_LIMIT, state);
        }
        let Some(wait) = wait else { return Ok(()) };
        let mut problem = Problem::new(Kind::RateLimited, "That was too much at once; come back later.");
        problem.retry_after = Some(Duration::from_secs(up_to_seconds(wait)));
        Err(problem.with("limit", self.name))
    }

    /// Forgets buckets that are full.
    pub(super) fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// How many are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }
}

impl<K: Clone + Eq + Hash> std::fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buckets").field("name", &self.name).field("rate", &self.rate).finish_non_exhaustive()
    }
}

fn up_to_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_rate_is_two_numbers() {
        assert_eq!("300/30".parse::<Rate>().unwrap(), Rate::new(300, 30));
        for bad in ["", "300", "0/30", "300/0", "-1/2", "a/b", "1/2/3"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_of_ipv6_has_one_bucket() {
        let key = |address: &str| AddressKey::from(address.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn a_bucket_empties_and_tells_so_and_fills_again() {
        let buckets = Buckets::new("user", Rate::new(3, 3));
        for left in ["\"user\";r=2;t=1", "\"user\";r=1;t=2", "\"user\";r=0;t=3"] {
            let mut told = HeaderMap::new();
            buckets.take(&1, &mut told).unwrap();
            assert!(told[RATE_LIMIT] == left && told[RATE_LIMIT_POLICY] == "\"user\";q=3;w=3", "{told:?}");
        }
        let mut told = HeaderMap::new();
        let refused = buckets.take(&1, &mut told).unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (Kind::RateLimited, Some(Duration::from_secs(1))));
        assert_eq!(told[RATE_LIMIT], "\"user\";r=0;t=3");
        assert!(buckets.take(&2, &mut HeaderMap::new()).is_ok(), "somebody else has a bucket of their own");
        let since = Instant::now();
        while buckets.take(&1, &mut HeaderMap::new()).is_err() {
            assert!(since.elapsed() < Duration::from_secs(5), "it does not fill again");
        }
        assert!(since.elapsed() > Duration::from_millis(500), "it fills at once");
        assert!(buckets.take(&1, &mut HeaderMap::new()).is_err());
    }

    #[test]
    fn who_has_not_asked_for_a_while_is_forgotten() {
        let buckets = Buckets::new("user", Rate::new(1000, 1));
        for key in 0..500 {
            buckets.take(&key, &mut HeaderMap::new()).unwrap();
        }
        assert_eq!(buckets.len(), 500);
        let since = Instant::now();
        while !buckets.limiter.is_empty() {
            assert!(since.elapsed() < Duration::from_secs(5), "{} are not forgotten", buckets.limiter.len());
            buckets.sweep();
        }
    }
}
