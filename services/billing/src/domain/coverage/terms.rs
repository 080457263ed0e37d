//! How a plan shares costs with its member. What a service is worth is not here: that stands in the contract between
//! payer and provider.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Amount, Currency, LARGEST, Rate};

/// A plan's terms.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// What the amounts are in.
    pub currency: Currency,
    /// A fixed amount by the member, before all else.
    pub copay: Copay,
    /// Whether what has a copay is free of the deductible.
    pub copay_skips_deductible: bool,
    /// What the member pays in a plan year before the plan does.
    pub deductible: Amount,
    /// The member's part of what is left.
    pub coinsurance: Rate,
    /// The most that a member pays in a plan year; none where the plan has no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_pocket_maximum: Option<Amount>,
    /// When deductible and maximum begin anew.
    pub plan_year: PlanYear,
    /// What it pays after another.
    pub secondary_rule: SecondaryRule,
}

/// A fixed amount by the member.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Copay {
    /// None.
    Free,
    /// Once for a day of a claim, of which every line then is one with a copay.
    PerVisit(Amount),
    /// For each line of one of these procedure codes, and no other.
    PerService(BTreeMap<String, Amount>),
}

/// What a plan pays when another has paid before it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondaryRule {
    /// Its normal benefit, up to what the other left to the patient (NAIC Model 120).
    Standard,
    /// What its normal benefit is above what the other paid.
    NonDuplication,
    /// Its normal benefit for what the other did not pay, after its own cost sharing.
    MaintenanceOfBenefits,
}

/// The day on which a plan year begins; not on 29 February, which most years have not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "(i8, i8)", into = "(i8, i8)")]
pub struct PlanYear {
    month: i8,
    day: i8,
}

impl PlanYear {
    /// The plan year that is the calendar's.
    pub const CALENDAR: Self = Self { month: 1, day: 1 };

    /// The plan year that begins on a day of every year.
    pub fn starting(month: i8, day: i8) -> Option<Self> {
        Date::new(2001, month, day).is_ok().then_some(Self { month, day })
    }

    /// The first day of the plan year that a day is in.
    pub fn of(self, day: Date) -> Date {
        let begins = |year| Date::new(year, self.month, self.day).ok();
        let this_year = begins(day.year()).filter(|begin| *begin <= day);
        // Only the first year of all has none before it.
        this_year.or_else(|| begins(day.year() - 1)).unwrap_or(Date::MIN)
    }
}

impl TryFrom<(i8, i8)> for PlanYear {
    type Error = &'static str;

    fn try_from((month, day): (i8, i8)) -> Result<Self, Self::Error> {
        Self::starting(month, day).ok_or("must be a month and a day that every year has")
    }
}

impl From<PlanYear> for (i8, i8) {
    fn from(year: PlanYear) -> Self {
        (year.month, year.day)
    }
}

/// What is wrong with terms.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where, from the terms on.
    pub pointer: String,
    /// What.
    pub words: &'static str,
}

impl Terms {
    /// Everything that is wrong with the amounts.
    pub fn faults(&self) -> Vec<Fault> {
        let mut amounts = vec![("/deductible".to_owned(), self.deductible)];
        amounts.extend(self.out_of_pocket_maximum.map(|maximum| ("/outOfPocketMaximum".to_owned(), maximum)));
        match &self.copay {
            Copay::Free => {}
            Copay::PerVisit(copay) => amounts.push(("/copay".to_owned(), *copay)),
            Copay::PerService(copays) => {
                amounts.extend(copays.iter().map(|(procedure, copay)| (format!("/copay/{procedure}"), *copay)));
            }
        }
        let wrong = amounts.into_iter().filter(|(_, amount)| *amount < Amount::ZERO || *amount > LARGEST);
        wrong.map(|(pointer, _)| Fault { pointer, words: "must be an amount that is not negative" }).collect()
    }
}
