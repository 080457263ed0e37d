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

/// The middle and the ninth tenth of every distribution, as they are told and as they are counted anew: by each unit and dimension,
/// over times that begin and end at months, within them, and within one.
const DISTRIBUTIONS: &str = "
    with counted as (
        select measure::text, day::timestamp as day, clinic_id, practitioner_id, service, bin
        from fact.appointments_measures(array(select f from fact.appointments f))
        where measure in ('lead-days', 'wait-minutes', 'cycle-minutes')
    ), asked as (
        select unit, told_by, date_trunc(unit, first) as first, date_trunc(unit, last) as last
        from unnest(array['day', 'week', 'month']) as unit
        cross join unnest(array['', 'clinic', 'practitioner', 'service', 'practitioner of a service', 'practitioner of a clinic',
            'service of a clinic']) as told_by
        cross join (values ('2020-01-01'::timestamp, '2027-01-01'::timestamp), ('2020-01-05', '2023-03-12'),
            ('2023-03-11', '2023-03-13'), ('2023-03-12', '2023-11-06')) as times(first, last)
    ), answered as materialized (
        select asked.*, api.distributions(jsonb_strip_nulls(jsonb_build_object('measures',
            array['lead-days', 'wait-minutes', 'cycle-minutes'], 'unit', unit, 'from', first, 'to', last,
            'by', nullif(split_part(told_by, ' ', 1), ''),
            'service', case when told_by like '% of a service' then (select min(service) from counted) end,
            'clinicId', case when told_by like '% of a clinic' then (select min(clinic_id::text) from counted) end))) as answer
        from asked
    ), told as (
        select unit, told_by, first, last, told ->> 0 as measure, told ->> 1 as key, list.*
        from answered cross join lateral json_array_elements(answer -> 'units') as told
        cross join lateral rows from (json_array_elements_text(told -> 2), json_array_elements_text(told -> 3),
            json_array_elements_text(told -> 4), json_array_elements_text(told -> 5)) as list(start, median, ninth, things)
        union all
        select unit, told_by, first, last, told ->> 0, told ->> 1, start, percentile_disc(0.5) within group (order by bin::int)::text,
            percentile_disc(0.9) within group (order by bin::int)::text, count(*)::text
        from answered cross join lateral json_array_elements(answer -> 'counts') as told
        cross join lateral (select told ->> 2 where told ->> 2 is not null union all select null) as spans(start)
        cross join lateral rows from (json_array_elements_text(told -> 3), json_array_elements_text(told -> 4)) as bins(bin, things)
        cross join lateral generate_series(1, things::int)
        group by 1, 2, 3, 4, 5, 6, 7
    ), anew as (
        select unit, told_by, first, last, measure, key, extract(epoch from start)::bigint::text,
            percentile_disc(0.5) within group (order by bin)::text, percentile_disc(0.9) within group (order by bin)::text,
            count(*)::text
        from asked join counted on day >= first and day < last
            and (told_by not like '% of a service' or service = (select min(service) from counted))
            and (told_by not like '% of a clinic' or clinic_id::text = (select min(clinic_id::text) from counted))
        cross join lateral (select date_trunc(unit, day) as start, case split_part(told_by, ' ', 1) when 'clinic' then clinic_id::text
            when 'practitioner' then coalesce(practitioner_id, '00000000-0000-0000-0000-000000000000')::text
            when 'service' then service else '' end as key) as place
        group by grouping sets ((unit, told_by, first, last, measure, key, start), (unit, told_by, first, last, measure, key))
    )
    (select 'told', * from told except all select 'told', * from anew)
    union all (select 'anew', * from anew except all select 'anew', * from told)";

/// Compares rollups and totals with what they are when all facts are counted anew.
pub(crate) async fn check(parts: &Parts) -> Result {
    const NOBODY: &str = "'00000000-0000-0000-0000-000000000000'::uuid";
    // Each combination of all, and each of the four alone: nothing of a measure may be missing or there twice.
    let rollups = format!(
        "{ANEW}, anew as (
            select measure, unit, start, axis,
                case when axis in ('each', 'clinic', 'clinic-practitioner', 'clinic-service') then coalesce(clinic_id, {NOBODY}) else {NOBODY} end as clinic_id,
                case when axis in ('each', 'practitioner', 'clinic-practitioner') then coalesce(practitioner_id, {NOBODY}) else {NOBODY} end as practitioner_id,
                case when axis in ('each', 'service', 'clinic-service') then coalesce(service, '') else '' end as service,
                case when axis in ('each', 'payer') then coalesce(payer, '') else '' end as payer,
                coalesce(currency, '') as currency, bin, sum(value) as value, sum(things) as things, sum(once) as once
            from units join fact.measures using (measure) cross join lateral unnest(axes) as axis
            where unit = 'day' or (unit = 'month' and monthly and not (distributed and axis in ('each', 'clinic-practitioner', 'clinic-service')))
                or (unit = 'hour' and axis = 'each')
            group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
        ), kept as (
            select measure, unit::text, start, axis, clinic_id, practitioner_id, service, payer, currency, 0 as bin, value, things, once
            from fact.rollups join fact.dimensions using (dimension_id) where value <> 0 or things <> 0
            union all
            select measure, unit::text, start, axis, clinic_id, practitioner_id, service, payer, currency, bin, n, n, n
            from fact.dimensions join (
                select measure, unit, start, dimension_id, bin, count(*) as n from fact.distributions cross join unnest(bins) as bin
                where unit = 'day' group by measure, unit, start, dimension_id, bin
                union all
                select measure, unit, start, dimension_id, bin, n from fact.distributions cross join unnest(bins, counts) as bins(bin, n)
                where unit = 'month') as distributions using (dimension_id)
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
    for (what, query) in [("rollups", &*rollups), ("totals", &totals), ("distributions", DISTRIBUTIONS)] {
        let different = parts.sql(query).await?;
        ensure!(different.is_empty(), "{what}: {different:?}");
    }
    Ok(())
}
