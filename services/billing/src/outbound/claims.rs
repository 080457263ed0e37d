//! Lists of claims, and whom they name.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sidecar::{
    Sidecar,
    documents::{Answered, Document, Documents, Kind, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::{
    demographics::RecipientData,
    journal::Versioned,
    lists::{Page, Position},
};
use crate::domain::{
    claim::{
        self,
        file::{ClaimFile, Outcome, Parts},
        remittance::ClaimPayment,
    },
    ids::{ClaimId, InvoiceId, JournalId, PatientId, PayerId, RemittanceId},
    money::{Amount, Currency},
};

/// Makes the ids of what a submission said of the patient.
const SUBMISSIONS: Uuid = Uuid::from_u128(0x71c4_0be3_5d28_4a96_b3f7_8e02_6a9d_14c5);

impl Kind for ClaimFile {
    const NAME: &'static str = "claim";
    /// 2 has what each answer denied.
    const SCHEMA: u32 = 2;

    fn upcast(data: Value, _schema: u32) -> Value {
        with_denied(data)
    }
}

/// Writes down what answers denied, as far as a claim says it: the answer that stands does in full, and of one that was
/// taken back it is known where it denied nothing.
fn with_denied(mut data: Value) -> Value {
    let standing = data.pointer("/standing/payment").and_then(|payment| ClaimPayment::deserialize(payment).ok());
    let standing = standing.map(|payment| Parts::of(&payment).denied);
    let answers = data.get_mut("answers").and_then(Value::as_array_mut);
    let Some(answers) = answers else { return data };
    let last = answers.len().checked_sub(1);
    for (at, answer) in answers.iter_mut().enumerate() {
        let denied =
            if answer["outcome"] == "paid" { Some(Amount::ZERO) } else { standing.filter(|_| Some(at) == last) };
        if let Some(denied) = denied {
            answer["denied"] = json!(denied);
        }
    }
    data
}

/// `data` of a `claim-patient/<id>` document: whom a submission of a claim named. Apart from the claim, so that erasure
/// can reach it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct PatientData(pub RecipientData);

impl Kind for PatientData {
    const NAME: &'static str = "claim-patient";
    const SCHEMA: u32 = 1;
}

impl PatientData {
    /// The document that a claim is submitted with for the `submission`th time.
    pub fn write(&self, claim: ClaimId, submission: u32) -> Result<Write, Failure> {
        Write::create(Self::id(claim, submission), Document::first(self.clone(), Vec::new()))
    }

    fn id(claim: ClaimId, submission: u32) -> Uuid {
        Uuid::new_v5(&SUBMISSIONS, format!("{claim}/{submission}").as_bytes())
    }
}

/// Which claims.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedClaims {
    /// Whose; everybody's without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// For which invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<InvoiceId>,
    /// To which payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<PayerId>,
    /// In which state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<claim::Status>,
    /// Only those of which a deadline is near or over on this day, which come in the order of their deadlines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_due: Option<DuePosition>,
    /// Which part.
    #[serde(flatten)]
    pub page: Page,
}

/// Where a page of what is due ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DuePosition {
    /// The deadline.
    pub due: Date,
    /// Which.
    pub id: Uuid,
}

/// Where a page of claims ends.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum ClaimPosition {
    /// Of what is due.
    Due(DuePosition),
    /// Of all.
    Newest(Position),
}

/// Which answers.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedAnswers {
    /// The first day of the books.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Of which payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<PayerId>,
}

/// How many claims payers decided about, and how.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AnswerCounts {
    /// First answers.
    pub answered: i64,
    /// Of them, those that were denied in whole.
    pub denied: i64,
    /// Of them, those that were denied in part.
    pub partially_denied: i64,
    /// Of them, those of original claims that were never sent back and deny nothing.
    pub first_pass: i64,
}

/// An answer in a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundAnswer {
    /// The act that booked it.
    pub journal_id: JournalId,
    /// The day of the books.
    pub date: Date,
    /// Of which claim.
    pub claim_id: ClaimId,
    /// By which payer.
    pub payer_id: PayerId,
    /// What it came to.
    pub outcome: Outcome,
    /// Whether it counts as passed at first.
    pub first_pass: bool,
    /// The currency.
    pub currency: Currency,
    /// What was asked for.
    pub billed: Amount,
    /// What was paid.
    pub paid: Amount,
}

/// Where a page of answers ends.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct AnswerPosition {
    /// The day.
    pub date: Date,
    /// Which act.
    pub id: Uuid,
}

/// What was not done to its end: a process ended in the midst of it, or somebody did not answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOver {
    /// Claims that are submitted and not sent, with whose they are.
    pub unsent: Vec<Unsent>,
    /// Remittances of which something waits.
    pub waiting: Vec<RemittanceId>,
    /// How many claims are submitted and not sent in all.
    pub unsent_count: u64,
    /// How many remittances wait in all.
    pub waiting_count: u64,
    /// How many claims have a deadline that is near or over.
    pub due_count: u64,
}

/// A claim that is submitted and not sent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unsent {
    /// Which.
    pub claim_id: ClaimId,
    /// Whose.
    pub patient_id: PatientId,
}

/// The claims, as they are listed.
#[derive(Clone, Debug)]
pub struct Claims {
    sidecar: Sidecar,
    documents: Documents,
}

impl Claims {
    /// Claims in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// A page of claims, newest first, or by their deadlines.
    pub async fn page(&self, wanted: &WantedClaims) -> Result<Vec<Versioned<ClaimFile>>, Failure> {
        let found: Vec<Answered> = self.sidecar.query("claim_page", wanted).await?;
        let read = |found: Answered| {
            let document = found.stored::<ClaimFile>()?.document;
            Ok(Versioned { item: document.data, version: document.version })
        };
        found.into_iter().map(read).collect()
    }

    /// Whom a submission named; nobody when that was erased.
    pub async fn patient(&self, claim: ClaimId, submission: u32) -> Result<Option<RecipientData>, Failure> {
        let stored = self.documents.get::<PatientData>(PatientData::id(claim, submission)).await?;
        Ok(stored.map(|stored| stored.document.data.0))
    }

    /// How payers decided.
    pub async fn counts(&self, wanted: &WantedAnswers) -> Result<AnswerCounts, Failure> {
        self.sidecar.query("claim_answer_counts", wanted).await
    }

    /// A page of first answers, in the order of the days.
    pub async fn answers(
        &self,
        wanted: &WantedAnswers,
        outcome: Option<Outcome>,
        after: Option<AnswerPosition>,
        limit: usize,
    ) -> Result<Vec<FoundAnswer>, Failure> {
        #[derive(Serialize)]
        struct Asked<'a> {
            #[serde(flatten)]
            wanted: &'a WantedAnswers,
            #[serde(skip_serializing_if = "Option::is_none")]
            outcome: Option<Outcome>,
            #[serde(skip_serializing_if = "Option::is_none")]
            after: Option<AnswerPosition>,
            limit: usize,
        }
        self.sidecar.query("claim_answer_page", &Asked { wanted, outcome, after, limit }).await
    }

    /// What was left over before a moment, at most `limit` of each, and what is due on a day.
    pub async fn left_over(&self, before: Timestamp, today: Date, limit: usize) -> Result<LeftOver, Failure> {
        let asked = json!({ "before": before, "today": today, "limit": limit });
        self.sidecar.query("claims_left_over", &asked).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_denied_is_written_down_as_far_as_it_is_known() {
        let answer = |outcome: &str| json!({ "outcome": outcome });
        let payment = json!({
            "claimId": Uuid::nil(), "controlNumber": "ICN", "status": "primary", "billed": 100, "paid": 60,
            "adjustments": [{ "group": "CO", "reason": "45", "amount": 10 }],
            "lines": [{ "line": 1, "billed": 100, "paid": 60, "adjustments": [
                { "group": "CO", "reason": "96", "amount": 20 }, { "group": "PR", "reason": "3", "amount": 10 }] }],
        });
        let answers = [answer("paid"), answer("denied"), answer("partially-paid")];
        let denied = |data: Value| -> Vec<_> {
            let data = ClaimFile::upcast(data, 1);
            data["answers"].as_array().unwrap().iter().map(|answer| answer["denied"].as_i64()).collect()
        };
        let standing = json!({ "answers": answers.clone(), "standing": { "payment": payment } });
        assert_eq!(denied(standing), [Some(0), None, Some(20)]);
        assert_eq!(denied(json!({ "answers": answers })), [Some(0), None, None], "it was taken back");
        assert_eq!(ClaimFile::upcast(json!({ "live": true }), 1), json!({ "live": true }));
    }
}
