-- Typed table of `session/<id>` documents, and what it takes to say which access tokens are no good any more.

alter table projection.users add column epoch bigint not null default 0;

create table projection.sessions (
  session_id uuid not null primary key,
  user_id uuid not null,
  -- The user's epoch when the session began, or was carried over.
  epoch bigint not null,
  -- When it last gave an access token.
  used_at timestamptz not null,
  ended boolean not null
);
create index sessions_used_at_idx on projection.sessions (used_at);

create or replace function projection.project_user(id uuid, new_data jsonb) returns void
language sql as $$
  insert into projection.users (user_id, email, role, active, epoch)
  values (id, new_data ->> 'email', new_data ->> 'role', (new_data ->> 'active')::boolean,
          coalesce((new_data ->> 'epoch')::bigint, 0))
  on conflict (user_id) do update set
    email = excluded.email, role = excluded.role, active = excluded.active, epoch = excluded.epoch;
$$;

create function projection.project_session(id uuid, new_data jsonb) returns void
language sql as $$
  insert into projection.sessions (session_id, user_id, epoch, used_at, ended)
  values (id, (new_data ->> 'user')::uuid, (new_data ->> 'epoch')::bigint, (new_data ->> 'usedAt')::timestamptz,
          new_data ? 'ended')
  on conflict (session_id) do update set
    user_id = excluded.user_id, epoch = excluded.epoch, used_at = excluded.used_at, ended = excluded.ended;
$$;

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'user' then
      perform projection.project_user(id::uuid, new_document -> 'data');
    when 'session' then
      perform projection.project_session(id::uuid, new_document -> 'data');
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;

-- Sessions that are over although an access token of theirs may still be alive: {"since": <earliest issue of one>}.
-- Derived and not kept, so that a session that begins while its user is switched off is in it too.
create function api.revoked_sessions(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(session.session_id), '[]')
    from projection.sessions as session
    join projection.users as owner on owner.user_id = session.user_id
    where session.used_at > (p ->> 'since')::timestamptz
      and (session.ended or session.epoch < owner.epoch or not owner.active));
end
$$;
