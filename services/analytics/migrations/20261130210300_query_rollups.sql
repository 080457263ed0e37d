-- Questions about rollups. Each answers a JSON null while facts are gathered anew. They look the dimensions up that are asked for, and
-- of each the range, which is how the key has it: `offset 0` keeps the planner from beginning with all there is. To compile them
-- would take longer than to run them.

-- By what it is told apart: by what is asked for alone where it is kept so, else by each combination; null where it is not told apart.
create function fact.axis_of(p jsonb, measures fact.measure[], unit fact.unit) returns fact.axis
language sql stable as $$
  select case
    when asked = '' then null
    when unit <> 'hour' and (select every(asked = any (kept.axes::text[])) from fact.measures as kept where kept.measure = any (measures))
      then asked::fact.axis
    else 'each' end
  from (
    select coalesce(string_agg(name, '-' order by place), '') as asked
    from (values (1, 'clinic', 'clinicId'), (2, 'practitioner', 'practitionerId'), (3, 'service', 'service'), (4, 'payer', 'payer'))
      as known(place, name, filter)
    where name = p ->> 'by' or p ? filter) as names
$$;

-- The dimensions that are asked for, with their `key` and `currency`, as SQL with $1 for the parameter.
create function fact.asked_dimensions(p jsonb, axis fact.axis) returns text
language sql stable as $$
  select format('(select dimension_id, %s as key, currency from fact.dimensions where %s)',
    case p ->> 'by' when 'clinic' then 'clinic_id::text' when 'practitioner' then 'practitioner_id::text' when 'service' then 'service'
      when 'payer' then 'payer' else quote_literal('') end,
    concat_ws(' and ', format('axis = %L', axis),
      case when p ? 'clinicId' then 'clinic_id = ($1 ->> ''clinicId'')::uuid' end,
      case when p ? 'practitionerId' then 'practitioner_id = ($1 ->> ''practitionerId'')::uuid' end,
      case when p ? 'service' then 'service = $1 ->> ''service''' end,
      case when p ? 'payer' then 'payer = $1 ->> ''payer''' end))
$$;

-- The rows of some measures' rollups from one start to another, not included, as SQL with $1 for the parameter: `start`, the `key`
-- of the dimension, `currency`, and the sums. Of everything together they are read of the totals.
create function fact.asked(p jsonb, measures fact.measure[], unit fact.unit, first timestamp, last timestamp) returns text
language plpgsql stable as $$
declare
  axis fact.axis := fact.axis_of(p, measures, unit);
begin
  if axis is null then
    return format($sql$
      select measure, start, '' as key, currency, value, things, restated_at from fact.totals
      where unit = %L and measure = any (%L::fact.measure[]) and start >= %L::timestamp and start < %L::timestamp
    $sql$, unit, measures, first, last);
  end if;
  return format($sql$
    select measure, date_trunc(%L, start) as start, key, currency, value, %I as things, restated_at
    from (
      select kept.measure, (case when %L = 'hour' then 'hour' when %L = 'month' and monthly then 'month' else 'day' end)::fact.unit
        as unit
      from fact.measures as kept where kept.measure = any (%L::fact.measure[])) as wanted
    cross join %s as dimensions
    cross join lateral (
      select start, value, things, once, restated_at from fact.rollups as kept
      where (kept.measure, kept.unit, kept.dimension_id) = (wanted.measure, wanted.unit, dimensions.dimension_id)
        and start >= %L::timestamp and start < %L::timestamp offset 0) as found
  $sql$, unit, case when p ->> 'by' in ('service', 'payer') or p ?| '{service, payer}' then 'things' else 'once' end,
    unit, unit, measures, fact.asked_dimensions(p, axis), first, last);
end
$$;

-- Seconds since 1970 by the clock of the clinic, and microseconds: numbers are told much faster than dates.
create function fact.seconds(start timestamp) returns bigint language sql immutable as $$ select date_part('epoch', start)::bigint $$;
create function fact.microseconds(at timestamptz) returns bigint
language sql stable as $$ select (date_part('epoch', at) * 1000000)::bigint $$;

-- Sums by unit: {"measures", "unit", "from", "to", "month"? and "day"?, "by"?, "clinicId"?, "practitionerId"?, "service"?,
-- "payer"?} answers {"rows": [[measure, key, currency, [start], [value], [things], [restated at]]], "takenAt"}, where the n-th of
-- each list belong together; there is no list of restatements where there are none. `from` and `to` are starts, as rollups have them.
-- With `day` there is one more of each level with a null for the start: all that was before that day, which is of that month.
create function api.sums(p jsonb) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 as $$
declare
  progress fact.progress := (select progress from fact.progress);
  measures fact.measure[] := array(select jsonb_array_elements_text(p -> 'measures'));
  levels fact.measure[] := array(
    select kept.measure from fact.measures as kept where kept.measure = any (measures) and kept.monthly and p ? 'day');
  answer json;
begin
  if progress.rebuilding then
    return 'null';
  end if;
  execute format($sql$
    select coalesce(json_agg(told), '[]') from (
      select json_build_array(measure, key, currency, array_agg(fact.seconds(start)), array_agg(value::bigint), array_agg(things::bigint),
        case when count(restated_at) > 0 then array_agg(fact.microseconds(restated_at)) end)
      from (
        select measure, key, currency, start, sum(value) as value, sum(things) as things, max(restated_at) as restated_at
        from (%s) as asked group by measure, key, currency, start
        union all
        select measure, key, currency, null, sum(value), sum(things), null
        from (%s union all %s) as before group by measure, key, currency) as sums
      group by measure, key, currency) as lists(told)
  $sql$, fact.asked(p, measures, (p ->> 'unit')::fact.unit, (p ->> 'from')::timestamp, (p ->> 'to')::timestamp),
    fact.asked(p, levels, 'month', '-infinity', (p ->> 'month')::timestamp),
    fact.asked(p, levels, 'day', (p ->> 'month')::timestamp, (p ->> 'day')::timestamp))
  using p into answer;
  return json_build_object('rows', answer, 'takenAt', progress.taken_at);
end
$$;

-- Lists, one after another.
create aggregate fact.all_of(bins int[]) (sfunc = array_cat, stype = int[]);

-- The days' lists or the months' bins of some distributions from one start to another, as SQL with $1 for the parameter.
create function fact.asked_bins(p jsonb, measures fact.measure[], axis fact.axis, unit fact.unit, first timestamp, last timestamp)
returns text
language sql stable as $$
  select format($sql$
    select measure, key, start, bins, counts, restated_at
    from unnest(%L::fact.measure[]) as wanted(measure) cross join %s as dimensions
    cross join lateral (
      select start, bins, counts, restated_at from fact.distributions as kept
      where (kept.measure, kept.unit, kept.dimension_id) = (wanted.measure, %L::fact.unit, dimensions.dimension_id)
        and start >= %L::timestamp and start < %L::timestamp offset 0) as found
  $sql$, measures, fact.asked_dimensions(p, axis), unit, first, last)
$$;

-- How many things of each bin there are from one start to another, as SQL with $1 for the parameter and `units` for what is sorted:
-- in arrays, with the start where they are a unit of their own.
create function fact.asked_counts(p jsonb, measures fact.measure[], axis fact.axis, unit fact.unit, first timestamp, last timestamp)
returns text
language plpgsql stable as $$
declare
  -- The whole months; none where there is none.
  since timestamp := least(date_trunc('month', first + interval '1 month' - interval '1 day'), last);
  until timestamp := greatest(date_trunc('month', last), since);
  months text := '';
  rest text;
begin
  if axis is null then
    return format($sql$
      select measure, '', start, array_agg(bin), array_agg(value), max(restated_at) from fact.totals
      where unit = %L and measure = any (%L::fact.measure[]) and start >= %L::timestamp and start < %L::timestamp
      group by measure, start
    $sql$, unit, measures, first, last);
  end if;
  if not fact.is_alone(axis) then
    rest := 'units';
  else
    months := format('select measure, key, case when %L = ''month'' then start end, bins, counts, restated_at from (%s) as months union all',
      unit, fact.asked_bins(p, measures, axis, 'month', since, until));
    rest := format('(%s union all %s)', fact.asked_bins(p, measures, axis, 'day', first, since),
      fact.asked_bins(p, measures, axis, 'day', until, last));
  end if;
  return format($sql$
    %s select measure, key, null::timestamp, array_agg(bin), array_agg(things), max(restated_at) from (
      select measure, key, bin, count(*) as things, max(restated_at) as restated_at
      from %s as rest cross join lateral unnest(bins) as bin group by measure, key, bin) as counted
    group by measure, key
  $sql$, months, rest);
end
$$;

-- Distributions: the same parameter answers {"units", "counts", "takenAt"}. `units` has what can be looked up of units, by their
-- lists: [[measure, key, [start], [median], [ninth tenth], [things], [restated at]]], where the median is the lowest bin that at least
-- half are not above, as percentile_disc has it. `counts` has what all units together are made of: [[measure, key, start, [bin],
-- [things], restated at]], with the start where that is a unit, too.
create function api.distributions(p jsonb) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 as $$
declare
  progress fact.progress := (select progress from fact.progress);
  measures fact.measure[] := array(select jsonb_array_elements_text(p -> 'measures'));
  unit fact.unit := p ->> 'unit';
  first timestamp := p ->> 'from';
  last timestamp := p ->> 'to';
  axis fact.axis := fact.axis_of(p, measures, unit);
  -- What is not told apart has bins for each unit, and so have months of one dimension.
  sorted boolean := axis is not null and (unit <> 'month' or not fact.is_alone(axis));
  days text := fact.asked_bins(p, case when sorted then measures else '{}' end, coalesce(axis, 'each'), 'day', first, last);
  answer json;
begin
  if progress.rebuilding then
    return 'null';
  end if;
  -- A day of what is asked for is one row already, but for combinations.
  execute format($sql$
    with units as %s (%s
    ), lists as (
      select json_build_array(measure, key, array_agg(fact.seconds(start)), array_agg(bins[(cardinality(bins) + 1) / 2]),
        array_agg(bins[(cardinality(bins) * 9 + 9) / 10]), array_agg(cardinality(bins)),
        case when count(restated_at) > 0 then array_agg(fact.microseconds(restated_at)) end) as told
      from units where cardinality(bins) > 0 group by measure, key
    ), counts as (
      select json_build_array(measure, key, fact.seconds(start), bins, things, fact.microseconds(restated_at)) as told
      from (%s) as asked(measure, key, start, bins, things, restated_at)
    )
    select json_build_object('units', (select coalesce(json_agg(told), '[]') from lists),
      'counts', (select coalesce(json_agg(told), '[]') from counts), 'takenAt', $2)
  -- To keep lists that are looked at once would take as long as to look at them; what is sorted is to be sorted once.
  $sql$, case when unit = 'day' and fact.is_alone(axis) then 'not materialized' else 'materialized' end,
    case when unit = 'day' and axis <> 'each' then days
    else format('
      select measure, key, date_trunc(%L, start) as start, public.sort(fact.all_of(bins)) as bins, max(restated_at) as restated_at
      from (%s) as days group by 1, 2, 3', unit, days) end,
    fact.asked_counts(p, measures, axis, unit, first, last)) using p, progress.taken_at into answer;
  return answer;
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
