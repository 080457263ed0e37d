//! Half-open stretches of time, so that what follows at once does not overlap.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// From an instant until just before another.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Interval {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Interval {
    /// From `start` until before `end`; empty when that is not later.
    pub const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether an instant is in it.
    pub fn holds(self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// How long it is; nothing when it is empty.
    pub fn seconds(self) -> i64 {
        (self.end.as_second() - self.start.as_second()).max(0)
    }

    /// Whether the two share an instant.
    pub fn meets(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.start < other.end && other.start < self.end
    }
}

/// A set of instants as disjoint intervals that do not touch, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    /// Everything that is in any of these.
    pub fn of(intervals: impl IntoIterator<Item = Interval>) -> Self {
        let mut sorted: Vec<_> = intervals.into_iter().filter(|interval| !interval.is_empty()).collect();
        sorted.sort_unstable();
        let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
        for interval in sorted {
            match merged.last_mut() {
                Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
                _ => merged.push(interval),
            }
        }
        Self(merged)
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Interval> + Clone {
        self.0.iter().copied()
    }

    /// What is in this set and not in another.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let left = self.iter().flat_map(|own| {
            let gone = other.iter().filter(move |gone| gone.meets(own));
            let ends = std::iter::once(own.start).chain(gone.clone().map(|gone| gone.end));
            let starts = gone.map(|gone| gone.start).chain([own.end]);
            ends.zip(starts).map(|(start, end)| Interval::new(start, end)).collect::<Vec<_>>()
        });
        Self::of(left)
    }

    /// Whether all of an interval is in the set.
    pub fn covers(&self, interval: Interval) -> bool {
        let candidate = self.0.partition_point(|own| own.start <= interval.start).checked_sub(1);
        candidate.is_some_and(|at| interval.end <= self.0[at].end && interval.start < self.0[at].end)
    }

    /// Whether any of an interval is in the set.
    pub fn meets(&self, interval: Interval) -> bool {
        let candidate = self.0.partition_point(|own| own.end <= interval.start);
        self.0.get(candidate).is_some_and(|own| own.meets(interval))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval((start, length): (i64, i64)) -> Interval {
        let at = |second| Timestamp::from_second(second).unwrap();
        Interval::new(at(start), at(start + length))
    }

    proptest! {
        #[test]
        fn a_set_covers_and_meets_what_its_instants_do(
            members in prop::collection::vec((0_i64..40, 0_i64..8), 0..8),
            asked in (0_i64..40, 1_i64..8),
        ) {
            let (members, asked): (Vec<_>, _) = (members.into_iter().map(interval).collect(), interval(asked));
            let set = Intervals::of(members.clone());
            let mut instants = (asked.start.as_second()..asked.end.as_second())
                .map(|second| Timestamp::from_second(second).unwrap())
                .map(|instant| members.iter().any(|member| member.holds(instant)));
            prop_assert_eq!(set.covers(asked), instants.clone().all(|within| within));
            prop_assert_eq!(set.meets(asked), instants.any(|within| within));
        }

        #[test]
        fn what_is_left_of_a_set_is_in_it_and_not_in_the_other(
            members in prop::collection::vec((0_i64..40, 0_i64..8), 0..8),
            others in prop::collection::vec((0_i64..40, 0_i64..8), 0..8),
        ) {
            let [own, gone] = [members, others].map(|members| Intervals::of(members.into_iter().map(interval)));
            let left = own.without(&gone);
            let within = |set: &Intervals, at: i64| set.meets(interval((at, 1)));
            for at in 0..50 {
                prop_assert_eq!(within(&left, at), within(&own, at) && !within(&gone, at), "at {}", at);
            }
            let seconds: i64 = left.iter().map(Interval::seconds).sum();
            prop_assert_eq!(seconds, (0..50).map(|at| i64::from(within(&left, at))).sum::<i64>());
        }
    }
}
