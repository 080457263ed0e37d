//! Sums of an invoice, and what has become of them.

use serde::{Deserialize, Serialize};

use super::{Invoice, Line, Status};
use crate::domain::money::Amount;

/// Sums of the lines, each of rounded amounts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// By the fee schedule.
    pub gross: Amount,
    /// Taken off.
    pub discount: Amount,
    /// Taxes.
    pub tax: Amount,
    /// What is asked for.
    pub total: Amount,
}

/// What has become of the total of an issued invoice: these add up to it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Open, for the patient to pay.
    pub patient_open: Amount,
    /// Open, for payers to pay.
    #[serde(default)]
    pub insurance_open: Amount,
    /// Paid by the patient.
    #[serde(default)]
    pub patient_paid: Amount,
    /// Paid by payers.
    #[serde(default)]
    pub insurance_paid: Amount,
    /// Left unpaid by contract.
    #[serde(default)]
    pub adjusted: Amount,
    /// Given up.
    #[serde(default)]
    pub written_off: Amount,
    /// Taken back.
    #[serde(default)]
    pub credited: Amount,
}

impl Totals {
    /// The sums of these lines.
    pub fn of(lines: &[Line]) -> Self {
        lines.iter().map(Line::amounts).fold(Self::default(), |sums, line| Self {
            gross: sums.gross + line.gross,
            discount: sums.discount + line.discount,
            tax: sums.tax + line.tax,
            total: sums.total + line.total,
        })
    }
}

impl Balance {
    /// What is open, whoever is to pay it.
    pub fn open(&self) -> Amount {
        self.patient_open + self.insurance_open
    }

    /// The total that it was made of.
    pub fn total(&self) -> Amount {
        self.open() + self.patient_paid + self.insurance_paid + self.adjusted + self.written_off + self.credited
    }

    /// Whether anything was done to it since it was issued.
    pub fn has_moved(&self) -> bool {
        *self != Self { patient_open: self.patient_open, ..Self::default() }
    }
}

impl Invoice {
    /// The state that follows from what has become of the total.
    pub(super) fn restate(&mut self) {
        let balance = &self.balance;
        self.status = if balance.open().is_positive() {
            let is_paid_in_part = balance.patient_paid.is_positive() || balance.insurance_paid.is_positive();
            if is_paid_in_part { Status::PartiallyPaid } else { Status::Issued }
        } else if balance.written_off.is_positive() {
            Status::WrittenOff
        } else {
            Status::Paid
        };
    }
}
