//! The clearing house that passes claims on to payers: the app `clearinghouse`, which is not a part of this system.
//!
//! The README says what it is asked and what it may answer.

use std::time::Duration;

use axum::http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use bytes::Bytes;
use problem::Problem;
use serde::Serialize;
use serde_json::{Value, json};
use sidecar::{Sidecar, origin::Sender};

use super::demographics::RecipientData;
use crate::domain::{
    claim::{Claim, Line, file::ClaimFile},
    coverage::Coverage,
    payer::Payer,
};

/// Its app id.
pub const CLEARINGHOUSE: &str = "clearinghouse";

/// Whoever stands at the desk waits no longer than this. A claim that was not taken by then is sent again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a claim was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It was.
    Yes,
    /// It was refused with this status, and would be again.
    No(u16),
}

/// What earlier payers have done about a line.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EarlierLine {
    /// Which.
    pub line: usize,
    /// What they have paid.
    pub paid: i64,
    /// What they have left to the patient.
    pub patient: i64,
}

/// Asks the clearing house, which is not told whose computer the request came from.
pub(super) async fn ask(
    sidecar: &Sidecar,
    path: &'static str,
    question: &impl Serialize,
) -> Result<Response<Bytes>, Problem> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(serde_json::to_vec(question).map_err(Problem::internal)?))
        .map_err(Problem::internal)?;
    let asked = sidecar.invoke(CLEARINGHOUSE, request, PATIENCE);
    match Sender::current() {
        Some(sender) => sender.without_address().scope(asked).await,
        None => asked.await,
    }
}

/// The clearing house.
#[derive(Clone, Debug)]
pub struct Clearinghouse {
    sidecar: Sidecar,
}

impl Clearinghouse {
    /// The one that this sidecar reaches.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// Hands a claim over; answers whether it was taken, or refused for good by this status. It may come there more than
    /// once: claim and submission make it one.
    pub async fn send(
        &self,
        file: &ClaimFile,
        (coverage, payer): (&Coverage, &Payer),
        patient: &RecipientData,
        earlier: &[EarlierLine],
    ) -> Result<Taken, Problem> {
        let answer = ask(&self.sidecar, "/claims", &written(file, coverage, payer, patient, earlier)).await?;
        // What it says of a claim may name a patient: its status alone is told.
        match answer.status() {
            status if status.is_success() => Ok(Taken::Yes),
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Problem::unavailable(format!("the clearing house answers {status}")))
            }
            status if status.is_client_error() => Ok(Taken::No(status.as_u16())),
            status => Err(Problem::unavailable(format!("the clearing house answers {status}"))),
        }
    }
}

fn written(
    file: &ClaimFile,
    coverage: &Coverage,
    payer: &Payer,
    patient: &RecipientData,
    earlier: &[EarlierLine],
) -> Value {
    let claim: &Claim = &file.claim;
    let lines: Vec<_> = claim.lines.iter().zip(1..).map(line).collect();
    let prior =
        claim.prior.as_ref().map(|prior| json!({ "claimId": prior.claim_id, "controlNumber": prior.control_number }));
    json!({
        "claimId": claim.id,
        "submission": file.submissions,
        "frequencyCode": claim.frequency.code(),
        "prior": prior,
        "payer": {
            "id": payer.id,
            "name": payer.name,
            "electronicId": payer.electronic_id,
            "filingIndicator": payer.filing.code(),
        },
        "subscriber": {
            "memberId": coverage.member_id,
            "group": coverage.group,
            "relationship": coverage.relationship.code(),
        },
        "patient": {
            "name": patient.name,
            "birthDate": patient.birth_date,
            "line": patient.line,
            "city": patient.city,
            "state": patient.state,
            "postalCode": patient.postal_code,
            "country": patient.country,
        },
        "billingProvider": claim.billing_provider,
        "renderingProvider": claim.rendering_provider,
        "currency": claim.currency,
        "total": claim.total(),
        "diagnoses": claim.diagnoses,
        "lines": lines,
        "earlier": earlier,
    })
}

fn line((line, number): (&Line, usize)) -> Value {
    json!({
        "line": number,
        "procedure": line.procedure,
        "modifiers": line.modifiers,
        "units": line.units,
        "date": line.date,
        "placeOfService": line.place_of_service,
        "charge": line.charge,
        "diagnosisPointers": line.pointers,
    })
}
