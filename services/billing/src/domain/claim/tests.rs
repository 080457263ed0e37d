use jiff::{ToSpan as _, civil::date};
use proptest::prelude::*;

use uuid::Uuid;

use super::{
    deadlines::{Alert, Deadline, For},
    transitions::TABLE,
    *,
};
use crate::domain::coverage::{Coverage, tests::coverage};

pub(crate) const WINDOWS: Windows = Windows { filing_days: 90, appeal_days: 60, alert_days: 14 };

pub(crate) fn line(procedure: &str, day: Date, charge: i64) -> Line {
    Line {
        procedure: procedure.to_owned(),
        modifiers: Vec::new(),
        units: 1,
        date: day,
        place_of_service: "11".to_owned(),
        charge: Amount(charge),
        pointers: vec![1],
    }
}

/// A claim by [`coverage`] 1 with nothing wrong.
pub(crate) fn claim(id: u128, lines: Vec<Line>) -> Claim {
    let npi = || Some(Npi("1234567893".to_owned()));
    Claim {
        id: ClaimId(Uuid::from_u128(id)),
        status: Status::Draft,
        created: "2026-03-10T09:00:00Z".parse().unwrap(),
        patient_id: PatientId(Uuid::from_u128(1)),
        coverage_id: CoverageId(Uuid::from_u128(1)),
        payer_id: PayerId(Uuid::from_u128(2)),
        filing: Filing::Commercial,
        invoice_id: InvoiceId(Uuid::from_u128(3)),
        currency: Currency::from_code("USD").unwrap(),
        frequency: Frequency::Original,
        prior: None,
        billing_provider: npi(),
        rendering_provider: npi(),
        diagnoses: vec!["E11.9".to_owned()],
        lines,
        adjudicated_on: None,
    }
}

fn day() -> Date {
    date(2026, 3, 10)
}

fn insured() -> Coverage {
    coverage(1, 1, date(2026, 1, 1), None)
}

fn successor(frequency: Frequency) -> Claim {
    let prior = Some(Prior { claim_id: ClaimId(Uuid::from_u128(1)), control_number: Some("ICN1".to_owned()) });
    Claim { frequency, prior, status: Status::Accepted, ..claim(2, vec![line("99214", day(), 20_000)]) }
}

#[test]
fn a_claim_is_sent_rejected_mended_denied_appealed_and_paid() {
    let coverage = insured();
    let facts = scrub::Facts { today: day(), coverage: Some(&coverage), windows: &WINDOWS, others: &[] };
    let mut claim = claim(1, vec![line("99213", day(), 15_000)]);
    let steps = [
        (Change::Prepare(&facts), Status::Ready),
        (Change::Submit, Status::Submitted),
        (Change::Reject, Status::Rejected),
        (Change::Revise, Status::Draft),
        (Change::Prepare(&facts), Status::Ready),
        (Change::Submit, Status::Submitted),
        (Change::Accept, Status::Accepted),
        (Change::Deny(date(2026, 4, 1)), Status::Denied),
        (Change::Appeal(date(2026, 5, 31), &WINDOWS), Status::Appealed),
        (Change::Pay(date(2026, 6, 20)), Status::Paid),
        (Change::Close, Status::Closed),
    ];
    for (step, status) in steps {
        claim = claim.change(step).unwrap();
        assert_eq!(claim.status, status);
    }
    assert_eq!(claim.adjudicated_on, Some(date(2026, 6, 20)));
}

#[test]
fn only_a_clean_claim_is_ready() {
    let facts = scrub::Facts { today: day(), coverage: None, windows: &WINDOWS, others: &[] };
    let refused = claim(1, vec![line("99213", day(), 15_000)]).change(Change::Prepare(&facts)).unwrap_err();
    let Refusal::Unclean(findings) = refused else { panic!("{refused:?}") };
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn an_appeal_is_in_time_or_refused() {
    let denied = Claim { status: Status::Denied, adjudicated_on: Some(date(2026, 4, 1)), ..claim(1, Vec::new()) };
    // 60 days after the first of April.
    let due = date(2026, 5, 31);
    assert!(denied.change(Change::Appeal(due, &WINDOWS)).is_ok());
    assert_eq!(denied.change(Change::Appeal(due + 1.day(), &WINDOWS)), Err(Refusal::TooLate(due)));
}

#[test]
fn a_claim_is_corrected_by_one_that_names_it_and_came_to_the_payer() {
    let paid = Claim { status: Status::Paid, ..claim(1, Vec::new()) };
    let (seven, eight) = (successor(Frequency::Replacement), successor(Frequency::Void));
    assert_eq!(paid.change(Change::Correct(&seven)).unwrap().status, Status::Corrected);
    let voided = paid.change(Change::Void(&eight)).unwrap();
    assert_eq!(voided.status, Status::Voided);
    let unfit = [
        Claim { status: Status::Rejected, ..seven.clone() },
        Claim { prior: None, ..seven.clone() },
        Claim { patient_id: PatientId(Uuid::from_u128(9)), ..seven.clone() },
        eight.clone(),
    ];
    for other in &unfit {
        assert_eq!(paid.change(Change::Correct(other)), Err(Refusal::OtherClaim));
    }
    assert_eq!(paid.change(Change::Void(&seven)), Err(Refusal::OtherClaim));
}

#[test]
fn time_runs_until_the_payer_has_it_and_again_when_it_has_decided() {
    let lines = vec![line("99213", day(), 1), line("99214", date(2026, 3, 1), 1)];
    let fresh = claim(1, lines);
    let at = |status| Claim { status, adjudicated_on: Some(date(2026, 4, 1)), ..fresh.clone() }.deadline(&WINDOWS);
    // 90 days after the first of March, the older service.
    let filing = Some(Deadline { what: For::Filing, due: date(2026, 5, 30) });
    for status in [Status::Draft, Status::Ready, Status::Submitted, Status::Rejected] {
        assert_eq!(at(status), filing, "{status:?}");
    }
    let appeal = Some(Deadline { what: For::Appeal, due: date(2026, 5, 31) });
    for status in [Status::Paid, Status::PartiallyPaid, Status::Denied] {
        assert_eq!(at(status), appeal, "{status:?}");
    }
    for status in [Status::Accepted, Status::Pended, Status::Appealed, Status::Closed, Status::Voided] {
        assert_eq!(at(status), None, "{status:?}");
    }
    assert_eq!(Claim { frequency: Frequency::Replacement, ..fresh.clone() }.deadline(&WINDOWS), None);
    assert_eq!(claim(1, Vec::new()).deadline(&WINDOWS), None);
}

#[test]
fn somebody_is_told_two_weeks_before_the_end() {
    let due = date(2026, 5, 30);
    let alert = |before: i64| WINDOWS.alert(due, due - before.days());
    assert_eq!([15, 14, 0, -1].map(alert), [Alert::None, Alert::Due, Alert::Due, Alert::Over]);
    assert_eq!(WINDOWS.alert(Date::MAX, Date::MAX), Alert::Due);
    assert_eq!(WINDOWS.filing_due(Date::MAX), Date::MAX);
}

#[test]
fn a_claim_is_read_as_it_was_written() {
    let written = successor(Frequency::Replacement);
    let json = serde_json::to_value(&written).unwrap();
    assert_eq!((&json["lines"][0]["charge"], &json["prior"]["controlNumber"]), (&20_000.into(), &"ICN1".into()));
    assert_eq!(serde_json::from_value::<Claim>(json).unwrap(), written);
}

proptest! {
    /// Whatever is tried: what the table has not is refused, what it has leads where it says, and what is final stays.
    #[test]
    fn any_sequence_follows_the_table(
        tries in prop::collection::vec((prop::sample::select(Action::ALL[1..].to_vec()), 0_i64..200), 0..60),
    ) {
        let coverage = insured();
        let (seven, eight) = (successor(Frequency::Replacement), successor(Frequency::Void));
        let mut claim = claim(1, vec![line("99213", day(), 15_000)]);
        for (action, after) in tries {
            let on = day() + after.days();
            let facts = scrub::Facts { today: on, coverage: Some(&coverage), windows: &WINDOWS, others: &[] };
            let change = match action {
                Action::Create => continue,
                Action::Prepare => Change::Prepare(&facts),
                Action::Revise => Change::Revise,
                Action::Submit => Change::Submit,
                Action::Accept => Change::Accept,
                Action::Reject => Change::Reject,
                Action::Pend => Change::Pend,
                Action::Pay => Change::Pay(on),
                Action::PayPartially => Change::PayPartially(on),
                Action::Deny => Change::Deny(on),
                Action::Reverse => Change::Reverse,
                Action::Appeal => Change::Appeal(on, &WINDOWS),
                Action::Correct => Change::Correct(&seven),
                Action::Void => Change::Void(&eight),
                Action::Withdraw => Change::Withdraw,
                Action::Close => Change::Close,
            };
            prop_assert_eq!(change.action(), action);
            let row = TABLE.iter().find(|row| row.from == Some(claim.status) && row.action == action);
            match (claim.change(change), row) {
                (Ok(next), Some(row)) => {
                    prop_assert_eq!(next.status, row.to);
                    prop_assert!(!claim.status.is_final() || next.status == claim.status);
                    let is_draft = matches!(next.status, Status::Draft | Status::Ready);
                    prop_assert!(!is_draft || next.adjudicated_on.is_none());
                    prop_assert!(!next.status.is_adjudicated() || next.adjudicated_on.is_some());
                    claim = next;
                }
                (Err(Refusal::NotAllowed { from, .. }), None) => prop_assert_eq!(from, claim.status),
                // 90 days from the service, 60 from the decision.
                (Err(Refusal::Unclean(found)), Some(_)) => prop_assert!(after > 90, "{:?}", found),
                (Err(Refusal::TooLate(due)), Some(_)) => prop_assert!(on > due),
                (result, row) => prop_assert!(false, "{:?} {:?}", result, row),
            }
        }
    }
}
