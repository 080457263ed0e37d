//! Nobody sees patients at two clinics at once.
//!
//! Hours are by the clock of their clinic. Two clinics of one zone have the same, whatever the date; of two zones it
//! depends on the date, since their clocks are not set on the same days: there the first year that both hours share is
//! looked at, in which whatever repeats itself weekly has met every difference of the clocks.

use std::collections::BTreeMap;

use jiff::{Span, civil::Date};

use super::{Piece, Practitioner, Schedule, WeekPiece};
use crate::domain::calendar::{ClinicId, interval::Interval, zone::Zone};

/// A year, and the week in which the clocks of the next are set as in the first.
const LOOKED_AT: i64 = 372;

/// Hours of a week with where they were said.
type Own<'a> = (String, &'a Schedule, &'a WeekPiece);

impl Practitioner {
    /// Where hours overlap those at another clinic: a pointer to each piece that lies over one before it, and to each of
    /// a day of its own that lies over any.
    pub fn clashes(&self, zones: &BTreeMap<ClinicId, Zone>) -> Vec<String> {
        let pieces: Vec<Own<'_>> = self
            .schedules
            .iter()
            .enumerate()
            .flat_map(|(at, schedule)| {
                let piece = move |(piece, own)| (format!("/schedules/{at}/week/{piece}"), schedule, own);
                schedule.week.iter().enumerate().map(piece)
            })
            .collect();
        let mut found = Vec::new();
        for (index, own) in pieces.iter().enumerate() {
            if pieces[..index].iter().any(|earlier| meet(earlier, own, zones)) {
                found.push(own.0.clone());
            }
        }
        for (at, exception) in self.exceptions.iter().enumerate() {
            for (piece, own) in exception.open.iter().enumerate() {
                let Some(zone) = zones.get(&exception.clinic) else { continue };
                let own = taken(zone, exception.date, own);
                let elsewhere = zones.iter().filter(|(clinic, _)| **clinic != exception.clinic);
                let mut others = elsewhere.flat_map(|(clinic, zone)| {
                    around(exception.date)
                        .flat_map(move |date| self.hours(*clinic, date).map(move |own| taken(zone, date, own)))
                });
                if others.any(|other| other.meets(own)) {
                    found.push(format!("/exceptions/{at}/open/{piece}"));
                }
            }
        }
        found
    }
}

/// Whether hours of two clinics overlap on any date.
fn meet((_, earlier, other): &Own<'_>, (_, schedule, own): &Own<'_>, zones: &BTreeMap<ClinicId, Zone>) -> bool {
    if earlier.clinic == schedule.clinic {
        return false;
    }
    let (Some(there), Some(here)) = (zones.get(&earlier.clinic), zones.get(&schedule.clinic)) else { return false };
    if there == here {
        let both = |day| other.days.contains(day) && earlier.share(schedule, *day);
        return other.piece.meets(&own.piece) && own.days.iter().any(both);
    }
    let on =
        |schedule: &Schedule, own: &WeekPiece, date: Date| schedule.holds(date) && own.days.contains(&date.weekday());
    let first = earlier.from.max(schedule.from);
    let days = (-1..LOOKED_AT).filter_map(|day| first.checked_add(Span::new().days(day)).ok());
    days.filter(|date| on(schedule, own, *date)).any(|date| {
        let mine = taken(here, date, &own.piece);
        around(date).any(|date| on(earlier, other, date) && taken(there, date, &other.piece).meets(mine))
    })
}

/// A date with those before and after it, of which another clock may show one at the same time.
fn around(date: Date) -> impl Iterator<Item = Date> {
    (-1_i64..=1).filter_map(move |day| date.checked_add(Span::new().days(day)).ok())
}

fn taken(zone: &Zone, date: Date, piece: &Piece) -> Interval {
    zone.between(date, piece.start, piece.end)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};
    use uuid::Uuid;

    use super::*;
    use crate::domain::calendar::{practitioner::Exception, zone::ClockTime};

    const BERLIN: ClinicId = ClinicId::new(Uuid::from_u128(1));
    const HAMBURG: ClinicId = ClinicId::new(Uuid::from_u128(2));
    const NEW_YORK: ClinicId = ClinicId::new(Uuid::from_u128(3));

    fn piece(start: &str, end: &str) -> Piece {
        let clock = |text| ClockTime::parse(text).unwrap();
        Piece { start: clock(start), end: clock(end), room: None, services: Vec::new() }
    }

    fn schedule(clinic: ClinicId, from: Date, to: Option<Date>, days: &[Weekday], start: &str, end: &str) -> Schedule {
        let week = vec![WeekPiece { days: days.to_vec(), piece: piece(start, end) }];
        Schedule { clinic, from, to, week }
    }

    fn clashes(schedules: Vec<Schedule>, exceptions: Vec<Exception>) -> Vec<String> {
        let zone = |name| Zone::parse(name).unwrap();
        let zones = BTreeMap::from([
            (BERLIN, zone("Europe/Berlin")),
            (HAMBURG, zone("Europe/Berlin")),
            (NEW_YORK, zone("America/New_York")),
        ]);
        let name = "Dr Okoye".to_owned();
        let one = Practitioner { name, active: true, user: None, specialty: None, lanes: 1, schedules, exceptions };
        one.clashes(&zones)
    }

    #[test]
    fn nobody_is_at_two_clinics_at_once() {
        let from = date(2026, 1, 1);
        let weekdays = [Weekday::Monday, Weekday::Tuesday];
        let there = schedule(BERLIN, from, None, &weekdays, "09:00", "12:00");
        let at = |clinic, from, days: &[Weekday], start, end| {
            clashes(vec![there.clone(), schedule(clinic, from, None, days, start, end)], Vec::new())
        };
        let second = vec!["/schedules/1/week/0".to_owned()];
        assert_eq!(at(HAMBURG, from, &[Weekday::Tuesday], "11:00", "13:00"), second);
        assert!(at(HAMBURG, from, &[Weekday::Tuesday], "12:00", "13:00").is_empty());
        assert!(at(HAMBURG, from, &[Weekday::Friday], "09:00", "12:00").is_empty());
        // Six hours apart most of the year, and five when one clock is set and the other is not yet.
        assert!(at(NEW_YORK, from, &[Weekday::Monday], "09:00", "12:00").is_empty());
        assert_eq!(at(NEW_YORK, from, &[Weekday::Monday], "05:00", "06:30"), second);
        assert!(at(NEW_YORK, from, &[Weekday::Monday], "07:00", "08:00").is_empty());
        let late = schedule(BERLIN, from, None, &[Weekday::Monday], "12:00", "13:30");
        let early = |to| schedule(NEW_YORK, from, to, &[Weekday::Monday], "08:00", "09:00");
        assert_eq!(clashes(vec![late.clone(), early(None)], Vec::new()), second);
        assert!(clashes(vec![late, early(Some(date(2026, 3, 1)))], Vec::new()).is_empty());
        // One ends before the other begins.
        let ended = schedule(BERLIN, from, Some(date(2026, 5, 31)), &weekdays, "09:00", "12:00");
        let next = schedule(HAMBURG, date(2026, 6, 1), None, &weekdays, "09:00", "12:00");
        assert!(clashes(vec![ended, next], Vec::new()).is_empty());
    }

    #[test]
    fn a_day_of_its_own_counts_as_it_is() {
        let there = schedule(BERLIN, date(2026, 1, 1), None, &[Weekday::Monday], "09:00", "12:00");
        let on = |clinic, day, open| Exception { clinic, date: date(2026, 3, day), open };
        let extra = on(HAMBURG, 2, vec![piece("08:00", "09:00"), piece("11:00", "13:00")]);
        assert_eq!(clashes(vec![there.clone()], vec![extra.clone()]), ["/exceptions/0/open/1"]);
        // That Monday they are not where they are else.
        assert!(clashes(vec![there.clone()], vec![on(BERLIN, 2, Vec::new()), extra]).is_empty());
        assert!(clashes(vec![there], vec![on(HAMBURG, 3, vec![piece("09:00", "12:00")])]).is_empty());
    }
}
