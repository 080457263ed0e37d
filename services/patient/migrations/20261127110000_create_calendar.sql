-- Typed tables of the calendar's documents: what lists and searches go by. The documents decide when anybody can be
-- booked; nothing here does.

create table projection.clinics (
  clinic_id uuid not null primary key,
  name text collate "C" not null
);
create index clinics_name_idx on projection.clinics (name, clinic_id);

create table projection.practitioners (
  practitioner_id uuid not null primary key,
  name text collate "C" not null,
  active boolean not null
);
create index practitioners_name_idx on projection.practitioners (name, practitioner_id);

-- Where practitioners have hours, with what a page of those of one clinic goes by.
create table projection.practitioner_clinics (
  clinic_id uuid not null,
  name text collate "C" not null,
  practitioner_id uuid not null,
  active boolean not null,
  primary key (clinic_id, name, practitioner_id)
);
create index practitioner_clinics_practitioner_id_idx on projection.practitioner_clinics (practitioner_id);

create table projection.rooms (
  room_id uuid not null primary key,
  clinic_id uuid not null,
  name text collate "C" not null,
  active boolean not null
);
create index rooms_name_idx on projection.rooms (name, room_id);
create index rooms_clinic_id_idx on projection.rooms (clinic_id, name, room_id);

create table projection.services (
  service_id uuid not null primary key,
  -- Null when every clinic offers it.
  clinic_id uuid,
  name text collate "C" not null,
  active boolean not null
);
create index services_name_idx on projection.services (name, service_id);

-- When a practitioner is away or a room is down.
create table projection.leaves (
  leave_id uuid not null primary key,
  practitioner_id uuid,
  room_id uuid,
  period tstzrange not null,
  -- Until it is taken back.
  active boolean not null
);
create index leaves_practitioner_id_idx on projection.leaves (practitioner_id, (lower(period)), leave_id);
create index leaves_room_id_idx on projection.leaves (room_id, (lower(period)), leave_id);
create index leaves_practitioner_period_idx on projection.leaves using gist (practitioner_id, period) where active;
create index leaves_room_period_idx on projection.leaves using gist (room_id, period) where active;

create function projection.project_calendar(kind text, id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
  is_active boolean := coalesce((data ->> 'active')::boolean, true);
begin
  case kind
    when 'clinic' then
      insert into projection.clinics (clinic_id, name) values (id, data ->> 'name')
      on conflict (clinic_id) do update set name = excluded.name;
    when 'practitioner' then
      insert into projection.practitioners (practitioner_id, name, active) values (id, data ->> 'name', is_active)
      on conflict (practitioner_id) do update set name = excluded.name, active = excluded.active;
      delete from projection.practitioner_clinics where practitioner_id = id;
      insert into projection.practitioner_clinics (clinic_id, name, practitioner_id, active)
      select clinic::uuid, data ->> 'name', id, is_active from (
        select jsonb_array_elements(data -> 'schedules') ->> 'clinicId'
        union select jsonb_array_elements(data -> 'exceptions') ->> 'clinicId') as named (clinic);
    when 'room' then
      insert into projection.rooms (room_id, clinic_id, name, active)
      values (id, (data ->> 'clinicId')::uuid, data ->> 'name', is_active)
      on conflict (room_id) do update
        set clinic_id = excluded.clinic_id, name = excluded.name, active = excluded.active;
    when 'service' then
      insert into projection.services (service_id, clinic_id, name, active)
      values (id, (data ->> 'clinicId')::uuid, data ->> 'name', is_active)
      on conflict (service_id) do update
        set clinic_id = excluded.clinic_id, name = excluded.name, active = excluded.active;
    when 'leave' then
      -- A booking takes its turn by the same name, so that it sees the leave or is seen by who asks what it lies over.
      perform document.take_turns(array_remove(array[
        'practitioner/' || (data ->> 'practitionerId'), 'room/' || (data ->> 'roomId')], null));
      insert into projection.leaves (leave_id, practitioner_id, room_id, period, active)
      values (id, (data ->> 'practitionerId')::uuid, (data ->> 'roomId')::uuid,
              tstzrange((data #>> '{period,start}')::timestamptz, (data #>> '{period,end}')::timestamptz),
              not (data ->> 'withdrawn')::boolean)
      on conflict (leave_id) do update set period = excluded.period, active = excluded.active;
  end case;
end
$$;

-- What to know before something is made or changed: {"key", "references": [[kind, id]]}. `own` is what the same
-- request made before; of each that is named, whether it is there and at which clinic.
create function api.calendar_check(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return jsonb_build_object(
    'own', document.at(p ->> 'key', 1),
    'references', coalesce((
      select jsonb_agg(jsonb_build_array(value is not null, convert_from(value, 'UTF8')::jsonb #>> '{data,clinicId}')
                       order by place)
      from jsonb_array_elements(p -> 'references') with ordinality as asked (pair, place)
      left join state.state on key = (pair ->> 0) || '/' || (pair ->> 1)), '[]'));
end
$$;

-- A page of documents of a kind in the order of their names: {"kind", "clinic"?, "active"?, "after"?, "limit"}.
create function api.calendar_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind text := p ->> 'kind';
  wanted int := (p ->> 'limit')::int;
  at_clinic boolean := p ? 'clinic';
  source text := case
    when kind = 'practitioner' and at_clinic then 'practitioner_clinics'
    when kind in ('clinic', 'practitioner', 'room', 'service') then kind || 's'
  end;
  column_name text := kind || '_id';
  conditions text := '';
  page jsonb;
begin
  if at_clinic and kind <> 'clinic' then
    conditions := case kind when 'service' then format(' and (clinic_id = %1$L or clinic_id is null)', p ->> 'clinic')
                  else format(' and clinic_id = %L', p ->> 'clinic') end;
  end if;
  if p ? 'active' and kind <> 'clinic' then
    conditions := conditions || format(' and active = %L', (p ->> 'active')::boolean);
  end if;
  if p ? 'after' then
    conditions := conditions || format(' and (name, %1$I) > (select name, %1$I from projection.%2$I where %1$I = %3$L)',
      column_name, kind || 's', p ->> 'after');
  end if;
  execute format(
    'select coalesce(jsonb_agg(jsonb_build_array(id, convert_from(value, ''UTF8'')::jsonb) order by name, id), ''[]'')
     from (select %1$I as id, name from projection.%2$I where true %3$s order by name, %1$I limit $1) as page
     join state.state on key = %4$L || id', column_name, source, conditions, kind || '/')
  into page using wanted + 1;
  if jsonb_array_length(page) > wanted then
    page := page - wanted;
    return jsonb_build_object('items', page, 'next', page -> (wanted - 1) -> 0);
  end if;
  return jsonb_build_object('items', page);
end
$$;

-- A page of the leaves of a practitioner or a room, the latest first: {"practitioner"? or "room"?, "after"?, "limit"};
-- null if there is nobody of that id.
create function api.leave_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted int := (p ->> 'limit')::int;
  owner text := case when p ? 'room' then 'room' else 'practitioner' end;
  conditions text := '';
  page jsonb;
begin
  if not exists (select from state.state where key = owner || '/' || (p ->> owner)) then
    return 'null';
  end if;
  if p ? 'after' then
    conditions := format(
      ' and (lower(period), leave_id) < (select lower(period), leave_id from projection.leaves where leave_id = %L)',
      p ->> 'after');
  end if;
  execute format(
    'select coalesce(jsonb_agg(jsonb_build_array(leave_id, convert_from(value, ''UTF8'')::jsonb)
                     order by start desc, leave_id desc), ''[]'')
     from (select leave_id, lower(period) as start from projection.leaves where %1$I = $1 %2$s
           order by lower(period) desc, leave_id desc limit $2) as page
     join state.state on key = ''leave/'' || leave_id', owner || '_id', conditions)
  into page using (p ->> owner)::uuid, wanted + 1;
  if jsonb_array_length(page) > wanted then
    page := page - wanted;
    return jsonb_build_object('items', page, 'next', page -> (wanted - 1) -> 0);
  end if;
  return jsonb_build_object('items', page);
end
$$;

-- The appointments that a leave lies over and that somebody has to decide about: {"id", "limit"}.
create function api.leave_conflicts(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  leave projection.leaves;
  found jsonb := '[]';
begin
  select * into leave from projection.leaves where leave_id = (p ->> 'id')::uuid and active;
  -- One after the other, so that each has the index that is made for it.
  if leave.practitioner_id is not null then
    select coalesce(jsonb_agg(to_jsonb(own) order by starts), '[]') into found from (
      select appointment_id, patient_id, practitioner_id, room_id, status, starts, ends from projection.appointments
      where practitioner_id = leave.practitioner_id and busy && leave.period and active and status <> 'fulfilled'
      order by starts limit (p ->> 'limit')::int) as own;
  elsif leave.room_id is not null then
    select coalesce(jsonb_agg(to_jsonb(own) order by starts), '[]') into found from (
      select appointment_id, patient_id, practitioner_id, room_id, status, starts, ends from projection.appointments
      where room_id = leave.room_id and busy && leave.period and active and status <> 'fulfilled'
      order by starts limit (p ->> 'limit')::int) as own;
  end if;
  return found;
end
$$;

-- What takes a practitioner's or a room's time: [appointments with their buffers, leaves], each a pair of epoch
-- seconds, which are short.
create function projection.taken_time(practitioner uuid, room uuid, around tstzrange) returns json
language plpgsql stable as $$
begin
  if practitioner is not null then
    return json_build_array(
      (select coalesce(json_agg(json_build_array(
         extract(epoch from lower(busy))::bigint, extract(epoch from upper(busy))::bigint)), '[]')
       from projection.appointments where practitioner_id = practitioner and busy && around and active),
      (select coalesce(json_agg(json_build_array(
         extract(epoch from lower(period))::bigint, extract(epoch from upper(period))::bigint)), '[]')
       from projection.leaves where practitioner_id = practitioner and period && around and active));
  end if;
  return json_build_array(
    (select coalesce(json_agg(json_build_array(
       extract(epoch from lower(busy))::bigint, extract(epoch from upper(busy))::bigint)), '[]')
     from projection.appointments where room_id = room and busy && around and active),
    (select coalesce(json_agg(json_build_array(
       extract(epoch from lower(period))::bigint, extract(epoch from upper(period))::bigint)), '[]')
     from projection.leaves where room_id = room and period && around and active));
end
$$;

-- All that decides which times can be offered: {"clinic", "service", "practitioner"?, "from", "to"}, dates. Without a
-- practitioner all who have hours at the clinic are answered for, a hundred at most. The rooms are those that the hours
-- name, and all of the clinic when the service needs one. Documents and lists are handed on as they are, and not read.
create function api.slot_context(p jsonb) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  clinic_text text := (select convert_from(value, 'UTF8') from state.state where key = 'clinic/' || (p ->> 'clinic'));
  service_text text := (select convert_from(value, 'UTF8') from state.state where key = 'service/' || (p ->> 'service'));
  -- Whatever the zone, and however long a visit with its buffers.
  around tstzrange := tstzrange(
    (p ->> 'from')::timestamp at time zone 'UTC' - interval '1 day',
    (p ->> 'to')::timestamp at time zone 'UTC' + interval '3 days');
  asked uuid[];
  named uuid[];
begin
  if p ? 'practitioner' then
    asked := array[(p ->> 'practitioner')::uuid];
  else
    asked := array(
      select practitioner_id from projection.practitioner_clinics
      where clinic_id = (p ->> 'clinic')::uuid and active order by name, practitioner_id limit 100);
  end if;
  if (service_text::jsonb #>> '{data,needsRoom}')::boolean then
    named := array(select room_id from projection.rooms
                   where clinic_id = (p ->> 'clinic')::uuid and active order by name, room_id);
  else
    named := array(
      select distinct (room #>> '{}')::uuid
      from unnest(asked) as id join state.state on key = 'practitioner/' || id,
        jsonb_path_query(convert_from(value, 'UTF8')::jsonb, '$.data.**.roomId') as room);
  end if;
  return json_build_object(
    'clinic', clinic_text::json,
    'service', service_text::json,
    'practitioners', coalesce((
      select json_agg(json_build_array(
        id, convert_from(value, 'UTF8')::json, projection.taken_time(id, null, around)))
      from unnest(asked) as id join state.state on key = 'practitioner/' || id), '[]'),
    'rooms', coalesce((
      select json_agg(json_build_array(
        id, convert_from(value, 'UTF8')::json, projection.taken_time(null, id, around)) order by place)
      from unnest(named) with ordinality as room (id, place) join state.state on key = 'room/' || id), '[]'));
end
$$;
