-- A projection of the tests' own: one kind of document, one unique code.
create table projection.probes (
  probe_id text not null primary key,
  code text not null,
  version bigint not null,
  -- A rebuild must call `project` as the trigger does.
  called_with text not null default current_setting('search_path'),
  row_number bigint not null generated always as identity,
  constraint probes_code_key unique (code)
);

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  if kind <> 'probe' then
    raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end if;
  perform document.take_turns(array[new_document #>> '{data,code}']);
  insert into projection.probes (probe_id, code, version)
  values (id, new_document #>> '{data,code}', (new_document ->> 'version')::bigint)
  on conflict (probe_id) do update set code = excluded.code, version = excluded.version;
end
$$;
