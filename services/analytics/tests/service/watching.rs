//! The stream: everything first, then what has changed, for as long as the watcher may see it.

use std::{collections::BTreeSet, time::Duration};

use access::Role;
use anyhow::{Context as _, ensure};
use contracts::analytics::v1::{OverviewItem, WatchOverviewRequest, WatchOverviewResponse};
use jiff::Timestamp;
use problem::Problem;
use serde_json::json;
use testkit::{Issuer, Parts, Result};
use tonic::{Code, Streaming};
use uuid::Uuid;

use crate::{
    asking::{figures, with},
    ingest::{ingest, sidecar},
};

const PATIENCE: Duration = Duration::from_secs(10);
/// By so many seconds clocks may differ: a token is good for so long after its time.
const LEEWAY: i64 = 60;

type Stream = Streaming<WatchOverviewResponse>;

async fn watch(parts: &Parts, role: Role, last: Option<String>) -> Result<Stream> {
    let asked = WatchOverviewRequest { last_event_id: last };
    Ok(figures(parts, role).await?.watch_overview(asked).await?.into_inner())
}

/// What is said next.
async fn next(stream: &mut Stream) -> Result<WatchOverviewResponse> {
    tokio::time::timeout(PATIENCE, stream.message()).await.context("nothing is said")??.context("it is over")
}

/// The next that says that something has changed.
async fn next_change(stream: &mut Stream) -> Result<WatchOverviewResponse> {
    loop {
        let said = next(stream).await?;
        if !said.items.is_empty() {
            return Ok(said);
        }
    }
}

/// Waits until a stream is over, whatever is said until then.
async fn over(mut stream: Stream) -> Result {
    let end = async {
        while stream.message().await?.is_some() {}
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, end).await.context("the stream goes on")?
}

fn names(said: &WatchOverviewResponse) -> BTreeSet<&str> {
    said.items.iter().map(|item| item.metric.as_str()).collect()
}

fn item<'a>(said: &'a WatchOverviewResponse, name: &str) -> Result<&'a OverviewItem> {
    said.items.iter().find(|item| item.metric == name).with_context(|| format!("nothing of {name}"))
}

fn id(said: &WatchOverviewResponse) -> Result<i64> {
    Ok(said.event_id.parse()?)
}

/// A patient is registered now, and, if they are asked for, another a week ago.
async fn register(parts: &Parts, earlier: bool) -> Result {
    let now = Timestamp::now();
    let patient = |time: Timestamp| {
        let fact = json!({ "id": Uuid::now_v7(), "version": 1, "time_zone": "America/New_York", "registered_at": time,
                           "changed_at": time, "gender": null, "age_band": null, "active": true });
        ("patients", fact)
    };
    let mut told = vec![patient(now)];
    told.extend(earlier.then(|| patient(now - Duration::from_hours(7 * 24))));
    Ok(ingest(&sidecar(parts)?, &told).await?)
}

pub(crate) async fn what_has_changed(parts: Parts) -> Result {
    let mut one = watch(&parts, Role::Admin, None).await?;
    let first = next(&mut one).await?;
    let everything = names(&first);
    for name in ["registrations", "panel", "patient-load", "no-show-rate", "utilisation", "denial-rate"] {
        ensure!(everything.contains(name), "{name} is not in {everything:?}");
    }
    ensure!(first.restated.is_empty() && first.time.is_some(), "{first:?}");
    let known = item(&first, "registrations")?.current.as_ref().and_then(|cell| cell.value).context("no count")?;

    // At once, before anything else has been told.
    register(&parts, false).await?;
    let mut other = watch(&parts, Role::Admin, Some(first.event_id.clone())).await?;
    let changed = BTreeSet::from(["registrations", "panel"]);
    let told = next_change(&mut one).await?;
    // What those who watched before were not told yet may be among it.
    ensure!(names(&told).is_superset(&changed) && id(&told)? > id(&first)?, "{told:?}");
    let count = item(&told, "registrations")?.current.as_ref().and_then(|cell| cell.value);
    ensure!(count == Some(known + 1.0), "{count:?} after {known}");
    let resumed = next(&mut other).await?;
    ensure!(names(&resumed) == changed && id(&resumed)? == id(&told)?, "exactly what has changed since: {resumed:?}");

    // Both hear of the next one, which is of a day that was over as well.
    register(&parts, true).await?;
    for stream in [&mut one, &mut other] {
        let said = next_change(stream).await?;
        ensure!(names(&said) == changed && id(&said)? > id(&told)?, "{said:?}");
        let restated: BTreeSet<_> = said.restated.iter().map(String::as_str).collect();
        ensure!(restated == changed, "{said:?}");
    }

    // Who knows the newest hears nothing but that they would; who knows one that never was is told everything.
    let newest = next(&mut watch(&parts, Role::Admin, None).await?).await?;
    let silent = next(&mut watch(&parts, Role::Admin, Some(newest.event_id.clone())).await?).await?;
    ensure!(silent.items.is_empty() && silent.event_id == newest.event_id && silent.time.is_some(), "{silent:?}");
    let ahead = next(&mut watch(&parts, Role::Admin, Some(i64::MAX.to_string())).await?).await?;
    ensure!(names(&ahead) == everything, "{ahead:?}");
    Ok(())
}

pub(crate) async fn wrong_ids(parts: Parts) -> Result {
    let mut client = figures(&parts, Role::Admin).await?;
    for wrong in ["", "x", "-1", "1.5", "99999999999999999999"] {
        let asked = WatchOverviewRequest { last_event_id: Some(wrong.to_owned()) };
        let refused = client.watch_overview(asked).await.err().with_context(|| format!("{wrong} is taken"))?;
        let fields: Vec<_> = Problem::from(refused.clone()).errors.into_iter().map(|error| error.pointer).collect();
        ensure!(
            refused.code() == Code::InvalidArgument && fields == ["last_event_id"],
            "{wrong}: {refused:?} {fields:?}"
        );
    }
    Ok(())
}

pub(crate) async fn until_it_ends(parts: Parts) -> Result {
    let watching = async |expires_after: Option<i64>| -> Result<(Stream, Uuid)> {
        let mut claims = Issuer::claims("watcher", Role::Analyst, Timestamp::now());
        claims.exp = expires_after.map_or(claims.exp, |seconds| claims.iat + seconds - LEEWAY);
        let client = with(&parts, Some(parts.issuer().sign(&claims)?)).await;
        let mut stream = client?.watch_overview(WatchOverviewRequest::default()).await?.into_inner();
        next(&mut stream).await?;
        Ok((stream, claims.sid))
    };
    over(watching(Some(3)).await?.0).await.context("the token is over")?;
    let ((signed_out, session), (mut stays, _)) = (watching(None).await?, watching(None).await?);
    parts.issuer().end_session(session);
    over(signed_out).await.context("the session has ended")?;
    // Others hear what happens.
    register(&parts, false).await?;
    next_change(&mut stays).await.map(drop)
}
