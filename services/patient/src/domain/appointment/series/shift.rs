//! "This and following" moved: where the occurrences of a series go, and which of them can.
//!
//! All move by the same time of the clinic's clock, as many days and as many minutes as the first of them. What moves is
//! in nobody's way where it was, so a daily series can be moved by a day. What cannot be moved along stays, if the caller
//! wants it so, and then it is in the way of the others where it is.

use std::collections::BTreeSet;

use jiff::{
    Span, Timestamp,
    civil::{Date, DateTime, Weekday},
};

use super::{Conflict, Planned, Series};
use crate::domain::{
    appointment::{
        AppointmentId, Placement, Situation, Unplaceable, Wish,
        recurrence::{End, Frequency, Occasion, Rule},
    },
    calendar::{availability::Unbookable, zone::Zone},
};

/// The occurrences of a series from one on, moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shifted {
    /// How often from then on.
    pub rule: Rule,
    /// Whether they come later than before: those who come last have to make room first.
    pub later: bool,
    /// The occurrences as they were planned, each with where it goes, counted from 1 again.
    pub occurrences: Vec<(Planned, Occasion)>,
}

/// Why the occurrences of a series cannot be moved so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unshiftable {
    /// The series has no occurrence of that number, or not any more.
    #[error("is no occurrence of this series")]
    NoOccurrence,
    /// The moved days are not those of a rule of the same kind.
    #[error(
        "makes days of the others that no rule like this one has: a series by months stays on a day that its months have, one by several days of each second week within its weeks"
    )]
    NoRule,
    /// What is left of it took place, is under way, was called off or was moved by itself.
    #[error("leaves nothing of the series that can still be moved")]
    Over,
    /// The clock does not show the time.
    #[error("does not exist: the clinic's clock is set forward over it")]
    NoSuchTime,
}

/// An occurrence that is to move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mover {
    /// Its appointment.
    pub appointment: AppointmentId,
    /// Where it goes.
    pub occasion: Occasion,
}

impl Series {
    /// The occurrences from a number on, moved so that the first of them is at `start`.
    pub fn shifted(&self, from: u16, start: DateTime, zone: &Zone) -> Result<Shifted, Unshiftable> {
        let end = self.ended_from.unwrap_or(u16::MAX);
        let remaining = self.occurrences.iter().filter(|planned| (from..end).contains(&planned.number));
        let remaining: Vec<_> = remaining.copied().collect();
        let first = remaining.first().filter(|planned| planned.number == from).ok_or(Unshiftable::NoOccurrence)?;
        if !zone.shows(start) {
            return Err(Unshiftable::NoSuchTime);
        }
        // What was planned for a time that the clock skipped is at another one, and on the same day.
        let date = |planned: &Planned| zone.local(planned.start).date();
        let days = (start.date() - date(first)).get_days();
        let moved = |date: Date| date.checked_add(Span::new().days(days)).map_err(|_| Unshiftable::NoRule);
        let dates = remaining.iter().map(|planned| moved(date(planned))).collect::<Result<Vec<_>, _>>()?;
        let rule = self.rule.shifted(days, remaining.len()).ok_or(Unshiftable::NoRule)?;
        // A day of the rule that the series does not have, since the clock skipped its time, it has not got to have then.
        let skipped = |moved: Date| {
            let before = moved.checked_sub(Span::new().days(days));
            before.is_ok_and(|before| {
                self.rule.has(self.beginning.date(), before) && !remaining.iter().any(|planned| date(planned) == before)
            })
        };
        if !rule.has_all(&dates, skipped) {
            return Err(Unshiftable::NoRule);
        }
        let occasion = |(number, date): (u16, Date)| {
            let local = date.to_datetime(start.time());
            Occasion { number, local, start: zone.first(local) }
        };
        Ok(Shifted {
            rule,
            later: zone.first(start) > first.start,
            occurrences: remaining.into_iter().zip((1..).zip(dates).map(occasion)).collect(),
        })
    }
}

impl Rule {
    /// The same rule some days later, for so many occurrences that are left.
    fn shifted(&self, days: i32, left: usize) -> Option<Self> {
        let turned =
            |day: &i8| Some(Weekday::from_monday_one_offset(*day).ok()?.wrapping_add(days).to_monday_one_offset());
        let days_of_week = match self.frequency {
            Frequency::Weekly => self.days.iter().map(turned).collect::<Option<Vec<_>>>()?,
            Frequency::Daily | Frequency::Monthly => Vec::new(),
        };
        let end = match self.end {
            End::Count(_) => End::Count(u16::try_from(left).ok()?),
            End::Until(last) => End::Until(last.checked_add(Span::new().days(days)).ok()?),
        };
        Some(Self { days: days_of_week, end, ..self.clone() })
    }

    /// Whether these are the dates of the rule from the first of them on, one after the other, but for some that are
    /// skipped.
    fn has_all(&self, dates: &[Date], skipped: impl Fn(Date) -> bool) -> bool {
        let Some(first) = dates.first() else { return false };
        let mut own = self.dates(*first);
        dates.iter().all(|date| own.find(|own| own >= date || !skipped(*own)) == Some(*date))
    }
}

impl Situation {
    /// The places of those that move, and which of them cannot.
    ///
    /// Without `skip_conflicts` all that cannot are named, and the rest is as if they could. With it they stay, and who
    /// would have come to where one of them stays cannot move either.
    pub fn shift(
        &self,
        wish: &Wish,
        movers: &[Mover],
        skip_conflicts: bool,
        zone: &Zone,
        now: Timestamp,
    ) -> (Vec<(Mover, Placement)>, Vec<Conflict>) {
        let mut left: Vec<_> = movers.to_vec();
        let mut conflicts = Vec::new();
        loop {
            let leaving: BTreeSet<_> = left.iter().map(|mover| mover.appointment).collect();
            let taken = self.taken.iter().filter(|taken| !leaving.contains(&taken.appointment));
            let without = Self { taken: taken.copied().collect(), ..self.clone() };
            let (mut placed, mut stuck) = (Vec::new(), Vec::new());
            for mover in left {
                let Occasion { local, start, .. } = mover.occasion;
                let placement = if zone.shows(local) {
                    without.place(&Wish { start, ..wish.clone() }, now)
                } else {
                    Err(Unplaceable::Unbookable(Unbookable::OutsideHours))
                };
                match placement {
                    Ok(placement) => placed.push((mover, placement)),
                    Err(why) => stuck.push(Conflict { occasion: mover.occasion, why }),
                }
            }
            let done = stuck.is_empty() || !skip_conflicts;
            conflicts.append(&mut stuck);
            if done {
                conflicts.sort_by_key(|conflict| conflict.occasion.number);
                return (placed, conflicts);
            }
            left = placed.into_iter().map(|(mover, _)| mover).collect();
        }
    }
}

#[cfg(test)]
mod tests;
