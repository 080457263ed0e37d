-- Those who wait for a time, and times that became free for them.

-- What who waits would take. Their `starts` and `ends` are of that, too, so that lists have an order.
alter table projection.appointments
  add column requested tstzrange,
  add column priority int,
  add column waiting_since timestamptz;
create index appointments_waitlist_idx on projection.appointments (clinic_id, priority, waiting_since, appointment_id)
  where status = 'waitlist';

create or replace function projection.appointment_row(id uuid, data jsonb) returns projection.appointments
language plpgsql stable as $$
declare
  made projection.appointments;
begin
  made.appointment_id := id;
  made.patient_id := (data ->> 'patientId')::uuid;
  made.clinic_id := (data ->> 'clinicId')::uuid;
  made.practitioner_id := coalesce(data ->> 'practitionerId', data #>> '{waiting,practitionerId}')::uuid;
  made.room_id := (data ->> 'roomId')::uuid;
  made.service_id := (data ->> 'serviceId')::uuid;
  made.series_id := (data #>> '{series,id}')::uuid;
  made.status := data ->> 'status';
  made.lane := coalesce((data ->> 'lane')::int, 0);
  made.starts := coalesce(data #>> '{time,start}', data #>> '{waiting,requestedPeriod,start}')::timestamptz;
  made.ends := coalesce(data #>> '{time,end}', data #>> '{waiting,requestedPeriod,end}')::timestamptz;
  if data ? 'busy' then
    made.busy := tstzrange((data #>> '{busy,start}')::timestamptz, (data #>> '{busy,end}')::timestamptz);
  end if;
  made.active := made.status in ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled');
  made.overbooking := data #> '{overbooking,capacity}';
  if data ? 'waiting' then
    made.requested := tstzrange((data #>> '{waiting,requestedPeriod,start}')::timestamptz,
      (data #>> '{waiting,requestedPeriod,end}')::timestamptz);
    made.priority := (data #>> '{waiting,priority}')::int;
    made.waiting_since := (data #>> '{stamps,created}')::timestamptz;
  end if;
  return made;
end
$$;

-- Typed table of `opening/<id>` documents.
create table projection.openings (
  opening_id uuid not null primary key,
  clinic_id uuid not null,
  starts timestamptz not null,
  -- When an offer of it expires next; null when it can no longer be had.
  due timestamptz
);
create index openings_due_idx on projection.openings (due) where due is not null;
create index openings_clinic_idx on projection.openings (clinic_id, starts, opening_id) where due is not null;

create function projection.project_opening(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.openings (opening_id, clinic_id, starts, due)
  values (id, (data ->> 'clinicId')::uuid, (data #>> '{time,start}')::timestamptz, (data ->> 'due')::timestamptz)
  on conflict (opening_id) do update set due = excluded.due;
end
$$;

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case
    when kind = 'patient' then
      perform projection.project_patient(id::uuid, old_document -> 'data', new_document -> 'data');
    when kind in ('encounter', 'observation', 'condition', 'allergy-intolerance', 'medication-request',
                  'immunization', 'procedure', 'note') then
      perform projection.project_record(kind, id::uuid, old_document, new_document);
    when kind in ('clinic', 'practitioner', 'room', 'service', 'leave') then
      perform projection.project_calendar(kind, id::uuid, old_document, new_document);
    when kind = 'appointment' then
      perform projection.project_appointment(id::uuid, old_document, new_document);
    when kind = 'series' then
      perform projection.project_series(old_document, new_document);
    when kind = 'opening' then
      perform projection.project_opening(id::uuid, new_document);
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;

-- For each of [{"practitionerId", "roomId"?, "serviceId", "clinicId", "time", "busy", "but"}]: whether practitioner and
-- room are free but for that appointment, and who would take the time, whoever comes first first.
create function api.waiting_for(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'free', not exists (
        select from projection.appointments
        where active and practitioner_id = (asked ->> 'practitionerId')::uuid and busy && wanted_busy
          and appointment_id <> (asked ->> 'but')::uuid
        union all
        select from projection.appointments
        where active and room_id = (asked ->> 'roomId')::uuid and busy && wanted_busy
          and appointment_id <> (asked ->> 'but')::uuid),
      'waiting', (
        select coalesce(jsonb_agg(jsonb_build_array(appointment_id, patient_id)
          order by priority, waiting_since, appointment_id), '[]')
        from (
          select waits.* from projection.appointments as waits
          join projection.patients as patient on patient.patient_id = waits.patient_id and patient.active
          where waits.status = 'waitlist' and waits.clinic_id = (asked ->> 'clinicId')::uuid
            and waits.service_id = (asked ->> 'serviceId')::uuid and waits.requested @> wanted_time
            and coalesce(waits.practitioner_id, (asked ->> 'practitionerId')::uuid)
              = (asked ->> 'practitionerId')::uuid
            and waits.patient_id is distinct from (
              select patient_id from projection.appointments where appointment_id = (asked ->> 'but')::uuid)
          order by waits.priority, waits.waiting_since, waits.appointment_id limit 100) as found)) order by place), '[]')
    from jsonb_array_elements(p) with ordinality as question(asked, place),
      lateral (select
        tstzrange((asked #>> '{busy,start}')::timestamptz, (asked #>> '{busy,end}')::timestamptz) as wanted_busy,
        tstzrange((asked #>> '{time,start}')::timestamptz, (asked #>> '{time,end}')::timestamptz) as wanted_time) as spans);
end
$$;

-- The openings of which an offer has expired: {"now", "limit"}.
create function api.openings_due(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(opening_id), '[]') from (
      select opening_id from projection.openings
      where due <= (p ->> 'now')::timestamptz order by due limit (p ->> 'limit')::int) as found);
end
$$;

-- Those who wait at a clinic, whoever comes first first, or null where there is no such clinic:
-- {"clinicId", "serviceId"?, "practitionerId"?, "after"?, "limit"}. The cursor is an appointment's id.
create function api.waitlist(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  service uuid := (p ->> 'serviceId')::uuid;
  practitioner uuid := (p ->> 'practitionerId')::uuid;
  last_one projection.appointments;
begin
  if document.current('clinic', p ->> 'clinicId') is null then
    return 'null';
  end if;
  select * into last_one from projection.appointments where appointment_id = (p ->> 'after')::uuid;
  return (
    select coalesce(jsonb_agg(jsonb_build_array(appointment_id, document.current('appointment', appointment_id::text))
      order by priority, waiting_since, appointment_id), '[]')
    from (
      select appointment_id, priority, waiting_since from projection.appointments
      where status = 'waitlist' and clinic_id = (p ->> 'clinicId')::uuid
        and (service is null or service_id = service)
        and (practitioner is null or practitioner_id is null or practitioner_id = practitioner)
        and (priority, waiting_since, appointment_id) > (
          coalesce(last_one.priority, 0), coalesce(last_one.waiting_since, '-infinity'),
          coalesce(last_one.appointment_id, '00000000-0000-0000-0000-000000000000'))
      order by priority, waiting_since, appointment_id limit (p ->> 'limit')::int + 1) as page);
end
$$;

-- What is open at a clinic, the earliest time first, or null where there is no such clinic:
-- {"clinicId", "after"?, "limit"}. The cursor is an opening's id.
create function api.openings(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  last_time timestamptz := '-infinity';
  last_id uuid := (p ->> 'after')::uuid;
begin
  if document.current('clinic', p ->> 'clinicId') is null then
    return 'null';
  end if;
  if last_id is not null then
    select starts into last_time from projection.openings where opening_id = last_id;
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_array(opening_id, document.current('opening', opening_id::text))
      order by starts, opening_id), '[]')
    from (
      select opening_id, starts from projection.openings
      where clinic_id = (p ->> 'clinicId')::uuid and due is not null
        and (starts, opening_id) > (last_time, coalesce(last_id, '00000000-0000-0000-0000-000000000000'))
      order by starts, opening_id limit (p ->> 'limit')::int + 1) as page);
end
$$;
