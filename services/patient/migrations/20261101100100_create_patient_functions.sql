-- A version of a document, current or replaced.
create function document.at(document_key text, document_version bigint) returns jsonb
language sql stable as $$
  select convert_from(value, 'UTF8')::jsonb from state.state
  where key = document_key and (convert_from(value, 'UTF8')::jsonb ->> 'version')::bigint = document_version
  union all
  select document from document.history where key = document_key and version = document_version
  limit 1;
$$;

-- What to know before somebody is registered: {"id", "identity", "identifiers": [[system, value]]}.
-- `own` is what the same request made before, and a patient is no duplicate of themselves.
create function api.registration_check(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select jsonb_build_object(
    'own', document.at('patient/' || (p ->> 'id'), 1),
    'duplicates', coalesce((
      select jsonb_agg(jsonb_build_object('id', patient_id, 'identifier', identifier))
      from (
        select patient_id, null::int as identifier from projection.patients where identity = p ->> 'identity'
        union all
        select held.patient_id, (asked.position - 1)::int
        from jsonb_array_elements(p -> 'identifiers') with ordinality as asked (pair, position)
        join projection.patient_identifiers as held
          on held.system = asked.pair ->> 0 and held.value = asked.pair ->> 1
      ) as found
      where patient_id <> (p ->> 'id')::uuid
    ), '[]'));
$$;

-- One version of one patient: {"id", "version"}.
create function api.patient_at(p jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select document.at('patient/' || (p ->> 'id'), (p ->> 'version')::bigint);
$$;

-- A page of patients in the order of their names: {"words": [..]?, "family"?, "given"?, "birthDate"?, "phone"?,
-- "email"?, "identifier": {"system"?, "value"}?, "after"?, "limit"}; names, words and birth dates match by prefix.
-- The cursor is a patient's id, since a name must not stand in an address.
create function api.patient_search(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted int := (p ->> 'limit')::int;
  conditions text := '';
  page jsonb;
begin
  -- Each filter stands alone, so that the planner sees a plain prefix and not a parameter that may be null.
  if p ? 'family' then
    conditions := conditions || format(' and family like %L', projection.prefix(p ->> 'family'));
  end if;
  if p ? 'given' then
    conditions := conditions || format(' and given like %L', projection.prefix(p ->> 'given'));
  end if;
  if p ? 'birthDate' then
    conditions := conditions || format(' and birth_date like %L', projection.prefix(p ->> 'birthDate'));
  end if;
  if p ? 'phone' then
    conditions := conditions || projection.has_term('phone', p ->> 'phone', false);
  end if;
  if p ? 'email' then
    conditions := conditions || projection.has_term('email', p ->> 'email', false);
  end if;
  if p ? 'identifier' then
    conditions := conditions || format(
      ' and exists (select from projection.patient_identifiers as i where i.patient_id = found.patient_id and i.value = %L',
      p #>> '{identifier,value}');
    if p -> 'identifier' ? 'system' then
      conditions := conditions || format(' and i.system = %L', p #>> '{identifier,system}');
    end if;
    conditions := conditions || ')';
  end if;
  select conditions || coalesce(string_agg(projection.has_term('word', word, true), ''), '') into conditions
  from jsonb_array_elements_text(coalesce(p -> 'words', '[]')) as word;
  if p ? 'after' then
    conditions := conditions || format(
      ' and (family, given, patient_id) > (select family, given, patient_id from projection.patients where patient_id = %L)',
      p ->> 'after');
  end if;

  execute 'select coalesce(jsonb_agg(jsonb_build_array(patient_id, convert_from(value, ''UTF8'')::jsonb)
                             order by family, given, patient_id), ''[]'')
           from (select patient_id, family, given from projection.patients as found where true' || conditions ||
         ' order by family, given, patient_id limit $1) as page
           join state.state on key = ''patient/'' || patient_id'
  into page using wanted + 1;

  if jsonb_array_length(page) > wanted then
    page := page - wanted;
    return jsonb_build_object('patients', page, 'next', page -> (wanted - 1) -> 0);
  end if;
  return jsonb_build_object('patients', page);
end
$$;

-- The LIKE pattern of a prefix.
create function projection.prefix(term text) returns text
language sql immutable as $$
  select replace(replace(replace(term, '\', '\\'), '%', '\%'), '_', '\_') || '%';
$$;

-- The condition that a patient has a term, or one that begins so.
create function projection.has_term(term_kind text, term text, by_prefix boolean) returns text
language sql immutable as $$
  select format(' and patient_id in (select t.patient_id from projection.patient_terms as t where t.kind = %L and t.term ', term_kind)
    || case when by_prefix then format('like %L)', projection.prefix(term)) else format('= %L)', term) end;
$$;
