//! Metrics: what is told of what facts count for.

pub mod catalogue;
pub mod distribution;
pub mod family;
pub mod figure;
pub mod gathered;
pub mod sums;
pub mod suppression;

use serde::{Deserialize, Serialize};

use super::zone::Group;

/// What facts count for; `fact.measure` in the database.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Patients, when they were registered.
    Registered,
    /// Those of them whose record is in use.
    Active,
    /// Appointments, when they were booked.
    Bookings,
    /// Appointments, when they begin.
    Appointments,
    /// Those that were kept.
    Kept,
    /// Those that nobody came to.
    NoShow,
    /// Those that were cancelled.
    Cancelled,
    /// Those that were cancelled within a day of their start.
    CancelledLate,
    /// Those that were moved.
    Rescheduled,
    /// Whole days from booking to start.
    LeadDays,
    /// Whole minutes from arrival to start.
    WaitMinutes,
    /// Whole minutes from arrival to end.
    CycleMinutes,
    /// Patients with an appointment, when they came.
    Arrived,
    /// Minutes that appointments take.
    BookedMinutes,
    /// Minutes that kept ones took.
    KeptMinutes,
    /// Who was put on the waiting list, when that was.
    Waited,
    /// Those of them who got a time.
    WaitedAndBooked,
    /// Encounters, when they began.
    Encounters,
    /// Those of patients who were new.
    NewPatients,
    /// Those of patients who were not.
    ReturningPatients,
    /// Those without an appointment.
    WalkIns,
    /// Units of services.
    ServiceUnits,
    /// By the fee schedule.
    Charged,
    /// Taken off before the invoice was issued.
    Discounted,
    /// Left unpaid by contract.
    Adjusted,
    /// Not asked for any more.
    WrittenOff,
    /// What invoices got.
    Collected,
    /// What is owed more than before.
    Receivable,
    /// What is open of an invoice, when that was issued.
    Open,
    /// Money that patients have paid.
    PaidIn,
    /// Claims, when they were sent.
    ClaimsSubmitted,
    /// What they ask for.
    ClaimsCharged,
    /// What the payer allows of it.
    ClaimsAllowed,
    /// What the payer has paid of it.
    ClaimsPaid,
    /// Claims, when they were first answered.
    ClaimsAnswered,
    /// Those of them that were denied, wholly or in part.
    ClaimsDenied,
    /// Those that passed at first.
    ClaimsFirstPass,
    /// What those that were answered ask for.
    ClaimsBilled,
    /// What was denied of it.
    DeniedAmount,
}

/// In what a figure is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Things.
    Count,
    /// Minutes.
    Minutes,
    /// Days.
    Days,
    /// From 0 to 1.
    Ratio,
    /// The smallest unit of a currency.
    Money,
}

/// What a figure is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Topic {
    /// Patients.
    Patients,
    /// Appointments.
    Appointments,
    /// What was done.
    Services,
    /// Money.
    Revenue,
    /// Claims.
    Claims,
}

/// By what a metric can be told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dimension {
    /// The clinic.
    Clinic,
    /// Who saw the patient.
    Practitioner,
    /// What was booked or done.
    Service,
    /// The family of codes of what was done.
    Family,
    /// Who pays.
    Payer,
    /// How long ago it was issued.
    Age,
}

/// Measures that are added up, each so many times.
pub type Combination = &'static [(Measure, i64)];

/// How a metric is made of measures.
#[derive(Clone, Copy, Debug)]
pub enum Formula {
    /// What happened in a group.
    Sum(Combination),
    /// One sum by another; nothing where nothing is divided by.
    Ratio(Combination, Combination),
    /// All that has happened until the end of a group.
    Level(Measure),
    /// The lowest value that half of a distribution are not above.
    Median(Measure),
    /// The same of nine in ten.
    NinthTenth(Measure),
    /// What is owed at the end of a group by what is charged on a day, of the ninety days before that end.
    DaysInReceivables,
    /// Minutes by those that practitioners could have been booked for.
    Utilisation(Measure),
    /// What is open now by the age of its invoice.
    Aging,
    /// The part of it that is older than ninety days.
    OverNinety,
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// What it is called in addresses: `no-show-rate`.
    pub name: &'static str,
    /// What it is called on a page.
    pub title: &'static str,
    /// What is counted, at which moment, and what is divided by what.
    pub definition: &'static str,
    /// In what.
    pub unit: Unit,
    /// Of what.
    pub topic: Topic,
    /// By what it can be told apart.
    pub dimensions: &'static [Dimension],
    /// The finest group.
    pub finest: Group,
    /// How it is made.
    pub formula: Formula,
}

impl Metric {
    /// The measures that it is made of.
    pub fn measures(&self) -> Vec<Measure> {
        let of = |combination: Combination| combination.iter().map(|(measure, _)| *measure);
        match self.formula {
            Formula::Sum(sum) => of(sum).collect(),
            Formula::Ratio(top, bottom) => of(top).chain(of(bottom)).collect(),
            Formula::Level(measure)
            | Formula::Median(measure)
            | Formula::NinthTenth(measure)
            | Formula::Utilisation(measure) => vec![measure],
            Formula::DaysInReceivables => vec![Measure::Receivable, Measure::Charged],
            Formula::Aging | Formula::OverNinety => vec![Measure::Open],
        }
    }

    /// Whether it is read of distributions.
    pub fn is_distribution(&self) -> bool {
        matches!(self.formula, Formula::Median(_) | Formula::NinthTenth(_))
    }

    /// Whether it is of all that has ever happened.
    pub fn is_level(&self) -> bool {
        matches!(self.formula, Formula::Level(_) | Formula::DaysInReceivables)
    }

    /// Whether it is of the present alone.
    pub fn is_of_now(&self) -> bool {
        matches!(self.formula, Formula::Aging | Formula::OverNinety)
    }
}
