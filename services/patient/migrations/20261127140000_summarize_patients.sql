-- What is known of a patient on one page.

-- The newest of a patient's records of a kind that are active: the first `wanted`, and whether there are more.
create function projection.active_records(patient uuid, of_kind text, wanted int) returns jsonb
language plpgsql stable as $$
declare
  items jsonb := coalesce((
    select jsonb_agg(projection.told_record(state.value, record_id) order by happened desc, record_id desc)
    from (select record_id, happened from projection.records
          where patient_id = patient and kind = of_kind and status = 'active'
          order by happened desc, record_id desc limit wanted + 1) as found
    join state.state on key = of_kind || '/' || record_id), '[]');
begin
  if jsonb_array_length(items) > wanted then
    return jsonb_build_object('items', items - wanted, 'more', true);
  end if;
  return jsonb_build_object('items', items, 'more', false);
end
$$;

-- A record as the summary tells it: what it says, by which id and in which version.
create function projection.told_record(value bytea, record_id uuid) returns jsonb
language plpgsql immutable as $$
declare
  document jsonb := convert_from(value, 'UTF8')::jsonb;
begin
  return (document #> '{data,resource}')
    || jsonb_build_object('id', record_id, 'version', document -> 'version');
end
$$;

-- Of each of these codes the patient's newest observation that was not entered in error.
create function projection.newest_observations(patient uuid, codes jsonb) returns jsonb
language plpgsql stable as $$
declare
  wanted text;
  found uuid;
  seen uuid[] := '{}';
  items jsonb := '[]';
begin
  for wanted in select jsonb_array_elements_text(codes) loop
    found := (
      select term.record_id from projection.record_terms as term
      join projection.records as held on held.kind = term.kind and held.record_id = term.record_id
      where term.patient_id = patient and term.kind = 'observation' and term.name = 'code' and term.code = wanted
        and term.system = 'http://loinc.org' and held.status <> 'entered-in-error'
      order by term.happened desc, term.record_id desc limit 1);
    -- One observation may have two of these codes.
    if found is not null and found <> all (seen) then
      seen := seen || found;
      items := items || (select projection.told_record(value, found) from state.state where key = 'observation/' || found);
    end if;
  end loop;
  return jsonb_build_object('items', items, 'more', false);
end
$$;

-- {"patientId", "sections": ["problems", "allergies", "medications", "vitalSigns", "nextAppointment"], "codes": the
-- vital signs, "now", "limit"}: what is not asked for is not looked at. `known` says whether there is such a patient.
create function api.patient_summary(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  patient uuid := (p ->> 'patientId')::uuid;
  wanted int := (p ->> 'limit')::int;
  told jsonb := jsonb_build_object('known', exists (select from projection.patients where patient_id = patient));
begin
  if p -> 'sections' ? 'problems' then
    told := told || jsonb_build_object('problems', projection.active_records(patient, 'condition', wanted));
  end if;
  if p -> 'sections' ? 'allergies' then
    told := told || jsonb_build_object('allergies', projection.active_records(patient, 'allergy-intolerance', wanted));
  end if;
  if p -> 'sections' ? 'medications' then
    told := told || jsonb_build_object('medications', projection.active_records(patient, 'medication-request', wanted));
  end if;
  if p -> 'sections' ? 'vitalSigns' then
    told := told || jsonb_build_object('vitalSigns', projection.newest_observations(patient, p -> 'codes'));
  end if;
  if p -> 'sections' ? 'nextAppointment' then
    told := told || jsonb_build_object('nextAppointment', (
      select jsonb_strip_nulls(jsonb_build_object('id', appointment_id, 'status', status, 'start', starts, 'end', ends,
        'clinicId', clinic_id, 'serviceId', service_id, 'practitionerId', practitioner_id, 'roomId', room_id))
      from projection.appointments
      where patient_id = patient and starts >= (p ->> 'now')::timestamptz
        and status in ('pending', 'booked', 'arrived', 'checked-in')
      order by starts, appointment_id limit 1));
  end if;
  return told;
end
$$;
