//! Remittances: taken in with their money at once, and booked claim by claim.

use std::collections::{BTreeMap, BTreeSet};

use access::Caller;
use audit::{Action, Entry};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use sidecar::{failure::Failure, origin::Sender};

use super::{
    Books, Keyed,
    act::{Act, ActError, Asked},
    claim_act::{Booked, ClaimAct},
    rounds::Rounds,
};
use crate::{
    domain::{
        books::Refusal,
        claim::{
            self, Finding,
            remittance::{ClaimStatusCode, Code, Remittance, in_order, whole},
        },
        coverage::PayerId,
        ids::{JournalId, PatientId, RemittanceId, UserId},
        ledger::{self, JournalEntry, LedgerAccount, Place, Postings},
        money::Currency,
    },
    outbound::remittances::{FoundRemittance, RemittanceData, remittance_id},
};

/// Interest, of the reasons of X12 PLB.
const INTEREST: &str = "L6";
/// Patients whose claims are booked at the same time.
const AT_ONCE: usize = 8;

/// Why a remittance is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum RemittanceError {
    /// It does not add up.
    #[error("it does not add up")]
    Bad(Vec<Finding<Code>>),
    /// Nobody pays who is known by this id.
    #[error("there is no such payer")]
    NoPayer,
    /// Its currency is not that of the books.
    #[error("the books are in another currency")]
    Currency(Currency),
    /// The payer's trace was another remittance's.
    #[error("the trace was used for another remittance")]
    TraceReused,
    /// There is none.
    #[error("there is none")]
    Unknown,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// Why what a remittance says of a claim waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// A code that stays.
    pub code: &'static str,
    /// Where.
    pub pointer: String,
    /// For people.
    pub detail: String,
}

/// A remittance, and why what waits of it does.
#[derive(Clone, Debug)]
pub struct BookedRemittance {
    /// The remittance.
    pub found: FoundRemittance,
    /// By the places of its claims.
    pub waiting: BTreeMap<usize, Vec<Waiting>>,
}

impl Books {
    /// Takes a remittance in, once, and books what can be booked.
    pub async fn receive_remittance(
        &self,
        caller: &Caller,
        remittance: Remittance,
    ) -> Result<BookedRemittance, RemittanceError> {
        let findings = whole(&remittance);
        if !findings.is_empty() {
            return Err(RemittanceError::Bad(findings));
        }
        if remittance.currency != self.settings.currency {
            return Err(RemittanceError::Currency(self.settings.currency));
        }
        self.payers.get(remittance.payer_id).await?.ok_or(RemittanceError::NoPayer)?;
        let id = remittance_id(remittance.payer_id, &remittance.trace);
        self.take_in(caller, id, &remittance).await?;
        self.book_remittance(Some(caller), id).await
    }

    /// Writes a remittance down with the act that has its money, unless it is there.
    async fn take_in(&self, caller: &Caller, id: RemittanceId, remittance: &Remittance) -> Result<(), RemittanceError> {
        let mut rounds = Rounds::begin();
        loop {
            let now = Timestamp::now();
            let act = JournalEntry {
                id: JournalId(id.0),
                act: ledger::Act::RemittanceReceived,
                patient_id: None,
                clinic_id: None,
                currency: remittance.currency,
                recorded_at: now,
                date: self.open_days.day(now),
                user_id: Some(UserId(caller.subject)),
                reverses: None,
                postings: received(remittance),
            };
            let places = 0..remittance.claims.len();
            let data = RemittanceData {
                remittance: remittance.clone(),
                received_at: now,
                journal_ids: places.map(|at| Booked::journal_id(id, at)).collect(),
            };
            let request = Keyed { key: id.0, hash: id.0 }.remembered();
            let entry = Entry::new(Action::Create, "create").by(caller);
            match self.remittances.receive(id, data, act, request, &entry).await {
                Ok(()) => return Ok(()),
                Err(Failure::KeyTaken) => {
                    let found = self.remittances.get(id).await?.ok_or(RemittanceError::TraceReused)?;
                    let same = found.data.remittance == *remittance;
                    return if same { Ok(()) } else { Err(RemittanceError::TraceReused) };
                }
                Err(failure) if rounds.again(&failure).await => self.open_days.learn(&failure).await,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Books what waits of a remittance and can be booked.
    pub async fn book_remittance(
        &self,
        caller: Option<&Caller>,
        id: RemittanceId,
    ) -> Result<BookedRemittance, RemittanceError> {
        let found = self.remittances.get(id).await?.ok_or(RemittanceError::Unknown)?;
        let waiting = self.try_to_book(caller, &found).await?;
        if waiting.len() + found.booked.len() == found.data.remittance.claims.len() {
            return Ok(BookedRemittance { found, waiting });
        }
        let found = self.remittances.get(id).await?.ok_or(RemittanceError::Unknown)?;
        Ok(BookedRemittance { found, waiting })
    }

    /// A remittance, with why what waits of it does, as things stand.
    pub async fn remittance(&self, id: RemittanceId) -> Result<Option<BookedRemittance>, Failure> {
        let Some(found) = self.remittances.get(id).await? else { return Ok(None) };
        let (mut waiting, mut not_reversed) = (BTreeMap::new(), BTreeSet::new());
        for (at, payment) in in_order(&found.data.remittance.claims) {
            if found.booked.contains(&at) {
                continue;
            }
            let why = match found.patients[at] {
                None => vec![unknown(at)],
                Some(_) if not_reversed.contains(&payment.claim_id) => vec![reversal_waits(at)],
                Some(patient) => match self.would(patient, asked(&found, at, payment)).await? {
                    None => Vec::new(),
                    Some(error) => why(at, error)?,
                },
            };
            waiting.insert(at, why);
            if payment.status == ClaimStatusCode::Reversal {
                not_reversed.insert(payment.claim_id);
            }
        }
        Ok(Some(BookedRemittance { found, waiting }))
    }

    /// Each patient's claims one after the other, those of several patients at the same time.
    async fn try_to_book(
        &self,
        caller: Option<&Caller>,
        found: &FoundRemittance,
    ) -> Result<BTreeMap<usize, Vec<Waiting>>, Failure> {
        let mut waiting = BTreeMap::new();
        let mut of_patients: BTreeMap<PatientId, Vec<usize>> = BTreeMap::new();
        for (at, _) in in_order(&found.data.remittance.claims).into_iter().filter(|(at, _)| !found.booked.contains(at))
        {
            match found.patients[at] {
                Some(patient) => of_patients.entry(patient).or_default().push(at),
                None => drop(waiting.insert(at, vec![unknown(at)])),
            }
        }
        let tried = stream::iter(of_patients).map(|(patient, places)| async move {
            let mut refused = Vec::new();
            let mut not_reversed = BTreeSet::new();
            for at in places {
                let payment = &found.data.remittance.claims[at];
                if not_reversed.contains(&payment.claim_id) {
                    refused.push((at, vec![reversal_waits(at)]));
                    continue;
                }
                let act = Act::Claim(payment.claim_id, asked(found, at, payment));
                let key = Booked::journal_id(found.id, at).0;
                let request = Keyed { key, hash: key };
                let (caller, sender) = (caller.cloned(), Sender::current());
                let done = self.act(Asked { patient, act, expected: None, request, caller, sender }).await;
                if let Err(error) = done {
                    refused.push((at, why(at, error)?));
                    if payment.status == ClaimStatusCode::Reversal {
                        not_reversed.insert(payment.claim_id);
                    }
                }
            }
            Ok::<_, Failure>(refused)
        });
        let tried: Vec<_> = tried.buffer_unordered(AT_ONCE).collect().await;
        for refused in tried {
            waiting.extend(refused?);
        }
        Ok(waiting)
    }
}

fn asked(found: &FoundRemittance, at: usize, payment: &claim::remittance::ClaimPayment) -> ClaimAct {
    let Remittance { payer_id, currency, paid_on, .. } = found.data.remittance;
    let booked = Booked { remittance_id: found.id, at, payer_id, currency, paid_on, payment: payment.clone() };
    ClaimAct::Book(Box::new(booked))
}

/// What taking a remittance in posts: its money is there, and waits for the claims that it is for. What is added for
/// paying late is the clinic's at once.
fn received(remittance: &Remittance) -> Postings {
    let payer: PayerId = remittance.payer_id;
    let unapplied = || Place::of_payer(LedgerAccount::InsuranceUnapplied, payer);
    let mut postings = Postings::default();
    postings.transfer(remittance.payment, Place::of_payer(LedgerAccount::Bank, payer), unapplied());
    for adjustment in remittance.provider_adjustments.iter().filter(|adjustment| adjustment.reason == INTEREST) {
        postings.transfer(-adjustment.amount, unapplied(), Place::of_payer(LedgerAccount::InterestIncome, payer));
    }
    postings
}

fn unknown(at: usize) -> Waiting {
    let (pointer, detail) = (format!("/claims/{at}/claimId"), "there is no such claim".to_owned());
    Waiting { code: "claim-unknown", pointer, detail }
}

/// A payer that takes back and answers anew means one after the other.
fn reversal_waits(at: usize) -> Waiting {
    let detail = "what this remittance takes back of the claim waits itself".to_owned();
    Waiting { code: "reversal-waits", pointer: format!("/claims/{at}"), detail }
}

/// Why a claim's part waits; what is no reason of its own is a failure.
fn why(at: usize, error: ActError) -> Result<Vec<Waiting>, Failure> {
    let one = |code, detail: String| vec![Waiting { code, pointer: format!("/claims/{at}"), detail }];
    let refusal = match error {
        ActError::Refused(refusal) => refusal,
        ActError::Store(failure) => return Err(failure),
        ActError::Unknown => return Ok(vec![unknown(at)]),
        other => return Err(Failure::Bug(other.to_string())),
    };
    let detail = refusal.to_string();
    Ok(match refusal {
        Refusal::Unbookable(findings) => findings
            .into_iter()
            .map(|found| Waiting { code: found.code.name(), pointer: found.pointer, detail: found.words })
            .collect(),
        Refusal::PriorStands(_) => one("prior-stands", detail),
        Refusal::NegativePart { .. } => one("negative-part", detail),
        Refusal::AboveInvoice { .. } => one("above-invoice", detail),
        Refusal::Claim(_) => one("not-expected", detail),
        _ => one("refused", detail),
    })
}
