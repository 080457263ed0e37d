-- Questions about rollups. Each answers a JSON null while facts are gathered anew. They look the dimensions up that are asked for, and
-- of each the range, which is how the key has it, and never read all there is; to compile them would take longer than to run them.

-- The rows of some measures' rollups from one start to another, not included, as SQL with $1 for the parameter: `start`, the `key`
-- of the dimension, `currency`, `bin`, and the sums. Of everything together they are read of the totals, and of one dimension of
-- the sums by that one alone.
create function fact.asked(p jsonb, measures fact.measure[], unit fact.unit, first text, last text) returns text
language plpgsql stable as $$
declare
  told_by text := p ->> 'by';
  names text[] := array(
    select name from (values ('clinic', 'clinicId'), ('practitioner', 'practitionerId'), ('service', 'service'), ('payer', 'payer'))
      as asked(name, filter)
    where name = told_by or p ? filter);
  one fact.axis := case when cardinality(names) = 1 and unit <> 'hour' then names[1] end;
  axis fact.axis := case when one is not null
    and (select every(one = any (kept.axes)) from fact.measures as kept where kept.measure = any (measures)) then one else 'each' end;
begin
  if cardinality(names) = 0 then
    return format($sql$
      select measure, start, '' as key, currency, bin, value, things, restated_at from fact.totals
      where unit = %L and measure = any (%L::fact.measure[]) and start >= %s::timestamp and start < %s::timestamp
    $sql$, unit, measures, first, last);
  end if;
  return format($sql$
    select measure, date_trunc(%L, start) as start, %s as key, currency, bin, value, %I as things, restated_at
    from (
      select kept.measure, (case when %L = 'hour' then 'hour' when %L = 'month' and monthly then 'month' else 'day' end)::fact.unit
        as unit
      from fact.measures as kept where kept.measure = any (%L::fact.measure[])) as wanted
    cross join fact.dimensions join fact.rollups using (measure, unit, dimension_id)
    where axis = %L and start >= %s::timestamp and start < %s::timestamp%s
  $sql$,
    unit, case told_by when 'clinic' then 'clinic_id' when 'practitioner' then 'practitioner_id' when 'service' then 'service'
      when 'payer' then 'payer' else quote_literal('') end,
    case when names && '{service, payer}' then 'things' else 'once' end, unit, unit, measures, axis, first, last,
    concat_ws('',
      case when p ? 'clinicId' then ' and clinic_id = ($1 ->> ''clinicId'')::uuid' end,
      case when p ? 'practitionerId' then ' and practitioner_id = ($1 ->> ''practitionerId'')::uuid' end,
      case when p ? 'service' then ' and service = $1 ->> ''service''' end,
      case when p ? 'payer' then ' and payer = $1 ->> ''payer''' end));
end
$$;

-- Sums by unit: {"measures", "unit", "from", "to", "month"? and "day"?, "by"?, "clinicId"?, "practitionerId"?, "service"?,
-- "payer"?} answers {"rows": [[measure, key, currency, start, value, things, restated at]], "takenAt"}. `from` and `to` are starts, as
-- rollups have them.
-- With `day` there is one row more of each level without a start: all that was before that day, which is of that month.
create function api.sums(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 set enable_hashjoin = off
  set enable_mergejoin = off as $$
declare
  progress fact.progress := (select progress from fact.progress);
  measures fact.measure[] := array(select jsonb_array_elements_text(p -> 'measures'));
  levels fact.measure[] := array(
    select kept.measure from fact.measures as kept where kept.measure = any (measures) and kept.monthly and p ? 'day');
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
      from (%s union all %s) as before group by measure, key, currency) as sums
  $sql$, fact.asked(p, measures, (p ->> 'unit')::fact.unit, quote_nullable(p ->> 'from'), quote_nullable(p ->> 'to')),
    fact.asked(p, levels, 'month', quote_literal('-infinity'), quote_nullable(p ->> 'month')),
    fact.asked(p, levels, 'day', quote_nullable(p ->> 'month'), quote_nullable(p ->> 'day')))
  using p into answer;
  return jsonb_build_object('rows', answer, 'takenAt', progress.taken_at);
end
$$;

-- The middle and the ninth tenth of distributions: the same parameter answers {"rows": [[measure, key, start, median, ninth
-- tenth, things, restated at]], "takenAt"}, with one row more for each key without a start: of all units together.
create function api.percentiles(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 set enable_hashjoin = off
  set enable_mergejoin = off as $$
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
  $sql$, fact.asked(p, array(select jsonb_array_elements_text(p -> 'measures'))::fact.measure[], (p ->> 'unit')::fact.unit, quote_nullable(p ->> 'from'),
    quote_nullable(p ->> 'to'))) using p into answer;
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
