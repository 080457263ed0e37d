-- Typed table of `user/<id>` documents. The hash of a password stays in the document, where no function reads it.

create table projection.users (
  user_id uuid not null primary key,
  -- In lower case.
  email text not null constraint users_email_key unique,
  role text not null,
  active boolean not null
);

create function projection.project_user(id uuid, new_data jsonb) returns void
language sql as $$
  insert into projection.users (user_id, email, role, active)
  values (id, new_data ->> 'email', new_data ->> 'role', (new_data ->> 'active')::boolean)
  on conflict (user_id) do update set email = excluded.email, role = excluded.role, active = excluded.active;
$$;

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'user' then
      perform projection.project_user(id::uuid, new_document -> 'data');
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;
