-- A year and a bit of a clinic that does not exist, up to now, taken by `api.ingest` as deliveries are.
-- `places` is what fill.mjs has made: {"practitioners": [{"id", "clinicId"}], "services": [{"id", "code", "price", "share"}],
-- "payers": [id]}. The same day gives the same year.
\set ON_ERROR_STOP on
begin;
set local jit = off;
-- Days, and the hours of them, are the clinic's.
set local timezone = 'America/New_York';
select setseed(0.4711) \g /dev/null

create temp table practitioners as
  select (n - 1)::int as n, (who ->> 'id')::uuid as id, (who ->> 'clinicId')::uuid as clinic_id
  from jsonb_array_elements(:'places'::jsonb -> 'practitioners') with ordinality as listed (who, n);
-- A chance from 0 to 1 falls on one of them, by how often it is asked for.
create temp table services as
  select (what ->> 'id')::uuid as id, what ->> 'code' as code, (what ->> 'price')::bigint as price,
    sum((what ->> 'share')::float) over (order by n) - (what ->> 'share')::float as low, sum((what ->> 'share')::float) over (order by n) as high
  from jsonb_array_elements(:'places'::jsonb -> 'services') with ordinality as listed (what, n);
create temp table payers as
  select (n - 1)::int as n, payer::uuid as id from jsonb_array_elements_text(:'places'::jsonb -> 'payers') with ordinality as listed (payer, n);

-- Half hours from eight to five with an hour for lunch, on weekdays, a few less in summer; four in five are asked for.
create temp table slots as
  select row_number() over () as n, practitioners.id as practitioner_id, clinic_id, practitioners.n as chair,
    day + time '08:00' + half * interval '30 minutes' as start_at,
    random() as service_chance, random() as status_chance, random() as lead_chance, random() as early, random() as wait, random() as long,
    random() as new_chance, random() as who, random() as laboratory, random() as payer_chance, random() as answer_chance,
    random() as answer_days, random() as pays_chance, random() as pays_days, random() as issue_days
  from generate_series(current_date - 420, current_date + 30, interval '1 day') as day
  cross join generate_series(0, 17) as half cross join practitioners
  where extract(isodow from day) < 6 and half not in (8, 9)
    and random() < 0.72 + 0.02 * practitioners.n - case when extract(month from day) in (7, 8) then 0.12 else 0 end;

create temp table booked as
  select slots.*, services.id as service_id, code, price, start_at - floor(-ln(1 - 0.99 * lead_chance) * 11) * interval '1 day'
      - early * interval '150 minutes' as booked_at,
    case when start_at > now() - interval '1 hour' then 'booked' when status_chance < 0.055 then 'noshow'
      when status_chance < 0.15 then 'cancelled' else 'fulfilled' end as status,
    start_at - (early * 16 - 3) * interval '1 minute' as arrived_at, new_chance < 0.11 as new
  from slots join services on service_chance >= low and service_chance < high;
delete from booked where booked_at > now();

create temp table visits as
  select *, md5('patient ' || case when new then 1800 + known else floor(who * (1800 + known)) end)::uuid as patient_id,
    arrived_at + (4 + wait * wait * 24) * interval '1 minute' as started_at,
    arrived_at + (4 + wait * wait * 24 + 14 + long * 22) * interval '1 minute' as finished_at
  from (select *, count(*) filter (where new) over (order by start_at, n) as known from booked) as counted;

-- What became of it: billed within days, answered by the payer within weeks, the rest paid by the patient.
create temp table bills as
  select *, asked as total, asked * 22 / 100 as adjusted, asked * 63 / 100 as insured, asked - asked * 22 / 100 - asked * 63 / 100 as own,
    issued_on + 8 + floor(answer_days * 24)::int as answered_on,
    case when payer_id is null then issued_on + floor(pays_days * 25)::int else issued_on + 12 + floor((answer_days * 24) + pays_days * 45)::int end as paid_on,
    payer_id is not null and answer_chance < 0.075 as denied, pays_chance < 0.93 as pays
  from (
    select visits.*, price + case when laboratory < 0.35 then 4200 else 0 end as asked, payers.id as payer_id,
      finished_at::date + floor(issue_days * 3)::int as issued_on
    from visits left join payers on payer_chance >= 0.12 and payers.n = floor((greatest(payer_chance - 0.12, 0) / 0.8801) ^ 1.6 * (select count(*) from payers))
    where status = 'fulfilled') as billed
  where issued_on <= current_date and finished_at < now();
create temp table books as
  select *, payer_id is not null and answered_on <= today as answered, paid_on <= today and pays and not denied as paid,
    denied and answered_on + 60 <= today as written_off
  from bills cross join (select current_date as today) as clock;

create temp table moves as
  select 'charge' as act, n, issued_on as date, 'patient-receivable' as debit, 'revenue' as credit, total as amount, null::uuid as payer_id from books
  union all select 'claim', n, issued_on, 'insurance-receivable', 'patient-receivable', total, payer_id from books where payer_id is not null
  union all select 'adjustment', n, answered_on, 'contractual-adjustment', 'insurance-receivable', adjusted, payer_id from books where answered and not denied
  union all select 'remittance', n, answered_on, 'bank', 'insurance-receivable', insured, payer_id from books where answered and not denied
  union all select 'patient', n, answered_on, 'patient-receivable', 'insurance-receivable', own, payer_id from books where answered and not denied
  union all select 'payment', n, paid_on, 'clearing', 'patient-receivable', case when payer_id is null then total else own end, null from books
    where paid and (payer_id is null or answered)
  union all select 'write-off', n, answered_on + 60, 'denial-write-off', 'insurance-receivable', total, payer_id from books where written_off;

create temp table told (place bigint generated always as identity, kind text, fact jsonb);
insert into told (kind, fact)
  select 'patients', jsonb_build_object('id', md5('patient ' || number)::uuid, 'version', 1, 'time_zone', 'America/New_York',
    'registered_at', at, 'changed_at', at, 'active', true)
  from (
    select number, coalesce(first.at, now() - interval '430 days' - number * interval '8 hours') as at
    from generate_series(0, 1800 + (select max(known) from visits)) as number
    left join (select 1800 + known as number, least(booked_at, now() - interval '1 minute') as at from visits where new) as first using (number)) as people;
insert into told (kind, fact)
  select 'appointments', jsonb_build_object('id', md5('appointment ' || n)::uuid, 'version', 1, 'time_zone', 'America/New_York',
    'clinic_id', clinic_id, 'practitioner_id', practitioner_id, 'service_id', service_id, 'status', status, 'created_at', booked_at,
    'booked_at', booked_at, 'start_at', start_at, 'end_at', start_at + interval '30 minutes',
    'arrived_at', case when status = 'fulfilled' then arrived_at end, 'started_at', case when status = 'fulfilled' then started_at end,
    'finished_at', case when status = 'fulfilled' then finished_at end,
    'cancelled_late', status = 'cancelled' and status_chance < 0.095, 'reschedules', (long > 0.92)::int, 'waited', early > 0.95)
  from visits
  union all
  select 'encounters', jsonb_build_object('id', md5('encounter ' || n)::uuid, 'version', 1, 'time_zone', 'America/New_York',
    'patient_id', patient_id, 'clinic_id', clinic_id, 'practitioner_id', practitioner_id, 'walk_in', false, 'finished', true,
    'started_at', started_at, 'services', jsonb_build_array(jsonb_build_object('code', code, 'units', 1))
      || case when laboratory < 0.35 then '[{"code": "85025", "units": 1}]'::jsonb else '[]' end)
  from visits where status = 'fulfilled' and finished_at < now()
  union all
  select 'invoices', jsonb_build_object('id', md5('invoice ' || n)::uuid, 'version', 1, 'time_zone', 'America/New_York', 'clinic_id', clinic_id,
    'practitioner_id', practitioner_id, 'currency', 'USD', 'issued_at', least(issued_on + time '17:00', now()),
    'patient_open', case when payer_id is null and not paid then total when answered and not denied and not paid then own else 0 end,
    'insurance_open', case when payer_id is not null and (not answered or denied and not written_off) then total else 0 end)
  from books
  union all
  select 'payments', jsonb_build_object('id', md5('payment ' || n)::uuid, 'version', 1, 'time_zone', 'America/New_York', 'currency', 'USD',
    'captured_at', least(date + time '11:00', now()), 'amount', amount)
  from moves where act = 'payment'
  union all
  select 'claims', jsonb_build_object('id', md5('claim ' || n)::uuid, 'version', 1, 'time_zone', 'America/New_York', 'clinic_id', clinic_id,
    'practitioner_id', practitioner_id, 'payer_id', payer_id, 'currency', 'USD',
    'submitted_at', least(issued_on + time '17:00', now()), 'total', total,
    'allowed', case when answered and not denied then total - adjusted else 0 end, 'paid', case when answered and not denied then insured else 0 end,
    'answered_on', case when answered then answered_on end, 'denied', answered and denied, 'first_pass', answered and not denied and wait > 0.05,
    'billed', case when answered then total else 0 end, 'denied_amount', case when answered and denied then total else 0 end)
  from books where payer_id is not null
  union all
  select 'entries', jsonb_build_object('id', md5('entry ' || act || moves.n)::uuid, 'version', 1, 'date', date, 'currency', 'USD',
    'moves', jsonb_build_array(jsonb_build_object('debit', debit, 'credit', credit, 'amount', amount, 'clinic_id', clinic_id,
      'practitioner_id', practitioner_id, 'payer_id', moves.payer_id,
      'services', jsonb_build_array(jsonb_build_object('code', code, 'amount', amount)))))
  from moves join visits using (n);
create index on told (kind, place);

-- Nothing of it comes late: as in a rebuild, nothing is restated. Nobody sees that it was one until all is there.
update fact.progress set rebuilding = true;
do $$
declare
  batch jsonb;
begin
  for batch in
    select jsonb_build_object(kind, jsonb_agg(fact order by place)) from told group by kind, place / 5000 order by min(place)
  loop
    perform api.ingest(batch);
  end loop;
end
$$;
update fact.progress set rebuilding = false, change = change + 1;
select kind, count(*) from told group by kind order by kind;
commit;
vacuum (analyze);
