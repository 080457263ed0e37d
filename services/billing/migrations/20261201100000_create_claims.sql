-- Claims, what payers answer to them, and what members have used of their plans.

-- Typed table of `claim/<id>` documents.
create table projection.claims (
  claim_id uuid not null primary key,
  patient_id uuid not null,
  invoice_id uuid not null,
  coverage_id uuid not null,
  payer_id uuid not null,
  status text not null,
  frequency text not null,
  prior_id uuid,
  -- Whether it is the claim that stands for its invoice and payer.
  live boolean not null,
  currency text not null,
  total bigint not null,
  -- As the document has it; checked against what was posted.
  expected bigint not null,
  rejections int not null,
  created_at timestamptz not null,
  submitted_at timestamptz,
  -- Submitted, and not taken by the clearing house yet.
  unsent boolean not null,
  -- From when on its deadline is told, and the deadline.
  alert date,
  due date
);
create unique index claims_live_key on projection.claims (invoice_id, payer_id) where live;
create index claims_invoice_idx on projection.claims (invoice_id);
create index claims_patient_idx on projection.claims (patient_id, created_at, claim_id);
create index claims_payer_idx on projection.claims (payer_id, created_at, claim_id);
create index claims_created_idx on projection.claims (created_at, claim_id);
create index claims_unsent_idx on projection.claims (submitted_at) where unsent;
create index claims_alert_idx on projection.claims (due, claim_id) include (alert) where alert is not null;

-- The answers that payers gave to claims, also those that they took back.
create table projection.claim_answers (
  journal_id uuid not null primary key,
  claim_id uuid not null,
  payer_id uuid not null,
  date date not null,
  outcome text not null,
  -- Whether it is the first to a claim that was never sent back, and denies nothing.
  first_pass boolean not null,
  -- Whether it is the first to this claim.
  first boolean not null,
  currency text not null,
  billed bigint not null,
  paid bigint not null
);
create index claim_answers_date_idx on projection.claim_answers (date, journal_id);
create index claim_answers_claim_idx on projection.claim_answers (claim_id);

create function projection.project_claim(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  insert into projection.claims as held (claim_id, patient_id, invoice_id, coverage_id, payer_id, status, frequency,
    prior_id, live, currency, total, expected, rejections, created_at, submitted_at, unsent, alert, due)
  values (id, (data ->> 'patientId')::uuid, (data ->> 'invoiceId')::uuid, (data ->> 'coverageId')::uuid,
    (data ->> 'payerId')::uuid, data ->> 'status', data ->> 'frequency', (data #>> '{prior,claimId}')::uuid,
    (data ->> 'live')::boolean, data ->> 'currency',
    (select coalesce(sum((line ->> 'charge')::bigint), 0) from jsonb_array_elements(data -> 'lines') as line),
    (data ->> 'expected')::bigint, (data ->> 'rejections')::int, (data ->> 'created')::timestamptz,
    (data ->> 'submittedAt')::timestamptz, data ->> 'status' = 'submitted' and not data ? 'sentAt',
    (data #>> '{deadline,alert}')::date, (data #>> '{deadline,due}')::date)
  on conflict (claim_id) do update set status = excluded.status, live = excluded.live, total = excluded.total,
    expected = excluded.expected, rejections = excluded.rejections, submitted_at = excluded.submitted_at,
    unsent = excluded.unsent, alert = excluded.alert, due = excluded.due;
  insert into projection.claim_answers (journal_id, claim_id, payer_id, date, outcome, first_pass, first, currency,
    billed, paid)
  select (answer ->> 'journalId')::uuid, id, (data ->> 'payerId')::uuid, (answer ->> 'date')::date, answer ->> 'outcome',
    (answer ->> 'firstPass')::boolean, (answer ->> 'first')::boolean, data ->> 'currency', (answer ->> 'billed')::bigint,
    (answer ->> 'paid')::bigint
  from jsonb_array_elements(coalesce(data -> 'answers', '[]')) as answer
  on conflict (journal_id) do nothing;
end
$$;

-- Typed table of `accumulators/<coverage's id>` documents: what the member has used in each plan year, by its first day.
create table projection.accumulators (
  coverage_id uuid not null,
  plan_year date not null,
  deductible bigint not null constraint accumulators_deductible_check check (deductible >= 0),
  out_of_pocket bigint not null constraint accumulators_out_of_pocket_check check (out_of_pocket >= 0),
  constraint accumulators_pkey primary key (coverage_id, plan_year)
);

create function projection.project_accumulators(id uuid, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  delete from projection.accumulators where coverage_id = id;
  insert into projection.accumulators (coverage_id, plan_year, deductible, out_of_pocket)
  select id, year::date, sum((used ->> 'deductible')::bigint), sum((used ->> 'outOfPocket')::bigint)
  from (
    select year, used from jsonb_each(data -> 'opening') as opening(year, used)
    union all
    select year, used from jsonb_each(data -> 'claims') as counted(claim, years)
      cross join lateral jsonb_each(years) as each(year, used)) as parts
  group by year;
end
$$;

-- Typed tables of `remittance/<id>` documents, and of what they have for each claim. An entry is booked when its act is in the
-- journal; until then it waits.
create table projection.remittances (
  remittance_id uuid not null primary key,
  payer_id uuid not null,
  currency text not null,
  payment bigint not null,
  received_at timestamptz not null
);
create index remittances_received_idx on projection.remittances (received_at, remittance_id);
create table projection.remittance_claims (
  remittance_id uuid not null,
  place int not null,
  claim_id uuid not null,
  paid bigint not null,
  journal_id uuid not null constraint remittance_claims_journal_key unique,
  -- Set by the act; it would be too much to look for acts that are missing, every few seconds.
  booked boolean not null,
  constraint remittance_claims_pkey primary key (remittance_id, place)
);
create index remittance_claims_claim_idx on projection.remittance_claims (claim_id);
create index remittance_claims_waiting_idx on projection.remittance_claims (remittance_id) where not booked;

create function projection.project_remittance(id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
begin
  if old_document is not null then
    raise exception 'remittance violates check constraint "remittances_append_only_check"'
      using errcode = 'check_violation', constraint = 'remittances_append_only_check', schema = 'projection',
        table = 'remittances';
  end if;
  insert into projection.remittances (remittance_id, payer_id, currency, payment, received_at)
  values (id, (data ->> 'payerId')::uuid, data ->> 'currency', (data ->> 'payment')::bigint,
    (data ->> 'receivedAt')::timestamptz);
  -- A rebuild may meet the acts first.
  insert into projection.remittance_claims (remittance_id, place, claim_id, paid, journal_id, booked)
  select id, place - 1, (claim ->> 'claimId')::uuid, (claim ->> 'paid')::bigint, (journal #>> '{}')::uuid,
    exists (select from projection.journal as act where act.journal_id = (journal #>> '{}')::uuid)
  from jsonb_array_elements(data -> 'claims') with ordinality as item(claim, place)
  join jsonb_array_elements(data -> 'journalIds') with ordinality as act(journal, place) using (place);
end
$$;
