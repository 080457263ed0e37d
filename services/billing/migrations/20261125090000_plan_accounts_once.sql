-- PL/pgSQL keeps its plans; a function in language SQL is planned anew at every call.
create or replace function projection.project_account(id uuid, new_data jsonb) returns void
language plpgsql as $$
begin
  insert into projection.accounts (account_id, patient_id, status, opened_at)
  values (id, (new_data ->> 'patientId')::uuid, new_data ->> 'status', (new_data ->> 'openedAt')::timestamptz)
  on conflict (account_id) do update set
    patient_id = excluded.patient_id, status = excluded.status, opened_at = excluded.opened_at;
end
$$;
