//! Figures of analytics beside what the producers' own databases come to.
//!
//! What counts for what is written here from the definitions of the metrics: each family is a query over documents whose
//! last part, `counted`, has a row for whatever counts, with measure, hour, day, clinic, practitioner, service, payer,
//! currency, bin and value.

mod claims;
mod money;
mod visits;

use anyhow::Result;
use sqlx::PgConnection;

use crate::databases::{Pair, rows};

/// What is counted alike, from the documents of one service.
struct Family {
    /// Of all there is, and told apart.
    names: [&'static str; 2],
    kept: &'static [Kept],
    counted: &'static str,
}

/// How measures are told.
struct Kept {
    measures: &'static [&'static str],
    /// By what one may ask alone.
    by: &'static [&'static str],
    /// By hours, too.
    hourly: bool,
    /// Of all time, or with a row for each bin: told apart by months, too.
    monthly: bool,
}

impl Kept {
    /// By days, as most are.
    const fn daily(measures: &'static [&'static str], by: &'static [&'static str]) -> Self {
        Self { measures, by, hourly: false, monthly: false }
    }

    /// By hours, too.
    const fn hourly(measures: &'static [&'static str], by: &'static [&'static str]) -> Self {
        Self { measures, by, hourly: true, monthly: false }
    }

    /// Over months, too.
    const fn monthly(measures: &'static [&'static str], by: &'static [&'static str]) -> Self {
        Self { measures, by, hourly: false, monthly: true }
    }
}

const TOTALS: &str = "
    select jsonb_build_object('measure', measure, 'unit', unit, 'start', start, 'currency', currency, 'bin', bin,
        'value', value)
      from fact.totals join kept on counts = measure::text
      where value <> 0 and (hourly or unit <> 'hour')";

const TOLD_APART: &str = "
    select jsonb_build_object('measure', measure, 'unit', unit, 'start', start, 'axis', axis, 'clinic', clinic_id,
        'practitioner', practitioner_id, 'service', service, 'payer', payer, 'currency', currency, 'bin', bin, 'value', value)
      from (
        select measure, unit, start, dimension_id, 0 as bin, value from fact.rollups
        union all
        select measure, unit, start, dimension_id, bin, sum(coalesce(things, 1))
          from fact.distributions cross join lateral unnest(bins, counts) as bins (bin, things)
          group by measure, unit, start, dimension_id, bin
        union all
        -- Of what is told apart by more than one, months are not kept: they are made of their days.
        select measure, 'month', date_trunc('month', start), dimension_id, bin, count(*)
          from fact.distributions join fact.dimensions using (dimension_id) cross join lateral unnest(bins) as bin
          where unit = 'day' and axis in ('each', 'clinic-practitioner', 'clinic-service') group by 1, 3, 4, 5
      ) as figures join fact.dimensions using (dimension_id) join kept on counts = measure::text
      where value <> 0 and (hourly or unit <> 'hour')";

const SPANS: &str = ", spanned as (
      select counted.*, unit, start, axes, monthly from counted join kept on counts = measure cross join lateral (values
          ('hour', case when hourly then hour at time zone 'UTC' end), ('day', day::timestamp),
          ('week', date_trunc('week', day::timestamp)), ('month', date_trunc('month', day::timestamp))) as spans (unit, start)
        where start is not null
    )";

const COUNTED: &str = "
    select jsonb_build_object('measure', measure, 'unit', unit, 'start', start, 'currency', coalesce(currency, ''),
        'bin', bin, 'value', sum(value)::bigint)
      from spanned group by measure, unit, start, currency, bin having sum(value) <> 0";

const COUNTED_APART: &str = "
    , apart as (
      select measure, unit, start, axis, bin, coalesce(currency, '') as currency, value,
          coalesce(case when axis in ('each', 'clinic', 'clinic-practitioner', 'clinic-service') then clinic end, nobody) as clinic,
          coalesce(case when axis in ('each', 'practitioner', 'clinic-practitioner') then practitioner end, nobody) as practitioner,
          coalesce(case when axis in ('each', 'service', 'clinic-service') then service end, '') as service,
          coalesce(case when axis in ('each', 'payer') then payer end, '') as payer
        from (select *, '00000000-0000-0000-0000-000000000000' as nobody from spanned) as spanned
          cross join lateral unnest(array['each'] || axes) as axis
        where unit = 'day' or unit = 'month' and monthly or unit = 'hour' and axis = 'each'
    )
    select jsonb_build_object('measure', measure, 'unit', unit, 'start', start, 'axis', axis, 'clinic', clinic,
        'practitioner', practitioner, 'service', service, 'payer', payer, 'currency', currency, 'bin', bin,
        'value', sum(value)::bigint)
      from apart group by measure, unit, start, axis, clinic, practitioner, service, payer, currency, bin
      having sum(value) <> 0";

impl Family {
    /// What every query begins with: where the clinic's clock is, and how measures are told.
    fn begin(&self, time_zone: &str) -> String {
        let rows = self.kept.iter().flat_map(|kept| {
            let Kept { measures, by, hourly, monthly } = kept;
            let axes = by.join(",");
            measures.iter().map(move |measure| format!("('{measure}', '{{{axes}}}'::text[], {hourly}, {monthly})"))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        format!(
            "with here as (select '{time_zone}' as zone),
              kept (counts, axes, hourly, monthly) as (values {rows})"
        )
    }

    async fn pairs(
        &self,
        owner: &mut PgConnection,
        analytics: &mut PgConnection,
        time_zone: &str,
    ) -> Result<[Pair; 2]> {
        let begin = self.begin(time_zone);
        let counted = format!("{begin}, {} {SPANS}", self.counted);
        let [all, apart] = self.names;
        Ok([
            Pair {
                name: all,
                is: rows(analytics, &format!("{begin} {TOTALS}")).await?,
                should_be: rows(owner, &format!("{counted} {COUNTED}")).await?,
            },
            Pair {
                name: apart,
                is: rows(analytics, &format!("{begin} {TOLD_APART}")).await?,
                should_be: rows(owner, &format!("{counted} {COUNTED_APART}")).await?,
            },
        ])
    }
}

/// Each figure, and what it should be.
pub(crate) async fn pairs(
    patient: &mut PgConnection,
    billing: &mut PgConnection,
    analytics: &mut PgConnection,
    time_zone: &str,
) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for family in visits::FAMILIES {
        pairs.extend(family.pairs(patient, analytics, time_zone).await?);
    }
    for family in money::FAMILIES.iter().chain(claims::FAMILIES) {
        pairs.extend(family.pairs(billing, analytics, time_zone).await?);
    }
    Ok(pairs)
}
