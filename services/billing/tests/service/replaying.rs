//! `billing.v1.Replay`: what was told, for whoever did not hear it.

use std::collections::BTreeMap;

use access::Role;
use contracts::{
    billing::v1::{
        DigestLatestEventsRequest, DigestLatestEventsResponse, ListLatestEventsRequest, PaymentMethod,
        replay_client::ReplayClient,
    },
    topic,
};
use libtest_mimic::Trial;
use serde_json::Value;
use testkit::{Parts, Result, test};
use tonic::{Code, service::interceptor::InterceptedService, transport::Channel, transport::Endpoint};
use uuid::Uuid;

use super::{
    AsSidecar,
    claiming::accepted,
    desk::{Desk, Refused as _, fields, payment},
};

/// Each kind of document, with the topics by which it tells.
const TELLING: [(&str, &[&str]); 5] = [
    ("account", &[topic::BILLING_ACCOUNT_OPENED]),
    ("invoice", &[topic::BILLING_INVOICE_CREATED, topic::BILLING_INVOICE_CHANGED]),
    ("payment", &[topic::BILLING_PAYMENT_RECORDED]),
    ("claim", &[topic::BILLING_CLAIM_CHANGED]),
    ("journal", &[topic::BILLING_JOURNAL_POSTED]),
];

type Client = ReplayClient<InterceptedService<Channel, AsSidecar>>;

async fn client(parts: &Parts) -> Result<Client> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let caller = AsSidecar { app_api_token: parts.app_api_token().to_owned(), access_token: None };
    Ok(ReplayClient::with_interceptor(channel, caller))
}

fn named(topics: &[&str]) -> Vec<String> {
    topics.iter().map(|&topic| topic.to_owned()).collect()
}

/// Every page of the latest events, each under the id of what it is of, with the version that it tells.
async fn told(client: &mut Client, topics: &[&str], limit: i32) -> Result<BTreeMap<Uuid, u64>> {
    let (mut told, mut cursor) = (BTreeMap::new(), None);
    loop {
        let asked = ListLatestEventsRequest { topics: named(topics), cursor, limit: Some(limit) };
        let page = client.list_latest_events(asked).await?.into_inner();
        for event in page.events {
            let event: Value = serde_json::from_str(&event)?;
            let snapshot = event["data"].as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default();
            let version = snapshot["version"].as_str().unwrap_or_default().parse()?;
            let id = event["subject"].as_str().unwrap_or_default().parse()?;
            assert!(told.last_key_value().is_none_or(|(last, _)| *last < id), "in the order of the ids, of each one");
            told.insert(id, version);
        }
        let Some(next) = page.next else { return Ok(told) };
        cursor = Some(next);
    }
}

/// What a consumer would compute that has heard these.
async fn digest(parts: &Parts, heard: impl Iterator<Item = (&Uuid, &u64)>) -> Result<(i64, String)> {
    let heard: Vec<_> = heard.map(|(id, version)| format!("('{id} {version}')")).collect();
    if heard.is_empty() {
        return Ok((0, "0".repeat(15)));
    }
    let sums = format!(
        "select count(*), sum(('x' || substr(md5(told), 1, 15))::bit(60)::bigint)::text as sum from (values {}) as heard(told)",
        heard.join(",")
    );
    let row = parts.sql(&sums).await?.remove(0);
    let sum: u128 = row["sum"].as_str().unwrap_or_default().parse()?;
    Ok((row["count"].as_i64().unwrap_or_default(), format!("{:015x}", sum % (1 << 60))))
}

async fn digested(
    client: &mut Client,
    topics: &[&str],
    cursor: Option<String>,
    limit: Option<i32>,
) -> Result<DigestLatestEventsResponse> {
    let asked = DigestLatestEventsRequest { topics: named(topics), cursor, limit };
    Ok(client.digest_latest_events(asked).await?.into_inner())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("whoever_has_heard_everything_computes_the_same_digests", parts, |parts| async move {
            for _ in 0..3 {
                accepted(&parts).await?;
                let (patient, desk) = (Uuid::now_v7(), Desk::of(&parts, Role::Biller).await?);
                desk.issued(patient, Uuid::now_v7(), 500).await?;
                desk.pay(payment(patient, PaymentMethod::Cash, 500), Uuid::now_v7()).await?;
            }
            let mut client = client(&parts).await?;
            for (kind, topics) in TELLING {
                let events = told(&mut client, topics, 500).await?;
                let stored = parts.sql(&format!("select count(*) from state.state where key like '{kind}/%'")).await?;
                let stored = stored[0]["count"].as_u64().unwrap_or_default();
                // An act that moves nothing is not told; all else tells each of its versions.
                assert!(kind == "journal" || u64::try_from(events.len())? == stored, "{kind}");
                let size = i32::try_from(events.len() / 3)?;
                let (mut cursor, mut count, mut pages) = (None::<Uuid>, 0, 0);
                loop {
                    let page = digested(&mut client, topics, cursor.map(|id| id.to_string()), Some(size)).await?;
                    let next: Option<Uuid> = page.next.as_deref().map(str::parse).transpose()?;
                    let is_here = |id: &Uuid| cursor.is_none_or(|after| *id > after) && next.is_none_or(|to| *id <= to);
                    let heard = digest(&parts, events.iter().filter(|(id, _)| is_here(id))).await?;
                    assert_eq!((page.count, page.digest), heard, "{kind}");
                    (count, pages) = (count + page.count, pages + 1);
                    if next.is_none() {
                        break;
                    }
                    cursor = next;
                }
                assert_eq!(count, i64::try_from(events.len())?, "{kind}");
                assert!(pages >= 3, "{kind}");
                // One event less, or another version, and it is another digest.
                let whole = digested(&mut client, topics, None, Some(5_000)).await?;
                assert_eq!((whole.count, &whole.digest), (count, &digest(&parts, events.iter()).await?.1));
                let older: BTreeMap<_, _> = events.iter().map(|(id, version)| (*id, version - 1)).collect();
                assert_ne!(digest(&parts, older.iter()).await?.1, whole.digest);
                assert_ne!(digest(&parts, events.iter().skip(1)).await?.1, whole.digest);
            }
            Ok(())
        }),
        test("what_is_told_again_is_the_latest_of_any_of_the_topics", parts, |parts| async move {
            let (patient, desk) = (Uuid::now_v7(), Desk::of(&parts, Role::Biller).await?);
            let draft = desk.draft(patient, Uuid::now_v7(), 500).await?;
            let id: Uuid = draft.invoice_id.parse()?;
            let mut client = client(&parts).await?;
            let both = [topic::BILLING_INVOICE_CREATED, topic::BILLING_INVOICE_CHANGED];
            assert_eq!(told(&mut client, &both, 500).await?.get(&id), Some(&1));
            desk.issue(&draft).await?;
            desk.pay(payment(patient, PaymentMethod::Cash, 500), Uuid::now_v7()).await?;
            assert_eq!(told(&mut client, &both, 500).await?.get(&id), Some(&3));
            // What was told first stands in an earlier version.
            assert_eq!(told(&mut client, &both[..1], 500).await?.get(&id), Some(&1));
            Ok(())
        }),
        test("what_cannot_be_told_again_is_named", parts, |parts| async move {
            let mut client = client(&parts).await?;
            let mixed = DigestLatestEventsRequest {
                topics: named(&[topic::BILLING_INVOICE_CREATED, topic::BILLING_CLAIM_CHANGED]),
                cursor: Some("there".to_owned()),
                limit: Some(5_001),
            };
            let refused = client.digest_latest_events(mixed).await.refused()?;
            assert_eq!(fields(&refused), ["topics", "cursor", "limit"]);
            let none = client.list_latest_events(ListLatestEventsRequest::default()).await.refused()?;
            assert_eq!((none.code(), fields(&none)), (Code::InvalidArgument, vec!["topics".to_owned()]));
            let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
            let asked = ListLatestEventsRequest { topics: named(TELLING[0].1), ..Default::default() };
            let stranger = ReplayClient::new(channel).list_latest_events(asked).await.refused()?;
            assert_eq!(stranger.code(), Code::Unauthenticated, "only by the sidecar");
            Ok(())
        }),
    ]
}
