//! Events by way of Kafka and the sidecar.

use std::time::{Duration, Instant};

use access::Role;
use anyhow::{Context as _, ensure};
use contracts::topic;
use testkit::{App, Parts, Result};
use tonic::Code;

use crate::{
    asking::figures,
    events::{message, patient, publish, snapshot},
    figures::{counts, registrations},
};

async fn dead_letters(parts: &Parts) -> Result<Vec<serde_json::Value>> {
    parts.sql("select topic, reason from document.dead_letters").await
}

pub(crate) async fn again_and_late(parts: Parts) -> Result {
    let who: Vec<_> = (0..20).map(|n| patient("again_and_late", n)).collect();
    let told = |version| who.iter().map(move |&id| snapshot(id, version, "2022-03-01T12:00:00Z"));
    // The third version moves the registration by a day.
    let moved = who.iter().map(|&id| snapshot(id, 3, "2022-03-02T12:00:00Z"));
    publish(&parts, told(1).take(10)).await?;
    ensure!(counts(&parts, registrations("2022-03-01", "2022-03-04"), 10).await? == [10, 0, 0]);
    publish(&parts, moved.clone().chain(told(2)).chain(moved)).await?;
    ensure!(counts(&parts, registrations("2022-03-02", "2022-03-04"), 20).await? == [20, 0]);
    // All registrations again, the late ones among them; behind each partition's comes one that is new.
    publish(
        &parts,
        told(1)
            .chain(told(1))
            .chain((20..60).map(|n| snapshot(patient("again_and_late", n), 1, "2022-03-03T12:00:00Z"))),
    )
    .await?;
    ensure!(counts(&parts, registrations("2022-03-01", "2022-03-04"), 60).await? == [0, 20, 40]);
    let versions = parts
        .sql("select version, count(*) from fact.patients where registered_at::date = '2022-03-02' group by version")
        .await?;
    ensure!(versions == [serde_json::json!({ "version": 3, "count": 20 })], "{versions:?}");
    ensure!(dead_letters(&parts).await?.is_empty());
    Ok(())
}

pub(crate) async fn poison(parts: Parts) -> Result {
    let told = (0..99).map(|n| snapshot(patient("poison", n), 1, "2022-05-01T12:00:00Z"));
    let mut messages = told.map(message).collect::<Result<Vec<_>>>()?;
    messages.insert(50, ("poison".to_owned(), b"{\"no\": \"event".to_vec()));
    parts.publish(App::Patient, topic::PATIENT_REGISTERED, &messages).await?;
    ensure!(counts(&parts, registrations("2022-05-01", "2022-05-02"), 99).await? == [99]);
    parts.eventually("the poison is a dead letter", async || Ok(!dead_letters(&parts).await?.is_empty())).await?;
    // A delivery that follows shows that nothing of the one before comes again.
    publish(&parts, (99..140).map(|n| snapshot(patient("poison", n), 1, "2022-05-01T12:00:00Z"))).await?;
    ensure!(counts(&parts, registrations("2022-05-01", "2022-05-02"), 140).await? == [140]);
    let letters = dead_letters(&parts).await?;
    ensure!(
        letters == [serde_json::json!({ "topic": "patient.registered", "reason": "it is no CloudEvent" })],
        "{letters:?}"
    );
    Ok(())
}

pub(crate) async fn what_no_text_can_be(parts: Parts) -> Result {
    let before = dead_letters(&parts).await?.len();
    let event = br#"{"specversion":"1.0","id":"1","source":"s","type":"a\u0000b","data":{}}"#;
    let messages = [b"\0".to_vec(), vec![0xff], event.to_vec(), vec![b'x'; 900_000], vec![b'y'; 900_000]];
    // All of one key are of one partition: what comes last has passed all others.
    let mut messages: Vec<_> = messages.into_iter().map(|bytes| ("one".to_owned(), bytes)).collect();
    let (_, last) = message(snapshot(patient("what_no_text_can_be", 1), 1, "2022-06-01T12:00:00Z"))?;
    messages.push(("one".to_owned(), last));
    for message in messages {
        parts.publish(App::Patient, topic::PATIENT_REGISTERED, &[message]).await?;
    }
    ensure!(counts(&parts, registrations("2022-06-01", "2022-06-02"), 1).await? == [1]);
    // Of one delivery, what can be applied is applied first.
    let kept = async || Ok(dead_letters(&parts).await?.len() == before + 5);
    parts.eventually("all others are dead letters", kept).await
}

pub(crate) async fn database_down(parts: Parts) -> Result {
    let before = dead_letters(&parts).await?.len();
    parts.stop_postgres().await?;
    publish(&parts, (0..30).map(|n| snapshot(patient("database_down", n), 1, "2022-07-01T12:00:00Z"))).await?;
    let begun = Instant::now();
    let mut client = figures(&parts, Role::Analyst).await?;
    let status =
        client.get_metric(registrations("2022-07-01", "2022-07-02")).await.err().context("figures of nothing")?;
    ensure!(status.code() == Code::Unavailable, "{status:?}");
    ensure!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // Longer than a delivery is held back, so that some fail.
    tokio::time::sleep(Duration::from_secs(5)).await;
    parts.start_postgres().await?;
    ensure!(counts(&parts, registrations("2022-07-01", "2022-07-02"), 30).await? == [30]);
    ensure!(dead_letters(&parts).await?.len() == before, "the database's absence is no event's fault");
    Ok(())
}
