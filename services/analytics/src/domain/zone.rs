//! Where the clinic is, and so when its hours and days begin.

use std::str::FromStr;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

/// The clinic's time zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClinicZone(TimeZone);

/// The name is no place's.
#[derive(Debug, thiserror::Error)]
#[error("must be the IANA name of a time zone, such as America/New_York")]
pub struct UnknownZone;

/// What is counted together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// What the clinic's clock shows as one hour; the hour that the end of summer time brings twice is two.
    Hour,
    /// A day of the clinic's calendar; of 23 or 25 hours, where summer time begins or ends.
    Day,
}

impl Group {
    /// As the API and the database write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The group of a code.
    pub fn parse(code: &str) -> Result<Self, &'static str> {
        match code {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err("must be hour or day"),
        }
    }
}

impl FromStr for ClinicZone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let zone = TimeZone::get(name).map_err(|_| UnknownZone)?;
        match zone.iana_name() {
            // To PostgreSQL a bare CET or EST is an abbreviation: one offset, in summer too.
            Some(known) if known == "UTC" || known.contains('/') && !zone.is_unknown() => Ok(Self(zone)),
            _ => Err(UnknownZone),
        }
    }
}

// The fallbacks below are for the ends of the calendar, which nothing here comes near.
impl ClinicZone {
    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// When the group begins that holds an instant.
    pub fn start(&self, group: Group, instant: Timestamp) -> Timestamp {
        let start = match group {
            Group::Hour => {
                // By the offset of the instant itself, as the database does: clocks may have changed in between.
                let offset = self.0.to_offset(instant);
                let local = offset.to_datetime(instant);
                offset.to_timestamp(local.date().at(local.hour(), 0, 0, 0))
            }
            Group::Day => instant.to_zoned(self.0.clone()).start_of_day().map(|day| day.timestamp()),
        };
        start.unwrap_or(instant)
    }

    /// When the group begins that follows the one that begins at `start`.
    pub fn next(&self, group: Group, start: Timestamp) -> Timestamp {
        match group {
            Group::Hour => self.start(group, start + 1.hour()),
            Group::Day => self.0.to_datetime(start).date().tomorrow().map_or(Timestamp::MAX, |day| self.midnight(day)),
        }
    }

    /// When a day begins.
    pub fn midnight(&self, day: Date) -> Timestamp {
        day.to_zoned(self.0.clone()).and_then(|day| day.start_of_day()).map_or(Timestamp::MAX, |day| day.timestamp())
    }

    /// The same time on the clock, `days` days before.
    pub fn days_before(&self, instant: Timestamp, days: i32) -> Timestamp {
        instant.to_zoned(self.0.clone()).saturating_sub(days.days()).timestamp()
    }

    /// RFC 3339, as a clock in the clinic shows it.
    pub fn write(&self, instant: Timestamp) -> String {
        instant.display_with_offset(self.0.to_offset(instant)).to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> ClinicZone {
        name.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The hours of a day, as the clock shows them.
    fn hours(zone: &ClinicZone, day: Date) -> Vec<String> {
        let end = zone.next(Group::Day, zone.midnight(day));
        let mut hours = Vec::new();
        let mut start = zone.midnight(day);
        while start < end {
            hours.push(zone.write(start)[11..].to_owned());
            start = zone.next(Group::Hour, start);
        }
        hours
    }

    #[test]
    fn days_are_as_long_as_the_clock_makes_them() {
        let zone = zone("America/New_York");
        let spring = hours(&zone, "2026-03-08".parse().unwrap());
        assert_eq!(spring.len(), 23);
        assert_eq!(spring[1..3], ["01:00:00-05:00", "03:00:00-04:00"]);
        let autumn = hours(&zone, "2026-11-01".parse().unwrap());
        assert_eq!(autumn.len(), 25);
        assert_eq!(autumn[1..4], ["01:00:00-04:00", "01:00:00-05:00", "02:00:00-05:00"]);
        assert_eq!(hours(&zone, "2026-11-23".parse().unwrap()).len(), 24);
    }

    #[test]
    fn a_day_begins_with_its_first_instant() {
        // Clocks in Cairo go from 24:00 to 01:00, those in Havana from 01:00 back to 00:00.
        let cairo = zone("Africa/Cairo");
        assert_eq!(cairo.write(cairo.midnight("2026-04-24".parse().unwrap())), "2026-04-24T01:00:00+03:00");
        let havana = zone("America/Havana");
        assert_eq!(havana.write(havana.midnight("2026-11-01".parse().unwrap())), "2026-11-01T00:00:00-04:00");
        assert_eq!(havana.start(Group::Day, at("2026-11-01T05:30:00Z")), at("2026-11-01T04:00:00Z"));
        // Samoa had no 30 December 2011.
        let apia = zone("Pacific/Apia");
        let before = apia.midnight("2011-12-29".parse().unwrap());
        assert_eq!(apia.write(apia.next(Group::Day, before)), "2011-12-31T00:00:00+14:00");
    }

    #[test]
    fn offsets_of_half_an_hour_are_hours_too() {
        let kathmandu = zone("Asia/Kathmandu");
        assert_eq!(
            kathmandu.write(kathmandu.start(Group::Hour, at("2026-11-23T00:20:00Z"))),
            "2026-11-23T06:00:00+05:45"
        );
    }

    /// By the hour, by half an hour, at midnight back and forth, never.
    const ZONES: [&str; 6] =
        ["America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Kathmandu", "UTC"];

    proptest! {
        #[test]
        fn every_instant_is_in_one_group(
            name in prop::sample::select(&ZONES),
            second in 0_i64..4_000_000_000,
        ) {
            let zone = zone(name);
            let instant = Timestamp::from_second(second).unwrap();
            for group in [Group::Hour, Group::Day] {
                let start = zone.start(group, instant);
                let next = zone.next(group, start);
                prop_assert!(start <= instant && start < next, "{group:?} {start} {instant} {next}");
                prop_assert!(instant < next || group == Group::Hour && zone.start(group, instant) == start);
                prop_assert_eq!(zone.start(group, next), next);
            }
        }
    }
}
