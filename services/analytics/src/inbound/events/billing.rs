//! What `billing` tells.

use contracts::billing::v1::{
    Account, ClaimOutcome, ClaimSnapshot, InvoiceSnapshot, JournalEntrySnapshot, LedgerAccount, PaymentSnapshot,
    PaymentStatus, PostedMove,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{Useless, moment, optional_id, optional_moment};
use crate::domain::{
    fact::{
        AccountFact, ClaimFact, Currency, EntryFact, Fact, InvoiceFact, Move, PaymentFact, ServiceAmount, Unfit,
        Version, code,
    },
    zone::ClinicZone,
};

pub(super) fn account(snapshot: Option<Account>) -> Result<Fact, Useless> {
    let account = snapshot.ok_or(Useless::Empty)?;
    Ok(Fact::Account(AccountFact {
        id: Uuid::parse_str(&account.account_id)?,
        patient_id: Uuid::parse_str(&account.patient_id)?,
        version: Version::parse(account.version)?,
        opened_at: moment(account.opened_time)?,
    }))
}

pub(super) fn invoice(snapshot: Option<InvoiceSnapshot>, zone: &ClinicZone) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let balance = snapshot.balance.unwrap_or_default();
    Ok(Fact::Invoice(Box::new(InvoiceFact {
        id: Uuid::parse_str(&snapshot.invoice_id)?,
        version: Version::parse(snapshot.version)?,
        time_zone: zone.name().to_owned(),
        clinic_id: optional_id(&snapshot.clinic_id)?,
        practitioner_id: optional_id(&snapshot.practitioner_id)?,
        currency: Currency::parse(&snapshot.currency_code)?,
        issued_at: optional_moment(snapshot.issued_time)?,
        patient_open: not_below_nothing(balance.patient_open)?,
        insurance_open: not_below_nothing(balance.insurance_open)?,
    })))
}

pub(super) fn payment(snapshot: Option<PaymentSnapshot>, zone: &ClinicZone) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let kept = match snapshot.status() {
        PaymentStatus::Captured | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
            snapshot.amount.checked_sub(snapshot.refunded).ok_or(Unfit::Amount)?
        }
        // Not there yet, never there, or taken back by the bank.
        _ => 0,
    };
    Ok(Fact::Payment(Box::new(PaymentFact {
        id: Uuid::parse_str(&snapshot.payment_id)?,
        version: Version::parse(snapshot.version)?,
        time_zone: zone.name().to_owned(),
        currency: Currency::parse(&snapshot.currency_code)?,
        captured_at: optional_moment(snapshot.captured_time)?,
        amount: not_below_nothing(kept)?,
    })))
}

pub(super) fn claim(snapshot: Option<ClaimSnapshot>, zone: &ClinicZone) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let first = snapshot.first_answer.as_ref();
    let denied = first.is_some_and(|first| first.outcome() != ClaimOutcome::Paid);
    Ok(Fact::Claim(Box::new(ClaimFact {
        id: Uuid::parse_str(&snapshot.claim_id)?,
        version: Version::parse(snapshot.version)?,
        time_zone: zone.name().to_owned(),
        clinic_id: optional_id(&snapshot.clinic_id)?,
        practitioner_id: optional_id(&snapshot.practitioner_id)?,
        payer_id: Uuid::parse_str(&snapshot.payer_id)?,
        currency: Currency::parse(&snapshot.currency_code)?,
        submitted_at: optional_moment(snapshot.submitted_time)?,
        total: not_below_nothing(snapshot.total)?,
        allowed: snapshot.paid.checked_add(snapshot.patient).ok_or(Unfit::Amount)?,
        paid: snapshot.paid,
        answered_on: first.map(|first| date(&first.date)).transpose()?,
        denied,
        first_pass: first.is_some_and(|first| first.first_pass),
        billed: first.map_or(0, |first| first.billed),
        denied_amount: first.and_then(|first| first.denied).unwrap_or_default(),
    })))
}

pub(super) fn entry(snapshot: Option<JournalEntrySnapshot>) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    Ok(Fact::Entry(Box::new(EntryFact {
        id: Uuid::parse_str(&snapshot.journal_id)?,
        version: Version::parse(snapshot.version)?,
        date: date(&snapshot.date)?,
        currency: Currency::parse(&snapshot.currency_code)?,
        moves: snapshot.moves.iter().map(moved).collect::<Result<_, Useless>>()?,
    })))
}

fn moved(told: &PostedMove) -> Result<Move, Useless> {
    let services =
        told.services.iter().map(|share| Ok(ServiceAmount { code: code(&share.service_code)?, amount: share.amount }));
    Ok(Move {
        debit: account_code(told.debit())?,
        credit: account_code(told.credit())?,
        amount: told.amount,
        clinic_id: optional_id(&told.clinic_id)?,
        practitioner_id: optional_id(&told.practitioner_id)?,
        payer_id: optional_id(&told.payer_id)?,
        services: services.collect::<Result<_, Unfit>>()?,
    })
}

/// An account as the measures know it: `patient-receivable`.
fn account_code(account: LedgerAccount) -> Result<String, Unfit> {
    match account {
        LedgerAccount::Unspecified => Err(Unfit::Code),
        account => Ok(word(account.as_str_name(), "LEDGER_ACCOUNT_")),
    }
}

/// The name of a value of an enum without the enum's, in kebab-case.
fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase().replace('_', "-")
}

fn date(text: &str) -> Result<Date, Unfit> {
    text.parse().map_err(|_| Unfit::Day)
}

fn not_below_nothing(amount: i64) -> Result<i64, Unfit> {
    if amount < 0 { Err(Unfit::Amount) } else { Ok(amount) }
}
