//! A consumer is away for a while, or is sent what it cannot use.

use std::time::Duration;

use access::Role;
use anyhow::{Result, ensure};
use contracts::patient::v1::{AdministrativeGender, PatientRegistered, PatientSnapshot};
use contracts::topic;
use jiff::Timestamp;
use local::{App, Part};
use serde_json::Value;
use sidecar::event::Event;
use uuid::Uuid;

use super::or_long;
use crate::{people::person, sidecars::SidecarApi, stage::Stage};

/// Longer than a sidecar needs to find out.
const AWAY: Duration = Duration::from_secs(8);
const REGISTRATIONS: u64 = 20;
const EVENTS: usize = 100;
const POISON: usize = 41;
const CONSUMERS: [App; 2] = [App::Billing, App::Analytics];

pub(crate) async fn was_away(stage: &Stage) -> Result<()> {
    let (clerk, analyst) = (stage.public(Role::FrontDesk)?, stage.public(Role::Admin)?);
    stage.settled().await?;
    let (before, letters) = (analyst.counted().await?, dead_letters(stage).await?);
    let analytics = Part::service(App::Analytics);
    stage.kill(analytics).await?;
    let away = tokio::time::Instant::now() + or_long(AWAY);
    for _ in 0..REGISTRATIONS {
        clerk.registered(&person()).await?;
    }
    ensure!(
        analyst.get("/api/analytics/metrics/registrations").await?.expect_problem(503)?.header("retry-after") == "1",
        "503"
    );
    tokio::time::sleep_until(away).await;
    stage.respawn(analytics)?;
    stage.settled().await?;
    stage.ready().await?;
    stage.eventually("the figures can be seen", async || Ok(analyst.counted().await.is_ok())).await?;
    ensure!(analyst.counted().await? == before + REGISTRATIONS, "everyone is counted once");
    ensure!(dead_letters(stage).await? == letters, "there are dead letters");
    Ok(())
}

pub(crate) async fn is_poisoned(stage: &Stage) -> Result<()> {
    stage.settled().await?;
    let letters = dead_letters(stage).await?;
    let events = events()?;
    let ids: Vec<_> = events.iter().map(|(id, _)| *id).collect();
    let payloads: Vec<_> = events.into_iter().map(|(_, payload)| payload).collect();
    let patient = SidecarApi::of(stage, App::Patient).await?;
    patient.publish(topic::PATIENT_REGISTERED, &payloads).await?;

    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let opened =
        format!("select count(*), max(opened_at) as last from projection.accounts where patient_id in ({list})");
    let known = format!("select count(*) from fact.patients where id in ({list})");
    let told = format!("select count(*) from fact.accounts where patient_id in ({list})");
    let all = u64::try_from(EVENTS - 1)?;
    stage
        .eventually("the good events are applied", async || {
            Ok(stage.count(App::Billing, &opened).await?["count"] == all
                && stage.count(App::Analytics, &known).await?["count"] == all
                && stage.count(App::Analytics, &told).await?["count"] == all)
        })
        .await?;
    stage
        .eventually("the poison is put aside", async || Ok(more(&letters, &dead_letters(stage).await?) == [1, 1]))
        .await?;
    let versions = format!(
        "select count(*), max((convert_from(value, 'UTF8')::jsonb ->> 'version')::int) as version from state.state
         where key like 'account/%' and convert_from(value, 'UTF8')::jsonb #>> '{{data,patientId}}' in ({list})"
    );
    let versions = stage.count(App::Billing, &versions).await?;
    ensure!(versions["count"] == all && versions["version"] == 1, "an account was opened twice: {versions}");
    for app in CONSUMERS {
        let letter = "select convert_from(value, 'UTF8')::jsonb -> 'data' as data from state.state
            where key like 'dead-letter/%' order by row_id desc limit 1";
        let letter = stage.count(app, letter).await?;
        ensure!(letter["data"]["topic"] == topic::PATIENT_REGISTERED, "{letter}");
        ensure!(letter["data"]["payload"].as_str().is_some_and(|payload| payload.contains("no patient")), "{letter}");
    }
    stage.note_strangers(all);
    stage.settled().await
}

/// A hundred registrations of whom `patient` knows nothing, one of which is none.
fn events() -> Result<Vec<(Uuid, Vec<u8>)>> {
    let events = (0..EVENTS).map(|n| {
        let (id, now) = (Uuid::new_v5(&Uuid::now_v7(), b"patient"), Timestamp::now());
        let time = contracts::Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond() };
        let snapshot = PatientSnapshot {
            patient_id: id.to_string(),
            version: 1,
            registered_time: Some(time),
            changed_time: Some(time),
            gender: AdministrativeGender::Other.into(),
            age_band: "30-39".to_owned(),
            active: true,
        };
        let message = PatientRegistered { patient: Some(snapshot) };
        let event = Event::new(topic::PATIENT_REGISTERED, "patient", id, Uuid::now_v7(), now, None, &message)?.event;
        let mut event = serde_json::to_value(event)?;
        if n == POISON {
            event["data"] = "no patient".into();
        }
        Ok((id, serde_json::to_vec(&event)?))
    });
    events.collect()
}

async fn dead_letters(stage: &Stage) -> Result<Vec<Value>> {
    let mut counts = Vec::new();
    for app in CONSUMERS {
        counts.push(stage.count(app, "select count(*) from document.dead_letters").await?["count"].clone());
    }
    Ok(counts)
}

fn more(before: &[Value], after: &[Value]) -> Vec<u64> {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    before.iter().zip(after).map(|(before, after)| number(after) - number(before)).collect()
}
