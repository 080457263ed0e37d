//! One metric over a range.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _};
use problem::{Kind, Problem};

use super::Figures;
use crate::{
    domain::{
        metric::{
            Dimension, Formula, Measure, Metric, family,
            figure::{self, CHARGED_DAYS, Series},
            gathered::Gathered,
            sums::Sums,
            suppression,
        },
        range::{Bound, Range},
        zone::Group,
    },
    outbound::rollups::{Filters, Told, Wanted},
};

/// What is asked of a metric.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which one.
    pub metric: &'static Metric,
    /// Over which time.
    pub range: Range,
    /// Told apart by what.
    pub by: Option<Dimension>,
    /// Of whom.
    pub filters: Filters,
    /// Beside which earlier time.
    pub compare: Option<Comparison>,
    /// Whether small figures are not told.
    pub suppress: bool,
}

/// An earlier time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// As many groups, just before.
    PreviousPeriod,
    /// The same dates a year before.
    PreviousYear,
}

/// Nothing is told of a part of what was.
fn rebuilding() -> Problem {
    Problem::new(
        Kind::Unavailable,
        "The figures are being made anew from what the services have told; ask again later.",
    )
    .with_slug("figures-rebuilding")
}

impl Figures {
    /// A metric, one series for each value of the dimension, and when something was taken in last.
    pub async fn metric(&self, asked: &Asked, now: Timestamp) -> Result<(Vec<Series>, Option<Timestamp>), Problem> {
        let gathered = self.gather(&[asked.metric], &asked.range, asked.by, &asked.filters, now).await?;
        let mut series = gathered.series(asked.metric, asked.by);
        if let Some(comparison) = asked.compare {
            let range = match comparison {
                Comparison::PreviousPeriod => asked.range.before(&self.zone),
                Comparison::PreviousYear => asked.range.year_before(&self.zone),
            };
            let earlier = self.gather(&[asked.metric], &range, asked.by, &asked.filters, now).await?;
            for earlier in earlier.series(asked.metric, asked.by) {
                let place = series.iter().position(|series| series.key == earlier.key).unwrap_or_else(|| {
                    series.push(figure::nothing(asked.metric, &earlier.key, &asked.range));
                    series.len() - 1
                });
                series[place].compared = Some(earlier.total);
                series[place].compared_items = earlier.items;
            }
        }
        if asked.suppress {
            suppression::suppress(asked.metric.formula, &mut series);
        }
        Ok((series, gathered.taken_at))
    }

    /// All that some metrics over a range are made of: each sort of it is asked for once, and only where it is needed.
    pub(super) async fn gather(
        &self,
        metrics: &[&'static Metric],
        range: &Range,
        by: Option<Dimension>,
        filters: &Filters,
        now: Timestamp,
    ) -> Result<Gathered, Problem> {
        let measures_of = |wanted: fn(&Metric) -> bool| -> Vec<Measure> {
            let of_these = metrics.iter().filter(|metric| wanted(metric));
            of_these.flat_map(|metric| metric.measures()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let summed = measures_of(|metric| !metric.is_distribution() && !metric.is_of_now());
        let distributed = measures_of(Metric::is_distribution);
        let of_now = measures_of(Metric::is_of_now);
        let opening = metrics.iter().any(|metric| metric.is_level());
        let any = |wanted: fn(Formula) -> bool| metrics.iter().any(|metric| wanted(metric.formula));
        let looks_back = any(|formula| matches!(formula, Formula::DaysInReceivables));
        let of_minutes = any(|formula| matches!(formula, Formula::Utilisation(_)));
        let wanted = |measures| Wanted { measures, by, filters };

        let sums = async {
            let (sums, taken_at) = self.sums(&wanted(&summed), range, opening).await?;
            // Codes of no service are what is not told apart by service.
            let family = |code: &str| if code.is_empty() { String::new() } else { family::of(code).to_owned() };
            Ok::<_, Problem>((if by == Some(Dimension::Family) { sums.renamed(family) } else { sums }, taken_at))
        };
        let quantiles = async {
            if distributed.is_empty() {
                return Ok(Told { rows: Vec::new(), taken_at: None });
            }
            self.rollups.quantiles(&wanted(&distributed), range).await?.ok_or_else(rebuilding)
        };
        let open = async {
            if of_now.is_empty() {
                return Ok(Told { rows: Vec::new(), taken_at: None });
            }
            self.rollups.of_all_days(&wanted(&of_now)).await?.ok_or_else(rebuilding)
        };
        let charged = async {
            if looks_back { self.charged(&wanted(&[Measure::Charged]), range).await.map(Some) } else { Ok(None) }
        };
        let minutes = async {
            if !of_minutes {
                return Ok(BTreeMap::default());
            }
            match self.availability.minutes(&self.zone, range, by, filters).await {
                // The others need not wait for `patient`.
                Err(problem) if metrics.len() > 1 => {
                    tracing::debug!(%problem, "nobody tells how many minutes there are");
                    Ok(BTreeMap::default())
                }
                told => told,
            }
        };
        let ((sums, summed_at), quantiles, open, charged, minutes) =
            tokio::try_join!(sums, quantiles, open, charged, minutes)?;
        Ok(Gathered {
            range: range.clone(),
            taken_at: summed_at.max(quantiles.taken_at).max(open.taken_at),
            today: self.zone.day(now),
            sums,
            quantiles: quantiles.rows,
            open: open.rows,
            charged,
            minutes,
        })
    }

    async fn sums(
        &self,
        wanted: &Wanted<'_>,
        range: &Range,
        opening: bool,
    ) -> Result<(Sums, Option<Timestamp>), Problem> {
        if wanted.measures.is_empty() {
            return Ok((Sums::default(), None));
        }
        let told = self.rollups.sums(wanted, range, opening.then_some(&self.zone)).await?.ok_or_else(rebuilding)?;
        Ok((Sums::of(told.rows, range), told.taken_at))
    }

    /// What was charged on each of the days that the ends of a range look back on.
    async fn charged(&self, wanted: &Wanted<'_>, range: &Range) -> Result<(Range, Sums), Problem> {
        let ends = range.days(&self.zone);
        let first = ends.get(1).copied().unwrap_or_default().saturating_sub(CHARGED_DAYS.days());
        let last = ends.last().copied().unwrap_or_default();
        let days = Range::of(Some(Bound::Day(first)), Some(Bound::Day(last)), Group::Day, &self.zone, range.end());
        let days = days.map_err(|refusal| Problem::invalid_field("from", refusal.to_string()))?;
        let (charged, _) = self.sums(wanted, &days, false).await?;
        Ok((days, charged))
    }
}
