//! What was counted over a range, as metrics are made of it.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime};

use super::{super::range::Range, Measure};

/// A sum, and how many things stand behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// The sum.
    pub value: f64,
    /// The things.
    pub things: u64,
    /// When something came that belongs to a group that was over.
    pub restated: Option<Timestamp>,
}

impl Count {
    /// Both together.
    pub fn add(&mut self, other: Self, times: f64) {
        self.value += other.value * times;
        // What is taken off stands behind nothing of its own.
        self.things += if times > 0.0 { other.things } else { 0 };
        self.restated = self.restated.max(other.restated);
    }
}

/// By what series are told apart: the value of the dimension, and the currency.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// Empty for all.
    pub value: String,
    /// Empty where it is no money.
    pub currency: String,
}

/// A measure over a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// One of each group.
    pub groups: Vec<Count>,
    /// Of all that was before, where that was asked for.
    pub before: Count,
}

/// Measures over a range, by key.
#[derive(Clone, Debug, Default)]
pub struct Sums(BTreeMap<Key, BTreeMap<Measure, Counted>>);

/// A row of what was counted.
#[derive(Clone, Debug)]
pub struct Row {
    /// Of what.
    pub measure: Measure,
    /// Of whom.
    pub key: Key,
    /// In which group; before all of them without.
    pub start: Option<DateTime>,
    /// How much.
    pub count: Count,
}

impl Sums {
    /// Sorts rows into the groups of a range; those that are of none of them are left out.
    pub fn of(rows: impl IntoIterator<Item = Row>, range: &Range) -> Self {
        let mut sums = Self::default();
        for row in rows {
            let nothing = || Counted { groups: vec![Count::default(); range.len()], before: Count::default() };
            let counted = sums.0.entry(row.key).or_default().entry(row.measure).or_insert_with(nothing);
            match row.start.map(|start| range.place(start)) {
                None => counted.before.add(row.count, 1.0),
                Some(Some(place)) => counted.groups[place].add(row.count, 1.0),
                Some(None) => {}
            }
        }
        sums
    }

    /// By other keys: what is called the same afterwards is added up.
    pub fn renamed(self, rename: impl Fn(&str) -> String) -> Self {
        let mut sums = Self::default();
        for (key, measures) in self.0 {
            let key = Key { value: rename(&key.value), currency: key.currency };
            let into = sums.0.entry(key).or_default();
            for (measure, counted) in measures {
                match into.get_mut(&measure) {
                    None => drop(into.insert(measure, counted)),
                    Some(held) => {
                        held.before.add(counted.before, 1.0);
                        held.groups.iter_mut().zip(counted.groups).for_each(|(held, count)| held.add(count, 1.0));
                    }
                }
            }
        }
        sums
    }

    /// The keys that have anything of these measures.
    pub fn keys(&self, measures: &[Measure]) -> impl Iterator<Item = &Key> {
        let any = move |found: &BTreeMap<Measure, Counted>| measures.iter().any(|measure| found.contains_key(measure));
        self.0.iter().filter(move |(_, found)| any(found)).map(|(key, _)| key)
    }

    /// A combination in each group.
    pub fn groups(&self, key: &Key, combination: &[(Measure, i64)], range: &Range) -> Vec<Count> {
        let mut groups = vec![Count::default(); range.len()];
        for (counted, times) in self.parts(key, combination) {
            groups.iter_mut().zip(&counted.groups).for_each(|(sum, count)| sum.add(*count, times));
        }
        groups
    }

    /// A combination of all that was before.
    pub fn before(&self, key: &Key, combination: &[(Measure, i64)]) -> Count {
        let mut before = Count::default();
        self.parts(key, combination).for_each(|(counted, times)| before.add(counted.before, times));
        before
    }

    #[expect(clippy::cast_precision_loss, reason = "how often something is counted is a small number")]
    fn parts<'a>(&'a self, key: &Key, combination: &'a [(Measure, i64)]) -> impl Iterator<Item = (&'a Counted, f64)> {
        let found = self.0.get(key);
        combination.iter().filter_map(move |(measure, times)| Some((found?.get(measure)?, *times as f64)))
    }
}
