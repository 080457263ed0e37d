//! Patients who owe something, and what the books say of it.

use std::time::Duration;

use access::Role;
use anyhow::{Context as _, Result, ensure};
use http::{HeaderValue, StatusCode, header};
use local::App;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::requests::keyed;
use crate::{
    client::Client,
    load::{Numbered, closed},
    person::People,
    rig::Rig,
    sources::Registrations,
};

/// More than all payments of a run, in cents: the invoice stays open.
const OWED: i64 = 10_000_000;
const REGISTERING: u32 = 8;
const TURN: Duration = Duration::from_millis(250);
/// How long an account may take to be there.
const OPENED: Duration = Duration::from_secs(30);

/// A patient with an open invoice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Billed {
    pub(super) patient: Uuid,
    pub(super) invoice: Uuid,
}

/// What the books have of one patient.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Found {
    /// Payments.
    pub payments: i64,
    /// What came in by the postings.
    pub posted: i64,
    /// What is open by the account's balance.
    pub open: i64,
    /// Transactions that PostgreSQL had to end.
    pub deadlocks: i64,
}

impl Found {
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            payments: self.payments - before.payments,
            posted: self.posted - before.posted,
            open: self.open - before.open,
            deadlocks: self.deadlocks - before.deadlocks,
        }
    }
}

/// Registers so many patients and issues an invoice for each, at one clinic.
pub(super) async fn billed(rig: &Rig, seed: u64, count: usize) -> Result<Vec<Billed>> {
    let source = Numbered::new(Registrations::new(People::new(seed)));
    let client = rig.client()?;
    while source.source().registered().len() < count {
        closed(&client, &source, REGISTERING, TURN).await?;
    }
    let begun = Instant::now();
    while rig.counts().await?.accounts < rig.patients().await? {
        ensure!(begun.elapsed() < OPENED, "not everybody has an account");
        sleep(TURN).await;
    }
    let (biller, clinic) = (rig.client_of(Role::Biller)?, Uuid::now_v7());
    let mut billed = Vec::with_capacity(count);
    for (patient, _) in source.source().registered().into_iter().take(count) {
        billed.push(Billed { patient, invoice: issued(&biller, patient, clinic).await? });
    }
    Ok(billed)
}

async fn issued(biller: &Client, patient: Uuid, clinic: Uuid) -> Result<Uuid> {
    let line = json!({
        "system": "http://www.ama-assn.org/go/cpt", "code": "99213", "text": "Follow-up visit", "date": "2026-11-30",
        "units": 1, "unitPrice": OWED,
    });
    let body = json!({ "patientId": patient, "clinicId": clinic, "lines": [line] });
    let draft = biller.send(keyed(biller, "/api/billing/invoices", &body)?).await?;
    ensure!(draft.status == StatusCode::CREATED, "a draft: {}", String::from_utf8_lossy(&draft.body));
    let draft: Value = serde_json::from_slice(&draft.body)?;
    let id: Uuid = draft["invoiceId"].as_str().context("no id")?.parse()?;
    let mut issue = keyed(biller, &format!("/api/billing/invoices/{id}/issue"), &json!({}))?;
    issue.headers_mut().insert(header::IF_MATCH, HeaderValue::from_static("\"1\""));
    let issued = biller.send(issue).await?;
    ensure!(issued.status == StatusCode::OK, "an issue: {}", String::from_utf8_lossy(&issued.body));
    Ok(id)
}

/// A payment that was recorded, and what was written with it: what the floor's documents are made of.
pub(super) async fn templates(rig: &Rig) -> Result<Value> {
    let mut connection = rig.database(App::Billing).await?;
    let query = "select jsonb_build_object(
          'payment', document('payment', payment_id), 'invoice', document('invoice', invoice_id),
          'journal', document('journal', (select journal_id from projection.postings as p
            where p.payment_id = used.payment_id limit 1)))
        from projection.allocations as used limit 1";
    let function = "create or replace function pg_temp.document(kind text, id uuid) returns jsonb language sql as $$
        select convert_from(value, 'UTF8')::jsonb from state.state where key = kind || '/' || id $$";
    sqlx::raw_sql(function).execute(&mut connection).await?;
    let query = query.replace("document(", "pg_temp.document(");
    let templates: Value = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut connection).await?;
    ensure!(templates.as_object().is_some_and(|all| all.values().all(Value::is_object)), "no payment: {templates}");
    Ok(templates)
}

/// What the books have now.
pub(super) async fn found(rig: &Rig, of: &Billed) -> Result<Found> {
    let mut connection = rig.database(App::Billing).await?;
    let query = "select
        (select count(*) from projection.payments where patient_id = $1),
        (select coalesce(sum(amount), 0)::bigint from projection.postings where patient_id = $1 and account = 'clearing'),
        (select coalesce(sum(receivable), 0)::bigint from projection.account_balances where patient_id = $1),
        (select deadlocks from pg_stat_database where datname = current_database())";
    let found: (i64, i64, i64, i64) = sqlx::query_as(query).bind(of.patient).fetch_one(&mut connection).await?;
    let (payments, posted, open, deadlocks) = found;
    Ok(Found { payments, posted, open, deadlocks })
}

/// A stored document, as it is.
pub(super) async fn document(rig: &Rig, key: &str) -> Result<Map<String, Value>> {
    let mut connection = rig.database(App::Billing).await?;
    let query = "select convert_from(value, 'UTF8')::jsonb from state.state where key = $1";
    let document: Value = sqlx::query_scalar(query).bind(key).fetch_one(&mut connection).await?;
    document.as_object().cloned().context("no document")
}
