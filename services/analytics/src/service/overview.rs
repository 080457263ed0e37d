//! The overview: one figure of each metric, beside those of earlier periods.

use jiff::{Timestamp, civil::Date};
use problem::Problem;

use super::Figures;
use crate::{
    domain::{
        metric::{
            Dimension, Formula, Metric,
            catalogue::METRICS,
            figure::{Cell, Series},
            suppression,
        },
        range::{Bound, Range},
        zone::{ClinicZone, Group, first_day},
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

impl Periods {
    /// Of the day, week or month that it is.
    pub fn of(period: Group, zone: &ClinicZone, now: Timestamp) -> Result<Self, Problem> {
        let today = zone.day(now);
        let first = first_day(period, today);
        let end = today.tomorrow().unwrap_or(today);
        let days = |first: Date, end: Date| {
            let range = Range::of(Some(Bound::Day(first)), Some(Bound::Day(end)), Group::Day, zone, now);
            range.map_err(Problem::internal)
        };
        let before = first_day(period, first.yesterday().unwrap_or(first));
        let so_many = first.until(end).map_err(Problem::internal)?;
        // A short month is over before as many days are.
        let before_end = before.saturating_add(so_many).min(first);
        let current = days(first, end)?;
        Ok(Self { previous_period: days(before, before_end)?, previous_year: current.year_before(zone), current })
    }
}

/// A metric and what it came to.
pub(super) type Found = Vec<(&'static Metric, Series)>;

impl Figures {
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
            without_what_is_small(&mut items);
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

/// What is told by age has no one figure, and a clinic has figures of what is told apart by clinic.
fn has_figures(metric: &Metric, filters: &Filters) -> bool {
    let of_clinic = filters.clinic_id.is_none() || metric.dimensions.contains(&Dimension::Clinic);
    of_clinic && !matches!(metric.formula, Formula::Aging)
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

/// The metrics that add up to another one.
pub(super) const PARTS: [&str; 2] = ["new-patients", "returning-patients"];
const WHOLE: &str = "encounters";

/// Leaves out what small figures would be told by.
pub fn without_what_is_small(items: &mut [Item]) {
    for item in &mut *items {
        let mut cells = [&mut item.previous_year, &mut item.previous_period, &mut item.current];
        for cell in &mut cells {
            suppression::small(cell);
        }
        if matches!(item.metric.formula, Formula::Level(_)) {
            suppression::climbing(cells.into_iter());
        }
    }
    let now: fn(&mut Item) -> &mut Cell = |item| &mut item.current;
    for time in [now, |item| &mut item.previous_period, |item| &mut item.previous_year] {
        let whole_is_told =
            items.iter_mut().find(|item| item.metric.name == WHOLE).is_some_and(|item| !time(item).suppressed);
        let parts = items.iter_mut().filter(|item| PARTS.contains(&item.metric.name)).map(time);
        suppression::without_the_rest(parts.collect(), whole_is_told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last day of the period, of the one before, and of the year before, at noon of a day in New York.
    fn periods(period: Group, noon: &str) -> [String; 3] {
        let zone: ClinicZone = "America/New_York".parse().unwrap();
        let periods = Periods::of(period, &zone, format!("{noon}T17:00:00Z").parse().unwrap()).unwrap();
        [&periods.current, &periods.previous_period, &periods.previous_year].map(|range| {
            let days = range.days(&zone);
            format!("{} {}", days[0], days[days.len() - 2])
        })
    }

    #[test]
    fn a_day_stands_beside_the_day_before_and_that_of_the_year_before() {
        assert_eq!(
            periods(Group::Day, "2026-03-08"),
            ["2026-03-08 2026-03-08", "2026-03-07 2026-03-07", "2025-03-08 2025-03-08"]
        );
        assert_eq!(
            periods(Group::Day, "2027-01-01"),
            ["2027-01-01 2027-01-01", "2026-12-31 2026-12-31", "2026-01-01 2026-01-01"]
        );
        // There is no 29 February the year before.
        assert_eq!(periods(Group::Day, "2028-02-29")[2], "2027-02-28 2027-02-28");
    }

    #[test]
    fn a_week_goes_over_the_end_of_the_year() {
        // 1 January 2027 is a Friday.
        assert_eq!(
            periods(Group::Week, "2027-01-01"),
            ["2026-12-28 2027-01-01", "2026-12-21 2026-12-25", "2025-12-28 2026-01-01"]
        );
        assert_eq!(
            periods(Group::Week, "2026-12-28"),
            ["2026-12-28 2026-12-28", "2026-12-21 2026-12-21", "2025-12-28 2025-12-28"]
        );
    }

    #[test]
    fn a_month_stands_beside_no_more_days_than_the_one_before_has() {
        assert_eq!(
            periods(Group::Month, "2026-03-31"),
            ["2026-03-01 2026-03-31", "2026-02-01 2026-02-28", "2025-03-01 2025-03-31"]
        );
        assert_eq!(
            periods(Group::Month, "2026-03-15"),
            ["2026-03-01 2026-03-15", "2026-02-01 2026-02-15", "2025-03-01 2025-03-15"]
        );
        assert_eq!(
            periods(Group::Month, "2027-01-01"),
            ["2027-01-01 2027-01-01", "2026-12-01 2026-12-01", "2026-01-01 2026-01-01"]
        );
    }
}
