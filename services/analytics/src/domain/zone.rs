//! Where the clinic is, and so when its hours and days begin.

use std::str::FromStr;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

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
    /// By the hour.
    Hour,
    /// By the day.
    Day,
    /// By the week, from Monday; ISO 8601.
    Week,
    /// By the month.
    Month,
}

impl Group {
    /// The code that addresses and the database have.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
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
            Group::Day | Group::Week | Group::Month => Ok(self.midnight(first_day(group, self.day(instant)))),
        };
        start.unwrap_or(instant)
    }

    /// When the group begins that follows the one that begins at `start`.
    pub fn next(&self, group: Group, start: Timestamp) -> Timestamp {
        match group {
            Group::Hour => self.start(group, start + 1.hour()),
            Group::Day | Group::Week | Group::Month => {
                self.midnight(next_day(group, first_day(group, self.day(start))))
            }
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

    /// The same time on the clock, `years` years before.
    pub fn years_before(&self, instant: Timestamp, years: i32) -> Timestamp {
        instant.to_zoned(self.0.clone()).saturating_sub(years.years()).timestamp()
    }

    /// RFC 3339, as a clock in the clinic shows it.
    pub fn write(&self, instant: Timestamp) -> String {
        instant.display_with_offset(self.0.to_offset(instant)).to_string()
    }

    /// The day of an instant by the clinic's calendar.
    pub fn day(&self, instant: Timestamp) -> Date {
        self.0.to_datetime(instant).date()
    }

    /// What rollups call the group that begins then: its first day by the clinic's calendar, or the hour in UTC.
    pub fn label(&self, group: Group, start: Timestamp) -> DateTime {
        match group {
            Group::Hour => TimeZone::UTC.to_datetime(start),
            Group::Day | Group::Week | Group::Month => self.day(start).to_datetime(jiff::civil::Time::midnight()),
        }
    }
}

/// The first day of the group that a day is in.
pub fn first_day(group: Group, day: Date) -> Date {
    match group {
        Group::Hour | Group::Day => day,
        Group::Week => {
            let since_monday = i32::from(day.weekday().since(Weekday::Monday));
            day.checked_sub(since_monday.days()).unwrap_or(day)
        }
        Group::Month => day.first_of_month(),
    }
}

/// The first day of the next group.
fn next_day(group: Group, first: Date) -> Date {
    let next = match group {
        Group::Hour | Group::Day => first.tomorrow(),
        Group::Week => first.checked_add(1.week()),
        Group::Month => first.checked_add(1.month()),
    };
    next.unwrap_or(Date::MAX)
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
            for group in [Group::Hour, Group::Day, Group::Week, Group::Month] {
                let start = zone.start(group, instant);
                let next = zone.next(group, start);
                prop_assert!(start <= instant && start < next, "{group:?} {start} {instant} {next}");
                prop_assert!(instant < next || group == Group::Hour && zone.start(group, instant) == start);
                prop_assert_eq!(zone.start(group, next), next);
            }
        }
    }
}
