//! Distributions: how many things there are of each bin, and what they tell.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Measure, sums::Key};

/// A value of a distribution.
#[derive(Clone, Debug)]
pub struct Quantiles {
    /// Of whom.
    pub key: Key,
    /// Of which group; of all of them without.
    pub place: Option<usize>,
    /// Of which distribution.
    pub measure: Measure,
    /// The lowest value that half are not above, and that nine in ten are not.
    pub median: f64,
    /// The latter.
    pub ninth_tenth: f64,
    /// How many there are.
    pub things: u64,
    /// When something came that belongs to a group that was over.
    pub restated: Option<Timestamp>,
}

/// How many things there are of each bin, which is a minute or a day.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    things: BTreeMap<i32, u64>,
    restated: Option<Timestamp>,
}

impl Distribution {
    /// Bins with their things; when something came that belongs to a time that was over.
    pub fn of(bins: impl IntoIterator<Item = (i32, u64)>, restated: Option<Timestamp>) -> Self {
        Self { things: bins.into_iter().collect(), restated }
    }

    /// Both together.
    pub fn add(&mut self, other: &Self) {
        for (bin, things) in &other.things {
            *self.things.entry(*bin).or_default() += things;
        }
        self.restated = self.restated.max(other.restated);
    }

    /// What it tells; nothing where there is nothing.
    pub fn quantiles(&self, measure: Measure, key: &Key, place: Option<usize>) -> Option<Quantiles> {
        let things: u64 = self.things.values().sum();
        let [median, ninth_tenth] = [5, 9].map(|tenths| self.lowest((things * tenths).div_ceil(10)));
        let (key, restated) = (key.clone(), self.restated);
        Some(Quantiles { key, place, measure, median: median?, ninth_tenth: ninth_tenth?, things, restated })
    }

    /// The lowest bin that at least so many are not above.
    fn lowest(&self, many: u64) -> Option<f64> {
        let mut reached = 0;
        let bin = self.things.iter().filter(|(_, things)| **things > 0).find(|(_, things)| {
            reached += **things;
            reached >= many
        });
        bin.map(|(bin, _)| f64::from(*bin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bins: &[(i32, u64)]) -> Option<(f64, f64, u64)> {
        let distribution = Distribution::of(bins.iter().copied(), None);
        let told = distribution.quantiles(Measure::WaitMinutes, &Key::default(), None)?;
        Some((told.median, told.ninth_tenth, told.things))
    }

    #[test]
    fn quantiles_are_values_that_somebody_had() {
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[(7, 0)]), None);
        assert_eq!(told(&[(7, 1)]), Some((7.0, 7.0, 1)));
        assert_eq!(told(&[(1, 1), (5, 1)]), Some((1.0, 5.0, 2)));
        assert_eq!(told(&[(0, 5), (3, 4), (60, 1)]), Some((0.0, 3.0, 10)));
        assert_eq!(told(&[(0, 5), (3, 4), (9, 1), (60, 1)]), Some((3.0, 9.0, 11)));
    }

    #[test]
    fn together_they_have_the_things_of_both_and_the_later_restatement() {
        let at = |second| Timestamp::from_second(second).ok();
        let mut all = Distribution::of([(1, 2)], at(5));
        all.add(&Distribution::of([(0, 1), (1, 1)], at(9)));
        all.add(&Distribution::default());
        let told = all.quantiles(Measure::LeadDays, &Key::default(), Some(3)).unwrap();
        assert_eq!((told.median, told.things, told.restated, told.place), (1.0, 4, at(9), Some(3)));
    }
}
