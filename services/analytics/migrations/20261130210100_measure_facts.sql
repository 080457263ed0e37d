-- What a fact counts for: pure functions of facts, so that what it has counted for until now can be taken back when it changes.
-- In plpgsql, which plans a statement once and not each time.

create type fact.measure as enum (
  'registered', 'active',
  'bookings', 'appointments', 'kept', 'no-show', 'cancelled', 'cancelled-late', 'rescheduled', 'lead-days', 'wait-minutes',
  'cycle-minutes', 'arrived', 'booked-minutes', 'kept-minutes', 'waited', 'waited-and-booked',
  'encounters', 'new-patients', 'returning-patients', 'walk-ins', 'service-units',
  'charged', 'discounted', 'adjusted', 'written-off', 'collected', 'receivable', 'open', 'paid-in',
  'claims-submitted', 'claims-charged', 'claims-allowed', 'claims-paid', 'claims-answered', 'claims-denied',
  'claims-first-pass', 'claims-billed', 'denied-amount'
);

-- What one fact counts for in one measure. `hour` is there where it is told by the hour, which few are; `bin` is where it is a distribution; `things`
-- is how many of what a figure is suppressed by, and `once` the same where it is not told by service or payer: a fact of several
-- services is one thing.
create type fact.measured as (
  measure fact.measure,
  hour timestamptz,
  day date,
  clinic_id uuid,
  practitioner_id uuid,
  service text,
  payer text,
  currency text,
  bin int,
  value bigint,
  things bigint,
  once bigint
);

create function fact.patients_measures(rows fact.patients[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select measure::fact.measure, date_trunc('hour', registered_at, time_zone), (registered_at at time zone time_zone)::date,
      null::uuid, null::uuid, null::text, null::text, null::text, 0, 1::bigint, 1::bigint, 1::bigint
    from unnest(rows) as fact cross join (values ('registered'), ('active')) as counted(measure)
    where measure = 'registered' or active;
end
$$;

-- Nothing is counted of accounts.
create function fact.accounts_measures(rows fact.accounts[]) returns setof fact.measured
language plpgsql stable as $$
begin
  return;
end
$$;

create function fact.appointments_measures(rows fact.appointments[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select measure::fact.measure, case when hourly then date_trunc('hour', at, time_zone) end, (at at time zone time_zone)::date,
      clinic_id, practitioner_id, service_id::text, null::text, null::text, bin, value::bigint, 1::bigint, 1::bigint
    from unnest(rows) as fact
    cross join lateral (values
      ('bookings', booked_at, false, 0, 1),
      ('appointments', case when booked_at is not null then start_at end, false, 0, 1),
      ('kept', case when status = 'fulfilled' then start_at end, false, 0, 1),
      ('no-show', case when status = 'noshow' then start_at end, false, 0, 1),
      ('cancelled', case when status = 'cancelled' and booked_at is not null then start_at end, false, 0, 1),
      ('cancelled-late', case when status = 'cancelled' and cancelled_late then start_at end, false, 0, 1),
      ('rescheduled', case when reschedules > 0 then start_at end, false, 0, 1),
      ('lead-days', case when booked_at is not null then start_at end, false,
        greatest(floor(extract(epoch from start_at - booked_at) / 86400), 0)::int, 1),
      ('arrived', coalesce(arrived_at, started_at), true, 0, 1),
      ('wait-minutes', case when started_at is not null then arrived_at end, false,
        greatest(floor(extract(epoch from started_at - arrived_at) / 60), 0)::int, 1),
      ('cycle-minutes', case when finished_at is not null then arrived_at end, false,
        greatest(floor(extract(epoch from finished_at - arrived_at) / 60), 0)::int, 1),
      ('booked-minutes', case when booked_at is not null and status <> 'cancelled' then start_at end, false, 0,
        extract(epoch from end_at - start_at)::bigint / 60),
      ('kept-minutes', case when status = 'fulfilled' then start_at end, false, 0, extract(epoch from end_at - start_at)::bigint / 60),
      ('waited', case when waited then created_at end, false, 0, 1),
      ('waited-and-booked', case when waited and booked_at is not null then created_at end, false, 0, 1)
    ) as counted(measure, at, hourly, bin, value)
    where at is not null and status <> 'entered-in-error';
end
$$;

-- New is who had no encounter of the group in the three years before, as CPT has it.
create function fact.encounters_measures(rows fact.encounters[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    with counted as (
      select fact.*, not exists (
        select from fact.encounters as earlier
        where earlier.patient_id = fact.patient_id and earlier.finished
          and (earlier.started_at, earlier.id) < (fact.started_at, fact.id)
          and earlier.started_at >= fact.started_at - interval '36 months') as new
      from unnest(rows) as fact where finished
    )
    select measure::fact.measure, case when measure in ('encounters', 'walk-ins') then date_trunc('hour', started_at, time_zone) end,
      (started_at at time zone time_zone)::date, clinic_id, practitioner_id, service, null::text, null::text, 0, value::bigint, 1::bigint, once::bigint
    from counted
    cross join lateral (
      select case when new then 'new-patients' else 'returning-patients' end as measure, null::text as service, 1::bigint as value, 1 as once
      union all select 'encounters', null, 1, 1
      union all select 'walk-ins', null, 1, 1 where walk_in
      union all
      select 'service-units', code, sum(units), (row_number() over (order by code) = 1)::int from jsonb_to_recordset(services) as line(code text, units bigint) group by code
    ) as parts;
end
$$;

create function fact.invoices_measures(rows fact.invoices[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select 'open'::fact.measure, null::timestamptz, (issued_at at time zone time_zone)::date, clinic_id, practitioner_id, null::text,
      payer, currency, 0, value, 1::bigint, (payer = 'patient' or patient_open = 0)::int::bigint
    from unnest(rows) as fact
    cross join lateral (values ('patient', patient_open), ('insurance', insurance_open)) as counted(payer, value)
    where issued_at is not null and value <> 0;
end
$$;

create function fact.payments_measures(rows fact.payments[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select 'paid-in'::fact.measure, date_trunc('hour', captured_at, time_zone), (captured_at at time zone time_zone)::date,
      null::uuid, null::uuid, null::text, null::text, currency, 0, amount, 1::bigint, 1::bigint
    from unnest(rows) as fact where captured_at is not null;
end
$$;

create function fact.claims_measures(rows fact.claims[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select measure::fact.measure, null::timestamptz, day, clinic_id, practitioner_id, null::text, payer_id::text,
      case when money then currency end, 0, value::bigint, 1::bigint, 1::bigint
    from unnest(rows) as fact
    cross join lateral (select (submitted_at at time zone time_zone)::date as submitted_on) as submitted
    cross join lateral (values
      ('claims-submitted', submitted_on, false, 1),
      ('claims-charged', submitted_on, true, total),
      ('claims-allowed', submitted_on, true, allowed),
      ('claims-paid', submitted_on, true, paid),
      ('claims-answered', answered_on, false, 1),
      ('claims-denied', case when denied then answered_on end, false, 1),
      ('claims-first-pass', case when first_pass then answered_on end, false, 1),
      ('claims-billed', answered_on, true, billed),
      ('denied-amount', case when denied then answered_on end, true, denied_amount)
    ) as counted(measure, day, money, value)
    where day is not null;
end
$$;

-- Which measures one side of a move counts for, with which sign, and whom it is told by: debits are above nothing.
create function fact.account_measures(account text, other text, payer text)
returns table (measure text, sign int, payer text)
language sql immutable as $$
  select 'charged', -1, null where account = 'revenue'
  union all select 'discounted', 1, null where account = 'discount'
  union all select 'adjusted', 1, payer where account = 'contractual-adjustment'
  union all select 'written-off', 1, payer
  where account in ('small-balance-write-off', 'bad-debt', 'courtesy', 'denial-write-off')
  union all select 'receivable', 1, 'patient' where account = 'patient-receivable'
  union all select 'receivable', 1, payer where account = 'insurance-receivable'
  union all select 'collected', -1, case account when 'patient-receivable' then 'patient' else payer end
  where account in ('patient-receivable', 'insurance-receivable')
    and other in ('unapplied', 'insurance-unapplied', 'cash', 'clearing', 'bank')
$$;

create function fact.entries_measures(rows fact.entries[]) returns setof fact.measured
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select counts.measure::fact.measure, null::timestamptz, date, clinic_id, practitioner_id, code, counts.payer, currency, 0,
      sum(counts.sign * side.sign * part)::bigint, 1::bigint,
      (row_number() over (partition by id, counts.measure order by code, counts.payer, clinic_id, practitioner_id) = 1)::int::bigint
    from unnest(rows) as fact
    cross join lateral jsonb_to_recordset(moves) as move(debit text, credit text, amount bigint, clinic_id uuid,
      practitioner_id uuid, payer_id uuid, services jsonb)
    cross join lateral (values (debit, credit, 1), (credit, debit, -1)) as side(account, other, sign)
    cross join lateral fact.account_measures(side.account, side.other, coalesce(payer_id::text, 'patient')) as counts
    cross join lateral (
      select code, share.amount as part from jsonb_to_recordset(services) as share(code text, amount bigint)
      union all select null, move.amount where jsonb_array_length(services) = 0
    ) as parts
    where part <> 0
    group by id, counts.measure, date, clinic_id, practitioner_id, code, counts.payer, currency;
end
$$;
