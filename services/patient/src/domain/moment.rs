//! When something was: as exactly as somebody knows it.
//!
//! <http://hl7.org/fhir/R4/datatypes.html#dateTime>

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::Offset};
use serde::{Serialize, Serializer};

/// A year, a month, a day, or an instant with its offset; written as it was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moment {
    text: String,
    from: Timestamp,
    before: Timestamp,
}

/// From a moment to another; either may be left open.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// When it began.
    pub start: Option<Moment>,
    /// When it ended.
    pub end: Option<Moment>,
}

impl Moment {
    /// Reads `2026`, `2026-11`, `2026-11-25` or `2026-11-25T09:30:00+01:00`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "must be a time such as 2026-11-25T09:30:00+01:00, or a date such as 2026-11-25 or 2026-11";
        if text.len() > 10 {
            return Self::instant(text).ok_or(SHAPE);
        }
        let parts: Vec<&str> = text.split('-').collect();
        let number = |part: &str, length: usize| {
            let is_number = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<i16>().ok()).flatten().ok_or(SHAPE)
        };
        let date = |year: &str, month: i16, day: i16| {
            let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return Err(SHAPE) };
            Date::new(number(year, 4)?, month, day).map_err(|_| "is not a day of the calendar")
        };
        let (first, span) = match parts.as_slice() {
            [year] => (date(year, 1, 1)?, 1.year()),
            [year, month] => (date(year, number(month, 2)?, 1)?, 1.month()),
            [year, month, day] => (date(year, number(month, 2)?, number(day, 2)?)?, 1.day()),
            _ => return Err(SHAPE),
        };
        let midnight = |date: Date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| SHAPE);
        let after = first.checked_add(span).map_err(|_| SHAPE)?;
        Ok(Self { text: text.to_owned(), from: midnight(first)?, before: midnight(after)? })
    }

    fn instant(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shaped = bytes.get(10) == Some(&b'T')
            && bytes.get(16) == Some(&b':')
            && bytes.iter().all(|byte| byte.is_ascii_digit() || b"-:.+TZ".contains(byte));
        let from: Timestamp = shaped.then(|| text.parse().ok()).flatten()?;
        Some(Self { text: text.to_owned(), ..Self::at(from) })
    }

    /// The instant itself.
    pub fn at(time: Timestamp) -> Self {
        let before = time.checked_add(1.microsecond()).unwrap_or(time);
        Self { text: time.to_string(), from: time, before }
    }

    /// The first instant that it may mean, in UTC where it has no offset.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// The first instant that it does not mean any more.
    pub fn before(&self) -> Timestamp {
        self.before
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Period {
    /// `per-1`: it does not end before it begins, as far as one can know.
    pub fn is_ordered(&self) -> bool {
        let (Some(start), Some(end)) = (&self.start, &self.end) else { return true };
        start.from < end.before
    }

    /// When it began, or else ended.
    pub fn moment(&self) -> Option<Timestamp> {
        self.start.as_ref().or(self.end.as_ref()).map(Moment::from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_is_as_exact_as_it_was_given() {
        for (text, from, before) in [
            ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2026-11-25T09:30:00+01:00", "2026-11-25T08:30:00Z", "2026-11-25T08:30:00.000001Z"),
            ("2026-11-25T09:30:00.125Z", "2026-11-25T09:30:00.125Z", "2026-11-25T09:30:00.125001Z"),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!((moment.from().to_string(), moment.before().to_string()), (from.to_owned(), before.to_owned()));
            assert_eq!(moment.as_str(), text);
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "",
            "24",
            "2024-13",
            "2023-02-29",
            "2024-2-1",
            "2024-01-01-01",
            "2026-11-25T09:30:00",
            "2026-11-25T09:30Z",
            "2026-11-25 09:30:00Z",
            "2026-11-25T09:30:00+01:00[Europe/Berlin]",
            "2026-11-25T25:30:00Z",
            "tomorrow",
        ] {
            assert!(Moment::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn per_1_a_period_does_not_end_before_it_begins() {
        let period =
            |start, end| Period { start: Moment::parse(start).ok(), end: Moment::parse(end).ok() }.is_ordered();
        assert!(period("2026-11-25T09:30:00Z", "2026-11-25T09:30:00Z"));
        assert!(period("2026-11-25T09:30:00Z", "2026-11-25"), "some time that day");
        assert!(period("2026", "2026-01-01"));
        assert!(!period("2026-11-25T09:30:00Z", "2026-11-25T09:29:59Z"));
        assert!(!period("2026-12", "2026-11"));
        assert!(Period { start: Moment::parse("2026").ok(), end: None }.is_ordered());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".*") {
            let _ = Moment::parse(&text);
        }

        #[test]
        fn every_instant_reads_as_it_is_written(second in 0_i64..4_000_000_000) {
            let time = Timestamp::from_second(second).unwrap();
            prop_assert_eq!(Moment::parse(&time.to_string()).unwrap().from(), time);
        }
    }
}
