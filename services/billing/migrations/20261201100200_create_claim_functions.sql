-- What the service asks of claims and remittances.

-- The documents that an act can touch: {"patientId", "open", "invoices", "directed", "payments", "acts", "claims", "coverages",
-- "allClaims"}. Of the patient's, those that are named; with "open" the invoices that are open; what named payments are used
-- for, and what pays named invoices. Of the acts those that were done. With claims come their invoices, what pays those, the
-- other claims of them, and coverages and payers; with "allClaims" every claim of the patient.
create function api.patient_books(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  patient uuid := (p ->> 'patientId')::uuid;
  named_claims uuid[] := array(select jsonb_array_elements_text(p -> 'claims')::uuid);
  named_coverages uuid[] := array(select jsonb_array_elements_text(p -> 'coverages')::uuid);
  named_invoices uuid[] := array(
    select jsonb_array_elements_text(p -> 'invoices')::uuid
    union
    select invoice_id from projection.claims where claim_id = any (named_claims) and patient_id = patient);
  directed uuid[] := array(select jsonb_array_elements_text(p -> 'directed')::uuid);
  named_payments uuid[] := array(select jsonb_array_elements_text(p -> 'payments')::uuid);
  wanted_invoices uuid[];
  wanted_payments uuid[];
  wanted_claims uuid[] := '{}';
  wanted_coverages uuid[] := '{}';
begin
  wanted_invoices := array(
    select invoice_id from projection.invoices where patient_id = patient and invoice_id = any (named_invoices || directed)
    union
    select invoice_id from projection.invoices
    where patient_id = patient and patient_open > 0 and (p ->> 'open')::boolean
    union
    select used.invoice_id from projection.allocations as used where used.payment_id = any (named_payments));
  wanted_payments := array(
    select payment_id from projection.payments where patient_id = patient and payment_id = any (named_payments)
    union
    select used.payment_id from projection.allocations as used where used.invoice_id = any (named_invoices));
  if cardinality(named_claims) > 0 then
    wanted_claims := array(
      select claim_id from projection.claims
      where patient_id = patient and (invoice_id = any (named_invoices) or (p ->> 'allClaims')::boolean));
    wanted_coverages := array(
      select coverage_id from projection.claims where claim_id = any (wanted_claims)
      union
      select coverage_id from projection.coverages where patient_id = patient and coverage_id = any (named_coverages));
  end if;
  return jsonb_build_object(
    'hasAccount', exists (select from projection.accounts where patient_id = patient),
    'invoices', (select coalesce(jsonb_agg(document.stored('invoice', id)), '[]') from unnest(wanted_invoices) as id),
    'payments', (select coalesce(jsonb_agg(document.stored('payment', id)), '[]') from unnest(wanted_payments) as id),
    'claims', (select coalesce(jsonb_agg(document.stored('claim', id)), '[]') from unnest(wanted_claims) as id),
    'coverages', (select coalesce(jsonb_agg(document.stored('coverage', id)), '[]') from unnest(wanted_coverages) as id),
    'accumulators', (
      select coalesce(jsonb_agg(used) filter (where used is not null), '[]')
      from unnest(wanted_coverages) as id cross join lateral document.stored('accumulators', id) as used),
    'payers', (
      select coalesce(jsonb_agg(document.stored('payer', payer_id)), '[]')
      from (select distinct payer_id from projection.coverages where coverage_id = any (wanted_coverages)) as asked),
    'acts', (
      select coalesce(jsonb_agg(document.stored('journal', act.journal_id)), '[]')
      from projection.journal as act
      where act.journal_id = any (array(select jsonb_array_elements_text(p -> 'acts')::uuid))));
end
$$;

-- A page of claims, newest first: {"patientId"?, "invoiceId"?, "payerId"?, "status"?, "after"?: {"at", "id"}, "limit"}; with "due",
-- a day, those whose deadline is told on it, in the order of the deadlines, and "afterDue"?: {"due", "id"}.
create function api.claim_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ? 'patientId' then 'patient_id = ($1 ->> ''patientId'')::uuid' end,
    case when p ? 'invoiceId' then 'invoice_id = ($1 ->> ''invoiceId'')::uuid' end,
    case when p ? 'payerId' then 'payer_id = ($1 ->> ''payerId'')::uuid' end,
    case when p ? 'status' then 'status = $1 ->> ''status''' end,
    case when p ? 'due' then 'alert <= ($1 ->> ''due'')::date' end,
    case when p ? 'afterDue' then
      '(due, claim_id) > (($1 #>> ''{afterDue,due}'')::date, ($1 #>> ''{afterDue,id}'')::uuid)' end,
    case when p ? 'after' then
      '(created_at, claim_id) < (($1 #>> ''{after,at}'')::timestamptz, ($1 #>> ''{after,id}'')::uuid)' end);
  sorted text := case when p ? 'due' then 'due, claim_id' else 'created_at desc, claim_id desc' end;
  items jsonb;
begin
  execute format($sql$
    select coalesce(jsonb_agg(document.stored('claim', claim_id) order by %2$s), '[]')
    from (select due, created_at, claim_id from projection.claims where %1$s
      order by %2$s limit ($1 ->> 'limit')::int) as page
  $sql$, wanted, sorted) using p into items;
  return items;
end
$$;

-- How payers decided first about claims, by the days of the books: {"from", "to", "payerId"?}.
create function api.claim_answer_counts(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select jsonb_build_object('answered', count(*), 'denied', count(*) filter (where outcome = 'denied'),
      'partiallyDenied', count(*) filter (where outcome = 'partially-paid'), 'firstPass', count(*) filter (where first_pass))
    from projection.claim_answers
    where first and date between (p ->> 'from')::date and (p ->> 'to')::date
      and (not p ? 'payerId' or payer_id = (p ->> 'payerId')::uuid));
end
$$;

-- A page of the answers behind them: {"from", "to", "payerId"?, "outcome"?, "after"?: {"date", "id"}, "limit"}.
create function api.claim_answer_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('journalId', journal_id, 'date', date, 'claimId', claim_id,
      'payerId', payer_id, 'outcome', outcome, 'firstPass', first_pass, 'currency', currency, 'billed', billed, 'paid', paid)
      order by date, journal_id), '[]')
    from (
      select * from projection.claim_answers
      where first and date between (p ->> 'from')::date and (p ->> 'to')::date
        and (not p ? 'payerId' or payer_id = (p ->> 'payerId')::uuid)
        and (not p ? 'outcome' or outcome = p ->> 'outcome')
        and (not p ? 'after' or (date, journal_id) > ((p #>> '{after,date}')::date, (p #>> '{after,id}')::uuid))
      order by date, journal_id limit (p ->> 'limit')::int) as page);
end
$$;

-- A remittance with the places of what is booked of it, and whose claims it names.
create function projection.found_remittance(id uuid) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'remittance', document.stored('remittance', id),
    'booked', (
      select coalesce(jsonb_agg(entry.place), '[]') from projection.remittance_claims as entry
      where entry.remittance_id = id and booked),
    'patients', (
      select coalesce(jsonb_agg(claim.patient_id order by entry.place), '[]')
      from projection.remittance_claims as entry left join projection.claims as claim using (claim_id)
      where entry.remittance_id = id));
end
$$;

-- A remittance, or null: {"id"}.
create function api.remittance(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((
    select projection.found_remittance(remittance_id) from projection.remittances
    where remittance_id = (p ->> 'id')::uuid), 'null');
end
$$;

-- A page of remittances, newest first: {"payerId"?, "waiting"?, "after"?: {"at", "id"}, "limit"}.
create function api.remittance_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(projection.found_remittance(remittance_id) order by received_at desc, remittance_id desc), '[]')
    from (
      select received_at, remittance_id from projection.remittances as held
      where (not p ? 'payerId' or payer_id = (p ->> 'payerId')::uuid)
        and (not coalesce((p ->> 'waiting')::boolean, false) or exists (
          select from projection.remittance_claims as entry
          where entry.remittance_id = held.remittance_id and not booked))
        and (not p ? 'after'
          or (received_at, remittance_id) < ((p #>> '{after,at}')::timestamptz, (p #>> '{after,id}')::uuid))
      order by received_at desc, remittance_id desc limit (p ->> 'limit')::int) as page);
end
$$;

-- What was left in the midst before a moment: {"before", "today", "limit"} answers {"unsent": [{"claimId", "patientId"}], "waiting":
-- [remittance], "unsentCount", "waitingCount", "dueCount": claims whose deadline is told on the day}; at most `limit` of each, in no
-- order, so that what never succeeds keeps nothing from its turn.
create function api.claims_left_over(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  before timestamptz := (p ->> 'before')::timestamptz;
  waiting uuid[] := array(
    select distinct remittance_id from projection.remittance_claims join projection.remittances using (remittance_id)
    where not booked and received_at < before);
begin
  return jsonb_build_object(
    'unsent', (
      select coalesce(jsonb_agg(jsonb_build_object('claimId', claim_id, 'patientId', patient_id)), '[]')
      from (select claim_id, patient_id from projection.claims where unsent and submitted_at < before
        order by random() limit (p ->> 'limit')::int) as page),
    'waiting', (
      select coalesce(jsonb_agg(id), '[]')
      from (select id from unnest(waiting) as id order by random() limit (p ->> 'limit')::int) as page),
    'unsentCount', (select count(*) from projection.claims where unsent and submitted_at < before),
    'waitingCount', cardinality(waiting),
    'dueCount', (select count(*) from projection.claims where alert <= (p ->> 'today')::date));
end
$$;
