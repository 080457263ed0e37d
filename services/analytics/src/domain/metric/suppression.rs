//! Small figures are not told to those who see no person: fewer than eleven things may be told apart by who knows the clinic.
//!
//! The threshold is that of CMS for cell sizes. What would tell a suppressed figure by subtraction is suppressed with it,
//! within one answer; answers to several questions can still be compared.

use super::{
    Formula,
    figure::{Cell, Series},
};

/// So many may be told.
pub const LEAST: u64 = 11;

/// Whether so many are too few to be told; that there is nothing is told.
pub fn too_few(things: u64) -> bool {
    (1..LEAST).contains(&things)
}

/// Suppresses what is small, and what would tell it.
pub fn suppress(formula: Formula, all: &mut [Series]) {
    for series in &mut *all {
        series.items.iter_mut().chain(&mut series.compared_items).for_each(small);
        small(&mut series.total);
        series.compared.iter_mut().for_each(small);
    }
    match formula {
        Formula::Sum(_) | Formula::Aging => while close(all, true) {},
        Formula::Level(_) => {
            for series in &mut *all {
                climbing(series.compared_items.iter_mut().chain(&mut series.items));
            }
            while close(all, false) {}
            // The level of all groups is that of the last.
            for series in all {
                series.total = series.items.last().copied().unwrap_or(series.total);
                series.compared = series.compared.map(|told| series.compared_items.last().copied().unwrap_or(told));
            }
        }
        // What is divided adds up to nothing.
        Formula::Ratio(..)
        | Formula::Median(_)
        | Formula::NinthTenth(_)
        | Formula::DaysInReceivables
        | Formula::Utilisation(_)
        | Formula::OverNinety => {}
    }
}

/// Does not tell a figure that stands on too few.
pub fn small(cell: &mut Cell) {
    if cell.stands_on.into_iter().any(too_few) {
        hide(cell);
    }
}

fn hide(cell: &mut Cell) {
    *cell = Cell { value: None, suppressed: true, restated: None, ..*cell };
}

/// Does not tell a level from which too few are missing to the last that is told, since that is their difference.
pub fn climbing<'a>(levels: impl Iterator<Item = &'a mut Cell>) {
    let mut told: Option<u64> = None;
    for cell in levels.filter(|cell| !cell.suppressed) {
        let reached = cell.stands_on[0];
        if told.is_some_and(|told| too_few(reached.abs_diff(told))) {
            hide(cell);
        } else {
            told = Some(reached);
        }
    }
}

/// Hides one more figure wherever those that are hidden could be told from what they add up to: over time, and among series.
fn close(all: &mut [Series], over_time: bool) -> bool {
    let mut hidden = false;
    if over_time {
        for series in &mut *all {
            hidden |= without_the_rest(series.items.iter_mut().collect(), !series.total.suppressed);
            if let Some(compared) = series.compared {
                hidden |= without_the_rest(series.compared_items.iter_mut().collect(), !compared.suppressed);
            }
        }
    }
    if all.len() > 1 {
        // What all of them come to is the answer to a question that anybody asks.
        let of_range: fn(&mut Series) -> &mut Vec<Cell> = |series| &mut series.items;
        for items in [of_range, |series| &mut series.compared_items] {
            let groups = all.iter_mut().map(|series| items(series).len()).max().unwrap_or_default();
            for group in 0..groups {
                hidden |= without_the_rest(all.iter_mut().filter_map(|one| items(one).get_mut(group)).collect(), true);
            }
        }
        if over_time {
            hidden |= without_the_rest(all.iter_mut().map(|series| &mut series.total).collect(), true);
            hidden |= without_the_rest(all.iter_mut().filter_map(|series| series.compared.as_mut()).collect(), true);
        }
    }
    hidden
}

/// Hides the next smallest part where those that are hidden are what the whole leaves of the others, or where the others
/// would tell a whole that is hidden. Answers whether it did.
pub fn without_the_rest(parts: Vec<&mut Cell>, whole_is_told: bool) -> bool {
    let hidden = || parts.iter().filter(|part| part.suppressed);
    let tells = if whole_is_told {
        hidden().count() == 1 || too_few(hidden().map(|part| part.stands_on[0]).sum())
    } else {
        hidden().count() == 0
    };
    let told = parts.into_iter().filter(|part| !part.suppressed && part.stands_on[0] > 0);
    match told.min_by_key(|part| part.stands_on[0]) {
        Some(next) if tells => {
            hide(next);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Measure, sums::Key},
        *,
    };

    const SUM: Formula = Formula::Sum(&[(Measure::Kept, 1)]);
    const LEVEL: Formula = Formula::Level(Measure::Active);

    fn series(counts: &[u64]) -> Series {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let cell = |things: u64| Cell { value: Some(things as f64), stands_on: [things; 3], ..Cell::default() };
        Series {
            key: Key::default(),
            items: counts.iter().map(|&things| cell(things)).collect(),
            total: cell(counts.iter().sum()),
            compared: None,
            compared_items: Vec::new(),
        }
    }

    fn told(series: &Series) -> Vec<Option<u64>> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
        let told = |cell: &Cell| cell.value.map(|value| value as u64);
        series.items.iter().map(told).collect()
    }

    #[test]
    fn what_is_small_is_not_told_and_nothing_is() {
        let mut all = [series(&[0, 11, 300, 10, 1])];
        suppress(SUM, &mut all);
        assert_eq!(told(&all[0]), [Some(0), Some(11), Some(300), None, None]);
        assert!(all[0].items[3].suppressed && all[0].total.value.is_some());
    }

    #[test]
    fn what_would_tell_it_is_not_told_either() {
        let mut all = [series(&[40, 0, 20, 3])];
        suppress(SUM, &mut all);
        assert_eq!(told(&all[0]), [Some(40), Some(0), None, None]);
        let mut all = [series(&[50, 30]), series(&[5, 40]), series(&[70, 60])];
        suppress(SUM, &mut all);
        assert_eq!(all.iter().map(|series| told(series)[0]).collect::<Vec<_>>(), [None, None, Some(70)]);
    }

    #[test]
    fn a_ratio_is_small_when_either_part_is() {
        let mut all = [series(&[200])];
        all[0].items[0].stands_on = [200, 4, 196];
        suppress(SUM, &mut all);
        assert!(all[0].items[0].suppressed);
    }
    #[test]
    fn hidden_figures_are_not_told_by_their_sum() {
        // What the total leaves of the others is 7: one that is small, in two days.
        let mut all = [series(&[40, 30, 3, 4])];
        suppress(SUM, &mut all);
        assert_eq!(told(&all[0]), [Some(40), None, None, None]);
        // A total that is hidden because of another series is not told by its days.
        let mut all = [series(&[15, 15]), series(&[5, 0])];
        suppress(SUM, &mut all);
        assert!(all[0].total.suppressed && all[1].total.suppressed && all[0].items.iter().any(|item| item.suppressed));
    }

    #[test]
    fn what_an_earlier_time_is_compared_with_is_kept_alike() {
        let mut all = [series(&[50, 60])];
        let earlier = series(&[40, 0, 20, 3]);
        (all[0].compared, all[0].compared_items) = (Some(earlier.total), earlier.items);
        suppress(SUM, &mut all);
        let told: Vec<_> = all[0].compared_items.iter().map(|item| item.suppressed).collect();
        assert_eq!(told, [false, false, true, true]);
        assert!(all[0].compared.unwrap().value.is_some() && all[0].items.iter().all(|item| !item.suppressed));
    }

    #[test]
    fn a_level_is_told_when_enough_are_new_since_the_last_that_was() {
        let levels = |counts: &[u64]| {
            let mut all = [series(counts)];
            all[0].total = *all[0].items.last().unwrap();
            suppress(LEVEL, &mut all);
            assert_eq!(all[0].total.value, all[0].items.last().unwrap().value, "the total is the last level");
            told(&all[0])
        };
        // The third is the second: it would be told by a day on which nothing happens.
        assert_eq!(levels(&[100, 103, 103, 111]), [Some(100), None, None, Some(111)]);
        assert_eq!(levels(&[100, 100, 120, 125]), [Some(100), Some(100), Some(120), None]);
        let mut all = [series(&[103, 103])];
        let earlier = series(&[80, 100]);
        (all[0].compared, all[0].compared_items) = (earlier.items.last().copied(), earlier.items);
        suppress(LEVEL, &mut all);
        assert_eq!(told(&all[0]), [None, None], "three are new since the day before");
    }

    #[test]
    fn what_is_hidden_has_no_time_either() {
        let mut all = [series(&[40, 3, 20])];
        all[0].items.iter_mut().for_each(|item| item.restated = Some(jiff::Timestamp::UNIX_EPOCH));
        suppress(SUM, &mut all);
        assert_eq!(all[0].items.iter().filter(|item| item.restated.is_some()).count(), 1);
    }
}
