-- One write, one transaction: document, outbox, history and projection agree because a trigger keeps them.

-- Events that wait to leave. A row goes when the broker has the event.
create table document.outbox (
  event_id uuid not null primary key,
  topic text not null,
  -- The aggregate's id: one aggregate's events stay in order.
  partition_key text not null,
  -- The whole CloudEvent, published as it stands.
  event text not null,
  created_at timestamptz not null default clock_timestamp(),
  claimed_by uuid,
  claimed_until timestamptz
);
create index outbox_created_at_idx on document.outbox (created_at);
create index outbox_claimed_by_idx on document.outbox (claimed_by) where claimed_by is not null;

-- Events that caused a write here. A second application meets the constraint `inbox_pkey`.
create table document.inbox (
  event_id uuid not null,
  key text not null,
  applied_at timestamptz not null default clock_timestamp(),
  constraint inbox_pkey primary key (event_id)
);

-- Replaced versions. With the current documents they are the complete log of events,
-- since each version carries its own.
create table document.history (
  key text not null,
  version bigint not null,
  document jsonb not null,
  replaced_at timestamptz not null default clock_timestamp(),
  -- Readers of rows stop below pg_snapshot_xmin(): sequence numbers are not commit order.
  written_in xid8 not null default pg_current_xact_id(),
  constraint history_pkey primary key (key, version)
);

-- Messages that a consumer proved permanently unusable, kept until an operator decides.
create table document.dead_letters (
  dead_letter_id text not null primary key,
  topic text not null,
  reason text not null,
  received_at timestamptz not null
);
create index dead_letters_received_at_idx on document.dead_letters (received_at, dead_letter_id);

create function document.project_dead_letter(id text, new_document jsonb) returns void
language sql as $$
  insert into document.dead_letters (dead_letter_id, topic, reason, received_at)
  values (id, new_document #>> '{data,topic}', new_document #>> '{data,reason}',
          (new_document #>> '{data,receivedAt}')::timestamptz)
  on conflict (dead_letter_id) do nothing;
$$;

-- For projections whose constraints make writers wait on each other: who names the same thing takes turns,
-- in sorted order, so that nobody waits in a circle. Held until the transaction ends.
-- A rebuild has no other writer, and would need a lock for every document at once.
create function document.take_turns(names text[]) returns void
language plpgsql as $$
begin
  if current_setting('document.rebuilding', true) is distinct from 'on' then
    perform pg_advisory_xact_lock(hash) from (
      select distinct hashtextextended(name, 0) as hash from unnest(names) as name order by hash
    ) as sorted;
  end if;
end
$$;

-- The service's own migrations replace this by a CASE over the kinds that it owns.
create function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
end
$$;

-- AFTER, never BEFORE: the store writes INSERT ... ON CONFLICT DO UPDATE, and a BEFORE trigger
-- also runs for a row that then conflicts.
create function document.keep() returns trigger
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
    values (new.key, old_version, old_document);
  end if;

  insert into document.outbox (event_id, topic, partition_key, event)
  select (entry #>> '{event,id}')::uuid, entry ->> 'topic', entry ->> 'partitionKey', entry ->> 'event'
  from jsonb_array_elements(new_document -> 'events') as entry;

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

create trigger keep after insert or update of value on state.state
for each row execute function document.keep();
