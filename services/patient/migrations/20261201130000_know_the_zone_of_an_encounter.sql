-- As before, and of a record that is made at a clinic the clinic's zone: {.., "clinicId"?} answers {.., "timeZone"}, null where the
-- clinic is not known.
create or replace function api.record_check(p jsonb) returns jsonb
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
    'missing', missing,
    'timeZone', case when p ->> 'clinicId' is not null then document.current('clinic', p ->> 'clinicId') #> '{data,timeZone}' end);
end
$$;
