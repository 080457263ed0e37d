-- Who did what, when, to what and with what outcome: entries wait, are sealed into a chain, and never change again.
-- The words are those of FHIR's AuditEvent (R4), which took them from RFC 3881 and DICOM.

create schema audit;

-- Entries that were committed with what they tell of and are not sealed yet. One index and no constraint that
-- audit.add could not see to: a caller waits for this, and each would be planned at each insert.
create table audit.waiting (
  -- Of two transactions the one that began when the other had ended has the larger numbers.
  arrival bigint not null generated always as identity primary key,
  entry_id uuid not null,
  recorded timestamptz not null,
  -- Create, read, update, delete, execute; and what exactly, such as `login`.
  action text not null,
  subtype text not null,
  -- Success; failures: minor, serious, major.
  outcome smallint not null,
  -- Who; nobody, when nobody proved who they are.
  agent uuid,
  agent_role text,
  session uuid,
  -- What; none of it, or at least its kind.
  entity_type text,
  entity_id text,
  entity_version bigint,
  request_id text,
  trace_id text,
  -- What is personal or could be, a JSON object. The salt keeps a digest that outlives it from being guessed at.
  details text,
  salt uuid,
  arrived timestamptz not null default clock_timestamp()
);

-- The chain. Its positions have no gap.
create table audit.entries (
  position bigint not null primary key,
  entry_id uuid not null constraint entries_entry_id_key unique,
  recorded timestamptz not null,
  action text not null,
  subtype text not null,
  outcome smallint not null,
  agent uuid,
  agent_role text,
  session uuid,
  entity_type text,
  entity_id text,
  entity_version bigint,
  request_id text,
  trace_id text,
  details_digest bytea,
  -- Of the entry before and of this one; see audit.link.
  hash bytea not null
);
-- Each answers a question of the viewer, newest first.
create index entries_recorded_idx on audit.entries (recorded, position);
create index entries_agent_idx on audit.entries (agent, recorded, position) where agent is not null;
create index entries_entity_idx on audit.entries (entity_id, recorded, position) where entity_id is not null;
create index entries_subtype_idx on audit.entries (subtype, recorded, position);
create index entries_failure_idx on audit.entries (recorded, position) where outcome <> 0;

-- Beside the chain, which holds but their digests, so that erasure can take them away.
create table audit.details (
  position bigint not null primary key,
  salt uuid not null,
  details text not null
);

-- The end of the chain, and who may make it longer.
create table audit.head (
  single boolean not null default true primary key constraint head_single_check check (single),
  position bigint not null,
  hash bytea not null,
  holder uuid,
  held_until timestamptz
);
insert into audit.head (position, hash) values (0, decode(repeat('00', 32), 'hex'));

-- What the service signed: the chain was this long then, and ended in this hash.
create table audit.checkpoints (
  position bigint not null primary key,
  checkpoint jsonb not null
);

-- No role of a sidecar may touch these tables at all; this is for who could.
create function audit.refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception '% of %.% is refused: what is sealed never changes', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
create trigger refuse_change after update or delete or truncate on audit.entries
for each statement execute function audit.refuse_change();
create trigger refuse_change after update or delete or truncate on audit.checkpoints
for each statement execute function audit.refuse_change();
-- Details may be deleted, by erasure.
create trigger refuse_change after update or truncate on audit.details
for each statement execute function audit.refuse_change();

-- Adds entries to those that wait. Where one does not say what it is about, it is about this document.
create function audit.add(entries jsonb, kind text, id text, version bigint) returns void
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
      entity_type, entity_id, entity_version, request_id, trace_id, details, salt)
    values ((entry ->> 'id')::uuid, (entry ->> 'recorded')::timestamptz,
      entry ->> 'action', entry ->> 'subtype', (entry ->> 'outcome')::smallint,
      (entry #>> '{agent,who}')::uuid, entry #>> '{agent,role}', (entry #>> '{agent,session}')::uuid,
      about ->> 'type', about ->> 'id', (about ->> 'version')::bigint, entry ->> 'requestId', entry ->> 'traceId',
      entry ->> 'details', case when entry ? 'details' then gen_random_uuid() end);
  end loop;
end
$$;

-- As before, with the member `audit`: what the latest change leaves in the audit. It is no part of the history.
create or replace function document.keep() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind text := split_part(new.key, '/', 1);
  id text := substr(new.key, length(kind) + 2);
  new_document jsonb := convert_from(new.value, 'UTF8')::jsonb;
  old_document jsonb;
  new_version bigint := (new_document ->> 'version')::bigint;
  old_version bigint;
begin
  if tg_op = 'UPDATE' then
    old_document := convert_from(old.value, 'UTF8')::jsonb;
    old_version := (old_document ->> 'version')::bigint;
  end if;
  if new_version is distinct from coalesce(old_version, 0) + 1 then
    -- The name stands in the message too: the store hands on nothing but the message and the SQLSTATE.
    raise exception 'new version violates check constraint "document_version_check"'
      using errcode = 'check_violation', constraint = 'document_version_check', schema = 'state', table = 'state',
        detail = format('version %s of %s does not follow %s', new_version, new.key, coalesce(old_version, 0));
  end if;
  if tg_op = 'UPDATE' then
    insert into document.history (key, version, document)
    values (new.key, old_version, old_document - 'audit');
  end if;

  insert into document.outbox (event_id, topic, partition_key, event)
  select (entry #>> '{event,id}')::uuid, entry ->> 'topic', entry ->> 'partitionKey', entry ->> 'event'
  from jsonb_array_elements(new_document -> 'events') as entry;

  if new_document ? 'audit' then
    perform audit.add(new_document -> 'audit', kind, id, new_version);
  end if;

  if new_document ? 'cause' then
    insert into document.inbox (event_id, key) values ((new_document ->> 'cause')::uuid, new.key);
  end if;

  if kind = 'dead-letter' then
    perform document.project_dead_letter(id, new_document);
  else
    perform projection.project(kind, id, old_document, new_document);
  end if;
  return null;
end
$$;
