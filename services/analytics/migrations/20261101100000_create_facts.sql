-- Facts are what events told: one row for each aggregate, of its newest version. They are not made of documents, so
-- they stand outside of schema `projection`, which a rebuild empties.
create schema fact;

create table fact.patients (
  patient_id uuid not null constraint patients_pkey primary key,
  version bigint not null constraint patients_version_check check (version > 0),
  registered_at timestamptz not null,
  changed_at timestamptz not null,
  gender text,
  age_band text,
  active boolean not null
);

create table fact.accounts (
  account_id uuid not null constraint accounts_pkey primary key,
  patient_id uuid not null,
  version bigint not null constraint accounts_version_check check (version > 0),
  opened_at timestamptz not null
);
create index accounts_patient_id_idx on fact.accounts (patient_id);

-- The zones whose days and hours are counted: usually one, the clinic's.
create table fact.time_zones (
  time_zone text not null constraint time_zones_pkey primary key
);

-- How many of `fact.patients` were registered in each hour and day of each zone. A bucket without any has no row.
create table fact.registrations (
  time_zone text not null,
  unit text not null constraint registrations_unit_check check (unit in ('hour', 'day')),
  bucket_start timestamptz not null,
  registrations bigint not null constraint registrations_registrations_check check (registrations > 0),
  constraint registrations_pkey primary key (time_zone, unit, bucket_start)
);

-- Counts a zone anew. Who calls it has the turn of `fact.patients`.
create function fact.count_registrations(zone text) returns void
language sql as $$
  insert into fact.time_zones (time_zone) values (zone) on conflict do nothing;
  delete from fact.registrations where time_zone = zone;
  insert into fact.registrations (time_zone, unit, bucket_start, registrations)
  select zone, unit, date_trunc(unit, registered_at, zone), count(*)
  from fact.patients cross join (values ('hour'), ('day')) as units (unit)
  group by 2, 3;
$$;

-- Takes a batch of events: {"timeZone", "patients": [{"patientId", "version", "registeredAt", "changedAt", "gender"?,
-- "ageBand"?, "active"}], "accounts": [{"accountId", "patientId", "version", "openedAt"}]}.
-- They may come in any order and again and again: only a newer version than the one that is known changes anything,
-- and a bucket changes by the difference between the two.
create function api.ingest(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  zones text[];
  arrived timestamptz[];
  departed timestamptz[];
begin
  -- Batches meet on the bucket of the present hour at the latest. Taking turns from the start, none waits in a circle,
  -- and what is known cannot change between the look at it and the write.
  perform document.take_turns(array['fact.patients']);
  if not exists (select from fact.time_zones where time_zone = p ->> 'timeZone') then
    perform fact.count_registrations(p ->> 'timeZone');
  end if;

  with latest as (
    select distinct on ("patientId") "patientId" as patient_id, version, "registeredAt" as registered_at,
      "changedAt" as changed_at, gender, "ageBand" as age_band, active
    from jsonb_to_recordset(p -> 'patients') as event (
      "patientId" uuid, version bigint, "registeredAt" timestamptz, "changedAt" timestamptz, gender text,
      "ageBand" text, active boolean)
    order by "patientId", version desc
  ), newer as (
    select latest.*, known.registered_at as registered_before
    from latest left join fact.patients as known using (patient_id)
    where known.version is null or known.version < latest.version
  ), kept as (
    insert into fact.patients (patient_id, version, registered_at, changed_at, gender, age_band, active)
    select patient_id, version, registered_at, changed_at, gender, age_band, active from newer
    on conflict (patient_id) do update set
      version = excluded.version, registered_at = excluded.registered_at, changed_at = excluded.changed_at,
      gender = excluded.gender, age_band = excluded.age_band, active = excluded.active
  )
  select array_agg(registered_at), array_agg(registered_before) into arrived, departed from newer;

  -- Arrays, so that the planner expects a few buckets and not as many as there are.
  zones := array(select time_zone from fact.time_zones);
  with moves as (
    select registered_at, 1 as difference from unnest(arrived) as registered_at
    union all
    select registered_at, -1 from unnest(departed) as registered_at where registered_at is not null
  ), differences as (
    select time_zone, unit, date_trunc(unit, registered_at, time_zone) as bucket_start, sum(difference) as difference
    from moves cross join unnest(zones) as time_zone cross join (values ('hour'), ('day')) as units (unit)
    group by 1, 2, 3
    having sum(difference) <> 0
  )
  merge into fact.registrations as bucket using differences
    on bucket.time_zone = differences.time_zone and bucket.unit = differences.unit
      and bucket.bucket_start = differences.bucket_start
  when matched and registrations + difference = 0 then delete
  when matched then update set registrations = registrations + difference
  when not matched then insert (time_zone, unit, bucket_start, registrations)
    values (differences.time_zone, differences.unit, differences.bucket_start, difference);

  insert into fact.accounts as known (account_id, patient_id, version, opened_at)
  select distinct on ("accountId") "accountId", "patientId", version, "openedAt"
  from jsonb_to_recordset(p -> 'accounts') as event (
    "accountId" uuid, "patientId" uuid, version bigint, "openedAt" timestamptz)
  order by "accountId", version desc
  on conflict (account_id) do update set
    patient_id = excluded.patient_id, version = excluded.version, opened_at = excluded.opened_at
  where known.version < excluded.version;
end
$$;

-- Counts a zone anew from the facts, and from now on with every batch: {"timeZone"}.
create function api.rebuild_registrations(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform document.take_turns(array['fact.patients']);
  perform fact.count_registrations(p ->> 'timeZone');
end
$$;

-- The buckets of [from, to) that are not empty, by their start: {"timeZone", "group": "hour"|"day", "from", "to"}.
-- Null when the zone is not counted.
create function api.registrations(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select case when exists (select from fact.time_zones where time_zone = p ->> 'timeZone') then coalesce((
    select jsonb_agg(jsonb_build_array(bucket_start, registrations) order by bucket_start)
    from fact.registrations
    where time_zone = p ->> 'timeZone' and unit = p ->> 'group'
      and bucket_start >= (p ->> 'from')::timestamptz and bucket_start < (p ->> 'to')::timestamptz
  ), '[]') else 'null' end;
$$;
