//! Whatever is done, and in whatever order, the books add up.

mod claims;

use proptest::prelude::*;
use uuid::Uuid;

use super::{
    tests::{at, draft, line, number, payment, refund},
    *,
};
use crate::domain::{ledger, payment::Method};

/// Something that somebody wants; what it means is found out when it is done.
#[derive(Clone, Debug)]
enum Wish {
    Issue(usize),
    Void(usize),
    WriteOff(usize, Option<i64>),
    Credit(usize, u32, i64),
    Pay(i64, Vec<(usize, i64)>),
    Allocate(usize),
    Refund(usize, i64),
    AskBack(usize, i64),
    Approve(usize, usize, u128),
    ChargeBack(usize),
    Claim(claims::Wish),
}

fn wish() -> impl Strategy<Value = Wish> {
    let amount = || prop_oneof![1..200_i64, 1..20_000_i64];
    prop_oneof![
        3 => (0..6_usize).prop_map(Wish::Issue),
        1 => (0..6_usize).prop_map(Wish::Void),
        1 => (0..6_usize, proptest::option::of(amount())).prop_map(|(at, amount)| Wish::WriteOff(at, amount)),
        2 => (0..6_usize, 0..4_u32, amount()).prop_map(|(at, line, amount)| Wish::Credit(at, line, amount)),
        4 => (amount(), proptest::collection::vec((0..6_usize, amount()), 0..3)).prop_map(|(amount, to)| Wish::Pay(amount, to)),
        2 => (0..8_usize).prop_map(Wish::Allocate),
        2 => (0..8_usize, amount()).prop_map(|(at, amount)| Wish::Refund(at, amount)),
        1 => (0..8_usize, amount()).prop_map(|(at, amount)| Wish::AskBack(at, amount)),
        2 => (0..8_usize, 0..3_usize, 1..3_u128).prop_map(|(at, refund, by)| Wish::Approve(at, refund, by)),
        1 => (0..8_usize).prop_map(Wish::ChargeBack),
        16 => claims::wish().prop_map(Wish::Claim),
    ]
}

fn do_it(books: &mut PatientBooks, wish: Wish, turn: u128) -> Result<Option<Moved>, Refusal> {
    let now = at(i64::try_from(turn).unwrap());
    let invoice = |at: usize| InvoiceId(Uuid::from_u128(u128::try_from(at).unwrap() + 1));
    let payments: Vec<_> = books.payments.keys().copied().collect();
    let paid = |at: usize| payments.get(at).copied().unwrap_or(PaymentId(Uuid::nil()));
    let moved = match wish {
        Wish::Issue(at) => books.issue(invoice(at), number(1), "2026-12-30".parse().unwrap(), now)?,
        Wish::Void(at) => books.void(invoice(at), "wrong".to_owned())?,
        Wish::WriteOff(at, amount) => books.write_off(invoice(at), amount.map(Amount), WriteOffReason::BadDebt)?,
        Wish::Credit(at, sequence, amount) => {
            let lines = vec![CreditedLine { sequence, amount: Amount(amount) }];
            books.credit(invoice(at), CreditNoteId(Uuid::from_u128(turn)), number(1), lines, "no".to_owned(), now)?
        }
        Wish::Pay(amount, to) => {
            let to = to.into_iter().map(|(at, amount)| Allocation { invoice_id: invoice(at), amount: Amount(amount) });
            let to: Vec<_> = to.collect();
            let direction = if to.is_empty() { Direction::OldestFirst } else { Direction::To(to) };
            books.record(payment(1_000 + turn, amount, Method::Card), &direction, now)?
        }
        Wish::Allocate(at) => books.allocate(paid(at), &Direction::OldestFirst)?,
        Wish::Refund(at, amount) => books.refund(paid(at), refund(turn, amount, 1))?,
        Wish::AskBack(at, amount) => {
            books.payment_mut(paid(at))?.ask_back(refund(turn, amount, 1))?;
            return Ok(None);
        }
        Wish::Approve(at, refund, by) => {
            let id = books.payment_mut(paid(at))?.refunds.get(refund).map(|refund| refund.id);
            let id = id.unwrap_or(RefundId(Uuid::nil()));
            books.approve_refund(paid(at), id, UserId(Uuid::from_u128(by)))?
        }
        Wish::ChargeBack(at) => books.charge_back(paid(at), "disputed".to_owned())?,
        Wish::Claim(wish) => claims::do_it(books, &wish, turn)?,
    };
    Ok(Some(moved))
}

fn check(books: &PatientBooks, journal: &[Moved]) -> Result<(), TestCaseError> {
    let sum = |what: &dyn Fn(&Place) -> bool| -> Amount {
        journal.iter().map(|moved| moved.postings.sum(|place| what(place))).sum()
    };
    for moved in journal {
        prop_assert_eq!(moved.postings.sum(|_| true), Amount::ZERO, "{:?}", moved);
        check_moves(moved)?;
    }
    for (id, invoice) in &books.invoices {
        let owed =
            sum(&|place| place.account == LedgerAccount::PatientReceivable && place.about.invoice_id == Some(*id));
        prop_assert_eq!(invoice.balance.patient_open, owed);
        prop_assert!(!owed.0.is_negative());
        if invoice.status.is_live() {
            prop_assert_eq!(invoice.balance.total(), invoice.totals().total);
            let earned = sum(&|place| {
                let earns = [LedgerAccount::Revenue, LedgerAccount::Discount, LedgerAccount::TaxPayable];
                earns.contains(&place.account) && place.about.invoice_id == Some(*id)
            });
            prop_assert_eq!(-earned, invoice.balance.total() - invoice.balance.credited);
        }
        let paid: Amount = books
            .payments
            .values()
            .flat_map(|payment| &payment.allocations)
            .filter(|allocation| allocation.invoice_id == *id)
            .map(|allocation| allocation.amount)
            .sum();
        prop_assert_eq!(invoice.balance.patient_paid, paid);
    }
    claims::check(books, &sum)?;
    for (id, payment) in &books.payments {
        let of = |account| sum(&|place| place.account == account && place.about.payment_id == Some(*id));
        prop_assert_eq!(payment.unapplied, -of(LedgerAccount::Unapplied));
        prop_assert!(!payment.unapplied.0.is_negative() && payment.refunded <= payment.amount);
        let used: Amount = payment.allocations.iter().map(|allocation| allocation.amount).sum();
        prop_assert_eq!(payment.unapplied + used, of(LedgerAccount::Clearing), "what is there is used or not");
        if payment.status.has_money() {
            prop_assert_eq!(payment.amount - payment.refunded, of(LedgerAccount::Clearing));
        }
    }
    Ok(())
}

/// Told as moves, an act is the same, and but for claims both sides of a move are about the same.
fn check_moves(moved: &Moved) -> Result<(), TestCaseError> {
    for account in LedgerAccount::ALL {
        let told = |side: fn(&ledger::Move<'_>) -> LedgerAccount| -> Amount {
            moved.postings.moves().filter(|one| side(one) == account).map(|one| one.amount).sum()
        };
        let told = told(|one| one.debit.account) - told(|one| one.credit.account);
        prop_assert_eq!(told, moved.postings.sum(|place| place.account == account), "{:?}", moved);
    }
    for one in moved.postings.moves() {
        let (debit, credit) = (&one.debit.about, &one.credit.about);
        prop_assert!(one.amount.is_positive());
        prop_assert!(debit.invoice_id.zip(credit.invoice_id).is_none_or(|(debit, credit)| debit == credit));
        prop_assert!(debit.payment_id.zip(credit.payment_id).is_none_or(|(debit, credit)| debit == credit));
        prop_assert!(debit.payer_id.zip(credit.payer_id).is_none_or(|(debit, credit)| debit == credit));
        prop_assert!(debit.service_code.is_none() || credit.service_code.is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_books_add_up_whatever_is_done(wishes in proptest::collection::vec(wish(), 1..60)) {
        let mut books = PatientBooks::default();
        for id in 1..=5_u128 {
            let units = u32::try_from(id).unwrap();
            let lines = vec![line("A", units, 1_999, 190_000), line("B", 1, 3_333, 0), line("C", 3, 77, 70_000)];
            books.invoices.insert(InvoiceId(Uuid::from_u128(id)), draft(id, lines));
        }
        let mut journal = Vec::new();
        // A claim can be written only for what is issued.
        for id in 1..=3_u128 {
            let issued = books.issue(InvoiceId(Uuid::from_u128(id)), number(1), "2026-12-30".parse().unwrap(), at(0));
            journal.push(issued.unwrap());
        }
        for (turn, wish) in wishes.into_iter().enumerate() {
            let before = books.clone();
            match do_it(&mut books, wish.clone(), u128::try_from(turn).unwrap() + 1) {
                Ok(moved) => journal.extend(moved),
                Err(refusal) => prop_assert_eq!(&books, &before, "{:?} was refused ({}) and changed something", wish, refusal),
            }
            check(&books, &journal)?;
        }
    }
}
