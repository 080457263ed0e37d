//! What producers have told by events, asked of them.

use std::{future::Future, time::Duration};

use contracts::{billing::v1 as billing, patient::v1 as patient, topic};
use problem::Problem;
use sidecar::{Sidecar, event::CloudEvent, invoke::AppChannel};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::facts::Digest;
use crate::domain::fact::FactKind;

/// A page is a few thousand documents at most, and nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many things a page of events looks at, and a digest.
const EVENTS: i32 = 500;
const DIGESTED: i32 = 2000;

/// A page of what was told.
#[derive(Debug)]
pub struct Told {
    /// The latest event of each thing; those that are no events are missing.
    pub events: Vec<CloudEvent>,
    /// How many are missing.
    pub unreadable: usize,
    /// Where the next page begins.
    pub next: Option<Uuid>,
}

/// Everyone who tells something that is counted.
#[derive(Clone, Debug)]
pub struct Producers {
    patient: patient::replay_client::ReplayClient<AppChannel>,
    billing: billing::replay_client::ReplayClient<AppChannel>,
}

/// The topics that tell of a kind, and whether `patient` tells them; else `billing` does.
fn source(kind: FactKind) -> (bool, &'static [&'static str]) {
    match kind {
        FactKind::Patients => (true, &[topic::PATIENT_REGISTERED, topic::PATIENT_UPDATED]),
        FactKind::Appointments => (true, &[topic::APPOINTMENT_BOOKED, topic::APPOINTMENT_CHANGED]),
        FactKind::Encounters => (true, &[topic::ENCOUNTER_FINISHED]),
        FactKind::Accounts => (false, &[topic::BILLING_ACCOUNT_OPENED]),
        FactKind::Invoices => (false, &[topic::BILLING_INVOICE_CREATED, topic::BILLING_INVOICE_CHANGED]),
        FactKind::Payments => (false, &[topic::BILLING_PAYMENT_RECORDED]),
        FactKind::Claims => (false, &[topic::BILLING_CLAIM_CHANGED]),
        FactKind::Entries => (false, &[topic::BILLING_JOURNAL_POSTED]),
    }
}

/// Every topic that facts are made of.
pub fn topics() -> impl Iterator<Item = &'static str> {
    FactKind::ALL.into_iter().flat_map(|kind| source(kind).1).copied()
}

impl Producers {
    /// The apps `patient` and `billing`.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self {
            patient: patient::replay_client::ReplayClient::new(sidecar.app("patient")),
            billing: billing::replay_client::ReplayClient::new(sidecar.app("billing")),
        }
    }

    /// A page of the latest events of a kind, of ids after one.
    pub async fn latest(&self, kind: FactKind, after: Option<Uuid>) -> Result<Told, Problem> {
        let (of_patient, topics) = source(kind);
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let (cursor, limit) = (after.map(|id| id.to_string()), Some(EVENTS));
        let (events, next) = if of_patient {
            let request = asked(patient::ListLatestEventsRequest { topics, cursor, limit });
            let page = in_time(self.patient.clone().list_latest_events(request)).await?;
            (page.events, page.next)
        } else {
            let request = asked(billing::ListLatestEventsRequest { topics, cursor, limit });
            let page = in_time(self.billing.clone().list_latest_events(request)).await?;
            (page.events, page.next)
        };
        let count = events.len();
        let events: Vec<_> = events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
        Ok(Told { unreadable: count - events.len(), events, next: id(next)? })
    }

    /// What a page of the latest events of a kind comes to, of ids after one, and the last id of it; none of the last page.
    pub async fn digest(&self, kind: FactKind, after: Option<Uuid>) -> Result<(Digest, Option<Uuid>), Problem> {
        let (of_patient, topics) = source(kind);
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let (cursor, limit) = (after.map(|id| id.to_string()), Some(DIGESTED));
        let (count, digest, next) = if of_patient {
            let request = asked(patient::DigestLatestEventsRequest { topics, cursor, limit });
            let page = in_time(self.patient.clone().digest_latest_events(request)).await?;
            (page.count, page.digest, page.next)
        } else {
            let request = asked(billing::DigestLatestEventsRequest { topics, cursor, limit });
            let page = in_time(self.billing.clone().digest_latest_events(request)).await?;
            (page.count, page.digest, page.next)
        };
        Ok((Digest { count, digest }, id(next)?))
    }
}

fn asked<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

async fn in_time<T>(asked: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Problem> {
    let answer = tokio::time::timeout(PATIENCE, asked).await.map_err(Problem::unavailable)?;
    Ok(answer.map_err(Problem::unavailable)?.into_inner())
}

fn id(text: Option<String>) -> Result<Option<Uuid>, Problem> {
    text.map(|text| Uuid::parse_str(&text)).transpose().map_err(Problem::internal)
}
