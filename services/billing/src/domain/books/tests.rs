use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::domain::{
    fees::{Code, Tax, TaxCategory},
    ids::{ClinicId, PatientId, SeriesId},
    invoice::{Discount, Line, Status},
    money::{Currency, Rate},
    payment::Method,
};

pub(super) fn at(minute: i64) -> Timestamp {
    Timestamp::new(minute * 60, 0).unwrap()
}

pub(super) fn number(place: u64) -> Number {
    Number { series_id: SeriesId(Uuid::nil()), place, text: format!("INV-{place:06}") }
}

pub(super) fn line(code: &str, units: u32, price: i64, tax: u32) -> Line {
    let category = if tax == 0 { TaxCategory::Exempt } else { TaxCategory::Standard };
    Line {
        code: Code { system: "urn:x".to_owned(), code: code.to_owned() },
        modifiers: Vec::new(),
        text: None,
        date: "2026-11-30".parse().unwrap(),
        units,
        unit_price: Some(Amount(price)),
        discount: None,
        tax: Tax { category, rate: Rate::from_millionths(tax).unwrap() },
        diagnoses: Vec::new(),
        credited: Amount::ZERO,
    }
}

pub(super) fn draft(id: u128, lines: Vec<Line>) -> Invoice {
    Invoice {
        id: InvoiceId(Uuid::from_u128(id)),
        patient_id: PatientId(Uuid::nil()),
        clinic_id: ClinicId(Uuid::nil()),
        source: None,
        status: Status::Draft,
        currency: Currency::from_code("EUR").unwrap(),
        lines,
        diagnoses: Vec::new(),
        review: Vec::new(),
        edited: false,
        created_at: at(0),
        number: None,
        issued_at: None,
        issued_by: None,
        due: None,
        balance: invoice::Balance::default(),
        credit_notes: Vec::new(),
        reason: None,
    }
}

pub(super) fn payment(id: u128, amount: i64, method: Method) -> Payment {
    Payment {
        id: PaymentId(Uuid::from_u128(id)),
        patient_id: PatientId(Uuid::nil()),
        method,
        status: payment::Status::Pending,
        currency: Currency::from_code("EUR").unwrap(),
        amount: Amount(amount),
        reference: None,
        card_last4: None,
        recorded_at: at(0),
        captured_at: None,
        allocations: Vec::new(),
        refunds: Vec::new(),
        unapplied: Amount::ZERO,
        refunded: Amount::ZERO,
        reason: None,
    }
}

pub(super) fn refund(id: u128, amount: i64, by: u128) -> Refund {
    Refund {
        id: RefundId(Uuid::from_u128(id)),
        amount: Amount(amount),
        status: RefundStatus::AwaitingApproval,
        reason: "paid twice".to_owned(),
        requested_by: UserId(Uuid::from_u128(by)),
        requested_at: at(5),
        decided_by: None,
        decision_reason: None,
    }
}

const FIRST: InvoiceId = InvoiceId(Uuid::from_u128(1));
const SECOND: InvoiceId = InvoiceId(Uuid::from_u128(2));

/// Two issued invoices, of 100.00 and, due before it, of 50.00.
fn two_invoices() -> PatientBooks {
    let mut books = PatientBooks::default();
    books.invoices.insert(FIRST, draft(1, vec![line("A", 2, 5_000, 0)]));
    books.invoices.insert(SECOND, draft(2, vec![line("B", 1, 5_000, 0)]));
    books.issue(FIRST, number(1), "2026-12-30".parse().unwrap(), at(1)).unwrap();
    books.issue(SECOND, number(2), "2026-12-20".parse().unwrap(), at(2)).unwrap();
    books
}

fn of(postings: &Postings, account: LedgerAccount) -> i64 {
    postings.sum(|place| place.account == account).0
}

#[test]
fn an_issue_charges_gross_less_discount_with_tax() {
    let mut discounted = line("A", 2, 5_000, 190_000);
    discounted.discount = Some(Discount { amount: Amount(1_000), reason: "staff".to_owned() });
    let mut books = PatientBooks::default();
    books.invoices.insert(FIRST, draft(1, vec![discounted, line("B", 1, 333, 70_000)]));
    let issued = books.issue(FIRST, number(1), "2026-12-30".parse().unwrap(), at(1)).unwrap();
    // 90.00 + 17.10 tax, and 3.33 + 0.23.
    assert_eq!(of(&issued.postings, LedgerAccount::PatientReceivable), 9_000 + 1_710 + 333 + 23);
    assert_eq!(of(&issued.postings, LedgerAccount::Revenue), -(10_000 + 333));
    assert_eq!(of(&issued.postings, LedgerAccount::Discount), 1_000);
    assert_eq!(of(&issued.postings, LedgerAccount::TaxPayable), -(1_710 + 23));
    let invoice = &books.invoices[&FIRST];
    assert_eq!((invoice.status, invoice.balance.patient_open), (Status::Issued, Amount(11_066)));
    let again = books.issue(FIRST, number(2), "2026-12-30".parse().unwrap(), at(1)).unwrap_err();
    assert_eq!(again, invoice::Refusal::Status(Status::Issued).into());
}

#[test]
fn a_draft_without_lines_or_prices_is_not_issued() {
    let mut books = PatientBooks::default();
    books.invoices.insert(FIRST, draft(1, Vec::new()));
    let mut unpriced = line("A", 1, 0, 0);
    unpriced.unit_price = None;
    books.invoices.insert(SECOND, draft(2, vec![line("B", 1, 1, 0), unpriced]));
    let mut issue = |id| books.issue(id, number(1), "2026-12-30".parse().unwrap(), at(1)).unwrap_err();
    assert_eq!(issue(FIRST), invoice::Refusal::Empty.into());
    assert_eq!(issue(SECOND), invoice::Refusal::NoPrice { at: 1 }.into());
}

#[test]
fn what_is_due_first_is_paid_first() {
    let mut books = two_invoices();
    let paid = books.record(payment(7, 8_000, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    assert_eq!(of(&paid.postings, LedgerAccount::Clearing), 8_000);
    assert_eq!(of(&paid.postings, LedgerAccount::Unapplied), 0);
    assert_eq!(books.invoices[&SECOND].status, Status::Paid);
    assert_eq!(books.invoices[&FIRST].status, Status::PartiallyPaid);
    assert_eq!(books.invoices[&FIRST].balance.patient_open, Amount(7_000));
    let used: Vec<_> = books.payments[&PaymentId(Uuid::from_u128(7))].allocations.iter().map(|a| a.amount.0).collect();
    assert_eq!(used, [5_000, 3_000]);
}

#[test]
fn what_nobody_asked_for_stays_the_patients() {
    let mut books = two_invoices();
    books.record(payment(7, 20_000, Method::Cash), &Direction::OldestFirst, at(3)).unwrap();
    let id = PaymentId(Uuid::from_u128(7));
    assert_eq!(books.payments[&id].unapplied, Amount(5_000));
    books.invoices.insert(InvoiceId(Uuid::from_u128(3)), draft(3, vec![line("C", 1, 2_000, 0)]));
    books.issue(InvoiceId(Uuid::from_u128(3)), number(3), "2026-12-30".parse().unwrap(), at(4)).unwrap();
    books.allocate(id, &Direction::OldestFirst).unwrap();
    assert_eq!(books.payments[&id].unapplied, Amount(3_000));
    assert_eq!(books.invoices[&InvoiceId(Uuid::from_u128(3))].status, Status::Paid);
}

#[test]
fn a_direction_that_does_not_fit_changes_nothing() {
    let mut books = two_invoices();
    let before = books.clone();
    let to = |invoice_id, amount| Allocation { invoice_id, amount: Amount(amount) };
    let mut pay = |allocations| books.record(payment(7, 6_000, Method::Card), &Direction::To(allocations), at(3));
    let above = invoice::Refusal::AboveOpen { open: Amount(5_000) };
    assert_eq!(pay(vec![to(SECOND, 5_001)]), Err(Refusal::Allocation { at: 0, source: above }));
    let twice = invoice::Refusal::AboveOpen { open: Amount(1_000) };
    assert_eq!(pay(vec![to(SECOND, 4_000), to(SECOND, 2_000)]), Err(Refusal::Allocation { at: 1, source: twice }));
    let more = payment::Refusal::AboveUnapplied { unapplied: Amount(6_000) };
    assert_eq!(pay(vec![to(SECOND, 5_000), to(FIRST, 1_001)]), Err(more.into()));
    let unknown = InvoiceId(Uuid::from_u128(9));
    assert_eq!(pay(vec![to(SECOND, 1), to(unknown, 1)]), Err(Refusal::NoInvoice { at: 1 }));
    assert_eq!(books, before);
}

#[test]
fn a_refund_frees_what_was_paid_last() {
    let mut books = two_invoices();
    let id = PaymentId(Uuid::from_u128(7));
    books.record(payment(7, 15_000, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    let back = books.refund(id, refund(1, 12_000, 1)).unwrap();
    assert_eq!(of(&back.postings, LedgerAccount::Clearing), -12_000);
    assert_eq!(books.invoices[&FIRST].balance.patient_open, Amount(10_000));
    assert_eq!(books.invoices[&SECOND].balance.patient_open, Amount(2_000));
    assert_eq!(books.payments[&id].status, payment::Status::PartiallyRefunded);
    let left = books.refund(id, refund(2, 3_001, 1)).unwrap_err();
    assert_eq!(left, payment::Refusal::AboveCaptured { left: Amount(3_000) }.into());
    books.refund(id, refund(3, 3_000, 1)).unwrap();
    assert_eq!(books.payments[&id].status, payment::Status::Refunded);
    let again = books.refund(id, refund(4, 1, 1)).unwrap_err();
    assert_eq!(again, payment::Refusal::Status(payment::Status::Refunded).into());
}

#[test]
fn a_large_refund_takes_two_people() {
    let mut books = two_invoices();
    let id = PaymentId(Uuid::from_u128(7));
    let (wanted, by) = (refund(1, 15_000, 1), |user| UserId(Uuid::from_u128(user)));
    books.record(payment(7, 15_000, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    books.payments.get_mut(&id).unwrap().ask_back(wanted.clone()).unwrap();
    let above = books.refund(id, refund(2, 1, 1)).unwrap_err();
    assert_eq!(above, payment::Refusal::AboveCaptured { left: Amount::ZERO }.into(), "what waits is not there twice");
    assert_eq!(books.approve_refund(id, wanted.id, by(1)).unwrap_err(), payment::Refusal::SamePerson.into());
    let unknown = RefundId(Uuid::from_u128(9));
    assert_eq!(books.approve_refund(id, unknown, by(2)).unwrap_err(), payment::Refusal::NoRefund.into());
    let approved = books.approve_refund(id, wanted.id, by(2)).unwrap();
    assert_eq!(of(&approved.postings, LedgerAccount::PatientReceivable), 15_000);
    assert_eq!(books.payments[&id].refunds[0].decided_by, Some(by(2)));
}

#[test]
fn a_rejected_refund_is_over_and_frees_what_it_held() {
    let mut books = two_invoices();
    let id = PaymentId(Uuid::from_u128(7));
    books.record(payment(7, 15_000, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    let payment = books.payments.get_mut(&id).unwrap();
    payment.ask_back(refund(1, 15_000, 1)).unwrap();
    payment.reject_refund(RefundId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)), "no".to_owned()).unwrap();
    assert_eq!(payment.refundable(), Amount(15_000));
    let again = books.approve_refund(id, RefundId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2))).unwrap_err();
    assert_eq!(again, payment::Refusal::RefundDecided.into());
}

#[test]
fn a_charge_back_opens_what_was_paid() {
    let mut books = two_invoices();
    let id = PaymentId(Uuid::from_u128(7));
    books.record(payment(7, 16_000, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    books.refund(id, refund(1, 1_000, 1)).unwrap();
    let back = books.charge_back(id, "disputed".to_owned()).unwrap();
    assert_eq!(of(&back.postings, LedgerAccount::Clearing), -15_000);
    assert_eq!(of(&back.postings, LedgerAccount::PatientReceivable), 15_000);
    assert_eq!(books.payments[&id].status, payment::Status::ChargedBack);
    assert!(books.invoices.values().all(|invoice| invoice.status == Status::Issued));
}

#[test]
fn a_credit_note_gives_back_what_was_paid() {
    let mut books = PatientBooks::default();
    books.invoices.insert(FIRST, draft(1, vec![line("A", 3, 1_000, 190_000)]));
    books.issue(FIRST, number(1), "2026-12-30".parse().unwrap(), at(1)).unwrap();
    let id = PaymentId(Uuid::from_u128(7));
    books.record(payment(7, 3_570, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    let mut credit = |amount, place| {
        let lines = vec![CreditedLine { sequence: 1, amount: Amount(amount) }];
        let note = CreditNoteId(Uuid::from_u128(place));
        books.credit(FIRST, note, number(1), lines, "not done".to_owned(), at(4))
    };
    let first = credit(1_000, 1).unwrap().postings;
    let second = credit(1_000, 2).unwrap().postings;
    let third = credit(1_570, 3).unwrap().postings;
    // 19 % of what is taken back: 1.60 (159.66), then 3.19 - 1.60, then the rest of 5.70.
    assert_eq!([&first, &second, &third].map(|note| of(note, LedgerAccount::TaxPayable)), [160, 159, 251]);
    assert_eq!([&first, &second, &third].map(|note| of(note, LedgerAccount::Unapplied)), [-1_000, -1_000, -1_570]);
    let more = credit(1, 4).unwrap_err();
    assert_eq!(more, invoice::Refusal::AboveLine { at: 0, left: Amount::ZERO }.into());
    assert_eq!(books.payments[&id].unapplied, Amount(3_570));
    assert_eq!(books.invoices[&FIRST].balance.credited, Amount(3_570));
}

#[test]
fn what_moved_is_taken_back_before_an_invoice_is() {
    let mut books = two_invoices();
    let id = PaymentId(Uuid::from_u128(7));
    books.record(payment(7, 5_000, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    assert_eq!(books.void(SECOND, "wrong".to_owned()).unwrap_err(), invoice::Refusal::Moved.into());
    books.charge_back(id, "disputed".to_owned()).unwrap();
    let voided = books.void(SECOND, "wrong".to_owned()).unwrap();
    assert_eq!(of(&voided.postings, LedgerAccount::PatientReceivable), -5_000);
    assert_eq!(books.invoices[&SECOND].status, Status::Void);
    let pay = books.record(
        payment(8, 1, Method::Cash),
        &Direction::To(vec![Allocation { invoice_id: SECOND, amount: Amount(1) }]),
        at(3),
    );
    assert_eq!(pay, Err(Refusal::Allocation { at: 0, source: invoice::Refusal::Status(Status::Void) }));
}

#[test]
fn a_rest_is_given_up() {
    let mut books = two_invoices();
    books.record(payment(7, 4_800, Method::Card), &Direction::OldestFirst, at(3)).unwrap();
    let above = books.write_off(SECOND, Some(Amount(201)), WriteOffReason::SmallBalance).unwrap_err();
    assert_eq!(above, invoice::Refusal::AboveOpen { open: Amount(200) }.into());
    let given_up = books.write_off(SECOND, None, WriteOffReason::SmallBalance).unwrap();
    assert_eq!(of(&given_up.postings, LedgerAccount::SmallBalanceWriteOff), 200);
    assert_eq!(books.invoices[&SECOND].status, Status::WrittenOff);
    let again = books.write_off(SECOND, None, WriteOffReason::BadDebt).unwrap_err();
    assert_eq!(again, invoice::Refusal::Status(Status::WrittenOff).into());
}
