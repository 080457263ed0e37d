-- Functions of schema `api` take one jsonb and answer one jsonb: the binding has one text parameter
-- and one row. They are SECURITY DEFINER with a fixed search path, because the role that calls them
-- owns nothing and may read nothing else.

-- Takes up to `limit` events that have waited longer than `olderThan` (an interval) for `worker`;
-- what is not deleted before `lease` has passed can be claimed again.
create function api.outbox_claim(p jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  -- Materialised, because a plan may run a subquery again and so pass the limit.
  with waiting as materialized (
    select event_id from document.outbox
    where created_at < statement_timestamp() - (p ->> 'olderThan')::interval
      and (claimed_until is null or claimed_until < statement_timestamp())
    order by created_at
    limit (p ->> 'limit')::int
    for update skip locked
  )
  update document.outbox as held
  set claimed_by = (p ->> 'worker')::uuid, claimed_until = clock_timestamp() + (p ->> 'lease')::interval
  from waiting
  where held.event_id = waiting.event_id;
$$;

-- The events that `worker` holds.
create function api.outbox_claimed(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'topic', topic, 'partitionKey', partition_key, 'event', event::jsonb) order by created_at), '[]')
  from document.outbox
  where claimed_by = (p ->> 'worker')::uuid and claimed_until > statement_timestamp();
$$;

-- Forgets events that the broker has: {"ids": [..]}.
create function api.outbox_delete(p jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from document.outbox
  where event_id in (select id::uuid from jsonb_array_elements_text(p -> 'ids') as id);
$$;

-- How much waits, and since when, for the metrics.
create function api.backlog(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select jsonb_build_object(
    'outboxDepth', (select count(*) from document.outbox),
    'outboxAgeSeconds', (select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0) from document.outbox),
    'deadLetters', (select count(*) from document.dead_letters));
$$;

-- Dead letters, oldest first, by keyset: {"after": {"receivedAt", "id"}?, "limit"}.
create function api.dead_letters(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(to_jsonb(page)), '[]') from (
    select dead_letter_id as id, topic, reason, received_at as "receivedAt"
    from document.dead_letters
    where (received_at, dead_letter_id) > (
      coalesce((p #>> '{after,receivedAt}')::timestamptz, '-infinity'), coalesce(p #>> '{after,id}', ''))
    order by received_at, dead_letter_id
    limit (p ->> 'limit')::int
  ) as page;
$$;

-- One answered row proves that the database answers.
create function api.ping(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select '"pong"'::jsonb;
$$;
