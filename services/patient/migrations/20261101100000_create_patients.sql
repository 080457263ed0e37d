-- Typed tables of `patient/<id>` documents. Names are kept folded; the document holds them as they were given.

create table projection.patients (
  patient_id uuid not null primary key,
  mrn text not null constraint patients_mrn_key unique,
  active boolean not null,
  -- "C", so that a prefix search and the order of a page are one index.
  family text collate "C" not null,
  given text collate "C" not null,
  birth_date text collate "C",
  gender text,
  -- Family + first given + birth date + sex, null when any is unknown: one person has one record.
  identity text constraint patients_identity_key unique,
  registered_at timestamptz not null
);
create index patients_name_idx on projection.patients (family, given, patient_id);
create index patients_given_idx on projection.patients (given, family, patient_id);
create index patients_birth_date_idx on projection.patients (birth_date, family, given, patient_id);

create table projection.patient_identifiers (
  patient_id uuid not null,
  system text not null,
  value text not null,
  constraint patient_identifiers_system_value_key unique (system, value)
);
create index patient_identifiers_patient_id_idx on projection.patient_identifiers (patient_id);
create index patient_identifiers_value_idx on projection.patient_identifiers (value);

-- Whatever else a patient is found by: kind is phone, email or word.
create table projection.patient_terms (
  kind text not null,
  term text collate "C" not null,
  patient_id uuid not null,
  primary key (kind, term, patient_id)
);
create index patient_terms_patient_id_idx on projection.patient_terms (patient_id);

create function projection.project_patient(id uuid, old_data jsonb, new_data jsonb) returns void
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
    delete from projection.patient_terms where patient_id = id;
    insert into projection.patient_terms (kind, term, patient_id)
    select 'phone', term, id from jsonb_array_elements_text(found -> 'phone') as term
    union select 'email', term, id from jsonb_array_elements_text(found -> 'email') as term
    union select 'word', term, id from jsonb_array_elements_text(found -> 'words') as term;
  end if;
end
$$;

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'patient' then
      perform projection.project_patient(id::uuid, old_document -> 'data', new_document -> 'data');
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;
