-- Who is in whose way, and what is asked about appointments. The table and its exclusion constraints are in
-- 20261127090000; here is what fills them.

-- What was declared possible, for a deliberate overbooking; null for any other.
alter table projection.appointments add column overbooking jsonb;

-- The row of an appointment's data.
create function projection.appointment_row(id uuid, data jsonb) returns projection.appointments
language plpgsql stable as $$
declare
  made projection.appointments;
begin
  made.appointment_id := id;
  made.patient_id := (data ->> 'patientId')::uuid;
  made.clinic_id := (data ->> 'clinicId')::uuid;
  made.practitioner_id := (data ->> 'practitionerId')::uuid;
  made.room_id := (data ->> 'roomId')::uuid;
  made.service_id := (data ->> 'serviceId')::uuid;
  made.series_id := (data #>> '{series,id}')::uuid;
  made.status := data ->> 'status';
  made.lane := (data ->> 'lane')::int;
  made.starts := (data #>> '{time,start}')::timestamptz;
  made.ends := (data #>> '{time,end}')::timestamptz;
  made.busy := tstzrange((data #>> '{busy,start}')::timestamptz, (data #>> '{busy,end}')::timestamptz);
  made.active := made.status in ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled');
  made.overbooking := data #> '{overbooking,capacity}';
  return made;
end
$$;

-- How many of these there are at the same instant of a time, at most. The most are there when one of them begins.
create function projection.at_once(busy tstzrange, others tstzrange[]) returns int
language plpgsql immutable as $$
begin
  return (
    select coalesce(max(there), 0) from (
      select (select count(*) from unnest(others) as other
              where other @> greatest(lower(one), lower(at_once.busy))) as there
      from unnest(others) as one) as counted);
end
$$;

-- Refuses a place that is not free. Whoever could be in the way has taken their turn before, so nothing that is not
-- seen here can come to be. The exclusion constraints would say the same of two in one lane; here it is said of any.
create function projection.refuse_overlap(wanted projection.appointments) returns void
language plpgsql as $$
declare
  at_practitioner tstzrange[] := array(
    select busy from projection.appointments as other
    where other.active and other.practitioner_id = wanted.practitioner_id and other.busy && wanted.busy
      and other.appointment_id <> wanted.appointment_id);
  in_room tstzrange[] := array(
    select busy from projection.appointments as other
    where other.active and other.room_id = wanted.room_id and other.busy && wanted.busy
      and other.appointment_id <> wanted.appointment_id);
  refused text := case
    when at_practitioner <> '{}' and projection.at_once(wanted.busy, at_practitioner)
      >= coalesce((wanted.overbooking ->> 'practitioner')::int, 1) then 'appointments_practitioner_excl'
    when in_room <> '{}' and projection.at_once(wanted.busy, in_room)
      >= coalesce((wanted.overbooking ->> 'room')::int, 1) then 'appointments_room_excl'
  end;
begin
  if refused is not null then
    raise exception 'overlapping appointment violates exclusion constraint "%"', refused
      using errcode = 'exclusion_violation', constraint = refused, schema = 'projection', table = 'appointments';
  end if;
end
$$;

-- Refuses a place during a leave that has not been taken back.
create function projection.refuse_leave(wanted projection.appointments) returns void
language plpgsql as $$
begin
  if exists (
    select from projection.leaves as leave
    where leave.active and leave.period && tstzrange(wanted.starts, wanted.ends)
      and leave.practitioner_id = wanted.practitioner_id)
  then
    raise exception 'appointment during a leave violates check constraint "appointments_leave_check"'
      using errcode = 'check_violation', constraint = 'appointments_leave_check', schema = 'projection',
        table = 'appointments';
  end if;
end
$$;

create function projection.project_appointment(id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  old_row projection.appointments := projection.appointment_row(id, old_document -> 'data');
  new_row projection.appointments := projection.appointment_row(id, new_document -> 'data');
begin
  -- What takes no other time than before is in nobody's way that it was not in before: a leave that was put over it
  -- since does not keep its patient from arriving. A rebuild has nothing but what was let in once, in another order.
  if new_row.active and current_setting('document.rebuilding', true) is distinct from 'on'
    and (old_row.active is not true
      or (old_row.practitioner_id, old_row.room_id, old_row.busy, old_row.starts, old_row.ends, old_row.lane)
        is distinct from
         (new_row.practitioner_id, new_row.room_id, new_row.busy, new_row.starts, new_row.ends, new_row.lane))
  then
    -- The names that a leave takes its turn by, too.
    perform document.take_turns(array_remove(array[
      'practitioner/' || new_row.practitioner_id, 'room/' || new_row.room_id, 'patient/' || new_row.patient_id], null));
    perform projection.refuse_overlap(new_row);
    -- A correction is about what was, not about what is to be.
    if old_row.status is distinct from 'noshow' then
      perform projection.refuse_leave(new_row);
    end if;
  end if;

  insert into projection.appointments select new_row.*
  on conflict (appointment_id) do update set
    practitioner_id = excluded.practitioner_id, room_id = excluded.room_id, series_id = excluded.series_id,
    status = excluded.status, lane = excluded.lane, starts = excluded.starts, ends = excluded.ends,
    busy = excluded.busy, active = excluded.active, overbooking = excluded.overbooking;
end
$$;

-- What takes time of a practitioner, a patient or one of some rooms within any of some spans, but for one appointment.
create function projection.taken(practitioner uuid, rooms uuid[], patient uuid, spans tstzmultirange, but uuid)
returns jsonb
language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'appointmentId', appointment_id, 'patientId', patient_id, 'practitionerId', practitioner_id, 'roomId', room_id,
      'time', jsonb_build_object('start', starts, 'end', ends),
      'busy', jsonb_build_object('start', lower(busy), 'end', upper(busy)), 'lane', lane)), '[]')
    from (
      select * from projection.appointments where active and practitioner_id = taken.practitioner and busy && spans
      union
      select * from projection.appointments where active and room_id = any (rooms) and busy && spans
      union
      select * from projection.appointments
      where active and patient_id = taken.patient and tstzrange(starts, ends) && spans
    ) as found
    where appointment_id is distinct from but);
end
$$;

-- What to know before somebody is put somewhere: {"id", "patientId", "practitionerId", "roomId"?, "serviceId",
-- "clinicId", "starts": [..]}. `own` is what the same request made before; the documents are those of the calendar that
-- decide whether it is a time at all. Without a room, all of the clinic are answered for.
create function api.booking_check(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  practitioner uuid := (p ->> 'practitionerId')::uuid;
  service jsonb := document.current('service', p ->> 'serviceId');
  before interval := make_interval(mins => (service #>> '{data,bufferBeforeMinutes}')::int);
  after interval := make_interval(
    mins => (service #>> '{data,durationMinutes}')::int + (service #>> '{data,bufferAfterMinutes}')::int);
  spans tstzmultirange := (
    select range_agg(tstzrange(start::timestamptz - before, start::timestamptz + after))
    from jsonb_array_elements_text(p -> 'starts') as start);
  rooms uuid[] := case when p ->> 'roomId' is not null then array[(p ->> 'roomId')::uuid] else array(
    select room_id from projection.rooms where clinic_id = (p ->> 'clinicId')::uuid and active) end;
begin
  return jsonb_build_object(
    'own', document.at('appointment/' || (p ->> 'id'), 1),
    'patientActive', (select active from projection.patients where patient_id = (p ->> 'patientId')::uuid),
    'practitioner', document.current('practitioner', practitioner::text),
    'service', service,
    'clinic', document.current('clinic', p ->> 'clinicId'),
    'rooms', coalesce((
      select jsonb_agg(jsonb_build_object('id', room, 'document', document.current('room', room::text), 'down',
        coalesce((select jsonb_agg(jsonb_build_object('start', lower(period), 'end', upper(period)))
                  from projection.leaves where active and room_id = room and period && spans), '[]')))
      from unnest(rooms) as room
      where document.current('room', room::text) is not null), '[]'),
    'leaves', coalesce((
      select jsonb_agg(jsonb_build_object('start', lower(period), 'end', upper(period)))
      from projection.leaves where active and practitioner_id = practitioner and period && spans), '[]'),
    'taken', projection.taken(practitioner, rooms, (p ->> 'patientId')::uuid, spans, (p ->> 'id')::uuid));
end
$$;

-- A document as it is now.
create function document.current(kind text, id text) returns jsonb
language plpgsql stable as $$
begin
  return (select convert_from(value, 'UTF8')::jsonb from state.state where key = kind || '/' || id);
end
$$;

-- The zone of a clinic: {"id"}.
create function api.clinic_zone(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce(document.current('clinic', p ->> 'id') #> '{data,timeZone}', 'null');
end
$$;

-- The versions of an appointment, newest first: {"id", "before"?, "limit"}.
create function api.appointment_history(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  own_key text := 'appointment/' || (p ->> 'id');
  before bigint := coalesce((p ->> 'before')::bigint, 9223372036854775807);
begin
  return (
    select coalesce(jsonb_agg(document order by version desc), '[]') from (
      select version, document from (
        select (convert_from(value, 'UTF8')::jsonb ->> 'version')::bigint as version,
          convert_from(value, 'UTF8')::jsonb as document
        from state.state where key = own_key
        union all
        (select version, document from document.history
         where key = own_key and version < before order by version desc limit (p ->> 'limit')::int + 1)
      ) as both_kinds
      where version < before
      order by version desc limit (p ->> 'limit')::int + 1) as page);
end
$$;

-- The appointments of a patient, newest first, or null where there is no such patient: {"patientId", "after"?, "limit"}.
-- The cursor is an appointment's id.
create function api.appointments_of_patient(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  last_time timestamptz := 'infinity';
  last_id uuid := (p ->> 'after')::uuid;
begin
  if not exists (select from projection.patients where patient_id = (p ->> 'patientId')::uuid) then
    return 'null';
  end if;
  if last_id is not null then
    select starts into last_time from projection.appointments where appointment_id = last_id;
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_array(appointment_id, document.current('appointment', appointment_id::text))
      order by starts desc, appointment_id desc), '[]')
    from (
      select appointment_id, starts from projection.appointments
      where patient_id = (p ->> 'patientId')::uuid
        and (starts, appointment_id) < (last_time, coalesce(last_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
      order by starts desc, appointment_id desc limit (p ->> 'limit')::int + 1) as page);
end
$$;

-- What a clinic's days from `from` until before `until` have at a practitioner or in a room, in the order of time:
-- {"clinicId", "practitionerId" or "roomId", "from", "until", "after"?, "limit"}; null where there is no such clinic.
-- The days are the clinic's own. What was cancelled or should never have been written is not in the way of anybody
-- who looks at a day.
create function api.appointments_of_days(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  zone text := document.current('clinic', p ->> 'clinicId') #>> '{data,timeZone}';
  first_time timestamptz := (p ->> 'from')::timestamp at time zone zone;
  end_time timestamptz := (p ->> 'until')::timestamp at time zone zone;
  last_id uuid := coalesce((p ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000');
  own_column text := case when p ? 'roomId' then 'room_id' else 'practitioner_id' end;
  page jsonb;
begin
  if zone is null then
    return 'null';
  end if;
  if p ? 'after' then
    select greatest(first_time, starts) into first_time from projection.appointments where appointment_id = last_id;
  end if;
  execute format($sql$
    select coalesce(jsonb_agg(jsonb_build_array(appointment_id, document.current('appointment', appointment_id::text))
      order by starts, appointment_id), '[]')
    from (
      select appointment_id, starts from projection.appointments
      where %I = $1 and clinic_id = $2 and (starts, appointment_id) > ($3, $4) and starts < $5
        and status not in ('cancelled', 'entered-in-error')
      order by starts, appointment_id limit $6) as page
  $sql$, own_column)
  into page
  using coalesce(p ->> 'roomId', p ->> 'practitionerId')::uuid, (p ->> 'clinicId')::uuid, first_time, last_id,
    end_time, (p ->> 'limit')::int + 1;
  return page;
end
$$;
