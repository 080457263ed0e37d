use jiff::{ToSpan as _, civil::date};
use proptest::prelude::*;

use uuid::Uuid;

use super::*;
use crate::domain::money::{Amount, Currency, Rate};

pub(crate) fn free_terms() -> Terms {
    Terms {
        currency: Currency::from_code("USD").unwrap(),
        copay: Copay::Free,
        copay_skips_deductible: false,
        deductible: Amount::ZERO,
        coinsurance: Rate::default(),
        out_of_pocket_maximum: None,
        plan_year: PlanYear::CALENDAR,
        secondary_rule: SecondaryRule::Standard,
    }
}

pub(crate) fn coverage(id: u128, order: u8, start: Date, end: Option<Date>) -> Coverage {
    Coverage {
        id: CoverageId(Uuid::from_u128(id)),
        status: Status::Active,
        patient_id: PatientId(Uuid::from_u128(1)),
        payer_id: PayerId(Uuid::from_u128(2)),
        plan_id: None,
        plan: "Gold".to_owned(),
        member_id: Some("M1".to_owned()),
        group: None,
        relationship: Relationship::Oneself,
        period: Period { start, end },
        order: NonZeroU8::new(order).unwrap(),
        terms: free_terms(),
    }
}

#[test]
fn two_of_one_rank_are_in_each_others_way_on_the_last_day_that_both_have() {
    let first = coverage(1, 1, date(2026, 1, 1), Some(date(2026, 6, 30)));
    let others = |start, order| [coverage(2, order, start, None)];
    let way = |other: &[Coverage]| first.in_the_way(other).map(|found| found.id);
    assert_eq!(way(&others(date(2026, 6, 30), 1)), Some(CoverageId(Uuid::from_u128(2))));
    assert_eq!(way(&others(date(2026, 7, 1), 1)), None);
    assert_eq!(way(&others(date(2026, 6, 30), 2)), None);
    // Neither itself, nor what does not count, nor another person's.
    assert_eq!(way(std::slice::from_ref(&first)), None);
    let over = [Coverage { status: Status::Cancelled, ..coverage(2, 1, date(2026, 1, 1), None) }];
    assert_eq!(way(&over), None);
    let foreign = [Coverage { patient_id: PatientId(Uuid::from_u128(9)), ..coverage(2, 1, date(2026, 1, 1), None) }];
    assert_eq!(way(&foreign), None);
    let cancelled = Coverage { status: Status::Cancelled, ..first.clone() };
    assert_eq!(cancelled.in_the_way(&others(date(2026, 1, 1), 1)), None);
}

#[test]
fn who_pays_first_comes_first() {
    let all = [
        coverage(1, 2, date(2026, 1, 1), None),
        coverage(2, 1, date(2026, 1, 1), Some(date(2026, 6, 30))),
        Coverage { status: Status::EnteredInError, ..coverage(3, 3, date(2026, 1, 1), None) },
        coverage(4, 1, date(2026, 7, 1), None),
    ];
    let on = |day| -> Vec<u128> {
        let found = coverages_on(&all, PatientId(Uuid::from_u128(1)), day);
        found.into_iter().map(|coverage| coverage.id.0.as_u128()).collect()
    };
    assert_eq!(on(date(2026, 6, 30)), [2, 1]);
    assert_eq!(on(date(2026, 7, 1)), [4, 1]);
    assert_eq!(on(date(2025, 12, 31)), [] as [u128; 0]);
    assert!(coverages_on(&all, PatientId(Uuid::from_u128(9)), date(2026, 7, 1)).is_empty());
}

#[test]
fn a_plan_year_begins_where_the_plan_says() {
    let july = PlanYear::starting(7, 1).unwrap();
    assert_eq!(july.of(date(2026, 6, 30)), date(2025, 7, 1));
    assert_eq!(july.of(date(2026, 7, 1)), date(2026, 7, 1));
    assert_eq!(PlanYear::CALENDAR.of(date(2026, 12, 31)), date(2026, 1, 1));
    for (month, day) in [(2, 29), (0, 1), (13, 1), (4, 31)] {
        assert_eq!(PlanYear::starting(month, day), None, "{month}-{day}");
    }
}

#[test]
fn terms_have_no_negative_amounts() {
    assert_eq!(free_terms().faults(), []);
    let wrong = Terms {
        deductible: Amount(-1),
        out_of_pocket_maximum: Some(Amount(-1)),
        copay: Copay::PerService([("99213".to_owned(), Amount(-1)), ("99214".to_owned(), Amount(1))].into()),
        ..free_terms()
    };
    let pointers: Vec<_> = wrong.faults().into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(pointers, ["/deductible", "/outOfPocketMaximum", "/copay/99213"]);
}

#[test]
fn a_coverage_is_read_as_it_was_written() {
    let written = coverage(1, 1, date(2026, 1, 1), None);
    let json = serde_json::to_value(&written).unwrap();
    assert_eq!(json["relationship"], "self");
    assert_eq!(serde_json::from_value::<Coverage>(json).unwrap(), written);
    for relationship in Relationship::ALL {
        assert_eq!(Relationship::parse(relationship.code()), Ok(relationship));
        assert_eq!(serde_json::to_value(relationship).unwrap(), relationship.code());
    }
    assert!(Relationship::parse("uncle").is_err());
}

proptest! {
    /// Whatever the periods: two are in each other's way exactly when some day has both.
    #[test]
    fn periods_meet_when_they_share_a_day(
        (first, length) in (0_i64..60, prop::option::of(0_i64..30)),
        (second, other) in (0_i64..60, prop::option::of(0_i64..30)),
    ) {
        let day = |number: i64| date(2026, 1, 1) + number.days();
        let one = coverage(1, 1, day(first), length.map(|length| day(first + length)));
        let two = coverage(2, 1, day(second), other.map(|length| day(second + length)));
        let shared = (0..100).map(day).any(|day| one.insures(day) && two.insures(day));
        prop_assert_eq!(one.in_the_way([&two]).is_some(), shared);
        prop_assert_eq!(two.in_the_way([&one]).is_some(), shared);
        if !shared {
            for day in (0..100).map(day) {
                prop_assert!(coverages_on([&one, &two], one.patient_id, day).len() <= 1);
            }
        }
    }

    #[test]
    fn a_day_is_in_its_plan_year(month in 1_i8..=12, at in 1_i8..=28, number in 0_i64..2000) {
        let year = PlanYear::starting(month, at).unwrap();
        let day = date(2020, 1, 1) + number.days();
        let start = year.of(day);
        prop_assert!(start <= day && day < start + 1.year());
        prop_assert_eq!((start.month(), start.day()), (month, at));
    }
}
