//! Drafts: of an encounter, once however often it is told, or by hand; with prices of the fee schedules.

use std::collections::BTreeMap;

use audit::{Action, Entry};
use jiff::{Timestamp, civil::Date};
use sidecar::{failure::Failure, origin::Origin};
use uuid::Uuid;

use access::Caller;

use super::{Books, Keyed, act::ActError, rounds::Rounds};
use crate::{
    domain::{
        books,
        fees::{Code, Tax},
        ids::{ClinicId, EncounterId, InvoiceId, PatientId, PractitionerId},
        invoice::{self, Balance, Discount, Invoice, Line, Review, Source, Status},
        money::Amount,
    },
    outbound::{
        change::{Change, Trail},
        fees::AskedFee,
        journal::Versioned,
    },
};

/// Makes the id of an encounter's invoice.
const OF_ENCOUNTERS: Uuid = Uuid::from_u128(0x41d6_0c5b_7e2f_4b1a_a3c9_0d8e_5f17_62b4);

/// A line as it is asked for: what is not said is asked of the fee schedules.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// The service.
    pub code: Code,
    /// At most four.
    pub modifiers: Vec<String>,
    /// What it is called.
    pub text: Option<String>,
    /// When it was done.
    pub date: Date,
    /// How often.
    pub units: u32,
    /// The price of one.
    pub unit_price: Option<Amount>,
    /// What is taken off.
    pub discount: Option<Discount>,
    /// The tax.
    pub tax: Option<Tax>,
    /// Places in the diagnoses, from 1.
    pub diagnoses: Vec<u32>,
}

/// What was told of an encounter that is over.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which.
    pub encounter_id: EncounterId,
    /// The version that was told.
    pub version: u64,
    /// Who was treated.
    pub patient_id: PatientId,
    /// Where.
    pub clinic_id: ClinicId,
    /// By whom.
    pub practitioner_id: Option<PractitionerId>,
    /// What was done; none when the encounter was entered in error.
    pub services: Option<Vec<NewLine>>,
    /// The diagnoses.
    pub diagnoses: Vec<Code>,
    /// What told it.
    pub origin: Origin,
}

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A line cannot be so.
    #[error("lines cannot be so")]
    BadLines(Vec<(usize, invoice::BadLine)>),
    /// For a reason that every act has.
    #[error(transparent)]
    Act(#[from] ActError),
}

impl From<Failure> for DraftError {
    fn from(failure: Failure) -> Self {
        Self::Act(failure.into())
    }
}

/// The id of an encounter's invoice.
pub fn invoice_of(encounter: EncounterId) -> InvoiceId {
    InvoiceId(Uuid::new_v5(&OF_ENCOUNTERS, encounter.0.as_bytes()))
}

impl Books {
    /// Hears of encounters: drafts what was not drafted, and brings up to date what may still change.
    pub async fn hear(&self, heard: Vec<Heard>, now: Timestamp) -> Result<(), Failure> {
        // Of each encounter the latest; the others are older by its own account.
        let mut latest: BTreeMap<InvoiceId, Heard> = BTreeMap::new();
        for heard in heard {
            let held = latest.entry(invoice_of(heard.encounter_id)).or_insert_with(|| heard.clone());
            if held.version < heard.version {
                *held = heard;
            }
        }
        let mut rounds = Rounds::begin();
        loop {
            match self.try_hear(&latest, now).await {
                Err(failure) if rounds.again(&failure).await => {}
                heard => return heard,
            }
        }
    }

    async fn try_hear(&self, latest: &BTreeMap<InvoiceId, Heard>, now: Timestamp) -> Result<(), Failure> {
        let ids: Vec<_> = latest.keys().copied().collect();
        let stored = self.journal.invoices(&ids).await?;
        let is_news = |heard: &Heard, stored: Option<&Invoice>| {
            stored.and_then(|invoice| invoice.source.as_ref()).is_none_or(|source| source.version < heard.version)
        };
        let news: Vec<_> = latest
            .iter()
            .zip(&stored)
            .filter(|((_, heard), stored)| is_news(heard, stored.as_ref().map(|stored| &stored.document.data)))
            .collect();
        let all: Vec<_> = news.iter().flat_map(|((_, heard), _)| heard.services.iter().flatten().cloned()).collect();
        let mut priced = self.priced(all).await?.into_iter();
        let mut change = Change::default();
        let mut changed = false;
        for ((&id, heard), stored) in news {
            let lines: Option<Vec<_>> =
                heard.services.as_ref().map(|services| priced.by_ref().take(services.len()).collect());
            let trail = Trail { entries: Vec::new(), origin: heard.origin.clone() };
            match stored {
                Some(stored) => {
                    let mut invoice = Invoice { id, ..stored.document.data.clone() };
                    let heard = lines.map(|lines| (lines, heard.diagnoses.clone()));
                    if invoice.hear(latest[&id].version, heard) {
                        change.invoice(Some(stored), &invoice, None, &trail, now)?;
                        changed = true;
                    }
                }
                // What was entered in error before anybody charged for it is not charged for.
                None => {
                    if let Some(lines) = lines {
                        let invoice = self.draft_of(id, heard, lines, now);
                        change.invoice(None, &invoice, None, &trail, now)?;
                        changed = true;
                    }
                }
            }
        }
        if changed { self.journal.save(change).await } else { Ok(()) }
    }

    fn draft_of(&self, id: InvoiceId, heard: &Heard, lines: Vec<Line>, now: Timestamp) -> Invoice {
        Invoice {
            source: Some(Source {
                encounter_id: heard.encounter_id,
                version: heard.version,
                practitioner_id: heard.practitioner_id,
            }),
            review: Review::of(&lines),
            diagnoses: heard.diagnoses.clone(),
            lines,
            ..self.empty(id, heard.patient_id, heard.clinic_id, now)
        }
    }

    fn empty(&self, id: InvoiceId, patient_id: PatientId, clinic_id: ClinicId, now: Timestamp) -> Invoice {
        Invoice {
            id,
            patient_id,
            clinic_id,
            source: None,
            status: Status::Draft,
            currency: self.settings.currency,
            lines: Vec::new(),
            diagnoses: Vec::new(),
            review: Vec::new(),
            edited: false,
            created_at: now,
            number: None,
            issued_at: None,
            issued_by: None,
            due: None,
            balance: Balance::default(),
            credit_notes: Vec::new(),
            reason: None,
        }
    }

    /// Drafts an invoice by hand; the request's key is its id.
    pub async fn draft(
        &self,
        caller: &Caller,
        patient: PatientId,
        clinic: ClinicId,
        lines: Vec<NewLine>,
        diagnoses: Vec<Code>,
        request: Keyed,
    ) -> Result<Versioned<Invoice>, DraftError> {
        let (id, now) = (InvoiceId(request.key), Timestamp::now());
        if self.account_of(patient).await?.is_none() {
            return Err(ActError::Refused(books::Refusal::NoAccount).into());
        }
        let lines = self.priced(lines).await?;
        check(&lines, diagnoses.len())?;
        let invoice = Invoice {
            review: Review::of(&lines),
            lines,
            diagnoses,
            edited: true,
            ..self.empty(id, patient, clinic, now)
        };
        let entry = Entry::new(Action::Create, "create").by(caller).of_patient(patient.0);
        let mut change = Change::default();
        change.invoice(None, &invoice, Some(request.remembered()), &Trail::of(entry), now)?;
        match self.journal.save(change).await {
            Ok(()) => Ok(Versioned { item: invoice, version: 1 }),
            Err(Failure::KeyTaken) => {
                let stored = self.journal.invoice(id).await?.ok_or(ActError::Unknown)?;
                if !request.is_among(&stored.document.requests) {
                    return Err(ActError::KeyReused.into());
                }
                Ok(self.journal.invoice_of(id, 1).await?.ok_or(ActError::Unknown)?)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Replaces the lines of version `expected` of a draft, and the diagnoses if they are given.
    pub async fn amend(
        &self,
        caller: &Caller,
        id: InvoiceId,
        expected: u64,
        lines: Vec<NewLine>,
        diagnoses: Vec<Code>,
    ) -> Result<Versioned<Invoice>, DraftError> {
        let lines = self.priced(lines).await?;
        self.change_words(caller, id, expected, "amend", |invoice| {
            if !diagnoses.is_empty() {
                invoice.diagnoses = diagnoses;
            }
            check(&lines, invoice.diagnoses.len())?;
            Ok(invoice.amend(lines).map_err(|refusal| ActError::Refused(refusal.into()))?)
        })
        .await
    }

    /// Somebody has looked at version `expected` of an invoice.
    pub async fn review(
        &self,
        caller: &Caller,
        id: InvoiceId,
        expected: u64,
    ) -> Result<Versioned<Invoice>, DraftError> {
        self.change_words(caller, id, expected, "review", |invoice| {
            invoice.reviewed();
            Ok(())
        })
        .await
    }

    /// Takes version `expected` of a draft back.
    pub async fn enter_in_error(
        &self,
        caller: &Caller,
        id: InvoiceId,
        expected: u64,
        reason: String,
    ) -> Result<Versioned<Invoice>, DraftError> {
        self.change_words(caller, id, expected, "enter-in-error", |invoice| {
            Ok(invoice.enter_in_error(Some(reason)).map_err(|refusal| ActError::Refused(refusal.into()))?)
        })
        .await
    }

    /// Changes an invoice where no money moves.
    async fn change_words(
        &self,
        caller: &Caller,
        id: InvoiceId,
        expected: u64,
        action: &'static str,
        change: impl FnOnce(&mut Invoice) -> Result<(), DraftError>,
    ) -> Result<Versioned<Invoice>, DraftError> {
        let stored = self.journal.invoice(id).await?.ok_or(ActError::Unknown)?;
        let current = stored.document.version;
        if current != expected {
            return Err(ActError::Stale { current }.into());
        }
        let mut invoice = Invoice { id, ..stored.document.data.clone() };
        change(&mut invoice)?;
        let entry = Entry::new(Action::Update, "update").by(caller).of_patient(invoice.patient_id.0);
        let trail = Trail::of(entry.detail("action", action));
        let mut changed = Change::default();
        let version = changed.invoice(Some(&stored), &invoice, None, &trail, Timestamp::now())?;
        match self.journal.save(changed).await {
            Ok(()) => Ok(Versioned { item: invoice, version }),
            Err(Failure::Changed) => Err(ActError::Stale { current: current + 1 }.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Lines with the prices, words and taxes of the fee schedules where nothing else is said.
    async fn priced(&self, lines: Vec<NewLine>) -> Result<Vec<Line>, Failure> {
        let asked: Vec<_> = lines
            .iter()
            .map(|line| AskedFee {
                code: line.code.clone(),
                modifiers: line.modifiers.clone(),
                payer_id: None,
                date: line.date,
            })
            .collect();
        let found = self.fees.find(&asked).await?;
        let in_books = |found: &crate::outbound::fees::FoundFee| found.currency == self.settings.currency;
        let priced = lines.into_iter().zip(found).map(|(line, found)| {
            let fee = found.filter(in_books).map(|found| found.fee);
            Line {
                unit_price: line.unit_price.or(fee.as_ref().map(|fee| fee.unit_price)),
                text: line.text.or_else(|| fee.as_ref().and_then(|fee| fee.text.clone())),
                tax: line.tax.or(fee.as_ref().map(|fee| fee.tax)).unwrap_or_default(),
                code: line.code,
                modifiers: line.modifiers,
                date: line.date,
                units: line.units,
                discount: line.discount,
                diagnoses: line.diagnoses,
                credited: Amount::ZERO,
            }
        });
        Ok(priced.collect())
    }
}

fn check(lines: &[Line], diagnoses: usize) -> Result<(), DraftError> {
    let bad: Vec<_> = lines
        .iter()
        .enumerate()
        .flat_map(|(at, line)| line.check(diagnoses).into_iter().map(move |bad| (at, bad)))
        .collect();
    if bad.is_empty() { Ok(()) } else { Err(DraftError::BadLines(bad)) }
}
