//! Waiting until nothing is under way any more.

use std::time::{Duration, Instant};

use anyhow::Result;
use local::App;

use crate::{evidence::PUBLISHERS, injection::letters, stage::Stage};

/// Encounters that are over, and invoices that were drafted of one.
const FINISHED: &str = "select count(*) from state.state
    where key like 'encounter/%' and convert_from(value, 'UTF8')::jsonb #>> '{data,resource,status}' = 'finished'";
const DRAFTED: &str = "select count(*) from state.state
    where key like 'invoice/%' and convert_from(value, 'UTF8')::jsonb #> '{data,source}' is not null";

/// Whose newest version a fact is made of, and where facts of it are.
const COUNTED: [(App, &str, &str); 8] = [
    (App::Patient, "patient", "patients"),
    (App::Patient, "appointment", "appointments"),
    (App::Patient, "encounter", "encounters"),
    (App::Billing, "account", "accounts"),
    (App::Billing, "invoice", "invoices"),
    (App::Billing, "payment", "payments"),
    (App::Billing, "claim", "claims"),
    (App::Billing, "journal", "entries"),
];
/// What is told: an encounter that is not over, and an act that moves nothing, are nobody else's.
const TOLD: &str = "jsonb_array_length(convert_from(value, 'UTF8')::jsonb -> 'events') > 0";

const POLL: Duration = Duration::from_millis(200);

/// How long it took until the outboxes were empty; none when they were not within the limit.
pub(crate) async fn outbox(stage: &Stage, limit: Duration) -> Option<Duration> {
    within(limit, async || {
        for app in PUBLISHERS {
            if stage.number(app, "select count(*) from document.outbox").await? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await
}

/// How long it took until the consumers had applied the newest version of everything.
pub(crate) async fn consumers(stage: &Stage, limit: Duration) -> Option<Duration> {
    let versions = |kind: &str| {
        format!(
            "select coalesce(sum((convert_from(value, 'UTF8')::jsonb ->> 'version')::bigint), 0)::bigint
             from state.state where key like '{kind}/%' and {TOLD}"
        )
    };
    let facts = |table: &str| format!("select coalesce(sum(version), 0)::bigint from fact.{table}");
    within(limit, async || {
        for (app, kind, table) in COUNTED {
            let told = stage.number(app, &versions(kind)).await?;
            if told != stage.number(App::Analytics, &facts(table)).await? {
                return Ok(false);
            }
        }
        let patients = stage.number(App::Patient, "select count(*) from projection.patients").await?;
        let accounts = stage.number(App::Billing, "select count(*) from projection.accounts").await?;
        let finished = stage.number(App::Patient, FINISHED).await?;
        let drafted = stage.number(App::Billing, DRAFTED).await?;
        Ok(finished == drafted && patients == accounts)
    })
    .await
}

/// How long it took until every consumer had put aside at least as many messages as there were.
pub(crate) async fn poison(stage: &Stage, messages: u64, limit: Duration) -> Option<Duration> {
    within(limit, async || {
        for consumer in [App::Billing, App::Analytics] {
            let letters = i64::try_from(letters(consumer, messages))?;
            if stage.number(consumer, "select count(*) from document.dead_letters").await? < letters {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await
}

/// How long it took until whatever remittances say was booked: what waits is tried again from time to time.
pub(crate) async fn remittances(stage: &Stage, limit: Duration) -> Option<Duration> {
    let waiting = "select count(*) from projection.remittance_claims
        where journal_id not in (select journal_id from projection.journal)";
    within(limit, async || Ok(stage.number(App::Billing, waiting).await? == 0)).await
}

async fn within(limit: Duration, condition: impl AsyncFn() -> Result<bool>) -> Option<Duration> {
    let begun = Instant::now();
    // A database that is just starting is no answer.
    while !condition().await.unwrap_or(false) {
        if begun.elapsed() > limit {
            return None;
        }
        tokio::time::sleep(POLL).await;
    }
    Some(begun.elapsed())
}
