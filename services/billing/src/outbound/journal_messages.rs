//! Acts as their events tell them: what moved, and what it is about.

use std::collections::BTreeMap;

use contracts::billing::v1;
use sidecar::failure::Failure;

use super::messages::{ledger_account, time};
use crate::domain::{
    collections::by_service,
    ids::{ClaimId, InvoiceId},
    invoice::Invoice,
    ledger::{About, JournalEntry, LedgerAccount, Move},
};

/// An act, with the invoices that it touched.
pub(super) fn entry(
    entry: &JournalEntry,
    invoices: &BTreeMap<InvoiceId, Invoice>,
) -> Result<v1::JournalEntrySnapshot, Failure> {
    let act = serde_json::to_value(entry.act).map_err(|error| Failure::Bug(error.to_string()))?;
    let moves = entry.postings.moves().map(|one| moved(&one, entry, invoices));
    Ok(v1::JournalEntrySnapshot {
        journal_id: entry.id.to_string(),
        version: 1,
        act: act.as_str().unwrap_or_default().to_owned(),
        date: entry.date.to_string(),
        recorded_time: Some(time(entry.recorded_at)),
        patient_id: text(entry.patient_id),
        clinic_id: text(entry.clinic_id),
        currency_code: entry.currency.code().to_owned(),
        reverses: text(entry.reverses),
        moves: moves.collect::<Result<_, _>>()?,
    })
}

fn moved(
    moved: &Move<'_>,
    entry: &JournalEntry,
    invoices: &BTreeMap<InvoiceId, Invoice>,
) -> Result<v1::PostedMove, Failure> {
    let (debit, credit) = (&moved.debit.about, &moved.credit.about);
    let invoice_id = debit.invoice_id.or(credit.invoice_id);
    let invoice = invoice_id.and_then(|id| invoices.get(&id));
    let service_code = debit.service_code.as_ref().or(credit.service_code.as_ref());
    let practitioner = invoice.and_then(|invoice| invoice.source.as_ref()).and_then(|source| source.practitioner_id);
    Ok(v1::PostedMove {
        debit: ledger_account(moved.debit.account).into(),
        credit: ledger_account(moved.credit.account).into(),
        amount: moved.amount.0,
        invoice_id: text(invoice_id),
        payment_id: text(debit.payment_id.or(credit.payment_id)),
        claim_id: text(debit.claim_id.or(credit.claim_id)),
        payer_id: text(debit.payer_id.or(credit.payer_id)),
        service_code: service_code.cloned().unwrap_or_default(),
        clinic_id: text(invoice.map(|invoice| invoice.clinic_id).or(entry.clinic_id)),
        practitioner_id: text(practitioner),
        services: services(moved, service_code, invoice)?,
        credit_claim_id: text(taken_over(debit, credit)),
    })
}

/// The claim whose expectation another one takes over: the one thing that the sides of a move are kept by two of.
fn taken_over(debit: &About, credit: &About) -> Option<ClaimId> {
    credit.claim_id.filter(|claim| debit.claim_id.is_some_and(|other| other != *claim))
}

fn services(
    moved: &Move<'_>,
    service_code: Option<&String>,
    invoice: Option<&Invoice>,
) -> Result<Vec<v1::ServiceShare>, Failure> {
    if let Some(code) = service_code {
        return Ok(vec![v1::ServiceShare { service_code: code.clone(), amount: moved.amount.0 }]);
    }
    let is_receivable =
        |account| matches!(account, LedgerAccount::PatientReceivable | LedgerAccount::InsuranceReceivable);
    if !is_receivable(moved.debit.account) && !is_receivable(moved.credit.account) {
        return Ok(Vec::new());
    }
    // Without its invoice a part of the figures would be of no service, and nobody would notice.
    let invoice = invoice.ok_or_else(|| Failure::Bug("a receivable moves without its invoice".to_owned()))?;
    let parts = by_service(moved.amount, &invoice.lines).into_iter().filter(|(_, part)| !part.is_zero());
    Ok(parts.map(|(service_code, part)| v1::ServiceShare { service_code, amount: part.0 }).collect())
}

fn text<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}
