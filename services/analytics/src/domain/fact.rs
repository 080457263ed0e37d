//! Facts: what the newest event of an aggregate told of it, as far as it is counted.

mod money;
mod visits;

pub use self::{
    money::{ClaimFact, Currency, EntryFact, InvoiceFact, Move, PaymentFact, ServiceAmount},
    visits::{AppointmentFact, EncounterFact, ServiceUnits},
};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::Serialize;
use uuid::Uuid;

/// What one event tells; in JSON as the table of its kind has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// Of a patient.
    Patient(PatientFact),
    /// Of a billing account.
    Account(AccountFact),
    /// Of an appointment.
    Appointment(Box<AppointmentFact>),
    /// Of an encounter.
    Encounter(Box<EncounterFact>),
    /// Of an invoice.
    Invoice(Box<InvoiceFact>),
    /// Of a payment.
    Payment(Box<PaymentFact>),
    /// Of a claim.
    Claim(Box<ClaimFact>),
    /// Of an act of the journal.
    Entry(Box<EntryFact>),
}

/// A kind of fact: the table that it is kept in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FactKind {
    /// Patients.
    Patients,
    /// Billing accounts.
    Accounts,
    /// Appointments.
    Appointments,
    /// Encounters.
    Encounters,
    /// Invoices.
    Invoices,
    /// Payments.
    Payments,
    /// Claims.
    Claims,
    /// Acts of the journal.
    Entries,
}

impl FactKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Patients,
        Self::Accounts,
        Self::Appointments,
        Self::Encounters,
        Self::Invoices,
        Self::Payments,
        Self::Claims,
        Self::Entries,
    ];

    /// What the database calls it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Patients => "patients",
            Self::Accounts => "accounts",
            Self::Appointments => "appointments",
            Self::Encounters => "encounters",
            Self::Invoices => "invoices",
            Self::Payments => "payments",
            Self::Claims => "claims",
            Self::Entries => "entries",
        }
    }
}

impl Fact {
    /// Of which kind it is.
    pub const fn kind(&self) -> FactKind {
        match self {
            Self::Patient(_) => FactKind::Patients,
            Self::Account(_) => FactKind::Accounts,
            Self::Appointment(_) => FactKind::Appointments,
            Self::Encounter(_) => FactKind::Encounters,
            Self::Invoice(_) => FactKind::Invoices,
            Self::Payment(_) => FactKind::Payments,
            Self::Claim(_) => FactKind::Claims,
            Self::Entry(_) => FactKind::Entries,
        }
    }
}

/// A patient as they are counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PatientFact {
    /// Whom it is about.
    pub id: Uuid,
    /// Which of their events.
    pub version: Version,
    /// By whose calendar it is counted.
    pub time_zone: String,
    /// When their record was made.
    pub registered_at: Moment,
    /// When this version of it was made.
    pub changed_at: Moment,
    /// Administrative gender, when it was given.
    pub gender: Option<Gender>,
    /// Age at `changed_at`, when the birth date was given.
    pub age_band: Option<AgeBand>,
    /// Whether the record is in use.
    pub active: bool,
}

/// An account as it is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct AccountFact {
    /// Which account.
    pub id: Uuid,
    /// Whose it is.
    pub patient_id: Uuid,
    /// Which of its events.
    pub version: Version,
    /// When it was opened.
    pub opened_at: Moment,
}

/// Why an event tells no fact: another delivery would not mend it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unfit {
    /// Versions count from 1.
    #[error("the version is not above 0")]
    Version,
    /// Absent, impossible, or of another age.
    #[error("a time is not between the years {EARLIEST_YEAR} and {LATEST_YEAR}")]
    Moment,
    /// Neither a span nor an open end.
    #[error("the age band is not of the kind 30-39 or 90+")]
    AgeBand,
    /// No code of ISO 4217.
    #[error("the currency is not three capital letters")]
    Currency,
    /// No day of a calendar.
    #[error("a day is not of the kind 2026-11-30")]
    Day,
    /// More than any chart of codes has, or none.
    #[error("a code has no character, or more than {LONGEST_CODE}")]
    Code,
    /// Nobody's place.
    #[error("the time zone is not that of a place")]
    TimeZone,
    /// Below nothing, or beyond what any clinic does.
    #[error("an amount is out of bounds")]
    Amount,
}

/// A version of an aggregate: of two, the higher one is true.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Version(i64);

impl Version {
    /// Takes a version as an event has it.
    pub fn parse(number: i64) -> Result<Self, Unfit> {
        if number > 0 { Ok(Self(number)) } else { Err(Unfit::Version) }
    }

    /// The number.
    pub fn number(self) -> i64 {
        self.0
    }
}

/// No code is longer.
pub const LONGEST_CODE: usize = 40;

/// Takes a code of a service or a word of a contract; nothing long gets in, for it is shown to many.
pub fn code(text: &str) -> Result<String, Unfit> {
    if text.is_empty() || text.len() > LONGEST_CODE { Err(Unfit::Code) } else { Ok(text.to_owned()) }
}

/// Nothing that is counted here is older.
pub const EARLIEST_YEAR: i16 = 1900;
/// What is later is a mistake, and the end of calendars is far.
pub const LATEST_YEAR: i16 = 2999;

/// A time that something happened at, to the microsecond, which is what the database holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Moment(Timestamp);

impl Moment {
    /// Takes a time as an event has it, in seconds since 1970 and nanoseconds.
    pub fn parse(seconds: i64, nanoseconds: i32) -> Result<Self, Unfit> {
        // Towards the past: the last nanosecond of a day must not be counted on the next.
        let round = TimestampRound::new().smallest(Unit::Microsecond).mode(RoundMode::Floor);
        let time =
            Timestamp::new(seconds, nanoseconds).and_then(|time| time.round(round)).map_err(|_| Unfit::Moment)?;
        let year = jiff::tz::Offset::UTC.to_datetime(time).year();
        if (EARLIEST_YEAR..=LATEST_YEAR).contains(&year) { Ok(Self(time)) } else { Err(Unfit::Moment) }
    }

    /// The time.
    pub fn time(self) -> Timestamp {
        self.0
    }
}

/// <http://hl7.org/fhir/R4/valueset-administrative-gender.html>
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gender {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Neither.
    Other,
    /// Not known.
    Unknown,
}

/// Age in years, as coarse as the producer tells it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AgeBand(String);

impl AgeBand {
    /// Takes a band such as `30-39` or `90+`; nothing else gets in, for this text is shown to many.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let years = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let open = text.strip_suffix('+').is_some_and(years);
        let span = text.split_once('-').is_some_and(|(from, to)| years(from) && years(to));
        if open || span { Ok(Self(text.to_owned())) } else { Err(Unfit::AgeBand) }
    }

    /// The band as it was told.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one() {
        assert_eq!(Version::parse(1).unwrap().number(), 1);
        assert_eq!([Version::parse(0), Version::parse(i64::MIN)], [Err(Unfit::Version); 2]);
    }

    #[test]
    fn a_moment_is_never_later_than_it_was_told() {
        let midnight: Timestamp = "2026-11-23T05:00:00Z".parse().unwrap();
        let before = Moment::parse(midnight.as_second() - 1, 999_999_999).unwrap();
        assert_eq!(before.time().to_string(), "2026-11-23T04:59:59.999999Z");
        let long_ago: Timestamp = "1969-12-31T23:59:59.9999999Z".parse().unwrap();
        let before_the_epoch = Moment::parse(long_ago.as_second(), long_ago.subsec_nanosecond()).unwrap();
        assert_eq!(before_the_epoch.time().to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn times_of_no_clinic_are_refused() {
        for (seconds, nanoseconds) in
            [(i64::MAX, 0), (i64::MIN, 0), (-2_208_988_801, 0), (32_503_680_000, 0), (0, i32::MAX)]
        {
            assert_eq!(Moment::parse(seconds, nanoseconds), Err(Unfit::Moment), "{seconds} {nanoseconds}");
        }
        assert!(Moment::parse(-2_208_988_800, 0).is_ok() && Moment::parse(32_503_679_999, 999_999_999).is_ok());
    }

    #[test]
    fn an_age_band_is_no_free_text() {
        for good in ["0-9", "30-39", "90+", "100-109"] {
            assert_eq!(AgeBand::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-", "+", "30", "30-", "1984-02-11", "Ada", "30-39 Ada", "٣-٤", "30-39+"] {
            assert_eq!(AgeBand::parse(bad), Err(Unfit::AgeBand), "{bad}");
        }
    }
}
