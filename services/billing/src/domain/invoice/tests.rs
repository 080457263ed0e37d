use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{
    fees::{Tax, TaxCategory},
    money::{LARGEST, Rate},
};

fn line(code: &str, units: u32, price: Option<i64>) -> Line {
    Line {
        code: Code { system: "urn:x".to_owned(), code: code.to_owned() },
        modifiers: Vec::new(),
        text: None,
        date: "2026-11-30".parse().unwrap(),
        units,
        unit_price: price.map(Amount),
        discount: None,
        tax: Tax::default(),
        diagnoses: Vec::new(),
        credited: Amount::ZERO,
    }
}

fn drafted(lines: Vec<Line>) -> Invoice {
    Invoice {
        id: InvoiceId(Uuid::nil()),
        patient_id: PatientId(Uuid::nil()),
        clinic_id: ClinicId(Uuid::nil()),
        source: Some(Source { encounter_id: EncounterId(Uuid::nil()), version: 3, practitioner_id: None }),
        status: Status::Draft,
        currency: Currency::from_code("EUR").unwrap(),
        review: Review::of(&lines),
        lines,
        diagnoses: Vec::new(),
        edited: false,
        created_at: Timestamp::UNIX_EPOCH,
        number: None,
        issued_at: None,
        issued_by: None,
        due: None,
        balance: Balance::default(),
        credit_notes: Vec::new(),
        reason: None,
    }
}

#[test]
fn what_was_heard_already_changes_nothing() {
    for version in [1, 2, 3] {
        let mut invoice = drafted(vec![line("A", 1, Some(5))]);
        let before = invoice.clone();
        assert!(!invoice.hear(version, Some((vec![line("B", 1, Some(7))], Vec::new()))));
        assert!(!invoice.hear(version, None));
        assert_eq!(invoice, before);
    }
}

#[test]
fn a_draft_follows_its_encounter() {
    let mut invoice = drafted(Vec::new());
    assert_eq!(invoice.review, [Review::NoServices]);
    assert!(invoice.hear(4, Some((vec![line("A", 1, None)], Vec::new()))));
    assert_eq!((invoice.review.as_slice(), invoice.lines.len()), ([Review::NoPrice].as_slice(), 1));
    assert!(invoice.hear(5, None));
    assert_eq!(invoice.status, Status::EnteredInError);
    assert!(invoice.hear(6, Some((vec![line("B", 1, Some(5))], Vec::new()))));
    assert_eq!((invoice.status, invoice.lines[0].code.code.as_str()), (Status::EnteredInError, "A"));
}

#[test]
fn what_a_person_or_a_number_has_fixed_is_looked_at_and_not_changed() {
    let other = || Some((vec![line("B", 1, Some(7))], Vec::new()));
    let same = || Some((vec![line("A", 1, Some(9))], Vec::new()));
    let mut edited = drafted(vec![line("A", 1, Some(5))]);
    edited.amend(edited.lines.clone()).unwrap();
    let mut issued = drafted(vec![line("A", 1, Some(5))]);
    issued.status = Status::Issued;
    for mut invoice in [edited, issued] {
        assert!(invoice.hear(4, same()));
        assert_eq!(
            (invoice.review.len(), invoice.lines[0].unit_price),
            (0, Some(Amount(5))),
            "prices are the books' own"
        );
        assert!(invoice.hear(5, other()) && invoice.hear(6, other()));
        assert_eq!(
            (invoice.review.as_slice(), invoice.lines[0].code.code.as_str()),
            ([Review::EncounterAmended].as_slice(), "A")
        );
        invoice.reviewed();
        assert!(invoice.review.is_empty());
    }
    let mut issued = drafted(vec![line("A", 1, Some(5))]);
    issued.status = Status::Paid;
    assert!(issued.hear(4, None));
    assert_eq!((issued.status, issued.review.as_slice()), (Status::Paid, [Review::EncounterInError].as_slice()));
}

#[test]
fn a_draft_that_lacks_a_price_says_so_whoever_looked() {
    let mut invoice = drafted(vec![line("A", 1, None)]);
    invoice.reviewed();
    assert_eq!(invoice.review, [Review::NoPrice]);
}

#[test]
fn each_line_is_rounded_once() {
    let mut taxed = line("A", 3, Some(333));
    taxed.tax = Tax { category: TaxCategory::Standard, rate: Rate::from_millionths(190_000).unwrap() };
    taxed.discount = Some(Discount { amount: Amount(99), reason: "staff".to_owned() });
    // 9.99 - 0.99 = 9.00, of which 19 % are 1.71.
    let amounts = taxed.amounts();
    assert_eq!(
        (amounts.gross, amounts.discount, amounts.tax, amounts.total),
        (Amount(999), Amount(99), Amount(171), Amount(1_071))
    );
    let totals = Totals::of(&[taxed.clone(), taxed]);
    assert_eq!((totals.tax, totals.total), (Amount(342), Amount(2_142)));
}

#[test]
fn what_a_line_cannot_be_is_told() {
    assert_eq!(line("A", 1, Some(0)).check(0), []);
    assert_eq!(line("A", 1, None).check(0), []);
    assert_eq!(line("A", 10_000, Some(1)).check(0), [BadLine::Units]);
    assert_eq!(line("A", 2, Some(LARGEST.0)).check(0), [BadLine::Price]);
    let discounted = |amount| Line {
        discount: Some(Discount { amount: Amount(amount), reason: "x".to_owned() }),
        ..line("A", 1, Some(5))
    };
    assert_eq!(discounted(5).check(0), []);
    assert_eq!([discounted(6).check(0), discounted(-1).check(0)], [vec![BadLine::Discount], vec![BadLine::Discount]]);
    let pointing = |diagnoses: &[u32]| Line { diagnoses: diagnoses.to_vec(), ..line("A", 1, Some(5)) };
    assert_eq!(pointing(&[1, 2]).check(2), []);
    for bad in [&[0][..], &[3], &[1, 1, 1, 1, 1]] {
        assert_eq!(pointing(bad).check(2), [BadLine::Diagnoses], "{bad:?}");
    }
}

proptest! {
    #[test]
    fn tax_that_is_taken_back_bit_by_bit_is_all_of_it(
        price in 1..1_000_000_i64,
        units in 1..100_u32,
        rate in 1..=1_000_000_u32,
        cuts in proptest::collection::vec(0.0..1.0_f64, 0..6),
    ) {
        let tax = Tax { category: TaxCategory::Standard, rate: Rate::from_millionths(rate).unwrap() };
        let line = Line { tax, ..line("A", units, Some(price)) };
        let amounts = line.amounts();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any place between will do")]
        let mut places: Vec<_> = cuts.iter().map(|cut| Amount((amounts.total.0 as f64 * cut) as i64)).collect();
        places.extend([Amount::ZERO, amounts.total]);
        places.sort();
        let taken: Vec<_> = places.windows(2).map(|pair| line.tax_within(pair[1]) - line.tax_within(pair[0])).collect();
        prop_assert!(taken.iter().zip(places.windows(2)).all(|(tax, pair)| tax.0 >= 0 && *tax <= pair[1] - pair[0]), "{taken:?}");
        prop_assert_eq!(taken.into_iter().sum::<Amount>(), amounts.tax);
    }
}
