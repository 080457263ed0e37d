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
    #[must_use]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{range::Bound, zone::Group};

    const ALLOWED: &[(Measure, i64)] = &[(Measure::Charged, 1), (Measure::Adjusted, -1)];

    fn range() -> Range {
        let bound = |day: &str| Some(Bound::parse(day).unwrap());
        let (first, end) = (bound("2007-03-05"), bound("2007-03-07"));
        let zone = "America/New_York".parse().unwrap();
        Range::of(first, end, Group::Day, &zone, Timestamp::UNIX_EPOCH).unwrap()
    }

    fn key(value: &str, currency: &str) -> Key {
        Key { value: value.to_owned(), currency: currency.to_owned() }
    }

    fn row(measure: Measure, key: Key, start: Option<&str>, value: f64, things: u64) -> Row {
        let start = start.map(|start| start.parse().unwrap());
        Row { measure, key, start, count: Count { value, things, restated: None } }
    }

    fn told(counts: &[Count]) -> Vec<(f64, u64)> {
        counts.iter().map(|count| (count.value, count.things)).collect()
    }

    #[test]
    fn rows_are_sorted_into_groups_and_those_of_none_are_left_out() {
        let all = key("", "CHF");
        let rows = [
            row(Measure::Charged, all.clone(), None, 7.0, 1),
            row(Measure::Charged, all.clone(), Some("2007-03-05T00:00:00"), 10.0, 2),
            row(Measure::Adjusted, all.clone(), Some("2007-03-05T00:00:00"), 4.0, 1),
            row(Measure::Charged, all.clone(), Some("2007-03-07T00:00:00"), 99.0, 9),
        ];
        let sums = Sums::of(rows, &range());
        // What is taken off stands behind nothing of its own.
        assert_eq!(told(&sums.groups(&all, ALLOWED, &range())), [(6.0, 2), (0.0, 0)]);
        assert_eq!(told(&[sums.before(&all, ALLOWED)]), [(7.0, 1)]);
        assert_eq!(told(&sums.groups(&key("", "JPY"), ALLOWED, &range())), [(0.0, 0); 2]);
    }

    #[test]
    fn what_has_the_same_name_afterwards_is_added_up_in_each_currency() {
        let day = Some("2007-03-06T00:00:00");
        let rows = [
            row(Measure::Charged, key("99213", "CHF"), day, 1.0, 1),
            row(Measure::Charged, key("99214", "CHF"), day, 2.0, 2),
            row(Measure::Charged, key("99214", "CHF"), None, 8.0, 4),
            row(Measure::Charged, key("99213", "JPY"), day, 5.0, 1),
        ];
        let sums = Sums::of(rows, &range()).renamed(|code| code[..3].to_owned());
        let keys: Vec<_> = sums.keys(&[Measure::Charged]).cloned().collect();
        assert_eq!(keys, [key("992", "CHF"), key("992", "JPY")]);
        assert_eq!(told(&sums.groups(&keys[0], &[(Measure::Charged, 1)], &range())), [(0.0, 0), (3.0, 3)]);
        assert_eq!(told(&[sums.before(&keys[0], &[(Measure::Charged, 1)])]), [(8.0, 4)]);
        assert_eq!(sums.keys(&[Measure::Collected]).count(), 0);
    }

    #[test]
    fn together_they_were_restated_when_the_later_was() {
        let at = |second| Count { restated: Timestamp::from_second(second).ok(), ..Count::default() };
        let mut sum = at(5);
        sum.add(at(9), 1.0);
        sum.add(Count::default(), 1.0);
        assert_eq!(sum.restated, Timestamp::from_second(9).ok());
    }
}
