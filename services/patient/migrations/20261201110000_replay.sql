-- The latest event of everything that tells by a topic, in the order of the ids: {"topic", "after"?: id, "limit"} answers {"events":
-- [event], "last": the last id that was looked at, or null}. A page looks at `limit` things, whether they have told anything or
-- not. What was told last stands in the present version or in an earlier one.
create function api.latest_events(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  after uuid := coalesce((p ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000');
  own_kind text := case p ->> 'topic' when 'patient.registered' then 'patient' when 'encounter.finished' then 'encounter' end;
  ids uuid[];
begin
  if own_kind = 'patient' then
    ids := array(select patient_id from projection.patients where patient_id > after order by patient_id
      limit (p ->> 'limit')::int);
  else
    ids := array(select record_id from projection.records where kind = own_kind and record_id > after order by record_id
      limit (p ->> 'limit')::int);
  end if;
  return jsonb_build_object('last', ids[cardinality(ids)], 'events', (
    select coalesce(jsonb_agg(told.event order by asked.id), '[]')
    from unnest(ids) as asked(id)
    cross join lateral (
      select event -> 'event' as event
      from (
        select convert_from(value, 'UTF8')::jsonb as document from state.state where key = own_kind || '/' || asked.id::text
        union all
        select history.document from document.history where history.key = own_kind || '/' || asked.id::text
      ) as version
      cross join lateral jsonb_array_elements(coalesce(version.document -> 'events', '[]')) as event
      where event ->> 'topic' = p ->> 'topic'
      order by (version.document ->> 'version')::bigint desc limit 1
    ) as told));
end
$$;
