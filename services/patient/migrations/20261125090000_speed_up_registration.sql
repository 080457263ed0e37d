-- What a registration asks of the database, at less than half the cost. Functions in language SQL are parsed and
-- planned anew at every call when they cannot be inlined; those in PL/pgSQL keep their plans.

-- One row and one index entry for each term, instead of up to two rows with two entries each. A word is found whatever
-- its kind, so that a phone number or e-mail address need not stand there as a word, too; and the terms that a change
-- takes away are known from the document that it replaces.
delete from projection.patient_terms as word using projection.patient_terms as other
where word.kind = 'word' and other.kind <> 'word' and other.patient_id = word.patient_id and other.term = word.term;
drop index projection.patient_terms_patient_id_idx;
alter table projection.patient_terms
  drop constraint patient_terms_pkey,
  add constraint patient_terms_pkey primary key (term, kind, patient_id);

-- The terms in `search` of a document's data.
create function projection.patient_terms_of(found jsonb) returns table (term text, kind text)
language sql immutable as $$
  select phone, 'phone' from jsonb_array_elements_text(found -> 'phone') as phone
  union all
  select email, 'email' from jsonb_array_elements_text(found -> 'email') as email
  union all
  select word, 'word' from jsonb_array_elements_text(found -> 'words') as word
  where not (found -> 'phone' ? word or found -> 'email' ? word);
$$;

create or replace function projection.project_patient(id uuid, old_data jsonb, new_data jsonb) returns void
language plpgsql as $$
declare
  found jsonb := new_data -> 'search';
  identifiers jsonb := coalesce(new_data #> '{person,identifier}', '[]');
begin
  -- Two registrations that bring the same identifiers in another order would wait for each other for ever.
  if identifiers is distinct from coalesce(old_data #> '{person,identifier}', '[]') then
    perform document.take_turns(array(
      select (i ->> 'system') || '|' || (i ->> 'value') from jsonb_array_elements(identifiers) as i));
  end if;

  insert into projection.patients (patient_id, mrn, active, family, given, birth_date, gender, identity, registered_at)
  values (id, new_data ->> 'mrn', (new_data ->> 'active')::boolean, found ->> 'family', found ->> 'given',
          new_data #>> '{person,birthDate}', new_data #>> '{person,gender}', found ->> 'identity',
          (new_data ->> 'registeredAt')::timestamptz)
  on conflict (patient_id) do update set
    mrn = excluded.mrn, active = excluded.active, family = excluded.family, given = excluded.given,
    birth_date = excluded.birth_date, gender = excluded.gender, identity = excluded.identity,
    registered_at = excluded.registered_at;

  if identifiers is distinct from coalesce(old_data #> '{person,identifier}', '[]') then
    delete from projection.patient_identifiers where patient_id = id;
    insert into projection.patient_identifiers (patient_id, system, value)
    select id, i ->> 'system', i ->> 'value' from jsonb_array_elements(identifiers) as i;
  end if;

  if found is distinct from old_data -> 'search' then
    if old_data is not null then
      delete from projection.patient_terms as held using projection.patient_terms_of(old_data -> 'search') as gone
      where held.term = gone.term and held.kind = gone.kind and held.patient_id = id;
    end if;
    insert into projection.patient_terms (term, kind, patient_id)
    select term, kind, id from projection.patient_terms_of(found)
    on conflict do nothing;
  end if;
end
$$;

-- The condition that a patient has a term of a kind, or, of any kind, one that begins so.
create or replace function projection.has_term(term_kind text, term text, by_prefix boolean) returns text
language sql immutable as $$
  select ' and patient_id in (select t.patient_id from projection.patient_terms as t where '
    || case when by_prefix then format('t.term like %L)', projection.prefix(term))
            else format('t.term = %L and t.kind = %L)', term, term_kind) end;
$$;

create or replace function document.at(document_key text, document_version bigint) returns jsonb
language plpgsql stable as $$
declare
  found jsonb;
begin
  select convert_from(value, 'UTF8')::jsonb into found from state.state where key = document_key;
  if (found ->> 'version')::bigint is distinct from document_version then
    found := (select document from document.history where key = document_key and version = document_version);
  end if;
  return found;
end
$$;

create or replace function api.registration_check(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  own_id uuid := (p ->> 'id')::uuid;
  duplicates jsonb;
begin
  duplicates := coalesce((
    select jsonb_agg(jsonb_build_object('id', patient_id, 'identifier', null))
    from projection.patients where identity = p ->> 'identity' and patient_id <> own_id), '[]');
  -- Most people bring no identifier, and a plan for many costs more than all of this.
  for i in 0 .. jsonb_array_length(p -> 'identifiers') - 1 loop
    duplicates := duplicates || coalesce((
      select jsonb_agg(jsonb_build_object('id', patient_id, 'identifier', i))
      from projection.patient_identifiers
      where system = p #>> array['identifiers', i::text, '0'] and value = p #>> array['identifiers', i::text, '1']
        and patient_id <> own_id), '[]');
  end loop;
  return jsonb_build_object('own', document.at('patient/' || own_id, 1), 'duplicates', duplicates);
end
$$;
