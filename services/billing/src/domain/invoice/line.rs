//! What is on an invoice.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{
    fees::{Code, Tax},
    money::{Amount, LARGEST},
};

/// As many as a claim can have at most, 837P.
pub const MOST_LINES: usize = 50;

/// What is taken off a line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Discount {
    /// Before tax.
    pub amount: Amount,
    /// Why.
    pub reason: String,
}

/// One service, as often as it was done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The service.
    #[serde(flatten)]
    pub code: Code,
    /// At most four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The day on which it was done.
    pub date: Date,
    /// How often, from 1.
    pub units: u32,
    /// The price of one without tax; none while nobody knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Amount>,
    /// What is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// The tax.
    #[serde(default)]
    pub tax: Tax,
    /// Places in the invoice's diagnoses, from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnoses: Vec<u32>,
    /// What was taken back of it, with tax.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub credited: Amount,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(amount: &Amount) -> bool {
    amount.is_zero()
}

/// What a line comes to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LineAmounts {
    /// Units times price.
    pub gross: Amount,
    /// What is taken off.
    pub discount: Amount,
    /// Of gross less discount.
    pub tax: Amount,
    /// What is asked for.
    pub total: Amount,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BadLine {
    /// No unit at all, or so many that nobody counts them.
    Units,
    /// Below nothing, or above [`LARGEST`] in all.
    Price,
    /// Below nothing, or more than the line.
    Discount,
    /// More than four modifiers.
    Modifiers,
    /// A diagnosis that is not there, or more than four.
    Diagnoses,
}

impl Line {
    /// What it comes to; rounded once.
    pub fn amounts(&self) -> LineAmounts {
        let gross = self.unit_price.and_then(|price| price.times(self.units)).unwrap_or_default();
        let discount = self.discount.as_ref().map(|discount| discount.amount).unwrap_or_default();
        let tax = self.tax.rate.of(gross - discount);
        LineAmounts { gross, discount, tax, total: gross - discount + tax }
    }

    /// How much of the tax is in the part of the total that was taken back. Of the whole it is the whole tax, so parts
    /// that are taken back one after the other never come to more or less.
    pub fn tax_within(&self, part: Amount) -> Amount {
        let amounts = self.amounts();
        let [tax, _] = *part.split(&[amounts.tax, amounts.total - amounts.tax]) else { return Amount::ZERO };
        tax
    }

    /// Everything that is wrong with it on an invoice with so many diagnoses.
    pub fn check(&self, diagnoses: usize) -> Vec<BadLine> {
        let gross = self.unit_price.map_or(Some(Amount::ZERO), |price| price.times(self.units.max(1)));
        let in_range = |amount: Amount| (Amount::ZERO..=LARGEST).contains(&amount);
        let discount = self.discount.as_ref().map(|discount| discount.amount).unwrap_or_default();
        let is_there = |place: &u32| (1..=diagnoses).contains(&usize::try_from(*place).unwrap_or(usize::MAX));
        let bad = [
            (!(1..=9_999).contains(&self.units), BadLine::Units),
            (!gross.is_some_and(in_range), BadLine::Price),
            (discount < Amount::ZERO || gross.is_some_and(|gross| discount > gross), BadLine::Discount),
            (self.modifiers.len() > 4, BadLine::Modifiers),
            (self.diagnoses.len() > 4 || !self.diagnoses.iter().all(is_there), BadLine::Diagnoses),
        ];
        bad.into_iter().filter_map(|(is_so, bad)| is_so.then_some(bad)).collect()
    }
}
