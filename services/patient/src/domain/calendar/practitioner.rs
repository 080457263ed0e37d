//! A practitioner and their hours.

mod clashes;

use jiff::civil::{Date, Weekday};
use uuid::Uuid;

use super::{ClinicId, RoomId, ServiceId, zone::ClockTime};
use crate::domain::coding::Coding;

/// Somebody who sees patients, <http://hl7.org/fhir/R4/practitioner.html>.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Practitioner {
    /// What they are called.
    pub name: String,
    /// Whether they see patients.
    pub active: bool,
    /// The user that they sign in as.
    pub user: Option<Uuid>,
    /// Their field.
    pub specialty: Option<Coding>,
    /// How many appointments they may have at once, if somebody overbooks them deliberately.
    pub lanes: u16,
    /// The weeks that they work.
    pub schedules: Vec<Schedule>,
    /// Days that are not as the week says.
    pub exceptions: Vec<Exception>,
}

/// A week that repeats itself at a clinic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Schedule {
    /// Where.
    pub clinic: ClinicId,
    /// The first day.
    pub from: Date,
    /// The last day; without, for ever.
    pub to: Option<Date>,
    /// What a week is made of.
    pub week: Vec<WeekPiece>,
}

/// The same hours on some days of the week.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WeekPiece {
    /// Which days, in the order of the week.
    pub days: Vec<Weekday>,
    /// The hours.
    pub piece: Piece,
}

/// One day at a clinic that is not as the week says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exception {
    /// Where.
    pub clinic: ClinicId,
    /// When.
    pub date: Date,
    /// The hours of that day; none at all when this is empty.
    pub open: Vec<Piece>,
}

/// Hours in one piece, by the clock of a clinic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// When they begin.
    pub start: ClockTime,
    /// When they end.
    pub end: ClockTime,
    /// Where they see patients.
    pub room: Option<RoomId>,
    /// What for; without, for anything.
    pub services: Vec<ServiceId>,
}

impl Schedule {
    fn holds(&self, date: Date) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }

    /// Whether both are in force on a day of the week.
    fn share(&self, other: &Self, day: Weekday) -> bool {
        // Whatever repeats itself weekly does it in the first week that both have.
        let first = self.from.max(other.from);
        let shared = first.series(jiff::Span::new().days(1)).take(7).find(|date| date.weekday() == day);
        shared.is_some_and(|date| self.holds(date) && other.holds(date))
    }
}

impl Piece {
    fn meets(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl Practitioner {
    /// The hours on a date at a clinic.
    pub fn hours(&self, clinic: ClinicId, date: Date) -> impl Iterator<Item = &Piece> {
        let exceptions = self.exceptions.iter().filter(move |own| own.clinic == clinic && own.date == date);
        let excepted = exceptions.clone().next().is_some();
        let schedules = self.schedules.iter().filter(move |own| !excepted && own.clinic == clinic && own.holds(date));
        let week = schedules.flat_map(|own| &own.week).filter(move |own| own.days.contains(&date.weekday()));
        exceptions.flat_map(|own| &own.open).chain(week.map(|own| &own.piece))
    }

    /// The clinics that they have hours at.
    pub fn clinics(&self) -> Vec<ClinicId> {
        let schedules = self.schedules.iter().map(|own| own.clinic);
        let mut clinics: Vec<_> = schedules.chain(self.exceptions.iter().map(|own| own.clinic)).collect();
        clinics.sort_unstable();
        clinics.dedup();
        clinics
    }

    /// Where hours at one clinic overlap: a pointer to each piece that lies over an earlier one.
    pub fn overlaps(&self) -> Vec<String> {
        let mut found = Vec::new();
        let pieces: Vec<_> = self
            .schedules
            .iter()
            .enumerate()
            .flat_map(|(at, schedule)| {
                schedule.week.iter().enumerate().map(move |(piece, own)| (at, schedule, piece, own))
            })
            .collect();
        for (index, (at, schedule, piece, own)) in pieces.iter().enumerate() {
            let lies_over = pieces[..index].iter().any(|(_, earlier, _, other)| {
                earlier.clinic == schedule.clinic
                    && other.piece.meets(&own.piece)
                    && other.days.iter().any(|day| own.days.contains(day) && earlier.share(schedule, *day))
            });
            if lies_over {
                found.push(format!("/schedules/{at}/week/{piece}"));
            }
        }
        for (at, exception) in self.exceptions.iter().enumerate() {
            for (piece, own) in exception.open.iter().enumerate() {
                if exception.open[..piece].iter().any(|earlier| earlier.meets(own)) {
                    found.push(format!("/exceptions/{at}/open/{piece}"));
                }
            }
        }
        found
    }
}
