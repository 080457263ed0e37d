//! The overview: one figure of each metric, beside those of earlier periods.

use jiff::{Timestamp, civil::Date};
use problem::Problem;

use super::Figures;
use crate::{
    domain::{
        metric::{
            Dimension, Metric,
            catalogue::METRICS,
            figure::{Cell, Series},
            suppression,
        },
        range::{Bound, Range},
        zone::{Group, first_day},
    },
    outbound::rollups::Filters,
};

/// One figure, and the same of earlier periods.
#[derive(Clone, Debug)]
pub struct Item {
    /// Of which metric.
    pub metric: &'static Metric,
    /// In which currency; empty where it is no money.
    pub currency: String,
    /// Now.
    pub current: Cell,
    /// Of as many days of the period before.
    pub previous_period: Cell,
    /// Of the same dates of the year before.
    pub previous_year: Cell,
}

/// The days of a period until today, and the same of earlier ones.
#[derive(Clone, Debug)]
pub struct Periods {
    /// From its first day to today.
    pub current: Range,
    /// As many days of the one before.
    pub previous_period: Range,
    /// The same dates of the year before.
    pub previous_year: Range,
}

/// A metric and what it came to.
pub(super) type Found = Vec<(&'static Metric, Series)>;

impl Figures {
    /// The day, week or month that it is.
    pub fn periods(&self, period: Group, now: Timestamp) -> Result<Periods, Problem> {
        let today = self.zone.day(now);
        let first = first_day(period, today);
        let end = today.tomorrow().unwrap_or(today);
        let days = |first: Date, end: Date| {
            let range = Range::of(Some(Bound::Day(first)), Some(Bound::Day(end)), Group::Day, &self.zone, now);
            range.map_err(Problem::internal)
        };
        let before = first_day(period, first.yesterday().unwrap_or(first));
        let so_many = first.until(end).map_err(Problem::internal)?;
        // A short month is over before as many days are.
        let before_end = before.saturating_add(so_many).min(first);
        let current = days(first, end)?;
        Ok(Periods {
            previous_period: days(before, before_end)?,
            previous_year: current.year_before(&self.zone),
            current,
        })
    }

    /// The overview of a period.
    pub async fn overview(
        &self,
        periods: &Periods,
        filters: &Filters,
        suppress: bool,
        now: Timestamp,
    ) -> Result<Vec<Item>, Problem> {
        let (current, period_before, year_before) = tokio::try_join!(
            self.each(&periods.current, filters, now),
            self.each(&periods.previous_period, filters, now),
            self.each(&periods.previous_year, filters, now)
        )?;
        let mut items = beside(current, &period_before, &year_before);
        if suppress {
            items.iter_mut().for_each(without_what_is_small);
        }
        Ok(items)
    }

    /// Every metric that there can be of these, over some days.
    pub(super) async fn each(&self, range: &Range, filters: &Filters, now: Timestamp) -> Result<Found, Problem> {
        let metrics: Vec<_> = METRICS.iter().filter(|metric| has_figures(metric, filters)).collect();
        let gathered = self.gather(&metrics, range, None, filters, now).await?;
        let series = metrics
            .into_iter()
            .flat_map(|metric| gathered.series(metric, None).into_iter().map(move |series| (metric, series)));
        Ok(series.collect())
    }
}

/// A clinic has figures of what is told apart by clinic.
fn has_figures(metric: &Metric, filters: &Filters) -> bool {
    filters.clinic_id.is_none() || metric.dimensions.contains(&Dimension::Clinic)
}

/// Figures of now beside those of then.
pub(super) fn beside(current: Found, period_before: &Found, year_before: &Found) -> Vec<Item> {
    let of_now = |metric: &Metric| metric.is_of_now();
    let then = |found: &Found, metric: &'static Metric, currency: &str| {
        // What is of the present alone has no earlier figure.
        let same = |(other, series): &&(&'static Metric, Series)| {
            !of_now(metric) && other.name == metric.name && series.key.currency == currency
        };
        found.iter().find(same).map(|(_, series)| series.total).unwrap_or_default()
    };
    let item = |(metric, series): (&'static Metric, Series)| {
        let currency = series.key.currency;
        Item {
            previous_period: then(period_before, metric, &currency),
            previous_year: then(year_before, metric, &currency),
            metric,
            currency,
            current: series.total,
        }
    };
    current.into_iter().map(item).collect()
}

/// Leaves out what small figures would be told by.
pub fn without_what_is_small(item: &mut Item) {
    [&mut item.current, &mut item.previous_period, &mut item.previous_year].into_iter().for_each(suppression::small);
}
