-- What the service asks of its books.

-- What services cost: {"asked": [{"system", "code", "modifiers", "payerId"?, "date"}]} answers a fee or null for each, in
-- order. A payer's own schedule goes before everybody's, a fee for a modifier before one without, a later day before
-- an earlier one. With "payersOwn" no other schedule counts.
create function api.fees(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg((
      select fee.fee || jsonb_build_object('currency', schedule.currency)
      from projection.fees as fee
      join projection.fee_schedules as schedule using (fee_schedule_id)
      where fee.system = one ->> 'system' and fee.code = one ->> 'code'
        and (fee.modifier = '' or coalesce(one -> 'modifiers', '[]') ? fee.modifier)
        and (schedule.payer_id = (one ->> 'payerId')::uuid
          or schedule.payer_id is null and not coalesce((p ->> 'payersOwn')::boolean, false))
        and schedule.effective_from <= (one ->> 'date')::date
        and coalesce(schedule.effective_to, 'infinity') >= (one ->> 'date')::date
      order by schedule.payer_id is null, fee.modifier = '', schedule.effective_from desc, schedule.created_at desc,
        fee_schedule_id desc, fee.modifier
      limit 1) order by place), '[]')
    from jsonb_array_elements(p -> 'asked') with ordinality as item(one, place));
end
$$;

-- A page of fee schedules without their fees, newest first: {"after"?: {"at", "id"}, "limit"}.
create function api.fee_schedule_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(item order by created_at desc, fee_schedule_id desc), '[]') from (
      select created_at, fee_schedule_id,
        document.stored('fee-schedule', fee_schedule_id) #- '{document,data,fees}' as item
      from projection.fee_schedules
      where not p ? 'after' or (created_at, fee_schedule_id) < ((p #>> '{after,at}')::timestamptz, (p #>> '{after,id}')::uuid)
      order by created_at desc, fee_schedule_id desc limit (p ->> 'limit')::int) as page);
end
$$;

-- A version of a document, the present or an earlier one; null where there is none: {"kind", "id", "version"}.
create function api.document_version(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  own_key text := (p ->> 'kind') || '/' || (p ->> 'id');
  present jsonb := document.stored(p ->> 'kind', (p ->> 'id')::uuid);
begin
  if present #>> '{document,version}' = p ->> 'version' then
    return present;
  end if;
  return coalesce((
    select jsonb_build_object('id', p ->> 'id', 'etag', '', 'document', history.document - 'events')
    from document.history where key = own_key and version = (p ->> 'version')::bigint), 'null');
end
$$;

-- A page of invoices, newest first: {"patientId"?, "status"?, "review"?, "after"?: {"at", "id"}, "limit"}. Planned anew at
-- each call, since which index serves depends on what is asked.
create function api.invoice_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ? 'patientId' then 'patient_id = ($1 ->> ''patientId'')::uuid' end,
    case when p ? 'status' then 'status = $1 ->> ''status''' end,
    case when p ? 'review' then 'review' end,
    case when p ? 'after' then
      '(created_at, invoice_id) < (($1 #>> ''{after,at}'')::timestamptz, ($1 #>> ''{after,id}'')::uuid)' end);
  items jsonb;
begin
  execute format($sql$
    select coalesce(jsonb_agg(document.stored('invoice', invoice_id) order by created_at desc, invoice_id desc), '[]')
    from (select created_at, invoice_id from projection.invoices where %s
      order by created_at desc, invoice_id desc limit ($1 ->> 'limit')::int) as page
  $sql$, wanted) using p into items;
  return items;
end
$$;

-- A page of payments, newest first: {"patientId"?, "awaitingApproval"?, "after"?: {"at", "id"}, "limit"}.
create function api.payment_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ? 'patientId' then 'patient_id = ($1 ->> ''patientId'')::uuid' end,
    case when p ? 'awaitingApproval' then 'awaiting_approval' end,
    case when p ? 'after' then
      '(recorded_at, payment_id) < (($1 #>> ''{after,at}'')::timestamptz, ($1 #>> ''{after,id}'')::uuid)' end);
  items jsonb;
begin
  execute format($sql$
    select coalesce(jsonb_agg(document.stored('payment', payment_id) order by recorded_at desc, payment_id desc), '[]')
    from (select recorded_at, payment_id from projection.payments where %s
      order by recorded_at desc, payment_id desc limit ($1 ->> 'limit')::int) as page
  $sql$, wanted) using p into items;
  return items;
end
$$;

-- What is open and what is not used on a patient's account, by currency: {"patientId"}.
create function api.account_balances(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'receivable', receivable,
      'insurance', insurance, 'unapplied', unapplied) order by currency), '[]')
    from projection.account_balances where patient_id = (p ->> 'patientId')::uuid);
end
$$;
