//! Invoices, payments, claims and the journal. Amounts are in the smallest unit of their currency.

use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::{Moment, Unfit, Version};

/// A currency by its code; ISO 4217.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Currency(String);

impl Currency {
    /// Takes three capital letters.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if letters { Ok(Self(text.to_owned())) } else { Err(Unfit::Currency) }
    }
}

/// An invoice as it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct InvoiceFact {
    /// Which one.
    pub id: Uuid,
    /// Which of its events.
    pub version: Version,
    /// By whose calendar it is counted.
    pub time_zone: String,
    /// Where it was made out.
    pub clinic_id: Option<Uuid>,
    /// For whose services.
    pub practitioner_id: Option<Uuid>,
    /// In what.
    pub currency: Currency,
    /// When it was issued; not yet.
    pub issued_at: Option<Moment>,
    /// Open, for the patient to pay.
    pub patient_open: i64,
    /// Open, for payers to pay.
    pub insurance_open: i64,
}

/// A payment as it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PaymentFact {
    /// Which one.
    pub id: Uuid,
    /// Which of its events.
    pub version: Version,
    /// By whose calendar it is counted.
    pub time_zone: String,
    /// In what.
    pub currency: Currency,
    /// When the money came.
    pub captured_at: Option<Moment>,
    /// What came and was not given back.
    pub amount: i64,
}

/// A claim as it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ClaimFact {
    /// Which one.
    pub id: Uuid,
    /// Which of its events.
    pub version: Version,
    /// By whose calendar it is counted.
    pub time_zone: String,
    /// Where.
    pub clinic_id: Option<Uuid>,
    /// For whose services.
    pub practitioner_id: Option<Uuid>,
    /// Who is asked.
    pub payer_id: Uuid,
    /// In what.
    pub currency: Currency,
    /// When it was first sent.
    pub submitted_at: Option<Moment>,
    /// What it asks for.
    pub total: i64,
    /// What the payer allows of it, by the answer that stands.
    pub allowed: i64,
    /// What the payer pays of it.
    pub paid: i64,
    /// The day of the first answer.
    pub answered_on: Option<Date>,
    /// Whether that denied anything.
    pub denied: bool,
    /// Whether it passed at first.
    pub first_pass: bool,
    /// What was asked for then.
    pub billed: i64,
    /// What was denied of it.
    pub denied_amount: i64,
}

/// An act of the journal as it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct EntryFact {
    /// Which one.
    pub id: Uuid,
    /// Always the first.
    pub version: Version,
    /// The day of the books.
    pub date: Date,
    /// In what.
    pub currency: Currency,
    /// What moved.
    pub moves: Vec<Move>,
}

/// An amount that moves from one account to another.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Move {
    /// The account that gets it.
    pub debit: String,
    /// The account that it comes from.
    pub credit: String,
    /// How much.
    pub amount: i64,
    /// Where.
    pub clinic_id: Option<Uuid>,
    /// For whose services.
    pub practitioner_id: Option<Uuid>,
    /// Which payer.
    pub payer_id: Option<Uuid>,
    /// The part of each service.
    pub services: Vec<ServiceAmount>,
}

/// A service, and what of an amount is for it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ServiceAmount {
    /// Its code.
    pub code: String,
    /// How much.
    pub amount: i64,
}
