-- All that decides how long practitioners can see patients: {"practitioner"?, "clinic"?, "from", "to", "after"?: id, "limit"},
-- dates. Answers {"clinics": [[id, document]], "rooms": [[id, document, leave]], "practitioners": [[id, document, leave]], "next"}
-- of those who see patients, in the order of their ids; leave is pairs of epoch seconds. The rooms are those that the hours name.
create function api.available_time(p jsonb) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  after uuid := coalesce((p ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000');
  -- Whatever the zone.
  around tstzrange := tstzrange(
    (p ->> 'from')::timestamp at time zone 'UTC' - interval '1 day',
    (p ->> 'to')::timestamp at time zone 'UTC' + interval '2 days');
  asked uuid[] := array(
    select practitioner_id from projection.practitioners as own
    where active and practitioner_id > after
      and (not p ? 'practitioner' or practitioner_id = (p ->> 'practitioner')::uuid)
      and (not p ? 'clinic' or exists (
        select from projection.practitioner_clinics as hours
        where hours.practitioner_id = own.practitioner_id and hours.clinic_id = (p ->> 'clinic')::uuid))
    order by practitioner_id limit (p ->> 'limit')::int);
  named uuid[] := array(
    select distinct (room #>> '{}')::uuid
    from unnest(asked) as id join state.state on key = 'practitioner/' || id,
      jsonb_path_query(convert_from(value, 'UTF8')::jsonb, '$.data.**.roomId') as room);
begin
  return json_build_object(
    'clinics', coalesce((
      select json_agg(json_build_array(clinic_id, document.current('clinic', clinic_id::text)))
      from (
        select distinct clinic_id from projection.practitioner_clinics
        where practitioner_id = any (asked) and (not p ? 'clinic' or clinic_id = (p ->> 'clinic')::uuid)) as own
      where document.current('clinic', clinic_id::text) is not null), '[]'),
    'rooms', coalesce((
      select json_agg(json_build_array(id, convert_from(value, 'UTF8')::json, projection.leave_of(null, id, around)))
      from unnest(named) as id join state.state on key = 'room/' || id), '[]'),
    'practitioners', coalesce((
      select json_agg(json_build_array(id, convert_from(value, 'UTF8')::json, projection.leave_of(id, null, around)) order by id)
      from unnest(asked) as id join state.state on key = 'practitioner/' || id), '[]'),
    'next', case when cardinality(asked) = (p ->> 'limit')::int then asked[cardinality(asked)] end);
end
$$;

-- When a practitioner is away, or a room is down, around some time: pairs of epoch seconds.
create function projection.leave_of(practitioner uuid, room uuid, around tstzrange) returns json
language plpgsql stable as $$
begin
  return (
    select coalesce(json_agg(json_build_array(
      extract(epoch from lower(period))::bigint, extract(epoch from upper(period))::bigint)), '[]')
    from projection.leaves
    where active and period && around and case when room is null then practitioner_id = practitioner else room_id = room end);
end
$$;
