//! Wall-clock time and instants.
//!
//! Hours are meant as people read them off the clock on the wall: nine is nine in summer and in winter. One rule turns
//! them into instants: **a wall-clock time is the first moment at which the clock shows it or a later one.**
//!
//! - What the clock skips in spring does not exist: 02:15 to 02:45 is nothing that night, 01:30 to 02:30 ends where the
//!   clock jumps.
//! - What the clock shows twice in autumn is the first pass, as RFC 5545, section 3.3.5, has it, and whoever works when
//!   the clock is set back goes on until it shows the end for the first time after that: 01:00 to 01:30 is half an hour
//!   once, 01:30 to 02:00 an hour and a half. So pieces that follow each other still do, without hole or overlap.
//!
//! A single moment that somebody names is taken literally: what does not exist is refused, and what comes twice has to
//! name its offset.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    fmt::temporal::{DateTimeParser, DateTimePrinter},
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::interval::Interval;

/// A zone of the IANA database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone(TimeZone);

/// Years that anything is planned in; others are slips of the pen.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

impl Zone {
    /// A zone by its name.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown() && zone.iana_name().is_some());
        zone.map(Self).ok_or("must be a zone of the IANA database, such as Europe/Berlin")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clock on the wall shows at an instant.
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.0.to_datetime(instant)
    }

    /// An instant as RFC 3339 with the offset of this zone, of which a clock can be read.
    pub fn write(&self, instant: Timestamp) -> String {
        let offset = self.0.to_offset(instant);
        DateTimePrinter::new().timestamp_with_offset_to_string(&instant, offset)
    }

    /// The first moment at which the clock shows this or a later time.
    pub fn first(&self, local: DateTime) -> Timestamp {
        let at = |offset: Offset| {
            let beyond = if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
            offset.to_timestamp(local).unwrap_or(beyond)
        };
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, .. } => at(before),
            // With the offset that is yet to come it is an instant just before the jump.
            AmbiguousOffset::Gap { before, after } => {
                self.0.following(at(after)).next().map_or_else(|| at(before), |jump| jump.timestamp())
            }
        }
    }

    /// Whether the clock shows a time at all, once or twice.
    pub fn shows(&self, local: DateTime) -> bool {
        // The first moment that shows it or later shows something else when the clock skips it.
        self.local(self.first(local)) == local
    }

    /// What lies between two times of the clock on a date.
    pub fn between(&self, date: Date, start: ClockTime, end: ClockTime) -> Interval {
        Interval::new(self.first(start.on(date)), self.first(end.on(date)))
    }

    /// All of the days from `first` to `last`.
    pub fn days(&self, first: Date, last: Date) -> Interval {
        Interval::new(self.first(ClockTime::MIDNIGHT.on(first)), self.first(ClockTime::END_OF_DAY.on(last)))
    }

    /// The moment that somebody names, to the minute: with an offset in any zone, `2026-10-25T02:30+02:00`, or without
    /// one by this zone's clock, if that shows it exactly once.
    pub fn moment(&self, text: &str) -> Result<Timestamp, String> {
        static PARSER: DateTimeParser = DateTimeParser::new();
        let unreadable =
            || "must be a time to the minute, such as 2026-11-25T09:30 or 2026-11-25T09:30+01:00".to_owned();
        // The name of a zone in brackets would say where it is a second time.
        let (true, false) = (text.contains(['T', 't']), text.contains('[')) else { return Err(unreadable()) };
        let instant = if has_offset(text) {
            PARSER.parse_timestamp(text).map_err(|_| unreadable())?
        } else {
            self.only(PARSER.parse_datetime(text).map_err(|_| unreadable())?)?
        };
        let whole = instant.as_second() % 60 == 0 && instant.subsec_nanosecond() == 0;
        if whole && YEARS.contains(&self.local(instant).year()) { Ok(instant) } else { Err(unreadable()) }
    }

    /// The instant at which this zone's clock shows a time, if there is exactly one.
    pub fn only(&self, local: DateTime) -> Result<Timestamp, String> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                offset.to_timestamp(local).map_err(|_| "is out of range".to_owned())
            }
            AmbiguousOffset::Gap { .. } => {
                Err(format!("does not exist in {}: the clock is set forward over it", self.name()))
            }
            AmbiguousOffset::Fold { before, after } => Err(format!(
                "comes twice in {}, since the clock is set back: add {} for the first or {} for the second",
                self.name(),
                written(before),
                written(after)
            )),
        }
    }
}

/// A date as forms and documents write it.
pub fn parse_date(text: &str) -> Result<Date, &'static str> {
    let date = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    date.filter(|date| YEARS.contains(&date.year())).ok_or("must be a date, such as 2026-11-25")
}

fn has_offset(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(_, time)| time.contains(['Z', 'z', '+', '-']))
}

/// `+01:00`
fn written(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// A time of day on the wall, to the minute; `24:00` is the end of the day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ClockTime(u16);

impl ClockTime {
    /// 00:00
    pub const MIDNIGHT: Self = Self(0);
    /// 24:00
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// A time written `HH:MM`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "must be a time from 00:00 to 24:00, such as 09:30";
        let [h1, h2, b':', m1, m2] = *text.as_bytes() else { return Err(wrong) };
        let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0')).ok_or(wrong);
        let (hour, minute) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
        let minutes = hour * 60 + minute;
        if minute < 60 && minutes <= Self::END_OF_DAY.0 { Ok(Self(minutes)) } else { Err(wrong) }
    }

    fn on(self, date: Date) -> DateTime {
        if self == Self::END_OF_DAY {
            return date.tomorrow().unwrap_or(Date::MAX).at(0, 0, 0, 0);
        }
        let (hour, minute) = (self.0 / 60, self.0 % 60);
        date.at(i8::try_from(hour).unwrap_or(0), i8::try_from(minute).unwrap_or(0), 0, 0)
    }
}

impl std::fmt::Display for ClockTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(zone: &str, date: &str, start: &str, end: &str) -> i64 {
        let zone = Zone::parse(zone).unwrap();
        let clock = |text| ClockTime::parse(text).unwrap();
        let interval = zone.between(parse_date(date).unwrap(), clock(start), clock(end));
        (interval.end.as_second() - interval.start.as_second()) / 60
    }

    #[test]
    fn hours_follow_the_clock_on_the_wall() {
        for (zone, date, start, end, expected) in [
            ("Europe/Berlin", "2026-03-29", "02:00", "03:00", 0),
            ("Europe/Berlin", "2026-03-29", "02:15", "02:45", 0),
            ("Europe/Berlin", "2026-03-29", "01:30", "02:30", 30),
            ("Europe/Berlin", "2026-03-29", "02:30", "04:00", 60),
            ("Europe/Berlin", "2026-03-29", "00:00", "24:00", 23 * 60),
            ("Europe/Berlin", "2026-10-25", "02:00", "02:30", 30),
            ("Europe/Berlin", "2026-10-25", "02:30", "03:00", 90),
            ("Europe/Berlin", "2026-10-25", "00:00", "24:00", 25 * 60),
            ("America/New_York", "2026-03-08", "02:00", "03:00", 0),
            ("America/New_York", "2026-11-01", "01:00", "03:00", 180),
            ("Asia/Kolkata", "2026-03-29", "02:00", "03:00", 60),
            ("Australia/Lord_Howe", "2026-10-04", "02:00", "02:30", 0),
            ("Australia/Lord_Howe", "2026-10-04", "02:00", "03:00", 30),
            ("Australia/Lord_Howe", "2026-04-05", "01:30", "02:00", 60),
            // The day that Samoa skipped when it changed sides.
            ("Pacific/Apia", "2011-12-30", "09:00", "17:00", 0),
        ] {
            assert_eq!(minutes(zone, date, start, end), expected, "{zone} {date} {start} {end}");
        }
    }

    #[test]
    fn a_moment_that_the_clock_never_or_twice_shows_is_refused() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let moment = |text| berlin.moment(text).map(|moment| moment.to_string());
        assert_eq!(moment("2026-11-25T09:30").unwrap(), "2026-11-25T08:30:00Z");
        assert_eq!(moment("2026-11-25T09:30-05:00").unwrap(), "2026-11-25T14:30:00Z");
        assert_eq!(moment("2026-11-25T09:30:00Z").unwrap(), "2026-11-25T09:30:00Z");
        assert_eq!(
            moment("2026-03-29T02:30").unwrap_err(),
            "does not exist in Europe/Berlin: the clock is set forward over it"
        );
        assert_eq!(
            moment("2026-10-25T02:30").unwrap_err(),
            "comes twice in Europe/Berlin, since the clock is set back: add +02:00 for the first or +01:00 for the second"
        );
        assert_eq!(moment("2026-10-25T02:30+02:00").unwrap(), "2026-10-25T00:30:00Z");
        assert_eq!(moment("2026-10-25T02:30+01:00").unwrap(), "2026-10-25T01:30:00Z");
        for wrong in [
            "2026-11-25",
            "tomorrow",
            "2026-11-25T09:30:07",
            "2026-11-25T09:30[Europe/Berlin]",
            "2026-11-25T25:00",
            "12026-01-01T00:00",
        ] {
            assert!(moment(wrong).unwrap_err().starts_with("must be a time"), "{wrong}");
        }
        assert_eq!(berlin.write("2026-10-25T01:30:00Z".parse().unwrap()), "2026-10-25T02:30:00+01:00");
    }

    #[test]
    fn names_times_and_dates_have_one_form() {
        assert_eq!(Zone::parse("Asia/Kolkata").unwrap().name(), "Asia/Kolkata");
        for wrong in ["", "Mars/Olympus", "CET-1", "Etc/Unknown", "../../etc/passwd"] {
            assert!(Zone::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(ClockTime::parse("24:00").unwrap(), ClockTime::END_OF_DAY);
        assert_eq!(ClockTime::parse("09:05").unwrap().to_string(), "09:05");
        for wrong in ["9:00", "24:01", "12:60", "1200", "ab:cd", "+9:00"] {
            assert!(ClockTime::parse(wrong).is_err(), "{wrong}");
        }
        assert!(
            parse_date("2026-02-29").is_err() && parse_date("20260228").is_err() && parse_date("2026-02-28").is_ok()
        );
    }
}
