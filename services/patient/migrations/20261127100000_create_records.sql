-- Typed tables of health records, for finding them: what they say stands in their documents alone.

create table projection.records (
  kind text not null,
  record_id uuid not null,
  patient_id uuid not null,
  encounter_id uuid,
  status text collate "C" not null,
  -- When it was so, as medicine sees it; when it was recorded where that is not known.
  happened timestamptz not null,
  constraint records_pkey primary key (kind, record_id)
);
-- The newest page of a chart is the beginning of one of these, however long the chart is.
create index records_patient_idx on projection.records (patient_id, kind, happened, record_id)
  where status <> 'entered-in-error';
create index records_status_idx on projection.records (patient_id, kind, status, happened, record_id);
create index records_encounter_idx on projection.records (encounter_id, kind, happened, record_id)
  where encounter_id is not null;

-- What a record is found by: name is code or category.
create table projection.record_terms (
  patient_id uuid not null,
  kind text not null,
  name text not null,
  code text collate "C" not null,
  happened timestamptz not null,
  record_id uuid not null,
  system text collate "C" not null,
  constraint record_terms_pkey primary key (patient_id, kind, name, code, happened, record_id, system)
);

-- The terms in `search` of a document's data: {"codes": [[system, code]], "categories": [[system, code]]}.
create function projection.record_terms_of(found jsonb) returns table (name text, system text, code text)
language sql immutable as $$
  select distinct 'code', term ->> 0, term ->> 1 from jsonb_array_elements(found -> 'codes') as term
  union all
  select distinct 'category', term ->> 0, term ->> 1 from jsonb_array_elements(found -> 'categories') as term;
$$;

create function projection.project_record(of_kind text, id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  patient uuid := (new_document #>> '{data,patientId}')::uuid;
  found jsonb := new_document #> '{data,search}';
  gone jsonb := old_document #> '{data,search}';
begin
  insert into projection.records (kind, record_id, patient_id, encounter_id, status, happened)
  values (of_kind, id, patient, (new_document #>> '{data,encounterId}')::uuid, found ->> 'status',
          (found ->> 'time')::timestamptz)
  on conflict (kind, record_id) do update set
    encounter_id = excluded.encounter_id, status = excluded.status, happened = excluded.happened;

  if gone is not null and (gone - 'status') = (found - 'status') then
    return;
  end if;
  if gone is not null then
    delete from projection.record_terms as held using projection.record_terms_of(gone) as term
    where held.patient_id = patient and held.kind = of_kind and held.name = term.name and held.code = term.code
      and held.happened = (gone ->> 'time')::timestamptz and held.record_id = id and held.system = term.system;
  end if;
  insert into projection.record_terms (patient_id, kind, name, code, happened, record_id, system)
  select patient, of_kind, term.name, term.code, (found ->> 'time')::timestamptz, id, term.system
  from projection.record_terms_of(found) as term
  on conflict do nothing;
end
$$;

-- What to know before a record is put into a chart, or referred to:
-- {"kind", "id", "patientId", "references": [[kind, id]]}.
-- `own` is what the same request made before; `active` is null for a patient who is not there; `missing` are the
-- references to what is not in this patient's chart, by their place.
create function api.record_check(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  patient uuid := (p ->> 'patientId')::uuid;
  missing jsonb := '[]';
begin
  for i in 0 .. jsonb_array_length(p -> 'references') - 1 loop
    if not exists (
      select from projection.records
      where kind = p #>> array['references', i::text, '0'] and record_id = (p #>> array['references', i::text, '1'])::uuid
        and patient_id = patient and status <> 'entered-in-error')
    then
      missing := missing || to_jsonb(i);
    end if;
  end loop;
  return jsonb_build_object(
    'own', document.at((p ->> 'kind') || '/' || (p ->> 'id'), 1),
    'active', (select active from projection.patients where patient_id = patient),
    'missing', missing);
end
$$;

-- A page of a patient's records of a kind, the newest first: {"patientId", "kind", "code"?: {"system"?, "code"},
-- "category"?: {"system"?, "code"}, "status"?, "from"?, "before"?, "encounterId"?, "after"?: [microseconds, id],
-- "limit"}. What was entered in error is left out unless that status is asked for. The cursor holds the time, too, so
-- that a record that is amended meanwhile cannot move the place.
create function api.record_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted int := (p ->> 'limit')::int;
  term text := case when p ? 'code' then 'code' when p ? 'category' then 'category' end;
  conditions text;
  page jsonb;
begin
  -- What decides the order comes from one index, of terms where there are some.
  conditions := case when term is null
    then 'projection.records as r where true'
    else 'projection.record_terms as r join projection.records as o on o.kind = r.kind and o.record_id = r.record_id where true'
      || projection.has_record_term('r', term, p -> term) end;
  conditions := conditions || format(' and r.patient_id = %L and r.kind = %L', p ->> 'patientId', p ->> 'kind');
  if term = 'code' and p ? 'category' then
    conditions := conditions || ' and exists (select from projection.record_terms as c where c.patient_id = r.patient_id'
      || ' and c.kind = r.kind and c.happened = r.happened and c.record_id = r.record_id'
      || projection.has_record_term('c', 'category', p -> 'category') || ')';
  end if;
  conditions := conditions || format(case when p ? 'status' then ' and %s.status = %L'
                                     else ' and %s.status <> ''entered-in-error''' end,
                                     case when term is null then 'r' else 'o' end, p ->> 'status');
  if p ? 'encounterId' then
    conditions := conditions || format(' and %s.encounter_id = %L', case when term is null then 'r' else 'o' end,
                                       p ->> 'encounterId');
  end if;
  if p ? 'from' then
    conditions := conditions || format(' and r.happened >= %L', p ->> 'from');
  end if;
  if p ? 'before' then
    conditions := conditions || format(' and r.happened < %L', p ->> 'before');
  end if;
  if p ? 'after' then
    conditions := conditions || format(' and (r.happened, r.record_id) < (%L::timestamptz + %L * interval ''1 microsecond'', %L::uuid)',
                                       'epoch', p #>> '{after,0}', p #>> '{after,1}');
  end if;

  -- A record may have one code in two systems.
  execute 'select coalesce(jsonb_agg(jsonb_build_array(record_id, (extract(epoch from happened) * 1000000)::bigint,
                                                       convert_from(value, ''UTF8'')::jsonb)
                             order by happened desc, record_id desc), ''[]'')
           from (select distinct on (r.happened, r.record_id) r.happened, r.record_id from ' || conditions ||
         ' order by r.happened desc, r.record_id desc limit $1) as page
           join state.state on key = $2 || ''/'' || record_id'
  into page using wanted + 1, p ->> 'kind';

  if jsonb_array_length(page) > wanted then
    page := page - wanted;
    return jsonb_build_object('records', page, 'next', jsonb_build_array(page -> (wanted - 1) -> 1, page -> (wanted - 1) -> 0));
  end if;
  return jsonb_build_object('records', page);
end
$$;

-- The condition that a row of terms is of a name and a code, and of a system if there is one.
create function projection.has_record_term(row_name text, term text, token jsonb) returns text
language sql immutable as $$
  select format(' and %s.name = %L and %s.code = %L', row_name, term, row_name, token ->> 'code')
    || case when token ? 'system' then format(' and %s.system = %L', row_name, token ->> 'system') else '' end;
$$;

-- The versions of a document, the newest first: {"kind", "id", "before"?, "limit"}.
create function api.record_history(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  document_key text := (p ->> 'kind') || '/' || (p ->> 'id');
  wanted int := (p ->> 'limit')::int;
  upto bigint := coalesce((p ->> 'before')::bigint, 9223372036854775807);
  versions jsonb;
begin
  select coalesce(jsonb_agg(found.document order by found.version desc), '[]') into versions
  from (
    select newest.document, newest.version from (
      select convert_from(value, 'UTF8')::jsonb as document, (convert_from(value, 'UTF8')::jsonb ->> 'version')::bigint as version
      from state.state where key = document_key
      union all
      (select h.document, h.version from document.history as h
       where h.key = document_key and h.version < upto order by h.version desc limit wanted + 1)
    ) as newest
    where newest.version < upto
    order by newest.version desc limit wanted + 1
  ) as found;
  if jsonb_array_length(versions) > wanted then
    versions := versions - wanted;
    return jsonb_build_object('versions', versions, 'next', versions -> (wanted - 1) -> 'version');
  end if;
  return jsonb_build_object('versions', versions);
end
$$;
