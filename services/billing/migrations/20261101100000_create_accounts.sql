-- Typed table of `account/<id>` documents.
create table projection.accounts (
  account_id uuid not null primary key,
  patient_id uuid not null constraint accounts_patient_id_key unique,
  status text not null,
  opened_at timestamptz not null
);

create function projection.project_account(id uuid, new_data jsonb) returns void
language sql as $$
  insert into projection.accounts (account_id, patient_id, status, opened_at)
  values (id, (new_data ->> 'patientId')::uuid, new_data ->> 'status', (new_data ->> 'openedAt')::timestamptz)
  on conflict (account_id) do update set
    patient_id = excluded.patient_id, status = excluded.status, opened_at = excluded.opened_at;
$$;

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'account' then
      perform projection.project_account(id::uuid, new_document -> 'data');
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;
