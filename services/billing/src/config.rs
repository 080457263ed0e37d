//! Settings; the README's table describes them.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use jiff::tz::TimeZone;
use runtime::{AppConfig, Environment, environment::BadEnvironment};

use crate::{
    domain::money::{Amount, Currency, LARGEST},
    service::Settings,
};

/// What everything is counted in, three letters of ISO 4217.
pub const ENV_BOOKS_CURRENCY: &str = "BOOKS_CURRENCY";
/// Where the days of the books begin and end, an IANA zone.
pub const ENV_BOOKS_TIME_ZONE: &str = "BOOKS_TIME_ZONE";
/// Above this a refund takes two people, in minor units.
pub const ENV_REFUND_LIMIT: &str = "REFUND_LIMIT";
/// How many days a patient has for paying an invoice.
pub const ENV_PAYMENT_TERMS_DAYS: &str = "PAYMENT_TERMS_DAYS";

/// How many seconds pass between two times that `patient` is asked for what it has told.
pub const ENV_RECONCILE_EVERY_SECONDS: &str = "RECONCILE_EVERY_SECONDS";

const DEFAULT_CURRENCY: &str = "EUR";
const DEFAULT_REFUND_LIMIT: i64 = 20_000;
const DEFAULT_PAYMENT_TERMS_DAYS: u16 = 30;
const DEFAULT_RECONCILE_EVERY_SECONDS: NonZeroU32 = NonZeroU32::new(3_600).unwrap();

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// How the books are kept.
    pub books: Settings,
    /// How long after one time `patient` is asked again for what it has told.
    pub reconcile_every: Duration,
}

struct Code(Currency);

impl FromStr for Code {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Currency::from_code(text).map(Self).ok_or("it is no currency of ISO 4217")
    }
}

struct Zone(TimeZone);

impl FromStr for Zone {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        TimeZone::get(text).map(Self).map_err(|_| "it is no IANA zone")
    }
}

struct Limit(Amount);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let limit = text.parse().ok().map(Amount).filter(|limit| (Amount::ZERO..=LARGEST).contains(limit));
        limit.map(Self).ok_or("it is no amount in minor units")
    }
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let currency = environment.optional::<Code>(ENV_BOOKS_CURRENCY).map(|code| code.0);
        let zone = environment.optional::<Zone>(ENV_BOOKS_TIME_ZONE).map_or(TimeZone::UTC, |zone| zone.0);
        let limit = environment.optional::<Limit>(ENV_REFUND_LIMIT).map(|limit| limit.0);
        let terms = environment.optional::<u16>(ENV_PAYMENT_TERMS_DAYS).unwrap_or(DEFAULT_PAYMENT_TERMS_DAYS);
        let pause = environment.optional::<NonZeroU32>(ENV_RECONCILE_EVERY_SECONDS);
        let pause = pause.unwrap_or(DEFAULT_RECONCILE_EVERY_SECONDS);
        let whole = app.zip(currency.or_else(|| Currency::from_code(DEFAULT_CURRENCY)));
        environment.finish(whole.map(|(app, currency)| Self {
            app,
            books: Settings {
                zone,
                currency,
                refund_limit: limit.unwrap_or(Amount(DEFAULT_REFUND_LIMIT)),
                payment_terms: terms,
            },
            reconcile_every: Duration::from_secs(pause.get().into()),
        }))
    }
}
