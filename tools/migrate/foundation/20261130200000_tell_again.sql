-- What was told by events, for whoever may have missed some: of each document the latest event of any of some topics.

-- The keys of documents of a kind in the order of their ids, after one of them and at most `page`. The order is that of uuids
-- whatever the collation, since digits come before letters in each; what a collation may put in between, because it looks at
-- punctuation last, is of another kind. It is read off the index, whatever the planner thinks of how many there are.
create function document.keys_after(kind text, after uuid, page int) returns text[]
language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set max_parallel_workers_per_gather = 0 set jit = off as $$
begin
  return array(
    select key from state.state
    where key > kind || '/' || after::text and key <= kind || '/ffffffff-ffff-ffff-ffff-ffffffffffff'
      and starts_with(key, kind || '/')
    order by key limit page);
end
$$;

-- Of these documents each with what it told last by one of `topics`, and in which version: in the present one, else in the latest of
-- the earlier ones that did; null when it never told anything.
create function document.told(keys text[], topics text[]) returns table (id uuid, version bigint, event jsonb)
language plpgsql stable set jit = off as $$
#variable_conflict use_column
begin
  return query
  with looked as materialized (
    select key, convert_from(value, 'UTF8')::jsonb as document from unnest(keys) as named(key) join state.state using (key))
  select split_part(looked.key, '/', 2)::uuid, coalesce(present.version, earlier.version),
    coalesce(present.event, earlier.event)
  from looked
  left join lateral (
    select (document ->> 'version')::bigint as version, entry -> 'event' as event
    from jsonb_array_elements(coalesce(document -> 'events', '[]')) with ordinality as told(entry, place)
    where entry ->> 'topic' = any (topics) order by place desc limit 1) as present on true
  -- Not looked at when the present version has told something.
  left join lateral (
    select history.version, entry -> 'event' as event
    from document.history
    cross join lateral jsonb_array_elements(coalesce(history.document -> 'events', '[]')) with ordinality as told(entry, place)
    where history.key = looked.key and present.version is null and entry ->> 'topic' = any (topics)
    order by history.version desc, place desc limit 1) as earlier on true;
end
$$;

-- The keys of the page that one of the two functions below is asked for.
create function document.keys_of_page(p jsonb) returns text[]
language plpgsql stable as $$
begin
  return document.keys_after(p ->> 'kind', coalesce((p ->> 'after')::uuid, '00000000-0000-0000-0000-000000000000'),
    (p ->> 'limit')::int);
end
$$;

-- The id of the last document of a page; null on the last page.
create function document.next_of_page(keys text[], p jsonb) returns text
language sql immutable as $$
  select split_part(keys[cardinality(keys)], '/', 2) where cardinality(keys) = (p ->> 'limit')::int;
$$;

-- A page of the latest events: {"kind", "topics", "after"?: id, "limit"} answers {"events": [event], "next": the last id that was
-- looked at, or null on the last page}. A page looks at `limit` documents, whether they have told anything or not.
create function api.replay_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  keys text[] := document.keys_of_page(p);
begin
  return jsonb_build_object(
    'events', (
      select coalesce(jsonb_agg(event order by id) filter (where event is not null), '[]')
      from document.told(keys, array(select jsonb_array_elements_text(p -> 'topics')))),
    'next', document.next_of_page(keys, p));
end
$$;

-- A digest of what was told last, over a page: {"kind", "topics", "after"?: id, "limit"} answers {"count": the documents that have
-- told something, "digest", "next"}. The digest is the sum, modulo 2^60, of the first 60 bits of md5('<id> <version>') of each, as
-- 15 hexadecimal digits: whoever has heard the same computes the same.
create function api.replay_digest(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  keys text[] := document.keys_of_page(p);
begin
  return (
    select jsonb_build_object(
      'count', count(version),
      'digest', lpad(to_hex(mod(coalesce(sum(('x' || left(md5(id::text || ' ' || version::text), 15))::bit(60)::bigint), 0),
        1152921504606846976)::bigint), 15, '0'),
      'next', document.next_of_page(keys, p))
    from document.told(keys, array(select jsonb_array_elements_text(p -> 'topics'))));
end
$$;
