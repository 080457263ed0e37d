//! What the database has for a patient's summary.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use sidecar::{Sidecar, failure::Failure};

use crate::domain::patient::PatientId;

/// The vital signs of <http://hl7.org/fhir/R4/observation-vitalsigns.html>, in LOINC: panel, blood pressure, heart rate,
/// respiratory rate, saturation (both codes), temperature, height, weight, body mass index, head circumference.
const VITAL_SIGNS: [&str; 11] =
    ["85353-1", "85354-9", "8867-4", "9279-1", "2708-6", "59408-5", "8310-5", "8302-2", "29463-7", "39156-5", "9843-4"];

/// As many active records of a kind as a page can show.
const MOST: u8 = 50;

/// The newest of what is active, in FHIR's JSON.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// The records.
    pub items: Vec<Box<RawValue>>,
    /// Whether there are more, which their own page has.
    pub more: bool,
}

/// The sections that were asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// Whether there is such a patient.
    pub known: bool,
    /// Active conditions.
    pub problems: Option<Listed>,
    /// Active allergies and intolerances.
    pub allergies: Option<Listed>,
    /// What is to be taken at present.
    pub medications: Option<Listed>,
    /// The newest observation of each vital sign.
    pub vital_signs: Option<Listed>,
    /// The next appointment; none when none is booked.
    pub next_appointment: Option<Box<RawValue>>,
}

/// Asks for some sections of a patient's summary, by their names.
pub async fn find(sidecar: &Sidecar, patient: PatientId, sections: &[&str], now: Timestamp) -> Result<Stored, Failure> {
    let asked = json!({
        "patientId": patient.as_uuid(), "sections": sections, "codes": VITAL_SIGNS, "now": now, "limit": MOST,
    });
    sidecar.query("patient_summary", &asked).await
}
