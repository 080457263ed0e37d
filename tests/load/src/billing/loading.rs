//! Invoices in bulk, past the service: copies of one that it wrote, each with an id, a number and an act of its own.

use anyhow::Result;
use local::App;
use serde_json::Value;
use uuid::Uuid;

use super::books::{Billed, document};
use crate::rig::Rig;

/// The `n`-th invoice that is loaded is `uuid(md5(...))`, so that the database can make them by itself.
const LOADED: &str = "create or replace function pg_temp.loaded(kind text, n bigint) returns uuid language sql as
    $$ select md5('loaded/' || kind || '/' || n)::uuid $$";

/// No trigger wakes for these: nothing is sent, and the rows of the typed tables are made here.
const INVOICES: &str = "
    insert into state.state (key, value)
      select 'invoice/' || pg_temp.loaded('invoice', n), convert_to(($1::jsonb
        || jsonb_build_object('data', $1::jsonb -> 'data' || jsonb_build_object('patientId', pg_temp.loaded('patient', n / 10))))::text, 'UTF8')
      from generate_series($2::bigint, $3::bigint) as n";
const PROJECTED: &str = "
    insert into projection.invoices (invoice_id, patient_id, clinic_id, status, currency, review, created_at, issued_at,
        due, number, patient_open, insurance_open)
      select pg_temp.loaded('invoice', n), pg_temp.loaded('patient', n / 10), ($1::jsonb #>> '{data,clinicId}')::uuid,
        $1::jsonb #>> '{data,status}', 'EUR', false, clock_timestamp(), clock_timestamp(), current_date, 'L-' || n,
        ($1::jsonb #>> '{data,balance,patientOpen}')::bigint, 0
      from generate_series($2::bigint, $3::bigint) as n";
const ENTRIES: &str = "
    insert into state.state (key, value)
      select 'journal/' || pg_temp.loaded('journal', n), convert_to($1::jsonb::text, 'UTF8')
      from generate_series($2::bigint, $3::bigint) as n";

/// Loads until there are `size` invoices; answers the ids of those that were loaded, the earlier ones, too.
pub(super) async fn load(rig: &Rig, like: &Billed, size: u64) -> Result<Vec<Uuid>> {
    let invoice = Value::from(document(rig, &format!("invoice/{}", like.invoice)).await?);
    let issued_by = invoice["data"]["issuedBy"].as_str().unwrap_or_default();
    let entry = Value::from(document(rig, &format!("journal/{issued_by}")).await?);
    let mut connection = rig.database(App::Billing).await?;
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut connection).await?;
    sqlx::raw_sql(LOADED).execute(&mut connection).await?;
    let loaded = "select count(*) from projection.invoices where number like 'L-%'";
    let loaded: i64 = sqlx::query_scalar(loaded).fetch_one(&mut connection).await?;
    let there: i64 = sqlx::query_scalar("select count(*) from projection.invoices").fetch_one(&mut connection).await?;
    let last = loaded + (i64::try_from(size)? - there).max(0);
    for (statement, template) in [(INVOICES, &invoice), (PROJECTED, &invoice), (ENTRIES, &entry)] {
        sqlx::query(statement).bind(template).bind(loaded + 1).bind(last).execute(&mut connection).await?;
    }
    for statement in ["vacuum (analyze) state.state", "vacuum (analyze) projection.invoices", "checkpoint"] {
        sqlx::raw_sql(statement).execute(&mut connection).await?;
    }
    let ids = "select pg_temp.loaded('invoice', n) from generate_series(1, $1::bigint) as n";
    Ok(sqlx::query_scalar(ids).bind(last).fetch_all(&mut connection).await?)
}
