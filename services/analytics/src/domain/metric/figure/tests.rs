use super::*;
use crate::domain::{
    metric::catalogue::named,
    range::Bound,
    zone::{ClinicZone, Group},
};

fn zone() -> ClinicZone {
    "America/New_York".parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Days from the first to the last, not included.
fn days(first: &str, end: &str) -> Range {
    let bound = |day: &str| Some(Bound::parse(day).unwrap());
    Range::of(bound(first), bound(end), Group::Day, &zone(), Timestamp::UNIX_EPOCH).unwrap()
}

fn of_all() -> Key {
    Key::default()
}

fn in_francs() -> Key {
    Key { value: String::new(), currency: "CHF".to_owned() }
}

/// So much on a day, of so many things; before all of them without a day.
fn row(measure: Measure, key: Key, start: Option<&str>, value: f64, things: u64) -> Row {
    let start = start.map(|start| day(start).to_datetime(jiff::civil::Time::midnight()));
    Row { measure, key, start, count: Count { value, things, restated: None } }
}

fn values(series: &Series) -> Vec<Option<f64>> {
    series.items.iter().map(|item| item.value).collect()
}

#[test]
fn a_level_is_all_that_was_until_then() {
    let range = days("2007-03-05", "2007-03-08");
    let rows = [
        row(Measure::Active, of_all(), None, 40.0, 40),
        row(Measure::Active, of_all(), Some("2007-03-05"), 2.0, 2),
        row(Measure::Active, of_all(), Some("2007-03-07"), 1.0, 1),
    ];
    let series = of_sums(named("panel").unwrap(), &Sums::of(rows, &range), &range);
    assert_eq!(values(&series[0]), [Some(42.0), Some(42.0), Some(43.0)]);
    assert_eq!(series[0].total, series[0].items[2]);
    // How many there are, and how many are new on the day.
    assert_eq!(
        series[0].items.iter().map(|item| item.stands_on[..2].to_vec()).collect::<Vec<_>>(),
        [[42, 2], [42, 0], [43, 1]]
    );
}

#[test]
fn nothing_by_nothing_is_no_figure_and_nothing_by_something_is_none() {
    let range = days("2007-03-05", "2007-03-08");
    let rows = [
        row(Measure::NoShow, of_all(), Some("2007-03-05"), 1.0, 1),
        row(Measure::Kept, of_all(), Some("2007-03-05"), 3.0, 3),
        row(Measure::Kept, of_all(), Some("2007-03-06"), 5.0, 5),
    ];
    let series = of_sums(named("no-show-rate").unwrap(), &Sums::of(rows, &range), &range);
    assert_eq!(values(&series[0]), [Some(0.25), Some(0.0), None]);
    assert_eq!(series[0].total.value, Some(1.0 / 9.0), "of all days together, not of the rates of days");
    // All, the part, and what it leaves.
    assert_eq!(series[0].items[0].stands_on, [4, 1, 3]);
    assert_eq!(nothing(named("no-show-rate").unwrap(), &of_all(), &range).total.value, None);
    assert_eq!(nothing(named("no-shows").unwrap(), &of_all(), &range).total.value, Some(0.0));
}

#[test]
fn charges_of_ninety_days_are_looked_at_and_of_no_day_more() {
    // Of two days, the ninety days of the first go from 8 December to 7 March.
    let (range, window) = (days("2007-03-07", "2007-03-09"), days("2006-12-08", "2007-03-09"));
    let owed = [row(Measure::Receivable, in_francs(), None, 1800.0, 20)];
    let charged = [
        row(Measure::Charged, in_francs(), Some("2006-12-08"), 9000.0, 1),
        row(Measure::Charged, in_francs(), Some("2007-03-07"), 900.0, 1),
        row(Measure::Charged, in_francs(), Some("2007-03-08"), 900.0, 1),
    ];
    let (owed, charged) = (Sums::of(owed, &range), Sums::of(charged, &window));
    let series = days_in_receivables(&owed, &range, &charged, &window);
    // 1800 by 9900 / 90; by 1800 / 90, since 8 December is the ninety-first day before.
    assert_eq!(values(&series[0]), [Some(1800.0 / 110.0), Some(90.0)]);
    assert_eq!(series[0].total.value, Some(90.0));
    let nothing_charged = days_in_receivables(&owed, &range, &Sums::default(), &window);
    assert_eq!(values(&nothing_charged[0]), [None, None]);
}

#[test]
fn minutes_are_divided_by_those_that_there_were() {
    let range = days("2007-03-05", "2007-03-08");
    let rows = [
        row(Measure::BookedMinutes, of_all(), Some("2007-03-05"), 30.0, 1),
        row(Measure::BookedMinutes, of_all(), Some("2007-03-07"), 20.0, 1),
    ];
    let available = BTreeMap::from([(String::new(), vec![120.0, 80.0, 0.0])]);
    let series = utilisation(Measure::BookedMinutes, &Sums::of(rows, &range), &range, &available);
    // Nobody had hours on the last day.
    assert_eq!(values(&series[0]), [Some(0.25), Some(0.0), None]);
    assert_eq!(series[0].total.value, Some(0.25), "50 of 200");
}

#[test]
fn an_invoice_is_of_the_age_of_its_days() {
    let today = day("2007-06-30");
    // Issued today, and 30, 31, 60, 61, 90, 91, 120 and 121 days ago.
    let issued = [
        "2007-06-30",
        "2007-05-31",
        "2007-05-30",
        "2007-05-01",
        "2007-04-30",
        "2007-04-01",
        "2007-03-31",
        "2007-03-02",
        "2007-03-01",
    ];
    let power = |n: usize| f64::from(1 << n);
    let rows: Vec<_> =
        issued.iter().enumerate().map(|(n, day)| row(Measure::Open, in_francs(), Some(day), power(n), 1)).collect();
    let series = aging(&rows, today, true);
    let told: Vec<_> = series.iter().map(|series| (series.key.value.as_str(), series.total.value.unwrap())).collect();
    assert_eq!(
        told,
        [
            ("0-30", power(0) + power(1)),
            ("31-60", power(2) + power(3)),
            ("61-90", power(4) + power(5)),
            ("91-120", power(6) + power(7)),
            ("120+", power(8)),
        ]
    );
    let old = over_ninety(&rows, today);
    assert_eq!(old[0].total.value, Some((power(6) + power(7) + power(8)) / 511.0));
    // One that is issued tomorrow by the clock of a clinic further east is of no age yet.
    let tomorrow = [row(Measure::Open, in_francs(), Some("2007-07-01"), 5.0, 1)];
    assert_eq!(aging(&tomorrow, today, true)[0].total.value, Some(5.0));
    assert_eq!(over_ninety(&tomorrow, today)[0].total.value, Some(0.0));
}

#[test]
fn quantiles_are_of_their_group_and_of_all() {
    let range = days("2007-03-05", "2007-03-07");
    let found = |place, median, ninth_tenth, things| Quantiles {
        key: of_all(),
        place,
        measure: Measure::WaitMinutes,
        median,
        ninth_tenth,
        things,
        restated: None,
    };
    let found = [found(Some(1), 20.0, 30.0, 2), found(None, 15.0, 40.0, 12)];
    let [median, ninth] =
        ["wait-time-median", "wait-time-p90"].map(|name| of_quantiles(named(name).unwrap(), &found, &range).remove(0));
    assert_eq!((values(&median), median.total.value), (vec![None, Some(20.0)], Some(15.0)));
    assert_eq!((values(&ninth), ninth.total.value), (vec![None, Some(30.0)], Some(40.0)));
    assert_eq!(median.total.stands_on, [12; 3]);
    assert!(of_quantiles(named("lead-time-p90").unwrap(), &found, &range).is_empty());
}
