//! Figures of events: registrations, whose counts are easy to see.

use access::Role;
use anyhow::{Context as _, ensure};
use contracts::{
    analytics::v1::{
        Comparison, Dimension, GetMetricRequest, GetOverviewRequest, Group, ListMetricsRequest, RebuildFiguresRequest,
        WatchOverviewRequest,
    },
    billing::account_id,
};
use reqwest::Method;
use serde_json::json;
use testkit::{Parts, Result};
use tonic::Code;

use crate::{
    asking::{figures, metric, over, values, with},
    events::{patient, publish, publish_account, snapshot},
};

/// The registrations of the hours or days, of which `total` have to be there.
pub(crate) async fn counts(parts: &Parts, asked: GetMetricRequest, total: u64) -> Result<Vec<u64>> {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let total = total as f64;
    let there = async || {
        let answer = metric(parts, asked.clone()).await?;
        Ok(answer.series.first().and_then(|series| series.total.as_ref()?.value).unwrap_or_default() >= total)
    };
    parts.eventually(&format!("{asked:?} counts {total}"), there).await?;
    let answer = metric(parts, asked).await?;
    let told = answer.series.first().and_then(|series| series.total.as_ref()?.value);
    ensure!(told == Some(total), "{answer:?}");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    Ok(values(&answer).into_iter().map(|value| value.unwrap_or_default() as u64).collect())
}

/// The registrations of days.
pub(crate) fn registrations(from: &str, to: &str) -> GetMetricRequest {
    over("registrations", from, to)
}

fn hourly(from: &str, to: &str) -> GetMetricRequest {
    GetMetricRequest { group: Some(Group::Hour.into()), ..registrations(from, to) }
}

pub(crate) async fn without_patients(parts: Parts) -> Result {
    let answer = metric(&parts, GetMetricRequest { metric: "registrations".to_owned(), ..Default::default() }).await?;
    ensure!(values(&answer) == [Some(0.0); 7] && answer.group() == Group::Day, "{answer:?}");
    let mut client = figures(&parts, Role::Analyst).await?;
    let overview = client.get_overview(GetOverviewRequest::default()).await?.into_inner();
    let of = |name: &str| overview.items.iter().find(|item| item.metric == name).and_then(|item| item.current.clone());
    ensure!(of("registrations").is_some_and(|cell| cell.value == Some(0.0)), "{overview:?}");
    ensure!(of("no-show-rate").is_some_and(|cell| cell.value.is_none() && !cell.suppressed), "nothing by nothing");
    Ok(())
}

pub(crate) async fn from_events(parts: Parts) -> Result {
    let who: Vec<_> = (0..4).map(|n| patient("from_events", n)).collect();
    // The first of two is told by an amendment alone.
    let told = [
        snapshot(who[0], 2, "2021-05-03T12:00:00Z"),
        snapshot(who[1], 1, "2021-05-03T23:30:00-04:00"),
        snapshot(who[2], 1, "2021-05-05T00:00:00-04:00"),
        snapshot(who[3], 1, "2021-05-06T00:00:00-04:00"),
    ];
    publish(&parts, told).await?;
    publish_account(&parts, who[1], "2021-05-04T12:00:00Z").await?;
    ensure!(counts(&parts, registrations("2021-05-03", "2021-05-06"), 3).await? == [2, 0, 1]);

    let answer = metric(&parts, registrations("2021-05-03", "2021-05-05T00:00:00-04:00")).await?;
    ensure!(answer.time_zone == "America/New_York" && answer.from == "2021-05-03T00:00:00-04:00", "{answer:?}");
    ensure!(answer.to == "2021-05-05T00:00:00-04:00" && answer.as_of.is_some(), "{answer:?}");
    let items = &answer.series[0].items;
    ensure!(items[1].start == "2021-05-04T00:00:00-04:00", "{items:?}");
    ensure!(items[0].restated_time.is_some() && items[1].restated_time.is_none(), "what is long over is restated");

    let facts = parts
        .sql(&format!(
            "select version, registered_at, gender, age_band, active from fact.patients where id = '{}'",
            who[0]
        ))
        .await?;
    let fact = json!({
        "version": 2,
        "registered_at": "2021-05-03T12:00:00+00:00",
        "gender": "female",
        "age_band": "40-49",
        "active": false,
    });
    ensure!(facts == [fact], "{facts:?}");
    let account = account_id(who[1]);
    parts
        .eventually("the account is a fact", async || {
            let known =
                parts.sql(&format!("select patient_id, opened_at from fact.accounts where id = '{account}'")).await?;
            Ok(known == [json!({ "patient_id": who[1], "opened_at": "2021-05-04T12:00:00+00:00" })])
        })
        .await
}

/// New York's clocks went from 02:00 to 03:00 on 14 March 2021 and from 02:00 back to 01:00 on 7 November.
pub(crate) async fn by_the_clock(parts: Parts) -> Result {
    let registered = [
        "2021-03-13T23:59:59.9999999-05:00",
        "2021-03-14T00:00:00-05:00",
        "2021-03-14T01:59:59-05:00",
        "2021-03-14T03:00:00-04:00",
        "2021-03-14T23:59:59.9999999-04:00",
        "2021-03-15T00:00:00-04:00",
        "2021-11-07T00:30:00-04:00",
        "2021-11-07T01:30:00-04:00",
        "2021-11-07T01:30:00-05:00",
        "2021-11-07T01:40:00-05:00",
        "2021-11-07T23:30:00-05:00",
        "2021-11-08T00:00:00-05:00",
    ];
    publish(&parts, registered.iter().enumerate().map(|(n, time)| snapshot(patient("by_the_clock", n), 1, time)))
        .await?;

    ensure!(counts(&parts, registrations("2021-03-13", "2021-03-16"), 6).await? == [1, 4, 1]);
    let spring = counts(&parts, hourly("2021-03-14", "2021-03-15"), 4).await?;
    ensure!(spring.len() == 23 && spring[..4] == [1, 1, 1, 0] && spring[22] == 1, "{spring:?}");

    ensure!(counts(&parts, registrations("2021-11-06", "2021-11-09"), 6).await? == [0, 5, 1]);
    let autumn = counts(&parts, hourly("2021-11-07", "2021-11-08"), 5).await?;
    ensure!(autumn.len() == 25 && autumn[..4] == [1, 1, 2, 0] && autumn[24] == 1, "{autumn:?}");

    // 14 March was a Sunday.
    let weeks = GetMetricRequest { group: Some(Group::Week.into()), ..registrations("2021-03-13", "2021-03-16") };
    ensure!(counts(&parts, weeks, 6).await? == [5, 1]);
    let months = GetMetricRequest { group: Some(Group::Month.into()), ..registrations("2021-03-20", "2021-03-21") };
    ensure!(counts(&parts, months, 6).await? == [6]);
    Ok(())
}

pub(crate) async fn wrong_parameters(parts: Parts) -> Result {
    let mut client = figures(&parts, Role::Admin).await?;
    let given = |from: &str, to: &str| registrations(from, to);
    let by = |by: Dimension| GetMetricRequest { by: Some(by.into()), ..given("2021-05-03", "2021-05-04") };
    for (asked, fields) in [
        (given("yesterday", "2021-02-30"), &["from", "to"][..]),
        (given("2021-05-03", "2021-05-03"), &["from"]),
        (given("2011-01-01", "2021-01-01"), &["from"]),
        (hourly("2021-01-01", "2021-05-01"), &["from"]),
        (given("\0", "2021-01-01"), &["from"]),
        (by(Dimension::Clinic), &["by"]),
        (by(Dimension::Unspecified), &["by"]),
        (GetMetricRequest { clinic_id: Some("x".to_owned()), ..given("2021-05-03", "2021-05-04") }, &["clinic_id"]),
        (GetMetricRequest { group: Some(99), ..given("2021-05-03", "2021-05-04") }, &["group"]),
        (
            GetMetricRequest { compare: Some(Comparison::Unspecified.into()), ..given("2021-05-03", "2021-05-04") },
            &["compare"],
        ),
        (
            GetMetricRequest { group: Some(Group::Hour.into()), ..over("no-shows", "2021-05-03", "2021-05-04") },
            &["group"],
        ),
        (
            GetMetricRequest {
                practitioner_id: Some("nobody".to_owned()),
                service: Some(String::new()),
                payer: Some("patient".to_owned()),
                ..over("no-shows", "2021-05-03", "2021-05-04")
            },
            &["practitioner_id", "service", "payer"],
        ),
    ] {
        let status = client.get_metric(asked.clone()).await.err().context("taken")?;
        let problem = problem::Problem::from(status.clone());
        let named: Vec<_> =
            problem.errors.iter().map(|error| error.pointer.trim_start_matches('/').to_owned()).collect();
        ensure!(status.code() == Code::InvalidArgument && named == fields, "{asked:?}: {status:?}");
    }
    let unknown = client.get_metric(over("shoe-size", "2021-05-03", "2021-05-04")).await.err().context("told")?;
    ensure!(unknown.code() == Code::NotFound, "{unknown:?}");
    let most = metric(&parts, registrations("2015-06-22", "2020-12-12")).await?;
    ensure!(values(&most).len() == 2000);
    Ok(())
}

pub(crate) async fn comma_separated(parts: Parts) -> Result {
    let get = async |query: &str| -> Result<(u16, String, String)> {
        let path = format!("/api/analytics/metrics/registrations/export?{query}");
        let answer = parts.request(Method::GET, &path).bearer_auth(parts.token(Role::Admin)?).send().await?;
        let kind = answer.headers()["content-type"].to_str()?.to_owned();
        Ok((answer.status().as_u16(), kind, answer.text().await?))
    };
    publish(&parts, [snapshot(patient("comma_separated", 1), 1, "2021-07-02T12:00:00Z")]).await?;
    counts(&parts, registrations("2021-07-01", "2021-07-03"), 1).await?;
    let (status, kind, table) = get("from=2021-07-01&to=2021-07-03").await?;
    ensure!(status == 200 && kind.starts_with("text/csv"), "{status} {kind}");
    let lines: Vec<_> = table.lines().collect();
    ensure!(lines.len() == 3 && lines[0].starts_with("metric,start,key,currency,value"), "{table}");
    ensure!(lines[1] == "registrations,2021-07-01T00:00:00-04:00,,,0,,,", "{table}");
    ensure!(lines[2].starts_with("registrations,2021-07-02T00:00:00-04:00,,,1,,"), "{table}");
    for wrong in ["from=2021-07-01&from=2021-07-02", "until=2021-07-01", "group=fortnight", "from=%FF"] {
        let (status, _, body) = get(wrong).await?;
        ensure!(status == 422, "{wrong}: {status} {body}");
    }
    Ok(())
}

pub(crate) async fn roles(parts: Parts) -> Result {
    for role in [
        Role::Analyst,
        Role::Admin,
        Role::FrontDesk,
        Role::Nurse,
        Role::Physician,
        Role::Biller,
        Role::PrivacyOfficer,
        Role::Service,
    ] {
        let mut client = figures(&parts, role).await?;
        let reads = matches!(role, Role::Analyst | Role::Admin);
        let codes = [
            client.list_metrics(ListMetricsRequest {}).await.err(),
            client.get_metric(registrations("2021-05-03", "2021-05-04")).await.err(),
            client.get_overview(GetOverviewRequest::default()).await.err(),
            client.watch_overview(WatchOverviewRequest::default()).await.err(),
        ];
        for status in codes {
            let allowed = status.as_ref().is_none_or(|status| status.code() != Code::PermissionDenied);
            ensure!(allowed == reads, "{role}: {status:?}");
        }
        if role != Role::Admin {
            let refused = client.rebuild_figures(RebuildFiguresRequest {}).await.err().context("rebuilt")?;
            ensure!(refused.code() == Code::PermissionDenied, "{role}: {refused:?}");
        }
    }
    for token in [None, Some("foreign".to_owned())] {
        let refused = with(&parts, token).await?.list_metrics(ListMetricsRequest {}).await.err().context("let in")?;
        ensure!(refused.code() == Code::Unauthenticated, "{refused:?}");
    }
    // Without the sidecar's token nobody gets in, to events neither.
    let client = reqwest::Client::builder().no_proxy().build()?;
    for path in ["/api/analytics/metrics/registrations/export", "/events/patient.registered"] {
        let answer = client.post(parts.app_url(path)).bearer_auth(parts.token(Role::Admin)?).body("{}").send().await?;
        ensure!(answer.status() == 401, "{path}: {}", answer.status());
    }
    Ok(())
}

/// The last of all: everything is forgotten, and nobody here tells it again.
pub(crate) async fn made_anew(parts: Parts) -> Result {
    let mut client = figures(&parts, Role::Admin).await?;
    client.rebuild_figures(RebuildFiguresRequest {}).await?;
    let told =
        client.get_metric(registrations("2021-05-03", "2021-05-06")).await.err().context("half of it is told")?;
    let problem = problem::Problem::from(told);
    ensure!(problem.slug.as_deref() == Some("figures-rebuilding"), "{problem:?}");
    let again = client.rebuild_figures(RebuildFiguresRequest {}).await.err().context("begun twice")?;
    ensure!(problem::Problem::from(again.clone()).kind == problem::Kind::Conflict, "{again:?}");
    Ok(())
}
