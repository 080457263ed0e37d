//! What the clients wrote down: each request with its final answer, before they asked anything else.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// What a client wanted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wish {
    /// To register somebody whom nobody knows.
    Register,
    /// To send an acknowledged registration once more.
    Replay,
    /// To register somebody who is registered already.
    Duplicate,
    /// To amend a patient.
    Amend,
    /// To book an appointment.
    Book,
    /// To send an acknowledged booking once more.
    Rebook,
    /// To move an appointment to another time.
    Reschedule,
    /// To call an appointment off.
    Cancel,
    /// To note that a patient has come.
    Arrive,
    /// That their encounter may begin.
    CheckIn,
    /// That it has begun.
    Start,
    /// That the appointment is over.
    Complete,
    /// To put somebody on the waiting list.
    Wait,
    /// To give somebody on it a time.
    Take,
    /// To write an observation into a chart.
    Observe,
    /// To correct an observation.
    Correct,
    /// To begin an encounter.
    Visit,
    /// To finish it with what was done.
    Finish,
    /// To draft an invoice by hand.
    Draft,
    /// To issue one.
    Issue,
    /// To record a payment.
    Pay,
    /// To send an acknowledged payment once more.
    Repay,
    /// To take a part of an invoice back.
    Credit,
    /// To give up what is open.
    WriteOff,
    /// To give money back.
    Refund,
    /// To write down who insures a patient.
    Insure,
    /// To write a claim.
    Claim,
    /// To have it scrubbed.
    Prepare,
    /// To send it.
    Submit,
    /// To say that its payer has it.
    Acknowledge,
    /// To pay for claims, or to take back what was paid.
    Remit,
    /// To send an acknowledged remittance once more.
    Reremit,
}

impl Wish {
    /// Whether it makes an appointment.
    pub(crate) fn books(self) -> bool {
        matches!(self, Self::Book | Self::Rebook | Self::Wait)
    }

    /// Whether it changes one.
    pub(crate) fn changes(self) -> bool {
        self.becomes().is_some() && !self.books()
    }

    /// The status of the appointment that it makes or changes, when it is done.
    pub(crate) fn becomes(self) -> Option<&'static str> {
        match self {
            Self::Book | Self::Rebook | Self::Reschedule | Self::Take => Some("booked"),
            Self::Wait => Some("waitlist"),
            Self::Cancel => Some("cancelled"),
            Self::Arrive => Some("arrived"),
            Self::CheckIn | Self::Start => Some("checked-in"),
            Self::Complete => Some("fulfilled"),
            _ => None,
        }
    }
}

/// A request and its final answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) client: u32,
    pub(crate) wish: Wish,
    pub(crate) key: String,
    /// Whom or what it is about: the patient whom an amendment is of or whose duplicate was sent, or in whose chart
    /// something is written; what is changed.
    pub(crate) subject: Option<String>,
    /// The version that a change has seen.
    pub(crate) seen: Option<i64>,
    /// Whether other clients amend the same patient.
    #[serde(default)]
    pub(crate) contended: bool,
    pub(crate) body: Value,
    /// None when the client gave up.
    pub(crate) status: Option<u16>,
    pub(crate) etag: Option<String>,
    #[serde(default)]
    pub(crate) answer: Value,
    /// How its attempts ended that were no answer: status, `timeout`, `broken`.
    #[serde(default)]
    pub(crate) faults: BTreeMap<String, u32>,
}

impl Entry {
    /// The patient, appointment or observation of which the answer tells.
    pub(crate) fn answered_id(&self) -> Option<&str> {
        self.answer["id"].as_str()
    }

    /// Whether it is an acknowledged registration.
    pub(crate) fn registered(&self) -> bool {
        matches!(self.wish, Wish::Register | Wish::Replay) && self.status == Some(201)
    }

    /// Whether it is an acknowledged amendment.
    pub(crate) fn amended(&self) -> bool {
        self.wish == Wish::Amend && self.status == Some(200)
    }

    /// Whether it is an acknowledged booking.
    pub(crate) fn booked(&self) -> bool {
        self.wish.books() && self.status == Some(201)
    }

    /// Whether it is an acknowledged change of an appointment.
    pub(crate) fn changed(&self) -> bool {
        self.wish.changes() && self.status == Some(200)
    }

    /// Whether it is an acknowledged observation.
    pub(crate) fn observed(&self) -> bool {
        self.wish == Wish::Observe && self.status == Some(201)
    }

    /// Whether it is an acknowledged correction of an observation.
    pub(crate) fn corrected(&self) -> bool {
        self.wish == Wish::Correct && self.status == Some(200)
    }

    /// Whether it wanted this and was answered so.
    pub(crate) fn is(&self, wish: Wish, status: u16) -> bool {
        self.wish == wish && self.status == Some(status)
    }

    /// Whether it is an acknowledged draft, or an acknowledged act on an invoice.
    pub(crate) fn billed(&self) -> bool {
        self.is(Wish::Draft, 201)
            || [Wish::Issue, Wish::Credit, Wish::WriteOff].into_iter().any(|wish| self.is(wish, 200))
    }

    /// Whether it is an acknowledged payment or refund.
    pub(crate) fn paid(&self) -> bool {
        self.is(Wish::Pay, 201) || self.is(Wish::Repay, 201) || self.is(Wish::Refund, 200)
    }

    /// Whether it is an acknowledged claim, or an acknowledged act on one.
    pub(crate) fn claimed(&self) -> bool {
        self.is(Wish::Claim, 201)
            || [Wish::Prepare, Wish::Submit, Wish::Acknowledge].into_iter().any(|wish| self.is(wish, 200))
    }

    /// Whether it is an acknowledged remittance.
    pub(crate) fn remitted(&self) -> bool {
        self.is(Wish::Remit, 201) || self.is(Wish::Reremit, 201)
    }

    /// What the answer tells of, where it is about money.
    pub(crate) fn money_id(&self) -> &str {
        let name = match self.wish {
            Wish::Pay | Wish::Repay | Wish::Refund => "paymentId",
            Wish::Insure => "coverageId",
            Wish::Claim | Wish::Prepare | Wish::Submit | Wish::Acknowledge => "claimId",
            Wish::Remit | Wish::Reremit => "remittanceId",
            _ => "invoiceId",
        };
        self.answer[name].as_str().unwrap_or_default()
    }

    /// The version that was answered.
    pub(crate) fn answered_version(&self) -> i64 {
        self.answer["version"].as_i64().unwrap_or_default()
    }

    /// How an offence names it.
    pub(crate) fn name(&self) -> String {
        format!("client {} {:?} key {}", self.client, self.wish, self.key)
    }
}

/// A message that no consumer can use.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Poison {
    pub(crate) topic: String,
    /// As a dead letter shows it: the text, or base64 of what is none.
    pub(crate) payload: String,
    /// Who has to have put it aside.
    pub(crate) consumers: Vec<String>,
    /// How often it was sent, when an answer got lost.
    pub(crate) attempts: usize,
}

/// Both logs.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
    pub(crate) poison: Vec<Poison>,
}

impl Log {
    pub(crate) fn read(entries: &Path, poison: Option<&Path>) -> Result<Self> {
        Ok(Self { entries: read(entries)?, poison: poison.map(read).transpose()?.unwrap_or_default() })
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut entries = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let entry = serde_json::from_str(&line?);
        entries.push(entry.with_context(|| format!("{} line {}", path.display(), number + 1))?);
    }
    Ok(entries)
}
