-- PL/pgSQL keeps its plans; a function in language SQL that is SECURITY DEFINER is planned anew at every call.
create or replace function api.outbox_delete(p jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from document.outbox
  where event_id = any (array(select jsonb_array_elements_text(p -> 'ids')::uuid));
end
$$;
