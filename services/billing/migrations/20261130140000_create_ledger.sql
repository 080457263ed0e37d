-- The journal, the balances that rules need, fee schedules, invoices, payments and their numbers.

-- A document as it is stored, for functions that answer documents; with the store's own tag, so that who was answered
-- may replace it.
create function document.stored(kind text, id uuid) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('id', id, 'etag', etag, 'document', convert_from(value, 'UTF8')::jsonb - 'events' - 'audit')
    from state.state where key = kind || '/' || id::text);
end
$$;

-- Typed table of `journal/<id>` documents, and their postings.
create table projection.journal (
  journal_id uuid not null primary key,
  act text not null,
  -- Nobody's where a payer pays for many.
  patient_id uuid,
  clinic_id uuid,
  currency text not null,
  date date not null,
  recorded_at timestamptz not null,
  user_id uuid,
  reverses uuid constraint journal_reverses_key unique
);
create index journal_patient_idx on projection.journal (patient_id, recorded_at);

create table projection.postings (
  journal_id uuid not null,
  place smallint not null,
  account text not null,
  -- Debits are above nothing, credits below.
  amount bigint not null constraint postings_amount_check check (amount <> 0),
  currency text not null,
  date date not null,
  recorded_at timestamptz not null,
  patient_id uuid,
  invoice_id uuid,
  payment_id uuid,
  claim_id uuid,
  payer_id uuid,
  service_code text,
  constraint postings_pkey primary key (journal_id, place)
);
create index postings_date_idx on projection.postings (date, account, currency) include (amount);
create index postings_recorded_idx on projection.postings (recorded_at, journal_id, place);
create index postings_patient_idx on projection.postings (patient_id, recorded_at, journal_id, place);
create index postings_invoice_idx on projection.postings (invoice_id, recorded_at, journal_id, place) where invoice_id is not null;
create index postings_payment_idx on projection.postings (payment_id, recorded_at, journal_id, place) where payment_id is not null;

-- Balances that a rule needs; all else is summed from the postings.
create table projection.account_balances (
  patient_id uuid not null,
  currency text not null,
  receivable bigint not null constraint account_receivable_check check (receivable >= 0),
  insurance bigint not null constraint account_insurance_check check (insurance >= 0),
  unapplied bigint not null constraint account_unapplied_check check (unapplied >= 0),
  constraint account_balances_pkey primary key (patient_id, currency)
);
create table projection.invoice_balances (
  invoice_id uuid not null primary key,
  patient_open bigint not null constraint invoice_patient_open_check check (patient_open >= 0),
  insurance_open bigint not null constraint invoice_insurance_open_check check (insurance_open >= 0)
);
create table projection.payment_balances (
  payment_id uuid not null primary key,
  captured bigint not null,
  refunded bigint not null constraint payment_refunded_check check (refunded <= captured),
  unapplied bigint not null constraint payment_unapplied_check check (unapplied >= 0)
);

-- The last closed day; no row before the first.
create table projection.closed (
  one boolean not null primary key default true constraint closed_one_check check (one),
  date date not null
);

-- Debits and credits of closed days.
create table projection.day_totals (
  date date not null,
  account text not null,
  currency text not null,
  debit bigint not null,
  credit bigint not null,
  constraint day_totals_pkey primary key (date, account, currency)
);

-- Who posts and who closes: many may post at a time, and who closes waits for them and has the books alone. A rebuild has
-- no other writer. Held until the transaction ends, so that what is read after it is all there.
create function projection.take_days(alone boolean) returns void
language plpgsql as $$
begin
  if current_setting('document.rebuilding', true) is distinct from 'on' then
    if alone then
      perform pg_advisory_xact_lock(hashtextextended('days', 0));
    else
      perform pg_advisory_xact_lock_shared(hashtextextended('days', 0));
    end if;
  end if;
end
$$;

-- A rebuild meets acts in the order in which they were inserted, which a close can be in the midst of: they are in order.
-- An act is written once and never again. The patient's own balance comes first, so that who moves money of one
-- patient waits for who does so already and nobody waits in a circle.
create function projection.project_journal(id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
  patient uuid := (data ->> 'patientId')::uuid;
  rebuilding boolean := current_setting('document.rebuilding', true) is not distinct from 'on';
  posted record;
begin
  if old_document is not null then
    raise exception 'journal entry violates check constraint "journal_append_only_check"'
      using errcode = 'check_violation', constraint = 'journal_append_only_check', schema = 'projection', table = 'journal';
  end if;
  perform projection.take_days(false);
  -- A rebuild meets acts in the order in which they were inserted, which a close can be in the midst of.
  if not rebuilding and (data ->> 'date')::date <= (select closed.date from projection.closed) then
    raise exception 'journal entry violates check constraint "journal_day_open_check"'
      using errcode = 'check_violation', constraint = 'journal_day_open_check', schema = 'projection', table = 'journal';
  end if;
  insert into projection.journal (journal_id, act, patient_id, clinic_id, currency, date, recorded_at, user_id, reverses)
  values (id, data ->> 'act', patient, (data ->> 'clinicId')::uuid, data ->> 'currency', (data ->> 'date')::date,
    (data ->> 'recordedAt')::timestamptz, (data ->> 'userId')::uuid, (data ->> 'reverses')::uuid);
  insert into projection.postings (journal_id, place, account, amount, currency, date, recorded_at, patient_id,
    invoice_id, payment_id, claim_id, payer_id, service_code)
  select id, place, posting ->> 'account', (posting ->> 'amount')::bigint, data ->> 'currency', (data ->> 'date')::date,
    (data ->> 'recordedAt')::timestamptz, patient, (posting ->> 'invoiceId')::uuid, (posting ->> 'paymentId')::uuid,
    (posting ->> 'claimId')::uuid, (posting ->> 'payerId')::uuid, posting ->> 'serviceCode'
  from jsonb_array_elements(data -> 'postings') with ordinality as item(posting, place);
  if (select coalesce(sum(amount), 0) from projection.postings where journal_id = id) <> 0 then
    raise exception 'journal entry violates check constraint "journal_balanced_check"'
      using errcode = 'check_violation', constraint = 'journal_balanced_check', schema = 'projection', table = 'journal';
  end if;

  if data ->> 'act' in ('claim-answered', 'claim-reversed') then
    update projection.remittance_claims set booked = true where journal_id = id;
  end if;
  if rebuilding then
    insert into projection.day_totals as held (date, account, currency, debit, credit)
    select date, account, currency, sum(greatest(amount, 0)), sum(greatest(-amount, 0))
    from projection.postings where journal_id = id and date <= (select closed.date from projection.closed)
    group by date, account, currency
    on conflict (date, account, currency) do update set debit = held.debit + excluded.debit,
      credit = held.credit + excluded.credit;
  end if;

  -- Each row is there before it is changed: what would be inserted instead has to pass the checks by itself.
  select coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as receivable,
    coalesce(sum(amount) filter (where account = 'insurance-receivable'), 0) as insurance,
    coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied
  into posted from projection.postings where journal_id = id;
  insert into projection.account_balances (patient_id, currency, receivable, insurance, unapplied)
  select patient, data ->> 'currency', 0, 0, 0 where patient is not null on conflict do nothing;
  update projection.account_balances set receivable = receivable + posted.receivable,
    insurance = insurance + posted.insurance, unapplied = unapplied + posted.unapplied
  where patient_id = patient and currency = data ->> 'currency';

  for posted in
    select invoice_id,
      coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as patient_open,
      coalesce(sum(amount) filter (where account = 'insurance-receivable'), 0) as insurance_open
    from projection.postings
    where journal_id = id and account in ('patient-receivable', 'insurance-receivable')
    group by invoice_id order by invoice_id
  loop
    insert into projection.invoice_balances (invoice_id, patient_open, insurance_open)
    values (posted.invoice_id, 0, 0) on conflict do nothing;
    update projection.invoice_balances set patient_open = patient_open + posted.patient_open,
      insurance_open = insurance_open + posted.insurance_open
    where invoice_id = posted.invoice_id;
  end loop;

  for posted in
    select payment_id,
      coalesce(sum(amount) filter (where account <> 'unapplied' and amount > 0), 0) as captured,
      coalesce(-sum(amount) filter (where account <> 'unapplied' and amount < 0), 0) as refunded,
      coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied
    from projection.postings
    where journal_id = id and payment_id is not null
    group by payment_id order by payment_id
  loop
    insert into projection.payment_balances (payment_id, captured, refunded, unapplied)
    values (posted.payment_id, 0, 0, 0) on conflict do nothing;
    update projection.payment_balances set captured = captured + posted.captured,
      refunded = refunded + posted.refunded, unapplied = unapplied + posted.unapplied
    where payment_id = posted.payment_id;
  end loop;
end
$$;

-- Typed table of `series/<id>` documents: from each, numbers are given without a gap.
create table projection.series (
  series_id uuid not null primary key,
  clinic_id uuid not null,
  kind text not null,
  last bigint not null
);
-- The numbers of invoices and credit notes.
create table projection.numbers (
  series_id uuid not null,
  place bigint not null,
  invoice_id uuid not null,
  constraint numbers_pkey primary key (series_id, place)
);
create index numbers_invoice_idx on projection.numbers (invoice_id);

-- Typed table of `invoice/<id>` documents.
create table projection.invoices (
  invoice_id uuid not null primary key,
  patient_id uuid not null,
  clinic_id uuid not null,
  encounter_id uuid constraint invoices_encounter_id_key unique,
  status text not null,
  currency text not null,
  review boolean not null,
  created_at timestamptz not null,
  issued_at timestamptz,
  due date,
  number text,
  -- As the document has it; checked against what was posted.
  patient_open bigint not null,
  insurance_open bigint not null
);
create index invoices_patient_idx on projection.invoices (patient_id, created_at, invoice_id);
create index invoices_created_idx on projection.invoices (created_at, invoice_id);
create index invoices_status_idx on projection.invoices (status, created_at, invoice_id);
create index invoices_open_idx on projection.invoices (patient_id) where patient_open > 0;
create index invoices_review_idx on projection.invoices (created_at, invoice_id) where review;

create function projection.project_invoice(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.invoices as held (invoice_id, patient_id, clinic_id, encounter_id, status, currency, review,
    created_at, issued_at, due, number, patient_open, insurance_open)
  values (id, (data ->> 'patientId')::uuid, (data ->> 'clinicId')::uuid, (data #>> '{source,encounterId}')::uuid,
    data ->> 'status', data ->> 'currency', jsonb_array_length(coalesce(data -> 'review', '[]')) > 0,
    (data ->> 'createdAt')::timestamptz, (data ->> 'issuedAt')::timestamptz, (data ->> 'due')::date,
    data #>> '{number,text}', (data #>> '{balance,patientOpen}')::bigint, (data #>> '{balance,insuranceOpen}')::bigint)
  on conflict (invoice_id) do update set status = excluded.status, review = excluded.review,
    issued_at = excluded.issued_at, due = excluded.due, number = excluded.number, patient_open = excluded.patient_open,
    insurance_open = excluded.insurance_open;
  insert into projection.numbers (series_id, place, invoice_id)
  select (number ->> 'seriesId')::uuid, (number ->> 'place')::bigint, id
  from (
    select data -> 'number' as number where data -> 'number' is not null
    union all
    select note -> 'number' from jsonb_array_elements(coalesce(data -> 'creditNotes', '[]')) as note
  ) as given
  where not exists (
    select from projection.numbers as held
    where held.series_id = (number ->> 'seriesId')::uuid and held.place = (number ->> 'place')::bigint
      and held.invoice_id = id);
end
$$;

-- Typed table of `payment/<id>` documents, and what each is used for.
create table projection.payments (
  payment_id uuid not null primary key,
  patient_id uuid not null,
  method text not null,
  status text not null,
  currency text not null,
  amount bigint not null,
  unapplied bigint not null,
  awaiting_approval boolean not null,
  recorded_at timestamptz not null,
  captured_at timestamptz
);
create index payments_patient_idx on projection.payments (patient_id, recorded_at, payment_id);
create index payments_recorded_idx on projection.payments (recorded_at, payment_id);
create index payments_awaiting_idx on projection.payments (recorded_at, payment_id) where awaiting_approval;
create table projection.allocations (
  payment_id uuid not null,
  invoice_id uuid not null,
  amount bigint not null constraint allocations_amount_check check (amount > 0),
  constraint allocations_pkey primary key (payment_id, invoice_id)
);
create index allocations_invoice_idx on projection.allocations (invoice_id);

create function projection.project_payment(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.payments as held (payment_id, patient_id, method, status, currency, amount, unapplied,
    awaiting_approval, recorded_at, captured_at)
  values (id, (data ->> 'patientId')::uuid, data ->> 'method', data ->> 'status', data ->> 'currency',
    (data ->> 'amount')::bigint, (data ->> 'unapplied')::bigint,
    coalesce(data -> 'refunds' @> '[{"status": "awaiting-approval"}]', false),
    (data ->> 'recordedAt')::timestamptz, (data ->> 'capturedAt')::timestamptz)
  on conflict (payment_id) do update set status = excluded.status, unapplied = excluded.unapplied,
    awaiting_approval = excluded.awaiting_approval, captured_at = excluded.captured_at;
  delete from projection.allocations where payment_id = id;
  insert into projection.allocations (payment_id, invoice_id, amount)
  select id, (used ->> 'invoiceId')::uuid, (used ->> 'amount')::bigint
  from jsonb_array_elements(coalesce(data -> 'allocations', '[]')) as used;
end
$$;

-- Typed table of `fee-schedule/<id>` documents, and their fees.
create table projection.fee_schedules (
  fee_schedule_id uuid not null primary key,
  name text not null,
  payer_id uuid,
  effective_from date not null,
  effective_to date,
  currency text not null,
  created_at timestamptz not null
);
create index fee_schedules_created_idx on projection.fee_schedules (created_at, fee_schedule_id);
create table projection.fees (
  fee_schedule_id uuid not null,
  system text not null,
  code text not null,
  -- Empty for every modifier that has no fee of its own.
  modifier text not null,
  fee jsonb not null,
  constraint fees_pkey primary key (fee_schedule_id, system, code, modifier)
);
create index fees_code_idx on projection.fees (system, code);

create function projection.project_fee_schedule(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.fee_schedules (fee_schedule_id, name, payer_id, effective_from, effective_to, currency, created_at)
  values (id, data ->> 'name', (data ->> 'payerId')::uuid, (data ->> 'effectiveFrom')::date,
    (data ->> 'effectiveTo')::date, data ->> 'currency', (data ->> 'createdAt')::timestamptz)
  on conflict (fee_schedule_id) do update set name = excluded.name, payer_id = excluded.payer_id,
    effective_from = excluded.effective_from, effective_to = excluded.effective_to;
  delete from projection.fees where fee_schedule_id = id;
  insert into projection.fees (fee_schedule_id, system, code, modifier, fee)
  select id, fee ->> 'system', fee ->> 'code', coalesce(fee ->> 'modifier', ''), fee
  from jsonb_array_elements(data -> 'fees') as fee;
end
$$;

-- Some of these are created by what comes after.
create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'account' then
      perform projection.project_account(id::uuid, new_document -> 'data');
    when 'journal' then
      perform projection.project_journal(id::uuid, old_document, new_document);
    when 'invoice' then
      perform projection.project_invoice(id::uuid, new_document);
    when 'payment' then
      perform projection.project_payment(id::uuid, new_document);
    when 'series' then
      insert into projection.series (series_id, clinic_id, kind, last)
      values (id::uuid, (new_document #>> '{data,clinicId}')::uuid, new_document #>> '{data,kind}',
        (new_document #>> '{data,last}')::bigint)
      on conflict (series_id) do update set last = excluded.last;
    when 'day' then
      perform projection.project_day(id::uuid, old_document, new_document);
    when 'fee-schedule' then
      perform projection.project_fee_schedule(id::uuid, new_document);
    when 'payer' then
      perform projection.project_payer(id::uuid, new_document);
    when 'coverage' then
      perform projection.project_coverage(id::uuid, new_document);
    when 'accumulators' then
      perform projection.project_accumulators(id::uuid, new_document);
    when 'claim' then
      perform projection.project_claim(id::uuid, new_document);
    when 'remittance' then
      perform projection.project_remittance(id::uuid, old_document, new_document);
    when 'invoice-recipient', 'claim-patient', 'eligibility' then
      -- Read by their keys alone.
      null;
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
end
$$;
