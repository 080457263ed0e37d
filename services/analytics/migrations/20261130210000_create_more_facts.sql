-- Facts of everything that is told by events, and what each of them counts for. A fact is made of its one event, so that it
-- never depends on which other events have come. Each table is called as its kind is in a batch, and its columns are called as
-- the members of a fact in one.

drop function api.registrations(jsonb), api.rebuild_registrations(jsonb), api.ingest(jsonb), fact.count_registrations(text);
drop table fact.registrations, fact.time_zones;

alter table fact.patients rename column patient_id to id;
alter table fact.patients add column time_zone text;
alter table fact.accounts rename column account_id to id;

create table fact.appointments (
  id uuid not null constraint appointments_pkey primary key,
  version bigint not null constraint appointments_version_check check (version > 0),
  time_zone text not null,
  clinic_id uuid not null,
  practitioner_id uuid,
  service_id uuid not null,
  status text not null,
  created_at timestamptz not null,
  booked_at timestamptz,
  start_at timestamptz,
  end_at timestamptz,
  -- When the patient came, was seen and was done with.
  arrived_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  cancelled_late boolean not null,
  reschedules int not null,
  -- Whether the patient has waited for a time to become free.
  waited boolean not null
);

create table fact.encounters (
  id uuid not null constraint encounters_pkey primary key,
  version bigint not null constraint encounters_version_check check (version > 0),
  time_zone text not null,
  patient_id uuid not null,
  clinic_id uuid,
  practitioner_id uuid,
  walk_in boolean not null,
  finished boolean not null,
  started_at timestamptz not null,
  -- [{"code", "units"}]
  services jsonb not null
);
create index encounters_patient_idx on fact.encounters (patient_id, started_at) where finished;

create table fact.invoices (
  id uuid not null constraint invoices_pkey primary key,
  version bigint not null constraint invoices_version_check check (version > 0),
  time_zone text not null,
  clinic_id uuid,
  practitioner_id uuid,
  currency text not null,
  issued_at timestamptz,
  patient_open bigint not null,
  insurance_open bigint not null
);

create table fact.payments (
  id uuid not null constraint payments_pkey primary key,
  version bigint not null constraint payments_version_check check (version > 0),
  time_zone text not null,
  currency text not null,
  captured_at timestamptz,
  -- What was captured and not given back.
  amount bigint not null
);

create table fact.claims (
  id uuid not null constraint claims_pkey primary key,
  version bigint not null constraint claims_version_check check (version > 0),
  time_zone text not null,
  clinic_id uuid,
  practitioner_id uuid,
  payer_id uuid not null,
  currency text not null,
  submitted_at timestamptz,
  total bigint not null,
  allowed bigint not null,
  paid bigint not null,
  -- The first answer to it.
  answered_on date,
  denied boolean not null,
  first_pass boolean not null,
  billed bigint not null,
  denied_amount bigint not null
);

-- Acts of billing's journal, each told once and never changed.
create table fact.entries (
  id uuid not null constraint entries_pkey primary key,
  version bigint not null constraint entries_version_check check (version > 0),
  date date not null,
  currency text not null,
  -- [{"debit", "credit": account, "amount", "clinic_id"?, "practitioner_id"?, "payer_id"?, "services": [{"code", "amount"}]}]
  moves jsonb not null
);
