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
    #[test]
    fn a_day_is_in_its_plan_year(month in 1_i8..=12, at in 1_i8..=28, number in 0_i64..2000) {
        let year = PlanYear::starting(month, at).unwrap();
        let day = date(2020, 1, 1) + number.days();
        let start = year.of(day);
        prop_assert!(start <= day && day < start + 1.year());
        prop_assert_eq!((start.month(), start.day()), (month, at));
    }
}
