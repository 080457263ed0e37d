-- What the administrator sees of users, and the rule that there always is one.

alter table projection.users
  add column created_at timestamptz not null default '-infinity',
  add column one_time boolean not null default false,
  add column second_factor boolean not null default false;

update projection.users as kept set created_at = (stored.data ->> 'createdAt')::timestamptz
from (select key, convert_from(value, 'UTF8')::jsonb -> 'data' as data from state.state) as stored
where stored.key = 'user/' || kept.user_id;

create or replace function projection.project_user(id uuid, new_data jsonb) returns void
language plpgsql as $$
declare
  stays boolean := new_data ->> 'role' = 'admin' and (new_data ->> 'active')::boolean;
begin
  if not stays and exists (select from projection.users where user_id = id and role = 'admin' and active) then
    -- Two administrators who switch each other off at once would both see the other one.
    perform document.take_turns(array['the last administrator']);
    if not exists (select from projection.users where user_id <> id and role = 'admin' and active) then
      -- The name stands in the message too: the store hands on nothing but the message and the SQLSTATE.
      raise exception 'user violates check constraint "users_last_administrator_check"'
        using errcode = 'check_violation', constraint = 'users_last_administrator_check',
          schema = 'projection', table = 'users', detail = format('%s is the last active administrator', id);
    end if;
  end if;
  insert into projection.users (user_id, email, role, active, epoch, created_at, one_time, second_factor)
  values (id, new_data ->> 'email', new_data ->> 'role', (new_data ->> 'active')::boolean,
          coalesce((new_data ->> 'epoch')::bigint, 0), (new_data ->> 'createdAt')::timestamptz,
          new_data ? 'oneTimeUntil', new_data ? 'totp')
  on conflict (user_id) do update set
    email = excluded.email, role = excluded.role, active = excluded.active, epoch = excluded.epoch,
    created_at = excluded.created_at, one_time = excluded.one_time, second_factor = excluded.second_factor;
end
$$;

-- A page of users in the order of their addresses: {"after": <id of the last one seen>?, "limit"}. One more than the
-- page has is looked for, to know whether there is another page.
create function api.users_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  most int := (p ->> 'limit')::int;
  seen text := (select email from projection.users where user_id = (p ->> 'after')::uuid);
begin
  return (
    with found as materialized (
      select user_id, email, role, active, created_at, one_time, second_factor
      from projection.users
      where email > coalesce(seen, '')
      order by email
      limit most + 1
    ), page as (
      select * from found order by email limit most
    )
    select jsonb_build_object(
      'users', coalesce((
        select jsonb_agg(jsonb_build_object(
          'id', user_id, 'email', email, 'role', role, 'active', active, 'createdAt', created_at,
          'oneTimePassword', one_time, 'secondFactor', second_factor) order by email)
        from page), '[]'),
      'next', case when (select count(*) from found) > most
                   then (select user_id from page order by email desc limit 1) end));
end
$$;
