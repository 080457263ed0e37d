//! Small figures are not told to those who see no person: fewer than eleven things may be told apart by who knows the clinic.
//!
//! The threshold is that of CMS for cell sizes. What would tell a suppressed figure by subtraction is suppressed with it,
//! within one answer; answers to several questions can still be compared.

use super::figure::{Cell, Series};

/// So many may be told.
pub const LEAST: u64 = 11;

/// Whether so many are too few to be told; that there is nothing is told.
pub fn too_few(things: u64) -> bool {
    (1..LEAST).contains(&things)
}

/// Suppresses what is small, and what would tell it.
pub fn suppress(all: &mut [Series]) {
    for series in &mut *all {
        series.items.iter_mut().chain(&mut series.compared_items).for_each(small);
        small(&mut series.total);
        series.compared.iter_mut().for_each(small);
        // One that is missing is the rest of the total.
        if !series.total.suppressed {
            alone(series.items.iter_mut().collect());
        }
        if series.compared.is_some_and(|compared| !compared.suppressed) {
            alone(series.compared_items.iter_mut().collect());
        }
    }
    // One that is missing among many is the rest of what all of them come to.
    if all.len() > 1 {
        let groups = all.iter().map(|series| series.items.len()).max().unwrap_or_default();
        for group in 0..groups {
            alone(all.iter_mut().filter_map(|series| series.items.get_mut(group)).collect());
        }
        alone(all.iter_mut().map(|series| &mut series.total).collect());
    }
}

/// Does not tell a figure that stands on too few.
pub fn small(cell: &mut Cell) {
    if cell.stands_on.into_iter().any(too_few) {
        hide(cell);
    }
}

fn hide(cell: &mut Cell) {
    cell.value = None;
    cell.suppressed = true;
}

/// Where exactly one is suppressed, the next smallest is, too.
fn alone(cells: Vec<&mut Cell>) {
    if cells.iter().filter(|cell| cell.suppressed).count() != 1 {
        return;
    }
    let told = cells.into_iter().filter(|cell| !cell.suppressed && cell.stands_on[0] > 0);
    if let Some(next) = told.min_by_key(|cell| cell.stands_on[0]) {
        hide(next);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sums::Key, *};

    fn series(counts: &[u64]) -> Series {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let cell = |things: u64| Cell { value: Some(things as f64), stands_on: [things, things], ..Cell::default() };
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
        suppress(&mut all);
        assert_eq!(told(&all[0]), [Some(0), Some(11), Some(300), None, None]);
        assert!(all[0].items[3].suppressed && all[0].total.value.is_some());
    }

    #[test]
    fn what_would_tell_it_is_not_told_either() {
        let mut all = [series(&[40, 0, 20, 3])];
        suppress(&mut all);
        assert_eq!(told(&all[0]), [Some(40), Some(0), None, None]);
        let mut all = [series(&[50, 30]), series(&[5, 40]), series(&[70, 60])];
        suppress(&mut all);
        assert_eq!(all.iter().map(|series| told(series)[0]).collect::<Vec<_>>(), [None, None, Some(70)]);
    }

    #[test]
    fn a_ratio_is_small_when_either_part_is() {
        let mut all = [series(&[200])];
        all[0].items[0].stands_on = [200, 4];
        suppress(&mut all);
        assert!(all[0].items[0].suppressed);
    }
}
