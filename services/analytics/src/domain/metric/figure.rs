//! Figures: metrics over a range.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{
    super::range::Range,
    Formula, Measure, Metric,
    distribution::Quantiles,
    sums::{Count, Key, Row, Sums},
};

/// Of how many days charges are looked at for the days in receivables.
pub const CHARGED_DAYS: i32 = 90;

/// A figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// None where it is suppressed, or where nothing is divided by.
    pub value: Option<f64>,
    /// Whether it is not told.
    pub suppressed: bool,
    /// When something came that belongs to a group that was over.
    pub restated: Option<Timestamp>,
    /// How many things stand behind it; of a ratio, behind both of its parts, and behind what the upper one leaves of the lower.
    pub stands_on: [u64; 3],
}

impl Cell {
    fn of(count: Count) -> Self {
        let Count { value, things, restated } = count;
        Self { value: Some(value), suppressed: false, restated, stands_on: [things; 3] }
    }

    /// One sum by another.
    pub fn ratio(top: Count, bottom: Count) -> Self {
        let value = (bottom.value != 0.0).then(|| top.value / bottom.value);
        let restated = top.restated.max(bottom.restated);
        Self { value, suppressed: false, restated, stands_on: [bottom.things, top.things, bottom.things] }
    }

    /// A part by the whole that it is of: what is left is told by it, too.
    fn part(top: Count, bottom: Count) -> Self {
        let rest = bottom.things.saturating_sub(top.things);
        Self { stands_on: [bottom.things, top.things, rest], ..Self::ratio(top, bottom) }
    }
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Of whom.
    pub key: Key,
    /// In each group.
    pub items: Vec<Cell>,
    /// In all of them together.
    pub total: Cell,
    /// In all of an earlier range.
    pub compared: Option<Cell>,
    /// In each group of an earlier range.
    pub compared_items: Vec<Cell>,
}

/// A metric of what was counted, one series for each key.
pub fn of_sums(metric: &Metric, sums: &Sums, range: &Range) -> Vec<Series> {
    let measures = metric.measures();
    sums.keys(&measures).map(|key| series(metric, sums, key, range)).collect()
}

fn series(metric: &Metric, sums: &Sums, key: &Key, range: &Range) -> Series {
    match metric.formula {
        Formula::Sum(sum) => {
            let groups = sums.groups(key, sum, range);
            of_cells(key, groups.iter().map(|group| Cell::of(*group)).collect(), Cell::of(together(&groups)))
        }
        Formula::Ratio(top, bottom) => {
            let (tops, bottoms) = (sums.groups(key, top, range), sums.groups(key, bottom, range));
            // Counts are divided by what they are a part of; amounts need not be.
            let divided = if key.currency.is_empty() { Cell::part } else { Cell::ratio };
            let total = divided(together(&tops), together(&bottoms));
            of_cells(key, tops.into_iter().zip(bottoms).map(|(top, bottom)| divided(top, bottom)).collect(), total)
        }
        Formula::Level(measure) => {
            let items = levels(sums, key, measure, range).into_iter().map(|(level, group)| {
                // What is new of it would be told by the difference to the one before.
                Cell {
                    stands_on: [level.things, group.things, level.things],
                    restated: group.restated,
                    ..Cell::of(level)
                }
            });
            let items: Vec<_> = items.collect();
            let total = items.last().copied().unwrap_or_default();
            of_cells(key, items, total)
        }
        // Made of more than sums of the range: below.
        Formula::Median(_)
        | Formula::NinthTenth(_)
        | Formula::DaysInReceivables
        | Formula::Utilisation(_)
        | Formula::Aging
        | Formula::OverNinety => of_cells(key, vec![Cell::default(); range.len()], Cell::default()),
    }
}

/// What a measure has come to at the end of each group, and what the group added.
fn levels(sums: &Sums, key: &Key, measure: Measure, range: &Range) -> Vec<(Count, Count)> {
    let mut reached = sums.before(key, &[(measure, 1)]);
    let groups = sums.groups(key, &[(measure, 1)], range);
    let climbing = groups.into_iter().map(|group| {
        reached.add(group, 1.0);
        (reached, group)
    });
    climbing.collect()
}

fn together(groups: &[Count]) -> Count {
    let mut sum = Count::default();
    for group in groups {
        sum.add(*group, 1.0);
    }
    sum
}

fn of_cells(key: &Key, items: Vec<Cell>, total: Cell) -> Series {
    Series { key: key.clone(), items, total, compared: None, compared_items: Vec::new() }
}

/// A metric of which nothing was counted: nothing of it where it is a count, and else no figure.
pub fn nothing(metric: &Metric, key: &Key, range: &Range) -> Series {
    let counts = matches!(metric.formula, Formula::Sum(_) | Formula::Level(_));
    let cell = Cell { value: counts.then_some(0.0), ..Cell::default() };
    of_cells(key, vec![cell; range.len()], cell)
}

/// Quantiles in each group and in all of them.
pub fn of_quantiles(metric: &Metric, found: &[Quantiles], range: &Range) -> Vec<Series> {
    let mut all: BTreeMap<&Key, Series> = BTreeMap::new();
    for quantiles in found.iter().filter(|quantiles| metric.measures().contains(&quantiles.measure)) {
        let value = match metric.formula {
            Formula::Median(_) => quantiles.median,
            _ => quantiles.ninth_tenth,
        };
        let (things, restated) = (quantiles.things, quantiles.restated);
        let cell = Cell { value: Some(value), suppressed: false, restated, stands_on: [things; 3] };
        let nothing = || of_cells(&quantiles.key, vec![Cell::default(); range.len()], Cell::default());
        let series = all.entry(&quantiles.key).or_insert_with(nothing);
        match quantiles.place {
            Some(place) => series.items[place] = cell,
            None => series.total = cell,
        }
    }
    all.into_values().collect()
}

/// What is owed at the end of each group by what is charged on a day: `charged` is by day, over a range that ends with
/// `range` and begins ninety days before the end of its first group.
pub fn days_in_receivables(owed: &Sums, range: &Range, charged: &Sums, days: &Range) -> Vec<Series> {
    let of_key = |key: &Key| {
        let charges = charged.groups(key, &[(Measure::Charged, 1)], days);
        let ends = range.starts().iter().skip(1).copied().chain([range.end()]);
        let items = levels(owed, key, Measure::Receivable, range).into_iter().zip(ends).map(|((level, _), end)| {
            let last = days.starts().partition_point(|day| *day < end);
            let window = &charges[last.saturating_sub(CHARGED_DAYS.unsigned_abs() as usize)..last];
            let daily = Count { value: together(window).value / f64::from(CHARGED_DAYS), ..together(window) };
            Cell::ratio(level, daily)
        });
        let items: Vec<_> = items.collect();
        let total = items.last().copied().unwrap_or_default();
        of_cells(key, items, total)
    };
    owed.keys(&[Measure::Receivable]).map(of_key).collect()
}

/// Minutes by those that there were: `available` has as many for each key as there are groups.
pub fn utilisation(
    measure: Measure,
    sums: &Sums,
    range: &Range,
    available: &BTreeMap<String, Vec<f64>>,
) -> Vec<Series> {
    let of_key = |(value, minutes): (&String, &Vec<f64>)| {
        let key = Key { value: value.clone(), currency: String::new() };
        let used = sums.groups(&key, &[(measure, 1)], range);
        let there = |minutes: f64, things: u64| Count { value: minutes, things, restated: None };
        let items = used.iter().zip(minutes).map(|(used, minutes)| Cell::ratio(*used, there(*minutes, used.things)));
        let all = together(&used);
        let total = Cell::ratio(all, there(minutes.iter().sum(), all.things));
        of_cells(&key, items.collect(), total)
    };
    available.iter().map(of_key).collect()
}

/// The names of ages, and the days that each begins with.
const AGES: [(&str, i32); 5] = [("0-30", 0), ("31-60", 31), ("61-90", 61), ("91-120", 91), ("120+", 121)];

/// What is open on a day, of rows by day: by age, of each of which there is one, or by their keys.
pub fn aging(rows: &[Row], today: Date, by_age: bool) -> Vec<Series> {
    let key = |row: &Row| if by_age { age(row, today).to_owned() } else { row.key.value.clone() };
    let currencies: BTreeSet<_> = rows.iter().map(|row| row.key.currency.as_str()).collect();
    let mut series = Vec::new();
    for currency in currencies {
        let of_currency: Vec<_> = rows.iter().filter(|row| row.key.currency == currency).collect();
        let keys: Vec<_> = if by_age {
            AGES.iter().map(|(name, _)| (*name).to_owned()).collect()
        } else {
            of_currency.iter().map(|row| key(row)).collect::<BTreeSet<_>>().into_iter().collect()
        };
        for value in keys {
            let mut sum = Count::default();
            of_currency.iter().filter(|row| key(row) == value).for_each(|row| sum.add(row.count, 1.0));
            series.push(of_cells(&Key { value, currency: currency.to_owned() }, Vec::new(), Cell::of(sum)));
        }
    }
    series
}

/// The part of what is open that is older than ninety days.
pub fn over_ninety(rows: &[Row], today: Date) -> Vec<Series> {
    let currencies: BTreeSet<_> = rows.iter().map(|row| row.key.currency.as_str()).collect();
    let series = currencies.into_iter().map(|currency| {
        let (mut old, mut all) = (Count::default(), Count::default());
        for row in rows.iter().filter(|row| row.key.currency == currency) {
            all.add(row.count, 1.0);
            if matches!(age(row, today), "91-120" | "120+") {
                old.add(row.count, 1.0);
            }
        }
        of_cells(&Key { value: String::new(), currency: currency.to_owned() }, Vec::new(), Cell::ratio(old, all))
    });
    series.collect()
}

fn age(row: &Row, today: Date) -> &'static str {
    let days = row.start.map_or(0, |issued| today.since(issued.date()).map_or(0, |age| age.get_days()));
    AGES.iter().rev().find(|(_, first)| days >= *first).map_or(AGES[0].0, |(name, _)| *name)
}

#[cfg(test)]
mod tests;
