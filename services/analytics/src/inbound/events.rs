//! Events that facts are made of.

mod billing;
mod patient;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::post,
};
use contracts::{
    billing::v1::{AccountOpened, ClaimChanged, InvoiceChanged, InvoiceCreated, JournalPosted, PaymentRecorded},
    patient::v1::{AppointmentBooked, AppointmentChanged, EncounterFinished, PatientRegistered, PatientUpdated},
};
use jiff::Timestamp;
use problem::Problem;
use prost::Name as _;
use sidecar::{
    documents::Documents,
    event::{CloudEvent, Undecodable},
    subscription::deliver,
};
use uuid::Uuid;

use crate::{
    domain::{
        fact::{Fact, Moment, Unfit},
        zone::ClinicZone,
    },
    outbound::replay,
    service::Figures,
};

/// The routes that `dapr/subscriptions` names.
pub fn routes(figures: Figures, documents: Documents) -> Router {
    let router =
        replay::topics().fold(Router::new(), |router, topic| router.route(&format!("/events/{topic}"), post(take)));
    // The broker bounds a message and the subscription their number; one that were refused for its size would come again
    // for ever.
    router.layer(DefaultBodyLimit::disable()).with_state((figures, documents))
}

async fn take(State((figures, documents)): State<(Figures, Documents)>, body: Bytes) -> Response {
    let apply = async |facts: Vec<Fact>| figures.ingest(facts).await.map_err(Problem::from);
    let decode = |event: &CloudEvent| fact(event, figures.zone());
    deliver(&documents, &body, Timestamp::now(), decode, apply).await
}

/// Why an event can never be counted.
#[derive(Debug, thiserror::Error)]
pub enum Useless {
    /// It is no message that is known.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    /// What it tells cannot be.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The message is empty.
    #[error("it tells of nothing")]
    Empty,
    /// It does not tell what it is about.
    #[error("an id is no UUID")]
    Id(#[from] uuid::Error),
}

/// What an event tells; by the calendar of this zone where it does not say by whose.
pub fn fact(event: &CloudEvent, zone: &ClinicZone) -> Result<Fact, Useless> {
    // The type tells what it is, whichever topic it came by: aggregates have several.
    let kind = event.r#type.as_str();
    if kind == PatientRegistered::full_name() {
        patient::patient(event.message::<PatientRegistered>()?.patient, zone)
    } else if kind == PatientUpdated::full_name() {
        patient::patient(event.message::<PatientUpdated>()?.patient, zone)
    } else if kind == AppointmentBooked::full_name() {
        patient::appointment(event.message::<AppointmentBooked>()?.appointment)
    } else if kind == AppointmentChanged::full_name() {
        patient::appointment(event.message::<AppointmentChanged>()?.appointment)
    } else if kind == EncounterFinished::full_name() {
        patient::encounter(event.message::<EncounterFinished>()?.encounter, zone)
    } else if kind == AccountOpened::full_name() {
        billing::account(event.message::<AccountOpened>()?.account)
    } else if kind == InvoiceCreated::full_name() {
        billing::invoice(event.message::<InvoiceCreated>()?.invoice, zone)
    } else if kind == InvoiceChanged::full_name() {
        billing::invoice(event.message::<InvoiceChanged>()?.invoice, zone)
    } else if kind == PaymentRecorded::full_name() {
        billing::payment(event.message::<PaymentRecorded>()?.payment, zone)
    } else if kind == ClaimChanged::full_name() {
        billing::claim(event.message::<ClaimChanged>()?.claim, zone)
    } else {
        billing::entry(event.message::<JournalPosted>()?.entry)
    }
}

fn moment(time: Option<contracts::Timestamp>) -> Result<Moment, Unfit> {
    let time = time.ok_or(Unfit::Moment)?;
    Moment::parse(time.seconds, time.nanos)
}

fn optional_moment(time: Option<contracts::Timestamp>) -> Result<Option<Moment>, Unfit> {
    time.map(|time| moment(Some(time))).transpose()
}

/// Empty where there is none.
fn optional_id(text: &str) -> Result<Option<Uuid>, uuid::Error> {
    (!text.is_empty()).then(|| Uuid::parse_str(text)).transpose()
}

/// The zone that is told, or this one.
fn zone_name(told: &str, zone: &ClinicZone) -> Result<String, Unfit> {
    if told.is_empty() {
        return Ok(zone.name().to_owned());
    }
    let known: ClinicZone = told.parse().map_err(|_| Unfit::TimeZone)?;
    Ok(known.name().to_owned())
}
