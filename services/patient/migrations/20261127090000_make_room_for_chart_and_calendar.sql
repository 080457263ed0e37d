-- The kinds of documents that the chart and the calendar add, and the table in which bookings exclude each other.

-- Equality beside overlap in one index.
create extension if not exists btree_gist with schema public;

-- Typed table of `appointment/<id>` documents.
create table projection.appointments (
  appointment_id uuid not null primary key,
  patient_id uuid not null,
  clinic_id uuid not null,
  practitioner_id uuid,
  room_id uuid,
  service_id uuid not null,
  series_id uuid,
  status text not null,
  -- 0, or the lane that a deliberate overbooking took.
  lane int not null,
  -- Both null while it waits for a time.
  starts timestamptz,
  ends timestamptz,
  -- With the buffers of its service: what practitioner and room are taken for.
  busy tstzrange,
  -- Whether it takes anybody's time: pending, booked, arrived, checked-in, fulfilled.
  active boolean not null,
  constraint appointments_practitioner_excl exclude using gist
    (practitioner_id with =, lane with =, busy with &&) where (active),
  constraint appointments_room_excl exclude using gist
    (room_id with =, lane with =, busy with &&) where (active),
  constraint appointments_patient_excl exclude using gist
    (patient_id with =, tstzrange(starts, ends) with &&) where (active)
);
create index appointments_patient_idx on projection.appointments (patient_id, starts, appointment_id);
create index appointments_practitioner_idx on projection.appointments (practitioner_id, starts, appointment_id);
create index appointments_room_idx on projection.appointments (room_id, starts, appointment_id);

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
      -- Its appointments have rows of their own.
      null;
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;
