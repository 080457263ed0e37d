//! What services cost: schedules of fees, each from a day on, for everybody or for one payer.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    ids::{FeeScheduleId, PayerId},
    money::{Amount, Currency, LARGEST, Rate},
};

/// As many as one document can hold without making each change of it slow.
pub const MOST_FEES: usize = 5_000;

/// A code of a system, such as one of HCPCS.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Code {
    /// The URI of the system.
    pub system: String,
    /// The code.
    pub code: String,
}

/// How a service is taxed, by the categories of UN/ECE 5305.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaxCategory {
    /// Not at all, because the law says so; `E`. Most of what heals is (2006/112/EC, article 132).
    #[default]
    Exempt,
    /// At nothing; `Z`.
    Zero,
    /// At a rate; `S`.
    Standard,
}

/// A tax: halves of a minor unit are rounded up, line by line.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tax {
    /// How.
    pub category: TaxCategory,
    /// How much of the price without it; nothing unless the category is standard.
    #[serde(default)]
    pub rate: Rate,
}

/// What one service costs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fee {
    /// The service.
    #[serde(flatten)]
    pub code: Code,
    /// With this modifier alone; without one, with any that has no fee of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<String>,
    /// What it is called on an invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// For one unit, without tax.
    pub unit_price: Amount,
    /// The tax.
    #[serde(default)]
    pub tax: Tax,
}

/// Fees that hold from a day on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeSchedule {
    /// What it is called by.
    #[serde(skip, default = "FeeSchedule::no_id")]
    pub id: FeeScheduleId,
    /// What people call it.
    pub name: String,
    /// Whose patients it is for; everybody's without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<PayerId>,
    /// The first day of service that it holds for.
    pub effective_from: Date,
    /// The last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Date>,
    /// The currency of every fee.
    pub currency: Currency,
    /// The fees; no two for the same.
    pub fees: Vec<Fee>,
    /// When it came to be.
    pub created_at: Timestamp,
}

/// What is wrong with a schedule; `at` is the index of a fee.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BadSchedule {
    /// It ends before it begins.
    EndsBefore,
    /// It has more than [`MOST_FEES`].
    TooMany,
    /// A price is below nothing or above [`LARGEST`].
    Price {
        /// Which fee.
        at: usize,
    },
    /// A tax that is not standard has a rate, or one that is has none.
    Tax {
        /// Which fee.
        at: usize,
    },
    /// Another fee before it is for the same.
    Twice {
        /// Which fee.
        at: usize,
    },
}

impl FeeSchedule {
    fn no_id() -> FeeScheduleId {
        FeeScheduleId(uuid::Uuid::nil())
    }

    /// Everything that is wrong with it.
    pub fn check(&self) -> Vec<BadSchedule> {
        let mut bad = Vec::new();
        if self.effective_to.is_some_and(|to| to < self.effective_from) {
            bad.push(BadSchedule::EndsBefore);
        }
        if self.fees.len() > MOST_FEES {
            bad.push(BadSchedule::TooMany);
            return bad;
        }
        let mut seen = BTreeSet::new();
        for (at, fee) in self.fees.iter().enumerate() {
            if fee.unit_price < Amount::ZERO || fee.unit_price > LARGEST {
                bad.push(BadSchedule::Price { at });
            }
            if (fee.tax.category == TaxCategory::Standard) == (fee.tax.rate == Rate::default()) {
                bad.push(BadSchedule::Tax { at });
            }
            if !seen.insert((&fee.code, &fee.modifier)) {
                bad.push(BadSchedule::Twice { at });
            }
        }
        bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fee(code: &str, modifier: Option<&str>, price: i64) -> Fee {
        Fee {
            code: Code { system: "urn:x".to_owned(), code: code.to_owned() },
            modifier: modifier.map(str::to_owned),
            text: None,
            unit_price: Amount(price),
            tax: Tax::default(),
        }
    }

    fn schedule(fees: Vec<Fee>) -> FeeSchedule {
        FeeSchedule {
            id: FeeSchedule::no_id(),
            name: "2026".to_owned(),
            payer_id: None,
            effective_from: "2026-01-01".parse().unwrap(),
            effective_to: None,
            currency: Currency::from_code("EUR").unwrap(),
            fees,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_fee_is_for_one_thing() {
        let good = schedule(vec![fee("A", None, 100), fee("A", Some("25"), 120), fee("B", None, 0)]);
        assert_eq!(good.check(), []);
        let twice = schedule(vec![fee("A", None, 100), fee("A", None, 120)]);
        assert_eq!(twice.check(), [BadSchedule::Twice { at: 1 }]);
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let mut bad = schedule(vec![fee("A", None, -1), fee("B", None, LARGEST.0 + 1), fee("C", None, 1)]);
        bad.effective_to = Some("2025-12-31".parse().unwrap());
        bad.fees[2].tax = Tax { category: TaxCategory::Standard, rate: Rate::default() };
        let wrong = [
            BadSchedule::EndsBefore,
            BadSchedule::Price { at: 0 },
            BadSchedule::Price { at: 1 },
            BadSchedule::Tax { at: 2 },
        ];
        assert_eq!(bad.check(), wrong);
        assert_eq!(schedule(vec![fee("A", None, 1); MOST_FEES + 1]).check(), [BadSchedule::TooMany]);
    }
}
