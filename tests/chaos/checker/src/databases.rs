//! What the databases hold, read at once into memory.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::{
    books::Books,
    figures,
    insurance::{self, Insurance},
};

/// Every version of every document of a service, by kind and id; the highest is the current one.
pub(crate) type Documents = BTreeMap<String, BTreeMap<i64, Value>>;

/// Rows of a table as JSON objects.
pub(crate) type Rows = Vec<Value>;

/// One service's database.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    /// The kind that the service owns: patients, accounts.
    pub(crate) documents: Documents,
    /// Versions that are in `state.state`; all others are in `document.history`.
    pub(crate) current: BTreeMap<String, i64>,
    pub(crate) outbox: Rows,
    pub(crate) inbox: Rows,
    pub(crate) dead_letters: Rows,
}

/// All that is checked.
#[derive(Debug, Default)]
pub(crate) struct Databases {
    pub(crate) patient: Owned,
    /// Of the database of patients, too.
    pub(crate) appointments: Owned,
    /// The same.
    pub(crate) observations: Owned,
    /// The same.
    pub(crate) encounters: Owned,
    /// Of the database of accounts, too.
    pub(crate) invoices: Owned,
    /// The same.
    pub(crate) payments: Owned,
    /// The same.
    pub(crate) journal: Owned,
    /// The same.
    pub(crate) payers: Owned,
    /// The same.
    pub(crate) coverages: Owned,
    /// The same.
    pub(crate) claims: Owned,
    /// The same.
    pub(crate) accumulators: Owned,
    /// The same.
    pub(crate) remittances: Owned,
    pub(crate) books: Books,
    pub(crate) insurance: Insurance,
    /// Appointments that take somebody's time and overlap, by the typed table and by the documents.
    pub(crate) double_booked: Rows,
    pub(crate) billing: Owned,
    pub(crate) analytics: Owned,
    pub(crate) auth: Owned,
    /// Projections, and the same made of the documents by this program.
    pub(crate) projections: Vec<Pair>,
    /// Facts, and what they have to be.
    pub(crate) facts: Vec<Pair>,
    /// Figures of analytics, and what the producers' databases come to.
    pub(crate) figures: Vec<Pair>,
}

/// A table and what it has to be, both as rows.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) is: Rows,
    pub(crate) should_be: Rows,
}

const PATIENT: &str = "patient-service-db";
const BILLING: &str = "billing-service-db";
const ANALYTICS: &str = "analytics-service-db";
const AUTH: &str = "auth-service-db";

const CURRENT: &str = "select jsonb_build_object('key', key, 'document', convert_from(value, 'UTF8')::jsonb)
    from state.state where key not like 'dead-letter/%'";
const REPLACED: &str = "select jsonb_build_object('key', key, 'version', version, 'document', document)
    from document.history where key not like 'dead-letter/%'";
const DEAD_LETTERS: &str = "select jsonb_build_object('id', key, 'topic', d #>> '{data,topic}',
    'payload', d #>> '{data,payload}', 'kept', exists (select from document.dead_letters where 'dead-letter/' || dead_letter_id = key))
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'dead-letter/%') as letters";

/// The current document of each patient as `d`, and the patient's id.
const PATIENTS: &str = "(select substr(key, 9) as id, convert_from(value, 'UTF8')::jsonb as d
    from state.state where key like 'patient/%') as patients";

impl Databases {
    pub(crate) async fn read(server: &str, time_zone: &str) -> Result<Self> {
        let mut patient = connect(server, PATIENT).await?;
        let mut billing = connect(server, BILLING).await?;
        let mut analytics = connect(server, ANALYTICS).await?;
        let mut auth = connect(server, AUTH).await?;
        let mut projections = vec![
            pair("patients", &mut patient, PROJECTED_PATIENTS, &projected_patients()).await?,
            pair("patient_identifiers", &mut patient, PROJECTED_IDENTIFIERS, &projected_identifiers()).await?,
            pair("patient_terms", &mut patient, PROJECTED_TERMS, &projected_terms()).await?,
            pair("appointments", &mut patient, PROJECTED_APPOINTMENTS, &projected_appointments()).await?,
            pair("accounts", &mut billing, PROJECTED_ACCOUNTS, ACCOUNTS).await?,
            pair("postings", &mut billing, PROJECTED_POSTINGS, POSTINGS).await?,
            pair("invoices", &mut billing, PROJECTED_INVOICES, INVOICES).await?,
            pair("payments", &mut billing, PROJECTED_PAYMENTS, PAYMENTS).await?,
            pair("allocations", &mut billing, PROJECTED_ALLOCATIONS, ALLOCATIONS).await?,
        ];
        projections.extend(insurance::projections(&mut billing).await?);
        let facts = vec![
            Pair {
                name: "fact.patients",
                is: rows(&mut analytics, FACT_PATIENTS).await?,
                should_be: rows(&mut patient, &expected_facts()).await?,
            },
            Pair {
                name: "fact.accounts",
                is: rows(&mut analytics, FACT_ACCOUNTS).await?,
                should_be: rows(&mut billing, ACCOUNT_FACTS).await?,
            },
        ];
        let figures = figures::pairs(&mut patient, &mut billing, &mut analytics, time_zone).await?;
        Ok(Self {
            appointments: documents(&mut patient, "appointment/").await?,
            observations: documents(&mut patient, "observation/").await?,
            encounters: documents(&mut patient, "encounter/").await?,
            invoices: documents(&mut billing, "invoice/").await?,
            payments: documents(&mut billing, "payment/").await?,
            journal: documents(&mut billing, "journal/").await?,
            payers: documents(&mut billing, "payer/").await?,
            coverages: documents(&mut billing, "coverage/").await?,
            claims: documents(&mut billing, "claim/").await?,
            accumulators: documents(&mut billing, "accumulators/").await?,
            remittances: documents(&mut billing, "remittance/").await?,
            books: Books::read(&mut billing).await?,
            insurance: Insurance::read(&mut billing).await?,
            double_booked: rows(&mut patient, DOUBLE_BOOKED).await?,
            patient: owned(&mut patient, "patient/").await?,
            billing: owned(&mut billing, "account/").await?,
            analytics: owned(&mut analytics, "").await?,
            auth: owned(&mut auth, "user/").await?,
            projections,
            facts,
            figures,
        })
    }
}

async fn connect(server: &str, database: &str) -> Result<PgConnection> {
    let url = format!("{}/{database}", server.trim_end_matches('/'));
    let mut connection = PgConnection::connect(&url).await.with_context(|| format!("connecting to {database}"))?;
    sqlx::query("set timezone = 'UTC'").execute(&mut connection).await?;
    Ok(connection)
}

pub(crate) async fn rows(connection: &mut PgConnection, query: &str) -> Result<Rows> {
    // Every query is a constant of this program, or made of such.
    let query = sqlx::query_scalar::<_, Value>(AssertSqlSafe(query.to_owned()));
    Ok(query.fetch_all(connection).await?)
}

pub(crate) async fn pair(name: &'static str, connection: &mut PgConnection, is: &str, should_be: &str) -> Result<Pair> {
    Ok(Pair { name, is: rows(connection, is).await?, should_be: rows(connection, should_be).await? })
}

async fn owned(connection: &mut PgConnection, prefix: &str) -> Result<Owned> {
    Ok(Owned {
        outbox: rows(connection, "select to_jsonb(o) - 'event' from document.outbox as o").await?,
        inbox: rows(connection, "select to_jsonb(i) from document.inbox as i").await?,
        dead_letters: rows(connection, DEAD_LETTERS).await?,
        ..documents(connection, prefix).await?
    })
}

/// The documents of a kind; all of them where a service has but one.
async fn documents(connection: &mut PgConnection, prefix: &str) -> Result<Owned> {
    let mut owned = Owned::default();
    let id = |row: &Value| row["key"].as_str().and_then(|key| key.strip_prefix(prefix)).map(str::to_owned);
    for row in rows(connection, REPLACED).await? {
        let Some(id) = id(&row) else { continue };
        let version = row["version"].as_i64().unwrap_or_default();
        owned.documents.entry(id).or_default().insert(version, row["document"].clone());
    }
    for row in rows(connection, CURRENT).await? {
        let Some(id) = id(&row) else { continue };
        let version = row["document"]["version"].as_i64().unwrap_or_default();
        owned.current.insert(id.clone(), version);
        owned.documents.entry(id).or_default().insert(version, row["document"].clone());
    }
    Ok(owned)
}

/// The current document of each appointment as `d`, and its id.
const APPOINTMENTS: &str = "(select substr(key, 13) as id, convert_from(value, 'UTF8')::jsonb -> 'data' as d
    from state.state where key like 'appointment/%') as appointments";

/// Pairs that want one practitioner, room or patient at one time. Nobody here overbooks, so lanes excuse nothing.
const DOUBLE_BOOKED: &str = "
    with taken as (
      select 'table' as source, appointment_id::text as id, practitioner_id::text, room_id::text, patient_id::text, starts, ends
      from projection.appointments where status not in ('proposed', 'waitlist', 'cancelled', 'noshow', 'entered-in-error')
      union all
      select 'documents', substr(key, 13), d ->> 'practitionerId', d ->> 'roomId', d ->> 'patientId',
        (d #>> '{time,start}')::timestamptz, (d #>> '{time,end}')::timestamptz
      from (select key, convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state where key like 'appointment/%') as a
      where d ->> 'status' not in ('proposed', 'waitlist', 'cancelled', 'noshow', 'entered-in-error')
    )
    select jsonb_build_object('source', one.source, 'one', one.id, 'other', other.id)
    from taken as one join taken as other
      on one.source = other.source and one.id < other.id and one.starts < other.ends and other.starts < one.ends
      and (one.practitioner_id = other.practitioner_id or one.room_id = other.room_id or one.patient_id = other.patient_id)";

const PROJECTED_APPOINTMENTS: &str = "select jsonb_build_object('id', appointment_id, 'patient', patient_id,
    'practitioner', practitioner_id, 'room', room_id, 'status', status, 'starts', starts, 'ends', ends)
    from projection.appointments";

/// Who waits has no time, and is listed by the one that they would take.
fn projected_appointments() -> String {
    format!(
        "select jsonb_build_object('id', id, 'patient', d ->> 'patientId', 'room', d ->> 'roomId', 'status', d ->> 'status',
            'practitioner', coalesce(d ->> 'practitionerId', d #>> '{{waiting,practitionerId}}'),
            'starts', coalesce(d #>> '{{time,start}}', d #>> '{{waiting,requestedPeriod,start}}')::timestamptz,
            'ends', coalesce(d #>> '{{time,end}}', d #>> '{{waiting,requestedPeriod,end}}')::timestamptz) from {APPOINTMENTS}"
    )
}

const PROJECTED_PATIENTS: &str = "select to_jsonb(p) from projection.patients as p";
const PROJECTED_IDENTIFIERS: &str = "select to_jsonb(i) from projection.patient_identifiers as i";
const PROJECTED_TERMS: &str = "select jsonb_build_object('patient_id', patient_id, 'kind', kind, 'term', term)
    from projection.patient_terms";
const PROJECTED_ACCOUNTS: &str = "select to_jsonb(a) from projection.accounts as a";

fn projected_patients() -> String {
    format!(
        "select jsonb_build_object('patient_id', id, 'mrn', d #> '{{data,mrn}}', 'active', d #> '{{data,active}}',
            'family', d #> '{{data,search,family}}', 'given', d #> '{{data,search,given}}',
            'birth_date', d #>> '{{data,person,birthDate}}', 'gender', d #>> '{{data,person,gender}}',
            'identity', d #>> '{{data,search,identity}}',
            'registered_at', (d #>> '{{data,registeredAt}}')::timestamptz) from {PATIENTS}"
    )
}

fn projected_identifiers() -> String {
    format!(
        "select jsonb_build_object('patient_id', id, 'system', i -> 'system', 'value', i -> 'value')
         from {PATIENTS}, jsonb_array_elements(d #> '{{data,person,identifier}}') as i"
    )
}

fn projected_terms() -> String {
    format!(
        "select distinct jsonb_build_object('patient_id', id, 'kind', kind, 'term', term)
         from {PATIENTS}, (values ('phone', 'phone'), ('email', 'email'), ('word', 'words')) as kinds (kind, member),
           jsonb_array_elements_text(d #> array['data', 'search', member]) as term
         where kind <> 'word'
           or not (d #> '{{data,search,phone}}' ? term or d #> '{{data,search,email}}' ? term)"
    )
}

const ACCOUNTS: &str = "select jsonb_build_object('account_id', substr(key, 9), 'patient_id', d #> '{data,patientId}',
    'status', d #> '{data,status}', 'opened_at', (d #>> '{data,openedAt}')::timestamptz)
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'account/%') as accounts";

const PROJECTED_POSTINGS: &str = "select jsonb_build_object('act', act, 'patient', p.patient_id, 'user', user_id,
    'place', place, 'account', account, 'amount', amount, 'invoice', invoice_id, 'payment', payment_id, 'claim', claim_id,
    'payer', payer_id, 'id', journal_id)
    from projection.postings as p join projection.journal using (journal_id)";
const POSTINGS: &str = "select jsonb_build_object('act', d #> '{data,act}', 'patient', d #> '{data,patientId}',
    'user', d #> '{data,userId}', 'place', place, 'account', posting -> 'account', 'amount', posting -> 'amount',
    'invoice', posting -> 'invoiceId', 'payment', posting -> 'paymentId', 'claim', posting -> 'claimId',
    'payer', posting -> 'payerId', 'id', substr(key, 9))
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'journal/%') as journal,
      jsonb_array_elements(d #> '{data,postings}') with ordinality as posted (posting, place)";
const PROJECTED_INVOICES: &str =
    "select jsonb_build_object('id', invoice_id, 'patient', patient_id, 'clinic', clinic_id,
    'encounter', encounter_id, 'status', status, 'number', number, 'open', patient_open, 'insured', insurance_open)
    from projection.invoices";
const INVOICES: &str = "select jsonb_build_object('id', substr(key, 9), 'patient', d #> '{data,patientId}',
    'clinic', d #> '{data,clinicId}', 'encounter', d #> '{data,source,encounterId}', 'status', d #> '{data,status}',
    'number', d #> '{data,number,text}', 'open', d #> '{data,balance,patientOpen}',
    'insured', d #> '{data,balance,insuranceOpen}')
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'invoice/%') as invoices";
const PROJECTED_PAYMENTS: &str = "select jsonb_build_object('id', payment_id, 'patient', patient_id, 'method', method,
    'status', status, 'amount', amount, 'unapplied', unapplied) from projection.payments";
const PAYMENTS: &str = "select jsonb_build_object('id', substr(key, 9), 'patient', d #> '{data,patientId}',
    'method', d #> '{data,method}', 'status', d #> '{data,status}', 'amount', d #> '{data,amount}',
    'unapplied', d #> '{data,unapplied}')
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'payment/%') as payments";
const PROJECTED_ALLOCATIONS: &str = "select jsonb_build_object('payment', payment_id, 'invoice', invoice_id,
    'amount', amount) from projection.allocations";
const ALLOCATIONS: &str = "select jsonb_build_object('payment', substr(key, 9), 'invoice', used -> 'invoiceId',
    'amount', used -> 'amount')
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'payment/%') as payments,
      jsonb_array_elements(coalesce(d #> '{data,allocations}', '[]')) as used";

/// Times of facts are cut to microseconds, never rounded up.
const ACCOUNT_FACTS: &str = r"select jsonb_build_object('id', substr(key, 9), 'patient_id', d #> '{data,patientId}',
    'version', d -> 'version', 'opened_at', regexp_replace(d #>> '{data,openedAt}', '(\.\d{6})\d+', '\1')::timestamptz)
    from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'account/%') as accounts";
const FACT_ACCOUNTS: &str = "select to_jsonb(a) from fact.accounts as a";
const FACT_PATIENTS: &str = "select to_jsonb(p) - 'time_zone' from fact.patients as p";

fn expected_facts() -> String {
    format!(
        r"select jsonb_build_object('id', id, 'version', d -> 'version', 'registered_at', registered_at,
            'changed_at', changed_at, 'gender', d #>> '{{data,person,gender}}', 'age_band', case
              when age >= 90 then '90+' when age is not null then (age / 10 * 10) || '-' || (age / 10 * 10 + 9) end,
            'active', d #> '{{data,active}}')
          from (
            select *, extract(year from today)::int - extract(year from born)::int
                - (to_char(today, 'MMDD') < to_char(born, 'MMDD'))::int as age
            from (
              select id, d, (changed_at at time zone 'UTC')::date as today, registered_at, changed_at,
                case length(birth_date) when 4 then birth_date || '-01-01' when 7 then birth_date || '-01'
                  else birth_date end::date as born
              from (
                select id, d, d #>> '{{data,person,birthDate}}' as birth_date,
                  regexp_replace(d #>> '{{data,registeredAt}}', '(\.\d{{6}})\d+', '\1')::timestamptz as registered_at,
                  regexp_replace(d #>> '{{data,changedAt}}', '(\.\d{{6}})\d+', '\1')::timestamptz as changed_at
                from {PATIENTS}
              ) as timed
            ) as dated
          ) as aged"
    )
}
