-- Of whose record an entry tells, so that a patient can be told who was there; `AuditEvent.patient` of FHIR R5. It is
-- sealed with the rest: beside the chain it could be taken away unnoticed.

alter table audit.waiting add column patient uuid;
alter table audit.entries add column patient uuid;
create index entries_patient_idx on audit.entries (patient, recorded, position) where patient is not null;

-- As before, and the patient in a line more. An entry without one, as all were before, has the hash that it had.
create or replace function audit.link(previous bytea, entry audit.entries) returns bytea
language plpgsql immutable as $$
begin
  return sha256(previous || convert_to(array_to_string(array[
    entry.position::text, entry.entry_id::text, (extract(epoch from entry.recorded) * 1000000)::bigint::text,
    entry.action, entry.subtype, entry.outcome::text,
    entry.agent::text, entry.agent_role, entry.session::text,
    entry.entity_type, entry.entity_id, entry.entity_version::text,
    entry.request_id, entry.trace_id, encode(entry.details_digest, 'hex')], E'\n', '')
    || coalesce(E'\n' || entry.patient::text, ''), 'UTF8'));
end
$$;

-- As before, with the patient.
create or replace function audit.add(entries jsonb, kind text, id text, version bigint) returns void
language plpgsql as $$
declare
  entry jsonb;
  about jsonb;
  words text;
begin
  for i in 0 .. jsonb_array_length(entries) - 1 loop
    entry := entries -> i;
    about := coalesce(entry -> 'entity', jsonb_build_object('type', kind, 'id', id, 'version', version));
    -- Without a line end, since the chain's definition parts them so; and short enough for any index.
    words := concat_ws(' ', entry ->> 'subtype', entry #>> '{agent,role}', about ->> 'type', about ->> 'id',
      entry ->> 'requestId', entry ->> 'traceId');
    if words ~ '[^ -~]' or octet_length(words) > 1200
      or (entry ->> 'action') not in ('C', 'R', 'U', 'D', 'E') or (entry ->> 'outcome') not in ('0', '4', '8', '12') then
      raise exception 'new entry violates check constraint "audit_entry_check"'
        using errcode = 'check_violation', constraint = 'audit_entry_check', schema = 'audit', table = 'waiting';
    end if;
    insert into audit.waiting (entry_id, recorded, action, subtype, outcome, agent, agent_role, session,
      entity_type, entity_id, entity_version, request_id, trace_id, details, salt,
      patient)
    values ((entry ->> 'id')::uuid, (entry ->> 'recorded')::timestamptz,
      entry ->> 'action', entry ->> 'subtype', (entry ->> 'outcome')::smallint,
      (entry #>> '{agent,who}')::uuid, entry #>> '{agent,role}', (entry #>> '{agent,session}')::uuid,
      about ->> 'type', about ->> 'id', (about ->> 'version')::bigint, entry ->> 'requestId', entry ->> 'traceId',
      entry ->> 'details', case when entry ? 'details' then gen_random_uuid() end,
      (entry ->> 'patient')::uuid);
  end loop;
end
$$;

-- As before, with the patient.
create or replace function api.audit_seal(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  last audit.head;
  taken audit.waiting;
  sealed audit.entries;
begin
  -- The row's lock is held until the end: two can never make the chain longer at once.
  update audit.head as held
  set holder = (p ->> 'worker')::uuid, held_until = clock_timestamp() + (p ->> 'lease')::interval
  where held.holder is null or held.holder = (p ->> 'worker')::uuid or held.held_until < clock_timestamp()
  returning * into last;
  if not found then
    return;
  end if;

  -- What waits is taken away, so no cursor can pass over what commits late: it is there the next time.
  for taken in
    with oldest as materialized (
      select arrival from audit.waiting order by arrival limit (p ->> 'limit')::int
    ), moved as (
      delete from audit.waiting as waiting using oldest where waiting.arrival = oldest.arrival returning waiting.*
    )
    select * from moved order by arrival
  loop
    sealed := (last.position + 1, taken.entry_id, taken.recorded, taken.action, taken.subtype, taken.outcome,
      taken.agent, taken.agent_role, taken.session, taken.entity_type, taken.entity_id, taken.entity_version,
      taken.request_id, taken.trace_id,
      sha256(uuid_send(taken.salt) || convert_to(taken.details, 'UTF8')), null, taken.patient);
    sealed.hash := audit.link(last.hash, sealed);
    insert into audit.entries select sealed.* on conflict (entry_id) do nothing;
    if found then
      if taken.details is not null then
        insert into audit.details (position, salt, details) values (sealed.position, taken.salt, taken.details);
      end if;
      last.position := sealed.position;
      last.hash := sealed.hash;
    end if;
  end loop;
  update audit.head set position = last.position, hash = last.hash where position <> last.position;
end
$$;

-- As before, and by "patient" as well.
create or replace function api.audit_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ? 'agent' then 'agent = ($1 ->> ''agent'')::uuid' end,
    case when p ? 'patient' then 'patient = ($1 ->> ''patient'')::uuid' end,
    case when p ? 'subtype' then 'subtype = $1 ->> ''subtype''' end,
    case when p ? 'action' then 'action = $1 ->> ''action''' end,
    case when p ? 'outcome' then 'outcome = ($1 ->> ''outcome'')::smallint' end,
    case when p ? 'failed' or p ->> 'outcome' in ('4', '8', '12') then 'outcome <> 0' end,
    case when p #> '{entity,type}' is not null then 'entity_type = $1 #>> ''{entity,type}''' end,
    case when p #> '{entity,id}' is not null then 'entity_id = $1 #>> ''{entity,id}''' end,
    case when p ? 'from' then 'recorded >= ($1 ->> ''from'')::timestamptz' end,
    case when p ? 'to' then 'recorded < ($1 ->> ''to'')::timestamptz' end,
    case when p ? 'after' then
      '(recorded, position) < (($1 #>> ''{after,recorded}'')::timestamptz, ($1 #>> ''{after,position}'')::bigint)' end);
  entries jsonb;
begin
  execute format($sql$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'position', entry.position, 'id', entry_id, 'recorded', recorded, 'action', action, 'subtype', subtype,
      'outcome', outcome,
      'agent', case when agent is not null then
        jsonb_build_object('who', agent, 'role', agent_role, 'session', session) end,
      'entity', case when entity_type is not null then
        jsonb_build_object('type', entity_type, 'id', entity_id, 'version', entity_version) end,
      'patient', patient, 'requestId', request_id, 'traceId', trace_id, 'details', details.details::jsonb,
      'purged', case when details_digest is not null and details.details is null then true end))
      order by recorded desc, entry.position desc), '[]')
    from (select * from audit.entries where %s order by recorded desc, position desc limit ($1 ->> 'limit')::int)
      as entry
    left join audit.details on details.position = entry.position
  $sql$, wanted) using p into entries;
  return entries;
end
$$;
