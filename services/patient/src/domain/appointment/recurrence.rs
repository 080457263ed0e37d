//! When a series takes place: a part of RFC 5545's recurrence rules, over the clinic's wall-clock time.
//!
//! Nine o'clock stays nine o'clock when the clock is set. What does not exist, the 30th of February or a time that the
//! clock skips, is no occurrence and is not counted, as section 3.3.10 has it; of a time that the clock shows twice, the
//! first is meant (section 3.3.5).

use jiff::{
    Span, Timestamp,
    civil::{Date, DateTime, Weekday},
};
use serde::{Deserialize, Serialize};

use crate::domain::calendar::zone::Zone;

/// More than this is booked in more than one series; a year of weeks fits.
pub const MOST: u16 = 60;
/// How far ahead a series looks, in days: what is later is no occurrence.
const FARTHEST: i64 = 366 * 25;

/// How often.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// By days, weeks or months.
    pub frequency: Frequency,
    /// Each, every second, and so on.
    pub interval: u16,
    /// On which days of the week, for a weekly rule; none is that of the beginning. Counted from Monday, 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<i8>,
    /// How many times, or until when.
    pub end: End,
}

/// By what it is counted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// By days.
    Daily,
    /// By weeks, which begin on Monday.
    Weekly,
    /// By months, on the same day of each.
    Monthly,
}

/// When a series is over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// After so many occurrences.
    Count(u16),
    /// With the last on or before this date.
    Until(Date),
}

/// One time of a series.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Occasion {
    /// Counts from 1.
    pub number: u16,
    /// What the clock shows.
    pub local: DateTime,
    /// When that is.
    pub start: Timestamp,
}

impl Rule {
    /// The occurrences of a series that begins then, [`MOST`] at most.
    pub fn expand(&self, beginning: DateTime, zone: &Zone) -> Vec<Occasion> {
        let most = match self.end {
            End::Count(count) => count.min(MOST),
            End::Until(_) => MOST,
        };
        let mut found = Vec::new();
        for date in self.dates(beginning.date()) {
            if matches!(self.end, End::Until(last) if date > last) || found.len() >= usize::from(most) {
                break;
            }
            let local = date.to_datetime(beginning.time());
            let start = zone.first(local);
            if zone.shows(local) {
                let number = u16::try_from(found.len() + 1).unwrap_or(MOST);
                found.push(Occasion { number, local, start });
            }
        }
        found
    }

    /// The dates of the rule from a first one on.
    pub(super) fn dates(&self, first: Date) -> impl Iterator<Item = Date> {
        let days = (0..FARTHEST).map_while(move |day| first.checked_add(Span::new().days(day)).ok());
        days.filter(move |date| self.has(first, *date))
    }

    /// Whether a date is one of the rule that begins on another.
    pub(super) fn has(&self, first: Date, date: Date) -> bool {
        let interval = i32::from(self.interval.max(1));
        let days = (date - first).get_days();
        match self.frequency {
            Frequency::Daily => days % interval == 0,
            Frequency::Weekly => {
                let on = |day: Weekday| {
                    if self.days.is_empty() {
                        day == first.weekday()
                    } else {
                        self.days.contains(&day.to_monday_one_offset())
                    }
                };
                let into_week = i32::from(first.weekday().to_monday_zero_offset());
                on(date.weekday()) && (days + into_week) / 7 % interval == 0
            }
            Frequency::Monthly => {
                let months = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
                date.day() == first.day() && (months(date) - months(first)) % interval == 0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};
    use proptest::prelude::*;

    use super::*;

    fn rule(frequency: Frequency, interval: u16, end: End) -> Rule {
        Rule { frequency, interval, days: Vec::new(), end }
    }

    fn locals(rule: &Rule, beginning: DateTime, zone: &str) -> Vec<String> {
        let zone = Zone::parse(zone).unwrap();
        rule.expand(beginning, &zone).iter().map(|one| zone.write(one.start)).collect()
    }

    #[test]
    fn nine_stays_nine_when_the_clock_is_set() {
        let weekly = rule(Frequency::Weekly, 1, End::Count(3));
        let beginning = datetime(2026, 10, 19, 9, 0, 0, 0);
        assert_eq!(
            locals(&weekly, beginning, "Europe/Berlin"),
            ["2026-10-19T09:00:00+02:00", "2026-10-26T09:00:00+01:00", "2026-11-02T09:00:00+01:00"]
        );
        assert_eq!(
            locals(
                &rule(Frequency::Daily, 1, End::Until(date(2026, 10, 5))),
                datetime(2026, 10, 3, 9, 0, 0, 0),
                "Australia/Lord_Howe"
            ),
            ["2026-10-03T09:00:00+10:30", "2026-10-04T09:00:00+11:00", "2026-10-05T09:00:00+11:00"]
        );
    }

    #[test]
    fn what_does_not_exist_is_not_counted() {
        let daily = rule(Frequency::Daily, 1, End::Count(2));
        assert_eq!(
            locals(&daily, datetime(2027, 3, 28, 2, 30, 0, 0), "Europe/Berlin"),
            ["2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"]
        );
        // Twice there is the first.
        assert_eq!(
            locals(&rule(Frequency::Daily, 1, End::Count(1)), datetime(2026, 11, 1, 1, 30, 0, 0), "America/New_York"),
            ["2026-11-01T01:30:00-04:00"]
        );
        let monthly = rule(Frequency::Monthly, 1, End::Count(3));
        assert_eq!(
            locals(&monthly, datetime(2027, 1, 31, 9, 0, 0, 0), "Asia/Kolkata"),
            ["2027-01-31T09:00:00+05:30", "2027-03-31T09:00:00+05:30", "2027-05-31T09:00:00+05:30"]
        );
    }

    #[test]
    fn a_week_begins_on_monday() {
        // RFC 5545, section 3.8.5.3: which weeks "every other week" means depends on where the week begins.
        let other = Rule { days: vec![2, 7], ..rule(Frequency::Weekly, 2, End::Count(4)) };
        let days: Vec<_> = locals(&other, datetime(1997, 8, 5, 9, 0, 0, 0), "America/New_York")
            .iter()
            .map(|at| at[..10].to_owned())
            .collect();
        assert_eq!(days, ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]);
    }

    proptest! {
        /// Held against a walk through all the days of eleven years.
        #[test]
        fn every_occurrence_is_on_a_day_of_the_rule(
            frequency in prop::sample::select(vec![Frequency::Daily, Frequency::Weekly, Frequency::Monthly]),
            interval in 1_u16..5,
            days in prop::collection::btree_set(1_i8..=7, 0..3),
            first in 0_i64..700,
            minute in 0_i8..60,
            hour in 0_i8..24,
            count in 1_u16..12,
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
        ) {
            let rule = Rule { frequency, interval, days: days.iter().copied().collect(), end: End::Count(count) };
            let zone = Zone::parse(zone).unwrap();
            let first = date(2026, 1, 1).checked_add(Span::new().days(first)).unwrap();
            let beginning = first.at(hour, minute, 0, 0);
            let found = rule.expand(beginning, &zone);
            let mut expected = Vec::new();
            let (mut week, mut month) = (0, 0);
            for day in 0..4000 {
                let date = first.checked_add(Span::new().days(day)).unwrap();
                week += i32::from(day > 0 && date.weekday() == Weekday::Monday);
                month += i32::from(day > 0 && date.day() == 1);
                let on = match frequency {
                    Frequency::Daily => day % i64::from(interval) == 0,
                    Frequency::Weekly => week % i32::from(interval) == 0 && if days.is_empty() {
                        day % 7 == 0
                    } else {
                        days.contains(&date.weekday().to_monday_one_offset())
                    },
                    Frequency::Monthly => month % i32::from(interval) == 0 && date.day() == first.day(),
                };
                if on {
                    expected.push(date);
                }
            }
            prop_assert!(found.len() <= usize::from(count));
            let skips = |date: &Date| zone.local(zone.first(date.at(hour, minute, 0, 0))) != date.at(hour, minute, 0, 0);
            let expected: Vec<_> = expected.into_iter().filter(|date| !skips(date)).take(found.len()).collect();
            prop_assert_eq!(found.iter().map(|one| one.local.date()).collect::<Vec<_>>(), expected);
            for pair in found.windows(2) {
                prop_assert!(pair[0].start < pair[1].start && pair[0].number + 1 == pair[1].number);
            }
        }
    }
}
