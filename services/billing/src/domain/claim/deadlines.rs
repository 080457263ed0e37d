//! Until when a payer takes a claim, or an appeal.

use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Claim, Frequency};

/// How long a payer waits, in days.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Windows {
    /// From the date of service until the claim is with the payer.
    pub filing_days: u16,
    /// From the adjudication until the appeal is with the payer.
    pub appeal_days: u16,
    /// How long before the end somebody is told.
    pub alert_days: u16,
}

/// What a day is the last one for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum For {
    /// The claim.
    Filing,
    /// An appeal.
    Appeal,
}

impl For {
    /// Its word.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Filing => "filing",
            Self::Appeal => "appeal",
        }
    }
}

/// The last day for something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline {
    /// What.
    pub what: For,
    /// The day.
    pub due: Date,
}

/// How near a deadline is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Alert {
    /// Far.
    None,
    /// Somebody has to act.
    Due,
    /// It is over.
    Over,
}

impl Windows {
    /// The last day for the claim for a service.
    pub fn filing_due(&self, service: Date) -> Date {
        later(service, self.filing_days)
    }

    /// The last day to appeal against what was decided on a day.
    pub fn appeal_due(&self, adjudicated: Date) -> Date {
        later(adjudicated, self.appeal_days)
    }

    /// Whether somebody has to be told today.
    pub fn alert(&self, due: Date, today: Date) -> Alert {
        if today > due {
            Alert::Over
        } else if later(today, self.alert_days) >= due {
            Alert::Due
        } else {
            Alert::None
        }
    }
}

fn later(day: Date, days: u16) -> Date {
    day.saturating_add(i64::from(days).days())
}

impl Claim {
    /// The last day for what somebody may have to do with it next, if time runs.
    ///
    /// The oldest service of an original claim is what it is late for. A claim that corrects or takes back another was
    /// in time when the other was.
    pub fn deadline(&self, windows: &Windows) -> Option<Deadline> {
        if self.status.is_unfiled() && self.frequency == Frequency::Original {
            let oldest = self.lines.iter().map(|line| line.date).min()?;
            return Some(Deadline { what: For::Filing, due: windows.filing_due(oldest) });
        }
        let adjudicated = self.adjudicated_on.filter(|_| self.status.is_adjudicated())?;
        Some(Deadline { what: For::Appeal, due: windows.appeal_due(adjudicated) })
    }
}
