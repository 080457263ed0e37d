//! Invoices, payments and fee schedules as the contract tells them.

use contracts::billing::v1;
use jiff::Timestamp;

use crate::domain::{
    fees::{Fee, FeeSchedule, Tax, TaxCategory},
    invoice::{self, Balance, CreditNote, Invoice, Line, Review},
    ledger::LedgerAccount,
    payment::{self, Method, Payment, RefundStatus},
};

/// A time.
pub fn time(time: Timestamp) -> contracts::Timestamp {
    contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

pub(super) fn version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(super) fn small(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

/// An invoice.
pub fn invoice(invoice: &Invoice, at: u64) -> v1::Invoice {
    let totals = invoice.totals();
    let source = invoice.source.as_ref();
    v1::Invoice {
        invoice_id: invoice.id.to_string(),
        version: version(at),
        patient_id: invoice.patient_id.to_string(),
        clinic_id: invoice.clinic_id.to_string(),
        encounter_id: source.map(|source| source.encounter_id.to_string()),
        practitioner_id: source.and_then(|source| source.practitioner_id).map(|id| id.to_string()),
        status: invoice_status(invoice.status).into(),
        review: invoice.review.iter().map(|&found| review(found).into()).collect(),
        currency_code: invoice.currency.code().to_owned(),
        lines: (1_u32..).zip(&invoice.lines).map(|(sequence, found)| line(sequence, found)).collect(),
        diagnoses: invoice
            .diagnoses
            .iter()
            .map(|code| v1::Diagnosis { system: code.system.clone(), code: code.code.clone() })
            .collect(),
        gross: totals.gross.0,
        discount: totals.discount.0,
        tax: totals.tax.0,
        total: totals.total.0,
        balance: invoice.number.is_some().then(|| balance(&invoice.balance)),
        number: invoice.number.as_ref().map(|number| number.text.clone()),
        created_time: Some(time(invoice.created_at)),
        issued_time: invoice.issued_at.map(time),
        due_date: invoice.due.map(|due| due.to_string()),
        credit_notes: invoice.credit_notes.iter().map(credit_note).collect(),
        reason: invoice.reason.clone(),
    }
}

fn line(sequence: u32, line: &Line) -> v1::InvoiceLine {
    let amounts = line.amounts();
    v1::InvoiceLine {
        sequence: small(sequence),
        system: line.code.system.clone(),
        code: line.code.code.clone(),
        modifiers: line.modifiers.clone(),
        text: line.text.clone(),
        date: line.date.to_string(),
        units: small(line.units),
        unit_price: line.unit_price.map(|price| price.0),
        discount: line.discount.as_ref().map(|off| v1::Discount { amount: off.amount.0, reason: off.reason.clone() }),
        tax: Some(tax(line.tax)),
        diagnoses: line.diagnoses.iter().map(|&place| small(place)).collect(),
        total: amounts.total.0,
        tax_amount: amounts.tax.0,
        credited: line.credited.0,
    }
}

fn balance(balance: &Balance) -> v1::InvoiceBalance {
    v1::InvoiceBalance {
        patient_open: balance.patient_open.0,
        insurance_open: balance.insurance_open.0,
        patient_paid: balance.patient_paid.0,
        insurance_paid: balance.insurance_paid.0,
        adjusted: balance.adjusted.0,
        written_off: balance.written_off.0,
        credited: balance.credited.0,
    }
}

fn credit_note(note: &CreditNote) -> v1::CreditNote {
    let line =
        |line: &invoice::CreditedLine| v1::CreditedLine { sequence: small(line.sequence), amount: line.amount.0 };
    v1::CreditNote {
        credit_note_id: note.id.to_string(),
        number: note.number.text.clone(),
        issued_time: Some(time(note.issued_at)),
        lines: note.lines.iter().map(line).collect(),
        reason: note.reason.clone(),
    }
}

fn invoice_status(status: invoice::Status) -> v1::InvoiceStatus {
    use invoice::Status;
    match status {
        Status::Draft => v1::InvoiceStatus::Draft,
        Status::Issued => v1::InvoiceStatus::Issued,
        Status::PartiallyPaid => v1::InvoiceStatus::PartiallyPaid,
        Status::Paid => v1::InvoiceStatus::Paid,
        Status::WrittenOff => v1::InvoiceStatus::WrittenOff,
        Status::Void => v1::InvoiceStatus::Void,
        Status::EnteredInError => v1::InvoiceStatus::EnteredInError,
    }
}

fn review(review: Review) -> v1::InvoiceReview {
    match review {
        Review::NoServices => v1::InvoiceReview::NoServices,
        Review::NoPrice => v1::InvoiceReview::NoPrice,
        Review::EncounterAmended => v1::InvoiceReview::EncounterAmended,
        Review::EncounterInError => v1::InvoiceReview::EncounterInError,
    }
}

/// What an event tells of an invoice.
pub fn invoice_snapshot(invoice: &Invoice, at: u64, now: Timestamp) -> v1::InvoiceSnapshot {
    let totals = invoice.totals();
    let source = invoice.source.as_ref();
    let service = |line: &Line| {
        let amounts = line.amounts();
        v1::ChargedService {
            system: line.code.system.clone(),
            code: line.code.code.clone(),
            units: small(line.units),
            date: line.date.to_string(),
            gross: amounts.gross.0,
            discount: amounts.discount.0,
            tax: amounts.tax.0,
            credited: line.credited.0,
        }
    };
    v1::InvoiceSnapshot {
        invoice_id: invoice.id.to_string(),
        version: version(at),
        patient_id: invoice.patient_id.to_string(),
        clinic_id: invoice.clinic_id.to_string(),
        encounter_id: source.map(|source| source.encounter_id.to_string()).unwrap_or_default(),
        practitioner_id: source.and_then(|source| source.practitioner_id).map(|id| id.to_string()).unwrap_or_default(),
        status: invoice_status(invoice.status).into(),
        currency_code: invoice.currency.code().to_owned(),
        services: invoice.lines.iter().map(service).collect(),
        gross: totals.gross.0,
        discount: totals.discount.0,
        tax: totals.tax.0,
        total: totals.total.0,
        balance: Some(balance(&invoice.balance)),
        created_time: Some(time(invoice.created_at)),
        issued_time: invoice.issued_at.map(time),
        changed_time: Some(time(now)),
        due_date: invoice.due.map(|due| due.to_string()).unwrap_or_default(),
    }
}

/// A payment.
pub fn payment(payment: &Payment, at: u64) -> v1::Payment {
    v1::Payment {
        payment_id: payment.id.to_string(),
        version: version(at),
        patient_id: payment.patient_id.to_string(),
        method: method(payment.method).into(),
        status: payment_status(payment.status).into(),
        currency_code: payment.currency.code().to_owned(),
        amount: payment.amount.0,
        reference: payment.reference.clone(),
        card_last4: payment.card_last4.clone(),
        recorded_time: Some(time(payment.recorded_at)),
        captured_time: payment.captured_at.map(time),
        allocations: payment.allocations.iter().map(allocation).collect(),
        unapplied: payment.unapplied.0,
        refunded: payment.refunded.0,
        refunds: payment.refunds.iter().map(refund).collect(),
        reason: payment.reason.clone(),
    }
}

/// What an event tells of a payment.
pub fn payment_snapshot(payment: &Payment, at: u64, now: Timestamp) -> v1::PaymentSnapshot {
    v1::PaymentSnapshot {
        payment_id: payment.id.to_string(),
        version: version(at),
        patient_id: payment.patient_id.to_string(),
        method: method(payment.method).into(),
        status: payment_status(payment.status).into(),
        currency_code: payment.currency.code().to_owned(),
        amount: payment.amount.0,
        unapplied: payment.unapplied.0,
        refunded: payment.refunded.0,
        allocations: payment.allocations.iter().map(allocation).collect(),
        recorded_time: Some(time(payment.recorded_at)),
        captured_time: payment.captured_at.map(time),
        changed_time: Some(time(now)),
    }
}

fn allocation(used: &payment::Allocation) -> v1::Allocation {
    v1::Allocation { invoice_id: used.invoice_id.to_string(), amount: used.amount.0 }
}

fn refund(refund: &payment::Refund) -> v1::Refund {
    let status = match refund.status {
        RefundStatus::AwaitingApproval => v1::RefundStatus::AwaitingApproval,
        RefundStatus::Completed => v1::RefundStatus::Completed,
        RefundStatus::Rejected => v1::RefundStatus::Rejected,
    };
    v1::Refund {
        refund_id: refund.id.to_string(),
        amount: refund.amount.0,
        status: status.into(),
        reason: refund.reason.clone(),
        requested_by: refund.requested_by.to_string(),
        requested_time: Some(time(refund.requested_at)),
        decided_by: refund.decided_by.map(|by| by.to_string()),
        decision_reason: refund.decision_reason.clone(),
    }
}

fn method(method: Method) -> v1::PaymentMethod {
    match method {
        Method::Cash => v1::PaymentMethod::Cash,
        Method::Card => v1::PaymentMethod::Card,
        Method::Transfer => v1::PaymentMethod::Transfer,
        Method::Check => v1::PaymentMethod::Check,
    }
}

fn payment_status(status: payment::Status) -> v1::PaymentStatus {
    use payment::Status;
    match status {
        Status::Pending => v1::PaymentStatus::Pending,
        Status::Authorised => v1::PaymentStatus::Authorised,
        Status::Captured => v1::PaymentStatus::Captured,
        Status::PartiallyRefunded => v1::PaymentStatus::PartiallyRefunded,
        Status::Refunded => v1::PaymentStatus::Refunded,
        Status::Failed => v1::PaymentStatus::Failed,
        Status::Voided => v1::PaymentStatus::Voided,
        Status::ChargedBack => v1::PaymentStatus::ChargedBack,
    }
}

/// A schedule of fees.
pub fn fee_schedule(schedule: &FeeSchedule, at: u64) -> v1::FeeSchedule {
    v1::FeeSchedule {
        fee_schedule_id: schedule.id.to_string(),
        version: version(at),
        created_time: Some(time(schedule.created_at)),
        name: schedule.name.clone(),
        payer_id: schedule.payer_id.map(|id| id.to_string()),
        effective_from: schedule.effective_from.to_string(),
        effective_to: schedule.effective_to.map(|to| to.to_string()),
        currency_code: schedule.currency.code().to_owned(),
        fees: schedule.fees.iter().map(fee).collect(),
    }
}

/// A fee.
pub fn fee(fee: &Fee) -> v1::Fee {
    v1::Fee {
        system: fee.code.system.clone(),
        code: fee.code.code.clone(),
        modifier: fee.modifier.clone(),
        text: fee.text.clone(),
        unit_price: fee.unit_price.0,
        tax: Some(tax(fee.tax)),
    }
}

fn tax(tax: Tax) -> v1::Tax {
    let category = match tax.category {
        TaxCategory::Exempt => v1::TaxCategory::Exempt,
        TaxCategory::Zero => v1::TaxCategory::Zero,
        TaxCategory::Standard => v1::TaxCategory::Standard,
    };
    v1::Tax { category: category.into(), rate_millionths: small(tax.rate.millionths()) }
}

/// An account of the books.
pub fn ledger_account(account: LedgerAccount) -> v1::LedgerAccount {
    use LedgerAccount as Account;
    match account {
        Account::PatientReceivable => v1::LedgerAccount::PatientReceivable,
        Account::InsuranceReceivable => v1::LedgerAccount::InsuranceReceivable,
        Account::Cash => v1::LedgerAccount::Cash,
        Account::Clearing => v1::LedgerAccount::Clearing,
        Account::Bank => v1::LedgerAccount::Bank,
        Account::Unapplied => v1::LedgerAccount::Unapplied,
        Account::TaxPayable => v1::LedgerAccount::TaxPayable,
        Account::Revenue => v1::LedgerAccount::Revenue,
        Account::Discount => v1::LedgerAccount::Discount,
        Account::ContractualAdjustment => v1::LedgerAccount::ContractualAdjustment,
        Account::SmallBalanceWriteOff => v1::LedgerAccount::SmallBalanceWriteOff,
        Account::BadDebt => v1::LedgerAccount::BadDebt,
        Account::Courtesy => v1::LedgerAccount::Courtesy,
        Account::InsuranceUnapplied => v1::LedgerAccount::InsuranceUnapplied,
        Account::DenialWriteOff => v1::LedgerAccount::DenialWriteOff,
        Account::InterestIncome => v1::LedgerAccount::InterestIncome,
    }
}
