//! Who a patient is, which `patient` knows.

use std::time::Duration;

use contracts::patient::v1::{GetDemographicsRequest, PatientDemographics, demographics_client::DemographicsClient};
use problem::Problem;
use serde::{Deserialize, Serialize};
use sidecar::{
    Sidecar,
    documents::{Document, Kind, Write},
    failure::Failure,
    invoke::AppChannel,
};
use tonic::Request;

use crate::domain::ids::{InvoiceId, PatientId};

/// Whoever issues an invoice waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// `data` of an `invoice-recipient/<invoice's id>` document: whom an invoice named when it was issued. Apart from the
/// invoice, which is kept as long as money is, so that erasure can reach it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecipientData {
    /// The version of the patient's record that it was.
    pub patient_version: i64,
    /// The medical record number.
    pub record_number: String,
    /// The name, as it is written.
    pub name: String,
    /// As far as it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub birth_date: String,
    /// Street, number, flat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<String>,
    /// The town.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Part of the country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// The postal code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    /// The country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
}

impl Kind for RecipientData {
    const NAME: &'static str = "invoice-recipient";
    const SCHEMA: u32 = 1;
}

impl RecipientData {
    /// The document that an invoice is issued with.
    pub fn write(self, invoice: InvoiceId) -> Result<Write, Failure> {
        Write::create(invoice.0, Document::first(self, Vec::new()))
    }
}

impl From<PatientDemographics> for RecipientData {
    fn from(told: PatientDemographics) -> Self {
        let name = told.name.unwrap_or_default();
        let family = [name.family].into_iter().filter(|family| !family.is_empty());
        let words: Vec<_> = name.prefix.into_iter().chain(name.given).chain(family).chain(name.suffix).collect();
        let address = told.billing_address.unwrap_or_default();
        Self {
            patient_version: told.version,
            record_number: told.record_number,
            name: words.join(" "),
            birth_date: told.birth_date,
            line: address.line,
            city: address.city,
            state: address.state,
            postal_code: address.postal_code,
            country: address.country,
        }
    }
}

/// The people that documents name.
#[derive(Clone, Debug)]
pub struct Demographics {
    client: DemographicsClient<AppChannel>,
}

impl Demographics {
    /// Demographics at the app `patient`.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { client: DemographicsClient::new(sidecar.app("patient")) }
    }

    /// Who a patient is, on behalf of the holder of `access_token`.
    pub async fn of(&self, patient: PatientId, access_token: &str) -> Result<RecipientData, Problem> {
        let mut request = Request::new(GetDemographicsRequest { patient_id: patient.to_string() });
        request.set_timeout(PATIENCE);
        let bearer = format!("Bearer {access_token}").parse().map_err(Problem::internal)?;
        request.metadata_mut().insert("authorization", bearer);
        let asked = tokio::time::timeout(PATIENCE, self.client.clone().get_demographics(request)).await;
        let answer = asked.map_err(Problem::unavailable)?.map_err(|status| {
            if problem::is_answer(&status) { Problem::from(status) } else { Problem::unavailable(status) }
        })?;
        let told = answer.into_inner().patient.ok_or_else(|| Problem::internal("patient answered nobody"))?;
        Ok(told.into())
    }
}
