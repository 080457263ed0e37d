-- Reminders of appointments: what is due, and what was claimed.

-- Typed table of `reminder/<id>` documents.
create table projection.reminders (
  reminder_id uuid not null primary key,
  appointment_id uuid not null,
  starts timestamptz not null,
  -- How long before, in minutes.
  lead int not null,
  -- When somebody may try again; null when nobody has to.
  due timestamptz
);
create index reminders_appointment_idx on projection.reminders (appointment_id, starts, lead);
create index appointments_booked_idx on projection.appointments (starts) where status = 'booked';

create function projection.project_reminder(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.reminders (reminder_id, appointment_id, starts, lead, due)
  values (id, (data ->> 'appointmentId')::uuid, (data ->> 'start')::timestamptz, (data ->> 'lead')::int,
    (data ->> 'due')::timestamptz)
  on conflict (reminder_id) do update set due = excluded.due;
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
    when kind = 'reminder' then
      perform projection.project_reminder(id::uuid, new_document);
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;

-- What is to be reminded of now: {"now", "leads": [minutes], "limit"}. With each the documents that a message is made
-- of; nothing of patients whose record is not in use.
create function api.reminders_due(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  now timestamptz := (p ->> 'now')::timestamptz;
  longest int := (select max(lead::int) from jsonb_array_elements_text(p -> 'leads') as lead);
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'appointmentId', appointment_id, 'appointment', document.current('appointment', appointment_id::text),
      'lead', lead, 'clinic', document.current('clinic', clinic_id::text) #>> '{data,name}',
      'patient', document.current('patient', patient_id::text)) order by starts, appointment_id), '[]')
    from (
      select booked.appointment_id, booked.clinic_id, booked.patient_id, booked.starts, asked.lead::int as lead
      from projection.appointments as booked
      join projection.patients as patient on patient.patient_id = booked.patient_id and patient.active
      cross join jsonb_array_elements_text(p -> 'leads') as asked(lead)
      left join projection.reminders as reminder on reminder.appointment_id = booked.appointment_id
        and reminder.starts = booked.starts and reminder.lead = asked.lead::int
      where booked.status = 'booked' and booked.starts > now
        and booked.starts <= now + make_interval(mins => longest)
        and booked.starts <= now + make_interval(mins => asked.lead::int)
        and (reminder.reminder_id is null or reminder.due <= now)
      order by booked.starts, booked.appointment_id limit (p ->> 'limit')::int) as found);
end
$$;
