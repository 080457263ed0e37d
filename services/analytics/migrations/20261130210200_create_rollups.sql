-- Rollups: sums of what facts count for, by hour, day, week and month. They change by the difference between what a fact has counted
-- for and what it counts for now.

-- Sorts arrays of whole numbers by its own code: a year of days of forty practitioners is a million numbers.
create extension if not exists intarray with schema public;

create type fact.unit as enum ('hour', 'day', 'week', 'month');
create type fact.axis as enum ('each', 'clinic', 'practitioner', 'service', 'payer', 'clinic-practitioner', 'clinic-service');

-- Whether it is one dimension alone.
create function fact.is_alone(axis fact.axis) returns boolean
language sql immutable as $$ select axis in ('clinic', 'practitioner', 'service', 'payer') $$;

-- How a measure is kept: by which one of its dimensions alone it is summed, besides by each combination of all, and of distributions,
-- whose days cannot be added up, by which two that are asked for together; whether by month as well as by day; and whether it is a
-- distribution. A week is seven days, and a month is thirty, but for what is read of all time and for distributions.
create table fact.measures (
  measure fact.measure not null constraint measures_pkey primary key,
  axes fact.axis[] not null,
  monthly boolean not null,
  distributed boolean not null
);
insert into fact.measures (measure, axes, monthly, distributed)
select unnest(measures::fact.measure[]), axes::fact.axis[], monthly, distributed
from (values
  ('{registered, paid-in}', '{each}', false, false),
  ('{active}', '{each}', true, false),
  ('{lead-days, wait-minutes, cycle-minutes}', '{each, clinic, practitioner, service, clinic-practitioner, clinic-service}', true, true),
  ('{bookings, appointments, kept, no-show, cancelled, cancelled-late, rescheduled, waited, waited-and-booked}',
    '{each, clinic, practitioner, service}', false, false),
  ('{arrived, booked-minutes, kept-minutes, encounters, new-patients, returning-patients, walk-ins, open}',
    '{each, clinic, practitioner}', false, false),
  ('{service-units, charged, discounted}', '{each, clinic, practitioner, service}', false, false),
  ('{adjusted, written-off, collected}', '{each, clinic, practitioner, service, payer}', false, false),
  ('{receivable}', '{each, clinic, practitioner, service, payer}', true, false),
  ('{claims-submitted, claims-charged, claims-allowed, claims-paid, claims-answered, claims-denied, claims-first-pass,
    claims-billed, denied-amount}', '{each, clinic, practitioner, payer}', false, false)
) as kept(measures, axes, monthly, distributed);

-- What rollups are told apart by: each combination that occurs, each value of one of the four alone, and each pair of two; nobody and
-- nothing where a measure is not told apart so.
create table fact.dimensions (
  dimension_id int generated always as identity primary key,
  axis fact.axis not null,
  clinic_id uuid not null,
  practitioner_id uuid not null,
  service text not null,
  payer text not null,
  currency text not null,
  constraint dimensions_key unique (axis, clinic_id, practitioner_id, service, payer, currency)
);

-- `start` is the first day of the unit by the calendar of the clinic, or the beginning of the hour in UTC. Where neither service
-- nor payer is asked for, `once` counts what stands behind a figure, and `things` counts a fact of several services too often.
-- What is asked is of one or of some dimensions over a time, so that the dimension comes before the start.
create table fact.rollups (
  measure fact.measure not null,
  unit fact.unit not null,
  dimension_id int not null,
  start timestamp not null,
  value bigint not null,
  things bigint not null,
  once bigint not null,
  restated_at timestamptz,
  constraint rollups_pkey primary key (measure, unit, dimension_id, start)
) with (fillfactor = 80);

-- Distributions that are told apart. Of a day, `bins` has the bin of each thing, in order, so that the middle of a day is looked up
-- and that of a few days is found by sorting them together. Of a month, which has many more things than bins, it has each bin once,
-- with how many things there are in `counts`; months are kept of one dimension alone.
create table fact.distributions (
  measure fact.measure not null,
  unit fact.unit not null,
  dimension_id int not null,
  start timestamp not null,
  bins int[] not null,
  counts int[],
  restated_at timestamptz,
  constraint distributions_pkey primary key (measure, unit, dimension_id, start),
  constraint distributions_counts_check check ((unit = 'month') = (counts is not null))
) with (fillfactor = 80);

-- A list with others in it. What is taken out is told as -1 for bin 0, -2 for bin 1, and so on, in order, so that it comes first.
create function fact.changed_bins(kept int[], told int[]) returns int[]
language plpgsql immutable strict as $$
declare
  place int;
begin
  while told[1] < 0 loop
    place := array_position(kept, -1 - told[1]);
    if place is null then
      raise exception 'nothing of bin % was counted', -1 - told[1];
    end if;
    kept := kept[:place - 1] || kept[place + 1:];
    told := told[2:];
  end loop;
  return public.sort(kept || told);
end
$$;

-- The same of all dimensions together. `change` is the number of the batch that changed it last.
create table fact.totals (
  measure fact.measure not null,
  unit fact.unit not null,
  start timestamp not null,
  currency text not null,
  bin int not null,
  value bigint not null,
  things bigint not null,
  restated_at timestamptz,
  change bigint not null,
  constraint totals_pkey primary key (measure, unit, start, currency, bin)
);
create index totals_change_idx on fact.totals (change);

-- How far the figures have come.
create table fact.progress (
  one boolean not null primary key default true constraint progress_one_check check (one),
  change bigint not null,
  taken_at timestamptz,
  -- While facts are gathered anew, there are no figures.
  rebuilding boolean not null
);
insert into fact.progress (change, rebuilding) values (0, false);

-- Puts what is counted now in the place of what was counted until now. A unit that was over five minutes ago is restated, unless
-- facts are gathered anew.
create function fact.apply(removed fact.measured[], added fact.measured[]) returns void
language plpgsql set enable_seqscan = on set enable_hashjoin = on as $$
declare
  nobody uuid := '00000000-0000-0000-0000-000000000000';
  net fact.measured[] := array(
    select row(measure, hour, day, coalesce(clinic_id, nobody), coalesce(practitioner_id, nobody), coalesce(service, ''),
      coalesce(payer, ''), coalesce(currency, ''), bin, sum(sign * value), sum(sign * things), sum(sign * once))::fact.measured
    from (
      select 1 as sign, counted.* from unnest(added) as counted
      union all
      select -1, counted.* from unnest(removed) as counted) as both_sides
    group by measure, hour, day, clinic_id, practitioner_id, service, payer, currency, bin
    having sum(sign * value) <> 0 or sum(sign * things) <> 0 or sum(sign * once) <> 0);
  over timestamptz := now() - interval '5 minutes';
  this_change bigint;
  restates boolean;
begin
  if cardinality(net) = 0 then
    return;
  end if;
  update fact.progress set change = change + 1 returning change, not rebuilding into this_change, restates;

  with units as materialized (
    select counted.*, unit, start,
      case when restates and case unit when 'hour' then start at time zone 'UTC' + interval '1 hour' < over
        -- The day is over wherever the clinic is.
        else start + ('1 ' || unit)::interval < (over at time zone 'UTC') - interval '12 hours' end then now() end as restated_at
    from unnest(net) as counted
    cross join lateral (values
      ('hour'::fact.unit, hour at time zone 'UTC'), ('day', day::timestamp), ('week', date_trunc('week', day::timestamp)),
      ('month', date_trunc('month', day::timestamp))) as spans(unit, start)
    where start is not null
  ), told_apart as materialized (
    select measure, unit, start, axis,
      case when axis in ('each', 'clinic', 'clinic-practitioner', 'clinic-service') then clinic_id else nobody end as clinic_id,
      case when axis in ('each', 'practitioner', 'clinic-practitioner') then practitioner_id else nobody end as practitioner_id,
      case when axis in ('each', 'service', 'clinic-service') then service else '' end as service,
      case when axis in ('each', 'payer') then payer else '' end as payer,
      currency, bin, sum(value) as value, sum(things) as things, sum(once) as once, max(restated_at) as restated_at,
      distributed
    from units join fact.measures using (measure) cross join lateral unnest(axes) as axis
    where unit = 'day' or unit = 'hour' and axis = 'each'
      or unit = 'month' and monthly and (not distributed or fact.is_alone(axis))
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, distributed
    having sum(value) <> 0 or sum(things) <> 0 or sum(once) <> 0
  ), strangers as (
    insert into fact.dimensions (axis, clinic_id, practitioner_id, service, payer, currency)
    select axis, clinic_id, practitioner_id, service, payer, currency from told_apart
    except select axis, clinic_id, practitioner_id, service, payer, currency from fact.dimensions
    returning *
  ), numbered as materialized (
    select told_apart.*, dimension_id
    from told_apart join (select * from fact.dimensions union all select * from strangers) as dimensions
      using (axis, clinic_id, practitioner_id, service, payer, currency)
  -- What is asked for together lies together: rows of each combination would be between those of one dimension, on pages of their own.
  ), days as (
    insert into fact.distributions as kept (measure, unit, dimension_id, start, bins, restated_at)
    select measure, unit, dimension_id, start,
      public.sort(array_agg(case when value > 0 then bin else -1 - bin end)), max(restated_at)
    from numbered cross join lateral generate_series(1, abs(value))
    where distributed and unit = 'day'
    group by measure, unit, axis, dimension_id, start
    order by measure, axis, start
    on conflict (measure, unit, dimension_id, start) do update set bins = fact.changed_bins(kept.bins, excluded.bins),
      restated_at = coalesce(excluded.restated_at, kept.restated_at)
  ), months as (
    insert into fact.distributions as kept (measure, unit, dimension_id, start, bins, counts, restated_at)
    select measure, unit, dimension_id, start, array_agg(bin), array_agg(value), max(restated_at)
    from numbered where distributed and unit = 'month'
    group by measure, unit, dimension_id, start
    on conflict (measure, unit, dimension_id, start) do update set
      (bins, counts) = (
        select coalesce(array_agg(bin), '{}'), coalesce(array_agg(value), '{}') from (
          select bin, sum(value) as value
          from unnest(kept.bins || excluded.bins, kept.counts || excluded.counts) as both_sides (bin, value)
          group by bin having sum(value) <> 0) as together),
      restated_at = coalesce(excluded.restated_at, kept.restated_at)
  ), kept_apart as (
    insert into fact.rollups as kept (measure, unit, dimension_id, start, value, things, once, restated_at)
    select measure, unit, dimension_id, start, value, things, once, restated_at
    from numbered where not distributed
    order by measure, axis, start
    on conflict (measure, unit, dimension_id, start) do update set value = kept.value + excluded.value,
      things = kept.things + excluded.things, once = kept.once + excluded.once,
      restated_at = coalesce(excluded.restated_at, kept.restated_at)
  )
  insert into fact.totals as kept (measure, unit, start, currency, bin, value, things, restated_at, change)
  select measure, unit, start, currency, bin, sum(value), sum(once), max(restated_at), this_change
  from units group by measure, unit, start, currency, bin
  having sum(value) <> 0 or sum(once) <> 0
  on conflict (measure, unit, start, currency, bin) do update set value = kept.value + excluded.value,
    things = kept.things + excluded.things, restated_at = coalesce(excluded.restated_at, kept.restated_at),
    change = excluded.change;
end
$$;

-- `take_<kind>` takes the newest version of each fact of a kind, and counts the difference. Of encounters, what others of the same
-- patient count for may change with it. They are made of one text, so that each has plans of its own; what is known is looked up
-- by its ids, since before a table has statistics the planner would read all of it.
do $make$
declare
  kind text;
begin
  foreach kind in array array['patients', 'accounts', 'appointments', 'encounters', 'invoices', 'payments', 'claims', 'entries'] loop
    execute format($text$
      create function fact.%1$I(told jsonb) returns void
      language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
      declare
        newer fact.%2$I[];
        peers uuid[];
        removed fact.measured[];
        added fact.measured[];
      begin
        newer := array(
          select row(latest.*)::fact.%2$I from (
            select distinct on (event.id) event.* from jsonb_populate_recordset(null::fact.%2$I, told) as event
            order by event.id, event.version desc) as latest
          where not exists (
            select from fact.%2$I as known where known.id = latest.id and known.version >= latest.version));
        if cardinality(newer) = 0 then
          return;
        end if;
        peers := array(
          select event.%4$I from unnest(newer) as event
          union
          select known.%4$I from unnest(newer) as event join fact.%2$I as known on known.id = event.id);
        removed := array(
          select counted from fact.%3$I(array(select known from fact.%2$I as known where known.%4$I = any (peers))) as counted);
        delete from fact.%2$I as known using unnest(newer) as event where known.id = event.id;
        insert into fact.%2$I select event.* from unnest(newer) as event;
        added := array(
          select counted from fact.%3$I(array(select known from fact.%2$I as known where known.%4$I = any (peers))) as counted);
        perform fact.apply(removed, added);
      end
      $$
    $text$, 'take_' || kind, kind, kind || '_measures', case kind when 'encounters' then 'patient_id' else 'id' end);
  end loop;
end
$make$;

-- Takes a batch: {kind: [fact]}. They may come in any order and again and again: only a newer version than the one that is known
-- changes anything. To compile its statements would take thirty times as long as to run them.
create function api.ingest(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off as $$
declare
  kind text;
  told jsonb;
begin
  -- Batches meet on the present hour at the latest. Taking turns from the start, none waits in a circle, and what is known cannot
  -- change between the look at it and the write.
  perform document.take_turns(array['fact']);
  for kind, told in select * from jsonb_each(p) loop
    execute format('select fact.%I($1)', 'take_' || kind) using told;
  end loop;
  update fact.progress set taken_at = now();
end
$$;

-- Forgets everything, and answers no figure until it is said that all is there again.
create function api.begin_rebuild(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform document.take_turns(array['fact']);
  update fact.progress set rebuilding = true, change = change + 1 where not rebuilding;
  -- Who began first would say that all is there when it is not.
  if not found then
    raise exception 'figures violate check constraint "progress_rebuilding_check"'
      using errcode = 'check_violation', constraint = 'progress_rebuilding_check', schema = 'fact', table = 'progress';
  end if;
  truncate fact.patients, fact.accounts, fact.appointments, fact.encounters, fact.invoices, fact.payments, fact.claims, fact.entries,
    fact.rollups, fact.distributions, fact.totals;
end
$$;

create function api.end_rebuild(p jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update fact.progress set rebuilding = false, change = change + 1;
$$;
