//! What tells by events, and so can be told again.

use contracts::topic;
use sidecar::{documents::Kind as _, replay::Telling};

use super::{accounts::AccountData, journal::JournalData};
use crate::domain::{claim::file::ClaimFile, invoice::Invoice, payment::Payment};

/// Documents that tell, by their kind, and the topics by which they do.
pub const TELLING: Telling = &[
    (AccountData::NAME, &[topic::BILLING_ACCOUNT_OPENED]),
    (Invoice::NAME, &[topic::BILLING_INVOICE_CREATED, topic::BILLING_INVOICE_CHANGED]),
    (Payment::NAME, &[topic::BILLING_PAYMENT_RECORDED]),
    (ClaimFile::NAME, &[topic::BILLING_CLAIM_CHANGED]),
    (JournalData::NAME, &[topic::BILLING_JOURNAL_POSTED]),
];
