//! Over which time something is counted: what was asked for, in whole groups.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};

use super::{
    fact::{EARLIEST_YEAR, LATEST_YEAR},
    zone::{ClinicZone, Group},
};

/// More than this no chart shows.
pub const MOST_BUCKETS: usize = 2000;
/// What is shown to whom asks for nothing particular.
const fn usual_days(group: Group) -> i32 {
    match group {
        Group::Hour | Group::Day => 7,
        Group::Week => 84,
        Group::Month => 365,
    }
}

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

/// Groups without gap, at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Range {
    group: Group,
    starts: Vec<Timestamp>,
    labels: Vec<DateTime>,
    end: Timestamp,
    end_label: DateTime,
}

/// Why nothing is counted over what was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It ends before it begins.
    #[error("must be before `to`, which is the end of the present group unless it is given")]
    Backwards,
    /// It would not fit a chart.
    #[error("makes more than {MOST_BUCKETS} items: ask for less, or by a coarser group")]
    TooLong,
}

impl Range {
    /// The groups that have a part in [`from`, `to`): of a begun one, all is counted.
    ///
    /// Without `to` it ends with the present one, without `from` it begins a week before its end; by week twelve
    /// weeks, by month a year.
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
        let from = from.map_or_else(|| zone.days_before(end, usual_days(group)), |from| from.instant(zone));
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
        Ok(Self::between(group, starts, end, zone))
    }

    fn between(group: Group, starts: Vec<Timestamp>, end: Timestamp, zone: &ClinicZone) -> Self {
        let labels = starts.iter().map(|&start| zone.label(group, start)).collect();
        Self { group, starts, labels, end, end_label: zone.label(group, end) }
    }

    /// As many groups, just before.
    #[must_use]
    pub fn before(&self, zone: &ClinicZone) -> Self {
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut end = self.start();
        while starts.len() < self.starts.len() {
            // A group begins at the latest with the instant before it ends.
            end = zone.start(self.group, end - 1.nanosecond());
            starts.push(end);
        }
        starts.reverse();
        Self::between(self.group, starts, self.start(), zone)
    }

    /// As many groups, from the one a year before the first.
    #[must_use]
    pub fn year_before(&self, zone: &ClinicZone) -> Self {
        let mut start = zone.start(self.group, zone.years_before(self.start(), 1));
        let mut starts = Vec::with_capacity(self.starts.len());
        while starts.len() < self.starts.len() {
            starts.push(start);
            start = zone.next(self.group, start);
        }
        Self::between(self.group, starts, start, zone)
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

    /// When each begins.
    pub fn starts(&self) -> &[Timestamp] {
        &self.starts
    }

    /// What rollups call the first.
    pub fn first_label(&self) -> DateTime {
        self.labels.first().copied().unwrap_or(self.end_label)
    }

    /// What rollups call the one after the last.
    pub fn end_label(&self) -> DateTime {
        self.end_label
    }

    /// The first days of all, and of the one after the last.
    pub fn days(&self, zone: &ClinicZone) -> Vec<Date> {
        self.starts.iter().chain([&self.end]).map(|&start| zone.day(start)).collect()
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Which of them rollups call so; an hour of a clinic whose clock is not whole hours off is in the one in which it began.
    pub fn place(&self, label: DateTime) -> Option<usize> {
        match self.labels.binary_search(&label) {
            Ok(place) => Some(place),
            Err(next) if self.group == Group::Hour && label < self.end_label => next.checked_sub(1),
            Err(_) => None,
        }
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
        Ok((zone.write(range.start()), zone.write(range.end()), range.len()))
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

    fn over(from: &str, to: &str, group: Group) -> Range {
        let [from, to] = [from, to].map(|day| Some(Bound::parse(day).unwrap()));
        Range::of(from, to, group, &new_york(), now()).unwrap()
    }

    #[test]
    fn labels_are_days_of_the_calendar_and_hours_in_utc() {
        let label = |text: &str| -> DateTime { text.parse().unwrap() };
        let days = over("2026-10-31", "2026-11-03", Group::Day);
        assert_eq!(days.place(label("2026-11-01T00:00")), Some(1));
        assert_eq!((days.first_label(), days.end_label()), (label("2026-10-31T00:00"), label("2026-11-03T00:00")));
        assert_eq!(days.place(label("2026-11-03T00:00")), None);
        // The day on which summer time ends.
        let hours = over("2026-11-01", "2026-11-02", Group::Hour);
        assert_eq!((hours.len(), hours.place(label("2026-11-01T06:00"))), (25, Some(2)));
        // An hour that begins at a quarter past is in the one in which it does; one that begins before all of them in none.
        assert_eq!(
            [label("2026-11-01T06:15"), label("2026-11-01T03:59")].map(|label| hours.place(label)),
            [Some(2), None]
        );
        assert_eq!(days.place(label("2026-11-01T06:15")), None);
        let weeks = over("2026-11-04", "2026-11-10", Group::Week);
        assert_eq!((weeks.first_label(), weeks.len()), (label("2026-11-02T00:00"), 2));
        let months = over("2026-02-28", "2026-05-02", Group::Month);
        assert_eq!((months.first_label(), months.len()), (label("2026-02-01T00:00"), 4));
    }

    #[test]
    fn what_is_compared_has_as_many_groups() {
        let zone = new_york();
        let days = |range: &Range| range.days(&zone).iter().map(ToString::to_string).collect::<Vec<_>>();
        let march = over("2026-03-07", "2026-03-10", Group::Day);
        assert_eq!(days(&march.before(&zone)), ["2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07"]);
        assert_eq!(days(&march.year_before(&zone)), ["2025-03-07", "2025-03-08", "2025-03-09", "2025-03-10"]);
        let months = over("2026-01-01", "2026-03-01", Group::Month);
        assert_eq!(days(&months.before(&zone)), ["2025-11-01", "2025-12-01", "2026-01-01"]);
        let hours = over("2026-03-08", "2026-03-09", Group::Hour);
        assert_eq!((hours.len(), hours.before(&zone).len(), hours.before(&zone).end()), (23, 23, hours.start()));
    }

    proptest! {
        #[test]
        fn every_range_is_without_gap_and_holds_what_was_asked_for(
            from in 0_i64..4_000_000_000,
            length in 1_i64..7_000_000,
            group in prop::sample::select(vec![Group::Hour, Group::Day, Group::Week, Group::Month]),
        ) {
            let zone = new_york();
            let [from, to] = [from, from + length].map(|second| Timestamp::from_second(second).unwrap());
            let range = Range::of(Some(Bound::Instant(from)), Some(Bound::Instant(to)), group, &zone, now()).unwrap();
            prop_assert!(range.start() <= from && to <= range.end());
            prop_assert!(range.starts().len() < 2 || range.starts()[1] > from, "no group too many");
            for pair in range.starts().windows(2) {
                prop_assert_eq!(zone.next(group, pair[0]), pair[1]);
            }
            let before = range.before(&zone);
            prop_assert_eq!((before.len(), before.end()), (range.len(), range.start()));
            for (place, start) in range.starts().iter().enumerate() {
                prop_assert_eq!(range.place(zone.label(group, *start)), Some(place));
            }
        }

        #[test]
        fn no_text_breaks_the_parser(text in ".*") {
            let _ = Bound::parse(&text);
        }
    }
}
