-- Appointments that are written together take their turns together.

-- A series is written before its appointments. Those are put where others may want to be, in an order in which they
-- make room for each other, and each would take its turns alone: two series could each wait for what the other has.
-- So a new series first waits for whoever changes one of its appointments, and then takes the turns of all whom these
-- need, in sorted order, as a single appointment does.
create function projection.project_series(old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  if old_document is not null or current_setting('document.rebuilding', true) is not distinct from 'on' then
    return;
  end if;
  perform from state.state
  where key in (
    select 'appointment/' || (planned ->> 'appointmentId') from jsonb_array_elements(data -> 'occurrences') as planned)
  order by key for update;
  perform document.take_turns(
    array['practitioner/' || (data ->> 'practitionerId'), 'patient/' || (data ->> 'patientId')]
    || array(select 'room/' || room from jsonb_array_elements_text(data -> 'rooms') as room));
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
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;

-- Refuses a place during a leave that has not been taken back, of who sees the patient or of where, buffers and all, as
-- the calendar does.
create or replace function projection.refuse_leave(wanted projection.appointments) returns void
language plpgsql as $$
begin
  if exists (
      select from projection.leaves as leave
      where leave.active and leave.period && wanted.busy and leave.practitioner_id = wanted.practitioner_id)
    or exists (
      select from projection.leaves as leave
      where leave.active and leave.period && wanted.busy and leave.room_id = wanted.room_id)
  then
    raise exception 'appointment during a leave violates check constraint "appointments_leave_check"'
      using errcode = 'check_violation', constraint = 'appointments_leave_check', schema = 'projection',
        table = 'appointments';
  end if;
end
$$;

-- What to know before something is made or changed: {"key", "references": [[kind, id]]}. `own` is what the same
-- request made before; of each that is named, whether it is there, at which clinic, and the zone if it is a clinic.
create or replace function api.calendar_check(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return jsonb_build_object(
    'own', document.at(p ->> 'key', 1),
    'references', coalesce((
      select jsonb_agg(jsonb_build_object('there', data is not null, 'clinic', data ->> 'clinicId',
                                          'zone', data ->> 'timeZone') order by place)
      from jsonb_array_elements(p -> 'references') with ordinality as asked (pair, place)
      left join state.state on key = (pair ->> 0) || '/' || (pair ->> 1)
      left join lateral (select convert_from(value, 'UTF8')::jsonb -> 'data' as data) as found on true), '[]'));
end
$$;
