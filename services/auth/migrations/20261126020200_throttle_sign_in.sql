-- How often somebody may try to sign in. Derived data that no document holds, so a rebuild leaves it alone.

create schema throttle;

-- A leaky bucket: each try adds one, time takes away.
create table throttle.buckets (
  bucket text not null primary key,
  level double precision not null,
  at timestamptz not null
);
create index buckets_at_idx on throttle.buckets (at);

-- Where users have signed in from. An address is a keyed hash.
create table throttle.addresses (
  user_id uuid not null,
  address text not null,
  used_at timestamptz not null,
  primary key (user_id, address)
);

-- A try is counted before it is made and taken back when it succeeds, so capacities for who can succeed have room for
-- all that `auth` checks at once.
-- The buckets of a try: {"account", "address"?}, in the order in which they are locked, so that nobody waits in a circle.
create function throttle.buckets_of(p jsonb) returns table (place int, bucket text, capacity int, seconds int)
language plpgsql stable as $$
declare
  account text := p ->> 'account';
  address text := p ->> 'address';
begin
  if address is null then
    return query values (1, 'account ' || account, 60, 60);
  elsif exists (select from throttle.addresses as known where known.user_id = account::uuid and known.address = p ->> 'address') then
    -- Nobody else can fill these, so nobody else can hold up who comes from where they have been before.
    return query values (1, 'address ' || address, 60, 10), (2, 'account ' || account || ' at ' || address, 40, 60);
  else
    return query values (1, 'address ' || address, 60, 10), (2, 'account ' || account || ' at ' || address, 5, 600),
      (3, 'account ' || account || ' elsewhere', 20, 120);
  end if;
end
$$;

create function throttle.level_now(level double precision, at timestamptz, seconds int) returns double precision
language sql volatile as $$
  select greatest(0, level - extract(epoch from clock_timestamp() - at) / seconds);
$$;

-- Counts a try, or refuses it and counts nothing.
create function api.sign_in_attempt(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  one record;
  reached double precision;
begin
  for one in select * from throttle.buckets_of(p) order by place loop
    insert into throttle.buckets as held (bucket, level, at) values (one.bucket, 1, clock_timestamp())
    on conflict (bucket) do update set
      level = throttle.level_now(held.level, held.at, one.seconds) + 1, at = clock_timestamp()
    returning level into reached;
    if reached > one.capacity then
      -- The name stands in the message too: the binding hands on nothing but the message and the SQLSTATE.
      raise exception 'a try violates check constraint "sign_in_throttle_check"'
        using errcode = 'check_violation', constraint = 'sign_in_throttle_check', schema = 'throttle', table = 'buckets';
    end if;
  end loop;
  -- What is empty by now, a little at a time and never where somebody is at it.
  delete from throttle.buckets where bucket in (
    select bucket from throttle.buckets where at < clock_timestamp() - interval '1 day'
    order by at limit 8 for update skip locked);
end
$$;

-- Seconds until a try would be counted and not refused.
create function api.sign_in_wait(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    -- Others may have succeeded since, and then there is nothing to wait for.
    select to_jsonb(greatest(1, max(ceil(
      (throttle.level_now(held.level, held.at, one.seconds) + 1 - one.capacity) * one.seconds)))::bigint)
    from throttle.buckets_of(p) as one
    join throttle.buckets as held on held.bucket = one.bucket);
end
$$;

-- Takes back what a try counted that succeeded, and remembers where it came from.
create function throttle.succeeded(p jsonb) returns void
language plpgsql as $$
declare
  one record;
begin
  for one in select * from throttle.buckets_of(p) order by place loop
    -- The mistakes of who succeeds are forgiven where only they could make them.
    update throttle.buckets set level = case when one.place = 2 or p ->> 'address' is null then 0 else greatest(0, level - 1) end
    where bucket = one.bucket;
  end loop;
  if p ->> 'address' is not null then
    insert into throttle.addresses (user_id, address, used_at)
    values ((p ->> 'account')::uuid, p ->> 'address', clock_timestamp())
    on conflict (user_id, address) do update set used_at = excluded.used_at;
    delete from throttle.addresses
    where user_id = (p ->> 'account')::uuid and used_at < clock_timestamp() - interval '90 days';
  end if;
end
$$;

create function api.sign_in_succeeded(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform throttle.succeeded(p);
end
$$;

-- A session that begins is a try that succeeded, in the same transaction.
create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'user' then
      perform projection.project_user(id::uuid, new_document -> 'data');
    when 'session' then
      perform projection.project_session(id::uuid, new_document -> 'data');
      if old_document is null and current_setting('document.rebuilding', true) is distinct from 'on' then
        perform throttle.succeeded(jsonb_build_object(
          'account', new_document #> '{data,user}', 'address', new_document #> '{data,address}'));
      end if;
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;
