//! Claims among everything else that is done to the books.

use jiff::civil::date;
use proptest::prelude::*;
use uuid::Uuid;

use super::super::{
    claims::{Acknowledgement, Answer, Facts},
    *,
};
use crate::domain::{
    claim::{
        Claim, Filing, Frequency, Line, Prior, Status,
        adjustment::{Adjustment, Group},
        deadlines::Windows,
        remittance::{ClaimPayment, ClaimStatusCode},
    },
    coverage::PlanYear,
    ids::{CoverageId, JournalId, PatientId, PayerId, RemittanceId},
    money::Currency,
};

const WINDOWS: Windows = Windows { filing_days: 90, appeal_days: 60, alert_days: 14 };

/// Something that somebody wants of claims.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// For an invoice, to a payer; of a claim that is there, if it is to stand for one.
    Write(usize, u128, Option<(usize, Frequency)>),
    Submit(usize),
    Hear(usize, Acknowledgement),
    /// In so many parts paid, contractual, the patient's and denied.
    Answer(usize, [u32; 4]),
    Reverse(usize),
    Withdraw(usize),
    Close(usize),
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let said = prop_oneof![
        4 => Just(Acknowledgement::Accepted),
        1 => Just(Acknowledgement::Rejected),
        1 => Just(Acknowledgement::Pended),
    ];
    let stands = prop_oneof![2 => Just(Frequency::Replacement), 1 => Just(Frequency::Void)];
    let prior = prop_oneof![3 => Just(None), 1 => (0..3_usize, stands).prop_map(Some)];
    prop_oneof![
        3 => (0..4_usize, 1..3_u128, prior).prop_map(|(at, payer, prior)| Wish::Write(at, payer, prior)),
        4 => (0..3_usize).prop_map(Wish::Submit),
        2 => (0..3_usize, said).prop_map(|(at, said)| Wish::Hear(at, said)),
        4 => (0..3_usize, proptest::array::uniform4(0..10_u32)).prop_map(|(at, parts)| Wish::Answer(at, parts)),
        2 => (0..3_usize).prop_map(Wish::Reverse),
        1 => (0..3_usize).prop_map(Wish::Withdraw),
        1 => (0..3_usize).prop_map(Wish::Close),
    ]
}

fn claim(books: &PatientBooks, turn: u128, at: usize, payer: u128, prior: Option<(ClaimId, Frequency)>) -> Claim {
    let invoice_id = InvoiceId(Uuid::from_u128(u128::try_from(at).unwrap() + 1));
    let charge = books.invoices.get(&invoice_id).map(|invoice| invoice.totals().total).unwrap_or_default();
    let frequency = prior.map_or(Frequency::Original, |(_, frequency)| frequency);
    Claim {
        id: ClaimId(Uuid::from_u128(5_000 + turn)),
        status: Status::Ready,
        created: super::at(0),
        patient_id: PatientId(Uuid::nil()),
        coverage_id: CoverageId(Uuid::from_u128(payer)),
        payer_id: PayerId(Uuid::from_u128(payer)),
        filing: Filing::Commercial,
        invoice_id,
        currency: Currency::from_code("EUR").unwrap(),
        frequency,
        prior: prior.map(|(claim_id, _)| Prior { claim_id, control_number: Some("ICN".to_owned()) }),
        billing_provider: None,
        rendering_provider: None,
        diagnoses: Vec::new(),
        lines: vec![Line {
            procedure: "99213".to_owned(),
            modifiers: Vec::new(),
            units: 1,
            date: date(2026, 11, 30),
            place_of_service: "11".to_owned(),
            charge,
            pointers: vec![1],
        }],
        adjudicated_on: None,
    }
}

fn answer(turn: u128, payer_id: PayerId, payment: ClaimPayment) -> Answer {
    Answer {
        journal_id: JournalId(Uuid::from_u128(turn)),
        remittance_id: RemittanceId(Uuid::from_u128(turn)),
        at: 0,
        payer_id,
        currency: Currency::from_code("EUR").unwrap(),
        paid_on: date(2026, 12, 1),
        date: date(2026, 12, 1),
        payment,
    }
}

pub(super) fn do_it(books: &mut PatientBooks, wish: &Wish, turn: u128) -> Result<Moved, Refusal> {
    let claims: Vec<_> = books.claims.keys().copied().collect();
    let of = |at: usize| claims.get(at).copied().unwrap_or(ClaimId(Uuid::nil()));
    let facts = Facts { windows: WINDOWS, plan_year: PlanYear::CALENDAR };
    match wish {
        Wish::Write(at, payer, prior) => {
            let prior = prior.map(|(at, frequency)| (of(at), frequency));
            let mut wanted = claim(books, turn, *at, *payer, prior);
            // Any other would be refused, and too few would be left.
            if let Some(before) = prior.and_then(|(id, _)| books.claims.get(&id)) {
                let Claim { coverage_id, payer_id, invoice_id, lines, .. } = before.claim.clone();
                wanted = Claim { coverage_id, payer_id, invoice_id, lines, ..wanted };
            }
            books.write_claim(wanted, WINDOWS)
        }
        Wish::Submit(at) => {
            let id = of(*at);
            if books.claim(id)?.claim.status == Status::Rejected {
                books.change_claim(id, WINDOWS, |file| {
                    file.claim.status = Status::Ready;
                    Ok(())
                })?;
            }
            books.submit_claim(id, WINDOWS, super::at(1))
        }
        Wish::Hear(at, said) => books.acknowledge_claim(of(*at), *said, None, Vec::new(), WINDOWS),
        Wish::Answer(at, parts) => {
            let file = books.claim(of(*at))?;
            let (billed, payer) = (file.claim.total(), file.claim.payer_id);
            let weights = parts.map(|part| Amount(i64::from(part)));
            let [paid, contractual, patient, denied] = billed.split(&weights)[..] else {
                return Err(Refusal::NoClaim);
            };
            let adjustments = vec![
                Adjustment::new(Group::Contractual, "45", contractual),
                Adjustment::new(Group::Patient, "1", patient),
                Adjustment::new(Group::Contractual, "29", denied),
            ];
            let status = ClaimStatusCode::Primary;
            let control_number = "ICN".to_owned();
            let payment = ClaimPayment {
                claim_id: of(*at),
                control_number,
                status,
                billed,
                paid,
                adjustments,
                lines: Vec::new(),
            };
            books.book_answer(&answer(turn, payer, payment), facts)
        }
        Wish::Reverse(at) => {
            let file = books.claim(of(*at))?;
            let payer = file.claim.payer_id;
            let standing = file.standing.clone().ok_or(Refusal::NoClaim)?.payment;
            let turned = |part: &Adjustment| Adjustment { amount: -part.amount, ..part.clone() };
            let payment = ClaimPayment {
                status: ClaimStatusCode::Reversal,
                billed: -standing.billed,
                paid: -standing.paid,
                adjustments: standing.adjustments.iter().map(turned).collect(),
                ..standing
            };
            books.book_answer(&answer(turn, payer, payment), facts)
        }
        Wish::Withdraw(at) => books.withdraw_claim(of(*at), "no".to_owned(), WINDOWS),
        Wish::Close(at) => books.close_claim(of(*at), "no".to_owned(), WINDOWS),
    }
}

/// Debits less credits of all that was posted at the places that are meant.
type Sum<'a> = &'a dyn Fn(&dyn Fn(&Place) -> bool) -> Amount;

pub(super) fn check(books: &PatientBooks, sum: Sum<'_>) -> Result<(), TestCaseError> {
    for (id, file) in &books.claims {
        let of = |account| sum(&|place| place.account == account && place.about.claim_id == Some(*id));
        prop_assert_eq!(file.expected, of(LedgerAccount::InsuranceReceivable));
        prop_assert!(file.expected >= Amount::ZERO && file.given_up >= Amount::ZERO);
        prop_assert_eq!(file.given_up, of(LedgerAccount::DenialWriteOff));
        let paid = file.standing.as_ref().map(|standing| standing.payment.paid).unwrap_or_default();
        prop_assert_eq!(paid, of(LedgerAccount::InsuranceUnapplied), "what is paid is what the standing answer says");
        let counted = books.accumulators.get(&file.claim.coverage_id).and_then(|used| used.counted(*id));
        prop_assert_eq!(counted, file.standing.as_ref().map(|standing| &standing.used));
        if file.claim.status.is_final() {
            prop_assert_eq!(file.expected, Amount::ZERO, "nobody pays what was taken back, or another asks for");
        }
        if file.live {
            let rivals = books.claims.values().filter(|other| {
                other.live
                    && (other.claim.invoice_id, other.claim.payer_id) == (file.claim.invoice_id, file.claim.payer_id)
            });
            prop_assert_eq!(rivals.count(), 1, "one claim stands for an invoice and payer");
        }
    }
    for (id, invoice) in &books.invoices {
        let of = |account| sum(&|place| place.account == account && place.about.invoice_id == Some(*id));
        prop_assert_eq!(invoice.balance.insurance_open, of(LedgerAccount::InsuranceReceivable));
        prop_assert_eq!(invoice.balance.insurance_paid, of(LedgerAccount::InsuranceUnapplied));
        prop_assert_eq!(invoice.balance.adjusted, of(LedgerAccount::ContractualAdjustment));
    }
    Ok(())
}
