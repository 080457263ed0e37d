-- Sealing, checkpoints, and the page that a person reads.

-- The chain's definition: SHA-256 over the hash before and the entry's fields, one a line. An absent field is an
-- empty line, the time is in microseconds since 1970. crates/audit/src/chain.rs is the same for the verifier.
create function audit.link(previous bytea, entry audit.entries) returns bytea
language plpgsql immutable as $$
begin
  return sha256(previous || convert_to(array_to_string(array[
    entry.position::text, entry.entry_id::text, (extract(epoch from entry.recorded) * 1000000)::bigint::text,
    entry.action, entry.subtype, entry.outcome::text,
    entry.agent::text, entry.agent_role, entry.session::text,
    entry.entity_type, entry.entity_id, entry.entity_version::text,
    entry.request_id, entry.trace_id, encode(entry.details_digest, 'hex')], E'\n', ''), 'UTF8'));
end
$$;

-- Entries that no document carries: {"entries": [..]}. A batch whose outcome is unknown is sent again: an entry
-- that comes twice is sealed once.
create function api.audit_append(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.add(p -> 'entries', null, null, null);
end
$$;

-- Seals what waits, oldest first: {"worker", "lease" (an interval), "limit"}. One worker has the lease; another's
-- call does nothing until it has run out.
create function api.audit_seal(p jsonb) returns void
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
      sha256(uuid_send(taken.salt) || convert_to(taken.details, 'UTF8')), null);
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

-- Where the chain ends, what waits for it and since when, and whether `worker` has the lease.
create function api.audit_head(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select jsonb_build_object(
    'position', position, 'hash', encode(hash, 'hex'),
    'held', coalesce(holder = (p ->> 'worker')::uuid and held_until > clock_timestamp(), false),
    'checkpoint', (select coalesce(max(checkpoints.position), 0) from audit.checkpoints),
    'waiting', (select count(*) from audit.waiting),
    'waitingSeconds', (select coalesce(extract(epoch from clock_timestamp() - min(arrived)), 0) from audit.waiting))
  from audit.head);
end
$$;

-- Keeps a signed checkpoint of the chain as it is.
create function api.audit_checkpoint(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from audit.entries where position = (p ->> 'position')::bigint and encode(hash, 'hex') = p ->> 'hash';
  if not found then
    raise exception 'the chain has no such entry' using errcode = 'invalid_parameter_value';
  end if;
  insert into audit.checkpoints (position, checkpoint) values ((p ->> 'position')::bigint, p)
  on conflict (position) do nothing;
end
$$;

-- A page of sealed entries, newest first: {"agent", "subtype", "action", "outcome", "failed", "entity": {"type", "id"},
-- "from", "to", "after": {"recorded", "position"}, "limit"}, all but the limit as wanted. Planned anew at each call,
-- since which index serves depends on what is asked.
create function api.audit_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ? 'agent' then 'agent = ($1 ->> ''agent'')::uuid' end,
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
      'requestId', request_id, 'traceId', trace_id, 'details', details.details::jsonb,
      'purged', case when details_digest is not null and details.details is null then true end))
      order by recorded desc, entry.position desc), '[]')
    from (select * from audit.entries where %s order by recorded desc, position desc limit ($1 ->> 'limit')::int)
      as entry
    left join audit.details on details.position = entry.position
  $sql$, wanted) using p into entries;
  return entries;
end
$$;
