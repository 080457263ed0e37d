//! What is owed to the clinic, by how long it has been: aging, and days in receivables.

use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};

use super::money::Amount;

/// Who has to pay.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Responsibility {
    /// The patient.
    Patient,
    /// A payer, who was sent a claim.
    Payer,
}

impl Responsibility {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Patient, Self::Payer];
}

/// How many days ago an invoice was issued.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Bucket {
    /// 0 to 30.
    UpTo30,
    /// 31 to 60.
    UpTo60,
    /// 61 to 90.
    UpTo90,
    /// 91 to 120.
    UpTo120,
    /// 121 and more.
    Above120,
}

impl Bucket {
    /// All of them, the youngest first.
    pub const ALL: [Self; 5] = [Self::UpTo30, Self::UpTo60, Self::UpTo90, Self::UpTo120, Self::Above120];

    /// The least age in it, in days.
    pub const fn first(self) -> u16 {
        match self {
            Self::UpTo30 => 0,
            Self::UpTo60 => 31,
            Self::UpTo90 => 61,
            Self::UpTo120 => 91,
            Self::Above120 => 121,
        }
    }

    /// The greatest age in it; the last has none.
    pub const fn last(self) -> Option<u16> {
        match self {
            Self::UpTo30 => Some(30),
            Self::UpTo60 => Some(60),
            Self::UpTo90 => Some(90),
            Self::UpTo120 => Some(120),
            Self::Above120 => None,
        }
    }

    /// The days of issue that are of that age on a day, from the first, where there is one, to the last.
    pub fn issued(self, on: Date) -> (Option<Date>, Date) {
        let before = |days: u16| on.saturating_sub(Span::new().days(i64::from(days)));
        (self.last().map(before), before(self.first()))
    }
}

/// How many days of charging the receivables are, in tenths of a day, halves away from zero: receivables without credit
/// balances, by what is charged on a day. None where nothing was charged.
pub fn days_in_receivables(receivables: Amount, credits: Amount, charges: Amount, days: u16) -> Option<i64> {
    ratio((receivables - credits).0, i64::from(days) * 10, charges)
}

/// What was paid of what could be expected to be paid, in millionths, halves away from zero: of what was charged without
/// what contracts with payers leave unpaid. None where nothing could be expected.
pub fn net_collection_rate(payments: Amount, charges: Amount, contractual: Amount) -> Option<i64> {
    ratio(payments.0, 1_000_000, charges - contractual)
}

fn ratio(amount: i64, scale: i64, by: Amount) -> Option<i64> {
    if !by.is_positive() {
        return None;
    }
    let (product, by) = (i128::from(amount) * i128::from(scale), i128::from(by.0));
    i64::try_from((2 * product + by * product.signum()) / (2 * by)).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_age_is_in_one_bucket() {
        assert_eq!(Bucket::ALL[0].first(), 0);
        for pair in Bucket::ALL.windows(2) {
            assert_eq!(pair[0].last().map(|last| last + 1), Some(pair[1].first()));
        }
        assert_eq!(Bucket::ALL[4].last(), None);
        assert_eq!(Bucket::ALL.map(Bucket::first), [0, 31, 61, 91, 121]);
    }

    #[test]
    fn a_bucket_is_days_of_issue() {
        let day = date(2026, 12, 31);
        assert_eq!(Bucket::UpTo30.issued(day), (Some(date(2026, 12, 1)), day));
        assert_eq!(Bucket::UpTo60.issued(day), (Some(date(2026, 11, 1)), date(2026, 11, 30)));
        assert_eq!(Bucket::Above120.issued(day), (None, date(2026, 9, 1)));
        for pair in Bucket::ALL.windows(2) {
            assert_eq!(pair[0].issued(day).0, pair[1].issued(day).1.tomorrow().ok());
        }
    }

    #[test]
    fn receivables_are_days_of_charging() {
        let days = |receivables, credits, charges, days| {
            days_in_receivables(Amount(receivables), Amount(credits), Amount(charges), days)
        };
        // 1,000 a day for 90 days, 40 of them open, two days' worth paid ahead.
        assert_eq!(days(40_000, 2_000, 90_000, 90), Some(380));
        assert_eq!(days(40_050, 0, 90_000, 90), Some(401), "a half is rounded up");
        assert_eq!(days(40_049, 0, 90_000, 90), Some(400));
        assert_eq!(days(0, 1_000, 90_000, 90), Some(-10), "more is owed to patients than by them");
        assert_eq!(days(40_000, 0, 0, 90), None);
        assert_eq!(days(i64::MAX / 2, 0, i64::MAX / 2, 366), Some(3_660));
    }

    #[test]
    fn what_could_not_be_expected_is_not_missed() {
        let rate = |paid, charged, left| net_collection_rate(Amount(paid), Amount(charged), Amount(left));
        assert_eq!(rate(57_000, 100_000, 40_000), Some(950_000));
        assert_eq!(rate(100_000, 100_000, 0), Some(1_000_000));
        assert_eq!(rate(1, 3, 0), Some(333_333));
        assert_eq!(rate(2, 3, 0), Some(666_667));
        assert_eq!(rate(5, 100, 100), None);
    }
}
