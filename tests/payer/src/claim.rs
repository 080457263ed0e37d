//! What a clinic asks for.

use serde::Deserialize;
use serde_json::Value;

/// What every claim has to say; the rest is the payer's own business.
const REQUIRED: [&str; 16] = [
    "/claimId",
    "/submission",
    "/frequencyCode",
    "/payer/id",
    "/payer/name",
    "/payer/electronicId",
    "/payer/filingIndicator",
    "/subscriber/memberId",
    "/subscriber/relationship",
    "/patient/name",
    "/patient/birthDate",
    "/billingProvider",
    "/renderingProvider",
    "/currency",
    "/diagnoses/0",
    "/lines/0",
];

/// The part of a claim that is decided about.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claim {
    #[serde(rename = "claimId")]
    pub(crate) id: String,
    /// Counts how often it was sent on purpose: what was sent back is mended and sent again.
    pub(crate) submission: u32,
    pub(crate) frequency_code: Frequency,
    pub(crate) payer: Payer,
    pub(crate) subscriber: Subscriber,
    pub(crate) currency: String,
    pub(crate) total: i64,
    pub(crate) lines: Vec<Line>,
    /// The claim that this one takes the place of, or takes back.
    pub(crate) prior: Option<Prior>,
    /// What other payers have done about it before.
    #[serde(default)]
    pub(crate) earlier: Vec<Earlier>,
}

/// X12 CLM05-3.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub(crate) enum Frequency {
    #[serde(rename = "1")]
    Original,
    #[serde(rename = "7")]
    Replacement,
    #[serde(rename = "8")]
    Void,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Payer {
    pub(crate) id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscriber {
    pub(crate) member_id: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    #[serde(rename = "line")]
    pub(crate) number: u32,
    /// The day of the service, "2026-11-30".
    pub(crate) date: String,
    pub(crate) charge: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Prior {
    pub(crate) claim_id: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Earlier {
    pub(crate) line: u32,
    /// What was left to the patient.
    pub(crate) patient: i64,
}

impl Claim {
    /// Reads a claim, or says what is wrong with it; never with a word of the claim itself.
    pub(crate) fn read(body: &Value) -> Result<Self, String> {
        let missing: Vec<_> =
            REQUIRED.into_iter().filter(|pointer| body.pointer(pointer).is_none_or(Value::is_null)).collect();
        if !missing.is_empty() {
            return Err(format!("the claim says nothing of {}", missing.join(", ")));
        }
        let claim = Self::deserialize(body).map_err(|_| "the claim has a field of another form".to_owned())?;
        if claim.lines.iter().any(|line| line.charge < 0) {
            return Err("a line asks for less than nothing".to_owned());
        }
        if claim.lines.iter().map(|line| line.charge).sum::<i64>() != claim.total {
            return Err("the lines do not add up to the total".to_owned());
        }
        Ok(claim)
    }

    /// What the patient owes of a line after the payers before; the whole charge when there was none.
    pub(crate) fn left_to_patient(&self, line: &Line) -> i64 {
        let earlier = self.earlier.iter().find(|earlier| earlier.line == line.number);
        earlier.map_or(line.charge, |earlier| earlier.patient.clamp(0, line.charge))
    }

    /// The day of the last service: no clinic takes it for a day to come, whatever its time zone.
    pub(crate) fn last_date(&self) -> String {
        self.lines.iter().map(|line| line.date.as_str()).max().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::claim;

    #[test]
    fn a_whole_claim_is_read() {
        let claim = Claim::read(&claim("PAY-1")).unwrap();
        assert_eq!((claim.frequency_code, claim.lines.len(), claim.total), (Frequency::Original, 2, 15_000));
        assert_eq!(claim.last_date(), "2026-11-30");
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_of_it_is_repeated() {
        let mut body = claim("PAY-1");
        body["renderingProvider"] = Value::Null;
        body["patient"] = Value::Null;
        let told = Claim::read(&body).unwrap_err();
        assert_eq!(told, "the claim says nothing of /patient/name, /patient/birthDate, /renderingProvider");
    }

    #[test]
    fn a_claim_that_does_not_add_up_is_not_taken() {
        let mut body = claim("PAY-1");
        body["total"] = 15_001.into();
        assert_eq!(Claim::read(&body).unwrap_err(), "the lines do not add up to the total");
        body["frequencyCode"] = "6".into();
        assert!(Claim::read(&body).is_err());
    }

    #[test]
    fn what_is_left_is_never_more_than_was_asked_for() {
        let mut body = claim("SECOND-1");
        body["earlier"] = serde_json::json!([{ "line": 1, "paid": 6_000, "patient": 99_999 }]);
        let claim = Claim::read(&body).unwrap();
        let left: Vec<_> = claim.lines.iter().map(|line| claim.left_to_patient(line)).collect();
        assert_eq!(left, [10_000, 5_000]);
    }
}
