//! All that metrics over one range are made of.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::{
    super::range::Range,
    Dimension, Formula, Metric, Unit,
    distribution::Quantiles,
    figure::{self, Cell, Series},
    sums::{Key, Row, Sums},
};

/// What was counted over a range; what no metric asks for is empty.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The range.
    pub range: Range,
    /// When something was taken in last.
    pub taken_at: Option<Timestamp>,
    /// The day that it is now.
    pub today: Date,
    /// Sums in each group, and before all of them.
    pub sums: Sums,
    /// Of distributions.
    pub quantiles: Vec<Quantiles>,
    /// What is open, by the day of its invoice.
    pub open: Vec<Row>,
    /// What was charged on each of the days that the ends of the groups look back on.
    pub charged: Option<(Range, Sums)>,
    /// Minutes that there were to be booked, in each group.
    pub minutes: BTreeMap<String, Vec<f64>>,
}

impl Gathered {
    /// A metric, one series for each key; one of nothing where there is none and nothing can be told apart.
    pub fn series(&self, metric: &Metric, by: Option<Dimension>) -> Vec<Series> {
        let range = &self.range;
        let series = match metric.formula {
            Formula::Median(_) | Formula::NinthTenth(_) => figure::of_quantiles(metric, &self.quantiles, range),
            Formula::Aging => {
                of_now(figure::aging(&self.open, self.today, matches!(by, None | Some(Dimension::Age))), range)
            }
            Formula::OverNinety => of_now(figure::over_ninety(&self.open, self.today), range),
            Formula::DaysInReceivables => match &self.charged {
                Some((days, charged)) => figure::days_in_receivables(&self.sums, range, charged, days),
                None => Vec::new(),
            },
            Formula::Utilisation(measure) => figure::utilisation(measure, &self.sums, range, &self.minutes),
            Formula::Sum(_) | Formula::Ratio(..) | Formula::Level(_) => figure::of_sums(metric, &self.sums, range),
        };
        if series.is_empty() && by.is_none() && metric.unit != Unit::Money {
            return vec![figure::nothing(metric, &Key::default(), range)];
        }
        series
    }
}

/// What is of the present alone is in the last group, and in no other.
fn of_now(mut all: Vec<Series>, range: &Range) -> Vec<Series> {
    for series in &mut all {
        series.items = vec![Cell::default(); range.len()];
        if let Some(last) = series.items.last_mut() {
            *last = series.total;
        }
    }
    all
}
