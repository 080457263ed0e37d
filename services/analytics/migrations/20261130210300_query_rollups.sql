-- Questions about rollups. Each answers a JSON null while facts are gathered anew. They hold some hundred thousand rows of a year in
-- memory; they read a range once instead of once for each value of a dimension that is asked for, since `dimension_id` comes late in
-- the key; and to compile them would take longer than to run them.

-- The rows of rollups from one start to another, not included, as SQL with $1 for the parameter: `start`, the `key` of the
-- dimension, `currency`, `bin`, and the sums. Of everything together they are read of the totals.
create function fact.asked(p jsonb, unit text, first text, last text) returns text
language plpgsql immutable as $$
declare
  -- Weeks are told apart by their days.
  stored text := case unit when 'week' then 'day' else unit end;
  key text := case p ->> 'by' when 'clinic' then 'clinic_id' when 'practitioner' then 'practitioner_id'
    when 'service' then 'service' when 'payer' then 'payer' else quote_literal('') end;
  filters text := concat_ws('',
    case when p ? 'clinicId' then ' and clinic_id = ($1 ->> ''clinicId'')::uuid' end,
    case when p ? 'practitionerId' then ' and practitioner_id = ($1 ->> ''practitionerId'')::uuid' end,
    case when p ? 'service' then ' and service = $1 ->> ''service''' end,
    case when p ? 'payer' then ' and payer = $1 ->> ''payer''' end);
  told_apart boolean := p ? 'by' or filters <> '';
begin
  return format($sql$
    select measure, %s as start, %s as key, currency, bin, value, %s as things, restated_at from %s
    where unit = %L and measure = any (%L::fact.measure[])
      and start >= %s::timestamp and start < %s::timestamp%s
  $sql$,
    case when told_apart and unit = 'week' then 'date_trunc(''week'', start)' else 'start' end, key,
    case when not told_apart or p ->> 'by' in ('service', 'payer') or p ? 'service' or p ? 'payer' then 'things' else 'once' end,
    case when told_apart then 'fact.rollups join fact.dimensions using (dimension_id)' else 'fact.totals' end,
    case when told_apart then stored else unit end, array(select jsonb_array_elements_text(p -> 'measures')), first, last, filters);
end
$$;

-- Sums by unit: {"measures", "unit", "from", "to", "month"? and "day"?, "by"?, "clinicId"?, "practitionerId"?, "service"?,
-- "payer"?} answers {"rows": [[measure, key, currency, start, value, things, restated at]], "takenAt"}. `from` and `to` are starts, as
-- rollups have them.
-- With `day` there is one row more without a start: all that was before that day, which is of that month.
create function api.sums(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 set enable_nestloop = off as $$
declare
  progress fact.progress := (select progress from fact.progress);
  answer jsonb;
begin
  if progress.rebuilding then
    return 'null';
  end if;
  execute format($sql$
    select coalesce(jsonb_agg(jsonb_build_array(measure, key, currency, start, value, things, restated_at) order by start, key), '[]')
    from (
      select measure, key, currency, start, sum(value) as value, sum(things) as things, max(restated_at) as restated_at
      from (%s) as asked group by measure, key, currency, start
      union all
      select measure, key, currency, null, sum(value), sum(things), null
      from (%s union all %s) as before where $1 ? 'day' group by measure, key, currency) as sums
  $sql$, fact.asked(p, p ->> 'unit', quote_nullable(p ->> 'from'), quote_nullable(p ->> 'to')),
    fact.asked(p, 'month', quote_literal('-infinity'), quote_nullable(p ->> 'month')),
    fact.asked(p, 'day', quote_nullable(p ->> 'month'), quote_nullable(p ->> 'day')))
  using p into answer;
  return jsonb_build_object('rows', answer, 'takenAt', progress.taken_at);
end
$$;

-- The middle and the ninth tenth of distributions: the same parameter answers {"rows": [[measure, key, start, median, ninth
-- tenth, things, restated at]], "takenAt"}, with one row more for each key without a start: of all units together.
create function api.percentiles(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 set enable_nestloop = off as $$
declare
  progress fact.progress := (select progress from fact.progress);
  answer jsonb;
begin
  if progress.rebuilding then
    return 'null';
  end if;
  execute format($sql$
    with binned as materialized (
      select measure, key, start, bin, sum(value)::bigint as value, max(restated_at) as restated_at
      from (%s) as asked group by measure, key, start, bin
    ), together as (
      select * from binned
      union all
      select measure, key, null, bin, sum(value)::bigint, max(restated_at) from binned group by measure, key, bin
    ), climbing as (
      select *, sum(value) over (partition by measure, key, start order by bin) as reached,
        sum(value) over (partition by measure, key, start) as everything
      from together where value > 0
    )
    select coalesce(jsonb_agg(jsonb_build_array(measure, key, start, median, ninth, everything, restated_at) order by start, key), '[]')
    from (
      -- The lowest value that at least so many are not above; discrete, as percentile_disc has it.
      select measure, key, start, min(bin) filter (where reached >= 0.5 * everything) as median,
        min(bin) filter (where reached >= 0.9 * everything) as ninth, max(everything) as everything, max(restated_at) as restated_at
      from climbing group by measure, key, start) as found
  $sql$, fact.asked(p, p ->> 'unit', quote_nullable(p ->> 'from'), quote_nullable(p ->> 'to'))) using p into answer;
  return jsonb_build_object('rows', answer, 'takenAt', progress.taken_at);
end
$$;

-- How far the figures have come, and the measures of which something has changed after a change: {"after"?} answers {"change",
-- "takenAt", "rebuilding", "changed": [[measure, first day]]}.
create function api.progress(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select jsonb_build_object('change', change, 'takenAt', taken_at, 'rebuilding', rebuilding, 'changed', coalesce((
    select jsonb_agg(jsonb_build_array(measure, start)) from (
      select measure, min(start) as start from fact.totals where totals.change > (p ->> 'after')::bigint and unit = 'day'
      group by measure) as changed), '[]'))
  from fact.progress;
$$;

-- The count of facts of a kind with ids after one and up to another, and the sum, modulo 2^60, of the first 60 bits of the MD5 of
-- their ids and versions: {"kind", "after"?, "upTo"?}. What producers tell of what they have told is made in the same way.
create function api.digest(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  answer jsonb;
begin
  execute format($sql$
    select jsonb_build_object('count', count(*), 'digest', lpad(to_hex((coalesce(sum(
      ('x' || left(md5(id::text || ' ' || version::text), 15))::bit(60)::bigint), 0) %% (1::numeric * 1152921504606846976))::bigint), 15, '0'))
    from fact.%I
    where id > coalesce(($1 ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000')
      and id <= coalesce(($1 ->> 'upTo')::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  $sql$, p ->> 'kind') using p into answer;
  return answer;
end
$$;
