//! Events that are delivered again, in another order, and messages that nobody can use.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contracts::topic;
use dapr::{
    client::ApiTokenInterceptor,
    dapr::proto::runtime::v1::{BulkPublishRequest, BulkPublishRequestEntry, dapr_client::DaprClient},
};
use local::App;
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

use crate::{journal::Journal, stage::Stage};

/// The events of one aggregate in this many are delivered again: of the others a loss would show.
const ONE_IN: &str = "8";
/// How often each of them is.
const TIMES: usize = 3;
const MOST_IN_A_DELIVERY: usize = 100;
const MOST_BESIDE: usize = 400;
const DELIVERED: Duration = Duration::from_secs(5);
const PUBLISHED: Duration = Duration::from_secs(5);
/// How long a message is tried to be published, through however many deaths of its publisher's sidecar.
const GIVE_UP: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(500);

/// Every topic, its publisher and its consumers.
const TOPICS: [(&str, App, &[App]); 11] = [
    (topic::PATIENT_REGISTERED, App::Patient, &[App::Billing, App::Analytics]),
    (topic::PATIENT_UPDATED, App::Patient, &[App::Analytics]),
    (topic::BILLING_ACCOUNT_OPENED, App::Billing, &[App::Analytics]),
    (topic::ENCOUNTER_FINISHED, App::Patient, &[App::Billing, App::Analytics]),
    (topic::APPOINTMENT_BOOKED, App::Patient, &[App::Analytics]),
    (topic::APPOINTMENT_CHANGED, App::Patient, &[App::Analytics]),
    (topic::BILLING_INVOICE_CREATED, App::Billing, &[App::Analytics]),
    (topic::BILLING_INVOICE_CHANGED, App::Billing, &[App::Analytics]),
    (topic::BILLING_PAYMENT_RECORDED, App::Billing, &[App::Analytics]),
    (topic::BILLING_CLAIM_CHANGED, App::Billing, &[App::Analytics]),
    (topic::BILLING_JOURNAL_POSTED, App::Billing, &[App::Analytics]),
];

/// How much was injected.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Deliveries of events that a consumer took.
    pub(crate) again: AtomicU64,
    /// Those that came after a newer version of the same aggregate.
    pub(crate) late: AtomicU64,
    /// Events published once more.
    pub(crate) published: AtomicU64,
    /// Deliveries that met a consumer that was away.
    pub(crate) missed: AtomicU64,
    /// Messages that nobody can use.
    pub(crate) poison: AtomicU64,
}

/// An event as its publisher's database has it.
#[derive(Clone, Debug)]
struct Told {
    topic: String,
    key: String,
    version: i64,
    event: Value,
}

#[derive(Serialize)]
struct Poison<'a> {
    topic: &'a str,
    payload: String,
    consumers: Vec<String>,
    attempts: usize,
}

pub(crate) struct Injector {
    pub(crate) counts: Counts,
    pub(crate) journal: Journal,
    seed: u64,
    made: AtomicU64,
    /// What was begun beside the kills.
    beside: Mutex<JoinSet<Result<()>>>,
}

impl Injector {
    pub(crate) fn new(seed: u64, journal: Journal) -> Self {
        Self { counts: Counts::default(), journal, seed, made: AtomicU64::new(0), beside: Mutex::default() }
    }

    /// Begins to deliver events again, whoever is away.
    pub(crate) fn again_beside(self: &Arc<Self>, stage: &Arc<Stage>) {
        let (injector, stage) = (Arc::clone(self), Arc::clone(stage));
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            // Whoever has just been killed has no events to tell, nor ears for them.
            if let Ok(mut told) = told(&stage).await {
                let mut random = injector.random();
                told.shuffle(&mut random);
                told.truncate(MOST_BESIDE);
                let middle = told.len() / 2;
                injector.deliver(&stage, &told[..middle]).await?;
                injector.publish_again(&stage, &told[middle..]).await;
            }
            Ok(())
        });
    }

    /// Begins to publish a message that nobody can use.
    pub(crate) fn poison_beside(self: &Arc<Self>, stage: &Arc<Stage>) {
        let (injector, stage) = (Arc::clone(self), Arc::clone(stage));
        self.beside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(async move { injector.poison(&stage, 1).await });
    }

    /// Waits for what was begun.
    pub(crate) async fn settle(&self) -> Result<()> {
        let mut beside = std::mem::take(&mut *self.beside.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(ended) = beside.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Delivers events several times in random order, and at last all old versions after the new ones.
    pub(crate) async fn again(&self, stage: &Stage) -> Result<()> {
        let mut told = told(stage).await?;
        let mut random = self.random();
        for _ in 0..TIMES {
            told.shuffle(&mut random);
            self.deliver(stage, &told).await?;
        }
        told.sort_by_key(|told| std::cmp::Reverse(told.version));
        self.deliver(stage, &told).await
    }

    /// Publishes events again when all parts are there. They arrive at some time, also after what is delivered by hand.
    pub(crate) async fn through_the_broker(&self, stage: &Stage) -> Result<()> {
        let mut told = told(stage).await?;
        told.shuffle(&mut self.random());
        told.truncate(MOST_BESIDE);
        self.publish_again(stage, &told).await;
        Ok(())
    }

    fn random(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ (0x1_0000 + self.made.fetch_add(1, Ordering::Relaxed)))
    }

    /// To the consumers' own ports, in the form of a sidecar's bulk delivery.
    async fn deliver(&self, stage: &Stage, told: &[Told]) -> Result<()> {
        let mut newest = HashMap::<&str, i64>::new();
        for event in told {
            let newest = newest.entry(&event.key).or_default();
            if event.version < *newest {
                self.counts.late.fetch_add(1, Ordering::Relaxed);
            }
            *newest = event.version.max(*newest);
        }
        for delivery in
            told.chunk_by(|one, next| one.topic == next.topic).flat_map(|same| same.chunks(MOST_IN_A_DELIVERY))
        {
            let topic = &delivery[0].topic;
            let entries = delivery.iter().enumerate().map(|(n, told)| {
                json!({ "entryId": n.to_string(), "event": STANDARD.encode(told.event.to_string()),
                        "contentType": "application/octet-stream", "metadata": {} })
            });
            let body = json!({ "id": "again", "type": "com.dapr.event.sent.bulk", "topic": topic, "pubsubname": "pubsub",
                               "entries": entries.collect::<Vec<_>>() });
            for consumer in consumers(topic) {
                let url = format!("http://127.0.0.1:{}/events/{topic}", stage.block(*consumer).app);
                let request = stage.http.post(url).header("dapr-api-token", &stage.tokens.app_api_token);
                let taken = match request.json(&body).timeout(DELIVERED).send().await {
                    Ok(answer) if answer.status().is_success() => answer.json::<Value>().await.ok(),
                    _ => None,
                };
                let statuses = taken
                    .as_ref()
                    .and_then(|answer| answer["statuses"].as_array())
                    .map_or(0, |statuses| statuses.iter().filter(|status| status["status"] == "SUCCESS").count());
                self.counts.again.fetch_add(u64::try_from(statuses)?, Ordering::Relaxed);
                self.counts.missed.fetch_add(u64::try_from(delivery.len() - statuses)?, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// By the publisher's sidecar; beside a kill few of them get through.
    async fn publish_again(&self, stage: &Stage, told: &[Told]) {
        let mut topics = BTreeMap::<&str, Vec<(String, Vec<u8>)>>::new();
        for told in told {
            topics.entry(&told.topic).or_default().push((told.key.clone(), told.event.to_string().into_bytes()));
        }
        for (topic, messages) in topics {
            let count = messages.len();
            if publish(stage, topic, messages).await.is_ok() {
                self.counts.published.fetch_add(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
            }
        }
    }

    /// Publishes so many messages on each topic that no consumer can ever use, and writes down how often it tried.
    pub(crate) async fn poison(&self, stage: &Stage, each: usize) -> Result<()> {
        for (topic, _, consumers) in heard() {
            for _ in 0..each {
                let number = self.made.fetch_add(1, Ordering::Relaxed);
                let bytes = unusable(topic, number);
                let key = format!("poison {number}");
                let (mut attempts, begun) = (1, Instant::now());
                while let Err(error) = publish(stage, topic, vec![(key.clone(), bytes.clone())]).await {
                    attempts += 1;
                    if begun.elapsed() > GIVE_UP {
                        return Err(error.context("publishing poison"));
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                self.counts.poison.fetch_add(1, Ordering::Relaxed);
                let is_text = |text: &&str| !text.contains('\0');
                let text = str::from_utf8(&bytes).ok().filter(is_text);
                self.journal.append(&Poison {
                    topic,
                    payload: text.map_or_else(|| STANDARD.encode(&bytes), str::to_owned),
                    consumers: consumers.iter().map(ToString::to_string).collect(),
                    attempts,
                })?;
            }
        }
        Ok(())
    }
}

/// How many dead letters of this many poisoned rounds a consumer gets.
pub(crate) fn letters(consumer: App, messages: u64) -> u64 {
    let topics = heard().filter(|(_, _, consumers)| consumers.contains(&consumer)).count();
    messages * u64::try_from(topics).unwrap_or_default() / u64::try_from(heard().count()).unwrap_or(1)
}

/// The topics that somebody has subscribed to.
fn heard() -> impl Iterator<Item = (&'static str, App, &'static [App])> {
    TOPICS.into_iter().filter(|(_, _, consumers)| !consumers.is_empty())
}

fn consumers(topic: &str) -> &'static [App] {
    TOPICS.iter().find(|(name, ..)| *name == topic).map_or(&[], |(_, _, consumers)| consumers)
}

/// Bytes that are no event, an event of another type, one with wrong fields.
fn unusable(topic: &str, number: u64) -> Vec<u8> {
    let event = |kind: &str, data: Value| {
        json!({ "specversion": "1.0", "id": format!("poison-{number}"), "source": "chaos", "type": kind, "data": data })
            .to_string()
            .into_bytes()
    };
    let (kind, wrong) = match topic {
        topic::PATIENT_REGISTERED => ("patient.v1.PatientRegistered", json!({ "patient": { "patientId": "nobody" } })),
        topic::ENCOUNTER_FINISHED => {
            ("patient.v1.EncounterFinished", json!({ "encounter": { "encounterId": "none" } }))
        }
        topic::PATIENT_UPDATED => ("patient.v1.PatientUpdated", json!({ "patient": { "version": "zero" } })),
        _ => ("billing.v1.AccountOpened", json!({ "account": { "accountId": "none" } })),
    };
    match number % 4 {
        0 => [b"\xff\x00 poison ".as_slice(), number.to_string().as_bytes()].concat(),
        1 => format!("{{\"poison\": {number}").into_bytes(),
        2 => event("chaos.v1.Unheard", wrong),
        _ => event(kind, wrong),
    }
}

/// The events of some aggregates, of every version.
async fn told(stage: &Stage) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    for app in [App::Patient, App::Billing] {
        let query = format!(
            "select jsonb_build_object('key', split_part(key, '/', 2), 'version', d -> 'version', 'events', d -> 'events')
             from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key not like 'dead-letter/%'
                   union all select key, document from document.history) as documents
             where (hashtext(split_part(key, '/', 2)) & 1073741823) % {ONE_IN} = 0 order by key, 1"
        );
        for row in stage.rows(app, &query).await? {
            for event in row["events"].as_array().into_iter().flatten() {
                told.push(Told {
                    topic: event["topic"].as_str().context("an event has no topic")?.to_owned(),
                    key: row["key"].as_str().unwrap_or_default().to_owned(),
                    version: row["version"].as_i64().unwrap_or_default(),
                    event: event["event"].clone(),
                });
            }
        }
    }
    Ok(told)
}

/// Publishes by the sidecar of the topic's owner, byte for byte.
async fn publish(stage: &Stage, topic: &str, messages: Vec<(String, Vec<u8>)>) -> Result<()> {
    let owner = TOPICS.iter().find(|(name, ..)| *name == topic).map(|(_, owner, _)| *owner).context("no such topic")?;
    let address = format!("http://127.0.0.1:{}", stage.block(owner).grpc);
    let channel = Endpoint::from_shared(address)?.connect_timeout(PUBLISHED).connect().await?;
    let token = ApiTokenInterceptor::new(Some(stage.tokens.dapr_api_token.clone()));
    let entries = messages.into_iter().enumerate().map(|(n, (key, event))| BulkPublishRequestEntry {
        entry_id: n.to_string(),
        event,
        content_type: "application/cloudevents+json".to_owned(),
        metadata: HashMap::from([("partitionKey".to_owned(), key)]),
    });
    let mut request = tonic::Request::new(BulkPublishRequest {
        pubsub_name: "pubsub".to_owned(),
        topic: topic.to_owned(),
        entries: entries.collect(),
        metadata: HashMap::from([("rawPayload".to_owned(), "true".to_owned())]),
    });
    request.set_timeout(PUBLISHED);
    let answer = DaprClient::with_interceptor(channel, token).bulk_publish_event(request).await?.into_inner();
    anyhow::ensure!(answer.failed_entries.is_empty(), "{} entries were not published", answer.failed_entries.len());
    Ok(())
}
