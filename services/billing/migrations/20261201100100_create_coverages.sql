-- Payers, and who insures whom.

-- Equality beside overlap in one index.
create extension if not exists btree_gist with schema public;

-- Typed table of `payer/<id>` documents.
create table projection.payers (
  payer_id uuid not null primary key,
  name text not null,
  electronic_id text not null,
  filing text not null
);
create index payers_name_idx on projection.payers (name, payer_id);

create function projection.project_payer(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.payers (payer_id, name, electronic_id, filing)
  values (id, data ->> 'name', data ->> 'electronicId', data ->> 'filing')
  on conflict (payer_id) do update set name = excluded.name, electronic_id = excluded.electronic_id,
    filing = excluded.filing;
end
$$;

-- Typed table of `coverage/<id>` documents. Of two active ones that have the same rank on a day nobody could say which
-- pays first.
create table projection.coverages (
  coverage_id uuid not null primary key,
  patient_id uuid not null,
  payer_id uuid not null,
  active boolean not null,
  -- 1 pays first.
  rank smallint not null,
  period daterange not null,
  constraint coverages_order_excl exclude using gist
    (patient_id with =, rank with =, period with &&) where (active)
);
create index coverages_patient_idx on projection.coverages (patient_id, rank, coverage_id);
create index coverages_payer_idx on projection.coverages (payer_id);

-- Whoever writes a coverage of a patient waits for who does so already: two that exclude each other would else each wait
-- for the other, and both be refused by chance.
create function projection.project_coverage(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  perform document.take_turns(array['coverages/' || (data ->> 'patientId')]);
  insert into projection.coverages (coverage_id, patient_id, payer_id, active, rank, period)
  values (id, (data ->> 'patientId')::uuid, (data ->> 'payerId')::uuid, data ->> 'status' = 'active',
    (data ->> 'order')::smallint, daterange((data #>> '{period,start}')::date, (data #>> '{period,end}')::date, '[]'))
  on conflict (coverage_id) do update set active = excluded.active, rank = excluded.rank, period = excluded.period;
end
$$;

-- A page of payers by name: {"after"?: {"name", "id"}, "limit"}.
create function api.payer_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(document.stored('payer', payer_id) order by name, payer_id), '[]') from (
      select name, payer_id from projection.payers
      where not p ? 'after' or (name, payer_id) > (p #>> '{after,name}', (p #>> '{after,id}')::uuid)
      order by name, payer_id limit (p ->> 'limit')::int) as page);
end
$$;

-- The coverages of a patient, the first to pay first; with a day those that insure on it: {"patientId", "date"?}.
create function api.coverages(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(document.stored('coverage', coverage_id) order by rank, period, coverage_id), '[]')
    from projection.coverages
    where patient_id = (p ->> 'patientId')::uuid
      and (not p ? 'date' or (active and period @> (p ->> 'date')::date)));
end
$$;
