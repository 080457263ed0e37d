//! What rollups have to be: all facts counted anew, by SQL.

use anyhow::ensure;
use testkit::{Parts, Result};

/// What every fact counts for, by unit.
const ANEW: &str = "
    with counted as (
        select c.* from fact.patients_measures(array(select f from fact.patients f)) c
        union all select c.* from fact.appointments_measures(array(select f from fact.appointments f)) c
        union all select c.* from fact.encounters_measures(array(select f from fact.encounters f)) c
        union all select c.* from fact.invoices_measures(array(select f from fact.invoices f)) c
        union all select c.* from fact.payments_measures(array(select f from fact.payments f)) c
        union all select c.* from fact.claims_measures(array(select f from fact.claims f)) c
        union all select c.* from fact.entries_measures(array(select f from fact.entries f)) c
    ), units as (
        select counted.*, unit, start from counted cross join lateral (values
            ('hour', hour at time zone 'UTC'), ('day', day::timestamp), ('week', date_trunc('week', day::timestamp)),
            ('month', date_trunc('month', day::timestamp))) as spans(unit, start) where start is not null
    )";

/// Compares rollups and totals with what they are when all facts are counted anew.
pub(crate) async fn check(parts: &Parts) -> Result {
    const NOBODY: &str = "'00000000-0000-0000-0000-000000000000'::uuid";
    // Each combination of all, and each of the four alone: nothing of a measure may be missing or there twice.
    let rollups = format!(
        "{ANEW}, anew as (
            select measure, unit, start, axis,
                case when axis in ('each', 'clinic') then coalesce(clinic_id, {NOBODY}) else {NOBODY} end as clinic_id,
                case when axis in ('each', 'practitioner') then coalesce(practitioner_id, {NOBODY}) else {NOBODY} end as practitioner_id,
                case when axis in ('each', 'service') then coalesce(service, '') else '' end as service,
                case when axis in ('each', 'payer') then coalesce(payer, '') else '' end as payer,
                coalesce(currency, '') as currency, bin, sum(value) as value, sum(things) as things, sum(once) as once
            from units join fact.measures using (measure) cross join lateral unnest(axes) as axis
            where unit = 'day' or (unit = 'month' and monthly) or (unit = 'hour' and axis = 'each')
            group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
        ), kept as (
            select measure, unit::text, start, axis, clinic_id, practitioner_id, service, payer, currency, bin, value, things, once
            from fact.rollups join fact.dimensions using (dimension_id) where value <> 0 or things <> 0
        )
        (select 'kept', * from kept except select 'kept', * from anew where value <> 0 or things <> 0)
        union all (select 'anew', * from anew where value <> 0 or things <> 0 except select 'anew', * from kept)"
    );
    let totals = format!(
        "{ANEW}, anew as (
            select measure, unit, start, coalesce(currency, '') as currency, bin, sum(value) as value, sum(once) as things
            from units group by 1, 2, 3, 4, 5
        ), kept as (
            select measure, unit::text, start, currency, bin, value, things from fact.totals where value <> 0 or things <> 0
        )
        (select 'kept', * from kept except select 'kept', * from anew where value <> 0 or things <> 0)
        union all (select 'anew', * from anew where value <> 0 or things <> 0 except select 'anew', * from kept)"
    );
    for (what, query) in [("rollups", rollups), ("totals", totals)] {
        let different = parts.sql(&query).await?;
        ensure!(different.is_empty(), "{what}: {different:?}");
    }
    Ok(())
}
