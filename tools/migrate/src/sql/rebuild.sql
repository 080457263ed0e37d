-- Fills the projection anew from the documents. Runs in one transaction.

-- As the trigger runs.
set local search_path = pg_catalog, pg_temp;
-- For document.take_turns.
set local document.rebuilding = on;
-- Against writers and other rebuilds; and before any table of the projection, so that nobody waits in a circle.
lock table state.state in share row exclusive mode;

do $$
declare
  tables text[] := array(select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'projection');
  has_documents boolean := exists (select from state.state where split_part(key, '/', 1) <> 'dead-letter');
  has_rows boolean;
  name text;
  stored record;
  at_key text;
begin
  foreach name in array tables loop
    execute format('select exists (select from %s)', name) into has_rows;
    if has_rows and not has_documents then
      -- Documents are never deleted, so these rows came from elsewhere and would be lost.
      raise exception '% has rows but there is no document to make them from', name;
    end if;
  end loop;
  if tables <> '{}' then
    execute format('truncate %s restart identity', array_to_string(tables, ', '));
  end if;

  for stored in
    select key, split_part(key, '/', 1) as kind, convert_from(value, 'UTF8')::jsonb as document
    from state.state
    where split_part(key, '/', 1) <> 'dead-letter'
    order by row_id
  loop
    at_key := stored.key;
    perform projection.project(stored.kind, substr(stored.key, length(stored.kind) + 2), null, stored.document);
  end loop;
exception when others then
  raise exception '%', concat_ws(': ', 'cannot project ' || at_key, sqlerrm) using errcode = sqlstate;
end
$$;
