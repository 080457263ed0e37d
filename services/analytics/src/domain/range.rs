//! Over which time something is counted: what was asked for, in whole hours or days.

use jiff::{Timestamp, civil::Date};

use super::{
    fact::{EARLIEST_YEAR, LATEST_YEAR},
    zone::{ClinicZone, Group},
};

/// More than this no chart shows.
pub const MOST_BUCKETS: usize = 2000;
/// What is shown to whom asks for nothing particular.
const DEFAULT_DAYS: i32 = 7;

/// One end of what was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bound {
    /// An instant.
    Instant(Timestamp),
    /// The beginning of a day of the clinic's calendar.
    Day(Date),
}

impl Bound {
    /// Reads `2026-11-23T00:00:00-05:00` or `2026-11-23`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str =
            "must be a date such as 2026-11-23 or a time such as 2026-11-23T00:00:00-05:00, any + written %2B";
        let (bound, year) = if text.len() == "2026-11-23".len() {
            let day: Date = text.parse().map_err(|_| SHAPE)?;
            (Self::Day(day), day.year())
        } else {
            let rfc3339 = text.as_bytes().get(10).is_some_and(|separator| separator.eq_ignore_ascii_case(&b'T'))
                && !text.contains('[');
            let instant: Timestamp = text.parse().ok().filter(|_| rfc3339).ok_or(SHAPE)?;
            (Self::Instant(instant), jiff::tz::Offset::UTC.to_datetime(instant).year())
        };
        if (EARLIEST_YEAR..=LATEST_YEAR).contains(&year) { Ok(bound) } else { Err("is too far away") }
    }

    fn instant(self, zone: &ClinicZone) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Day(day) => zone.midnight(day),
        }
    }
}

/// Hours or days without gap, at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Range {
    group: Group,
    starts: Vec<Timestamp>,
    end: Timestamp,
}

/// An hour or a day, and how many were counted in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// When it begins.
    pub start: Timestamp,
    /// How many.
    pub count: u64,
}

/// Why nothing is counted over what was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It ends before it begins.
    #[error("must be before `to`, which is the end of the present hour or day unless it is given")]
    Backwards,
    /// It would not fit a chart.
    #[error("makes more than {MOST_BUCKETS} items: ask for less, or for days instead of hours")]
    TooLong,
}

impl Range {
    /// The hours or days that have a part in [`from`, `to`): of a begun one, all is counted.
    ///
    /// Without `to` it ends with the present one, without `from` it begins seven days before its end.
    pub fn of(
        from: Option<Bound>,
        to: Option<Bound>,
        group: Group,
        zone: &ClinicZone,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let to = to.map(|to| to.instant(zone));
        let end = match to {
            Some(to) if zone.start(group, to) == to => to,
            to => zone.next(group, zone.start(group, to.unwrap_or(now))),
        };
        let from = from.map_or_else(|| zone.days_before(end, DEFAULT_DAYS), |from| from.instant(zone));
        if from >= to.unwrap_or(end) {
            return Err(Refusal::Backwards);
        }
        let mut starts = Vec::new();
        let mut start = zone.start(group, from);
        while start < end {
            if starts.len() == MOST_BUCKETS {
                return Err(Refusal::TooLong);
            }
            starts.push(start);
            start = zone.next(group, start);
        }
        Ok(Self { group, starts, end })
    }

    /// What is counted together.
    pub fn group(&self) -> Group {
        self.group
    }

    /// When the first one begins.
    pub fn start(&self) -> Timestamp {
        self.starts.first().copied().unwrap_or(self.end)
    }

    /// When the last one ends.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// All hours or days with what was counted in them.
    ///
    /// A count belongs where its time lies: the database has a calendar of its own, in which a day that begins twice
    /// begins at the other midnight.
    pub fn fill(&self, counted: &[(Timestamp, u64)]) -> Vec<Bucket> {
        let mut buckets: Vec<_> = self.starts.iter().map(|&start| Bucket { start, count: 0 }).collect();
        for &(time, count) in counted {
            let after = self.starts.partition_point(|start| *start <= time);
            if let Some(bucket) = after.checked_sub(1).and_then(|at| buckets.get_mut(at)) {
                bucket.count += count;
            }
        }
        buckets
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn new_york() -> ClinicZone {
        "America/New_York".parse().unwrap()
    }

    /// 10:30 in New York.
    fn now() -> Timestamp {
        "2026-11-23T15:30:00Z".parse().unwrap()
    }

    fn range(from: &str, to: &str, group: Group) -> Result<(String, String, usize), Refusal> {
        let bound = |text: &str| (!text.is_empty()).then(|| Bound::parse(text).unwrap());
        let zone = new_york();
        let range = Range::of(bound(from), bound(to), group, &zone, now())?;
        Ok((zone.write(range.start()), zone.write(range.end()), range.fill(&[]).len()))
    }

    fn is(from: &str, to: &str, buckets: usize) -> (String, String, usize) {
        (from.to_owned(), to.to_owned(), buckets)
    }

    #[test]
    fn by_default_it_is_the_last_seven_days() {
        assert_eq!(range("", "", Group::Day), Ok(is("2026-11-17T00:00:00-05:00", "2026-11-24T00:00:00-05:00", 7)));
        assert_eq!(range("", "", Group::Hour), Ok(is("2026-11-16T11:00:00-05:00", "2026-11-23T11:00:00-05:00", 168)));
        assert_eq!(
            range("", "2026-11-04", Group::Day),
            Ok(is("2026-10-28T00:00:00-04:00", "2026-11-04T00:00:00-05:00", 7))
        );
        assert_eq!(
            range("2026-11-23", "", Group::Day),
            Ok(is("2026-11-23T00:00:00-05:00", "2026-11-24T00:00:00-05:00", 1))
        );
    }

    #[test]
    fn begun_hours_and_days_are_whole() {
        let from = "2026-11-22T23:30:00-05:00";
        assert_eq!(
            range(from, "2026-11-23T05:00:01Z", Group::Day),
            Ok(is("2026-11-22T00:00:00-05:00", "2026-11-24T00:00:00-05:00", 2))
        );
        assert_eq!(
            range(from, "2026-11-23T05:00:00Z", Group::Hour),
            Ok(is("2026-11-22T23:00:00-05:00", "2026-11-23T00:00:00-05:00", 1))
        );
        assert_eq!(
            range("2026-11-01", "2026-11-02", Group::Hour),
            Ok(is("2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", 25))
        );
    }

    #[test]
    fn what_ends_before_it_begins_or_never_ends_is_refused() {
        for (from, to) in [
            ("2026-11-23", "2026-11-23"),
            ("2026-11-24", "2026-11-23"),
            ("2026-11-24", ""),
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ] {
            assert_eq!(range(from, to, Group::Day), Err(Refusal::Backwards), "{from} {to}");
        }
        assert_eq!(range("1900-01-01", "2999-12-31", Group::Hour), Err(Refusal::TooLong));
        assert_eq!(range("2020-01-01T00:00:00-05:00", "2020-03-24T08:00:00-04:00", Group::Hour).unwrap().2, 1999);
        assert_eq!(range("2020-01-01T00:00:00-05:00", "2020-03-24T09:00:01-04:00", Group::Hour), Err(Refusal::TooLong));
    }

    #[test]
    fn bounds_are_dates_or_rfc_3339() {
        for bad in [
            "",
            "yesterday",
            "2026-02-30",
            "2026-11-23T10:00",
            "2026-11-23 10:00:00Z",
            "2026-11-23T00:00:00 05:00",
            "1899-12-31",
            "3000-01-01T00:00:00Z",
            "2026-11-23T10:00:00Z[UTC]",
            "-002026-01-01T00:00:00Z",
            "20261123",
            "2026-11-2é",
        ] {
            assert!(Bound::parse(bad).is_err(), "{bad}");
        }
        let instant = Bound::parse("2026-11-23T10:30:00-05:00");
        assert_eq!(instant, Ok(Bound::Instant(now())));
        assert_eq!(Bound::parse("2026-11-23t15:30:00z"), instant);
    }

    #[test]
    fn a_count_belongs_where_its_time_lies() {
        let havana: ClinicZone = "America/Havana".parse().unwrap();
        let bounds = ["2026-10-31", "2026-11-03"].map(|day| Some(Bound::parse(day).unwrap()));
        let range = Range::of(bounds[0], bounds[1], Group::Day, &havana, now()).unwrap();
        // The day begins at 04:00 and, for whoever takes the second midnight, at 05:00.
        let counted = [
            "2026-10-31T04:00:00Z",
            "2026-11-01T05:00:00Z",
            "2026-11-02T05:00:00Z",
            "2026-11-03T05:00:00Z",
            "2026-10-30T04:00:00Z",
        ];
        let counted: Vec<_> = (1..).zip(counted).map(|(count, time)| (time.parse().unwrap(), count)).collect();
        let counts: Vec<_> = range.fill(&counted[..3]).iter().map(|bucket| bucket.count).collect();
        assert_eq!(counts, [1, 2, 3]);
        assert_eq!(range.fill(&counted[4..]).iter().map(|bucket| bucket.count).sum::<u64>(), 0, "before the range");
    }

    proptest! {
        #[test]
        fn every_range_is_without_gap_and_holds_what_was_asked_for(
            from in 0_i64..4_000_000_000,
            length in 1_i64..7_000_000,
            hourly: bool,
        ) {
            let zone = new_york();
            let group = if hourly { Group::Hour } else { Group::Day };
            let [from, to] = [from, from + length].map(|second| Timestamp::from_second(second).unwrap());
            let range = Range::of(Some(Bound::Instant(from)), Some(Bound::Instant(to)), group, &zone, now()).unwrap();
            prop_assert!(range.start() <= from && to <= range.end());
            let buckets = range.fill(&[(from, 1), (to - jiff::SignedDuration::from_nanos(1), 1)]);
            prop_assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 2);
            prop_assert!(buckets[0].count > 0 && buckets[buckets.len() - 1].count > 0, "no bucket too many");
            for pair in buckets.windows(2) {
                prop_assert_eq!(zone.next(group, pair[0].start), pair[1].start);
            }
        }

        #[test]
        fn no_text_breaks_the_parser(text in ".*") {
            let _ = Bound::parse(&text);
        }
    }
}
