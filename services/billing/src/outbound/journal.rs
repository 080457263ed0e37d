//! The journal, and what is changed together with it: a patient's invoices and payments, and series of numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sidecar::{
    Sidecar,
    commit::Groups,
    documents::{Answered, Documents, KeyedRequest, Kind, Stored},
    failure::Failure,
    functions::Questions,
};
use uuid::Uuid;

use super::{change::Change, demographics::RecipientData};
use crate::domain::{
    books::PatientBooks,
    claim::{adjudication::Accumulators, file::ClaimFile},
    coverage::Coverage,
    ids::{ClaimId, ClinicId, CoverageId, InvoiceId, JournalId, PatientId, PayerId, PaymentId, RemittanceId, SeriesId},
    invoice::Invoice,
    ledger::JournalEntry,
    payer::Payer,
    payment::Payment,
};

impl Kind for Invoice {
    const NAME: &'static str = "invoice";
    const SCHEMA: u32 = 1;
}

impl Kind for Payment {
    const NAME: &'static str = "payment";
    const SCHEMA: u32 = 1;
}

/// `data` of a `journal/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct JournalData {
    /// The act.
    #[serde(flatten)]
    pub entry: JournalEntry,
    /// What its request was answered.
    pub outcome: Outcome,
}

impl Kind for JournalData {
    const NAME: &'static str = "journal";
    const SCHEMA: u32 = 1;
}

/// What a request was answered: a version of a document.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// An invoice.
    Invoice {
        /// Which.
        id: InvoiceId,
        /// The version.
        version: u64,
    },
    /// A payment.
    Payment {
        /// Which.
        id: PaymentId,
        /// The version.
        version: u64,
    },
    /// A claim.
    Claim {
        /// Which.
        id: ClaimId,
        /// The version.
        version: u64,
    },
    /// A remittance, which has one version.
    Remittance {
        /// Which.
        id: RemittanceId,
    },
}

/// `data` of a `series/<id>` document: where its numbers have got to.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeriesData {
    /// Whose numbers they are.
    pub clinic_id: ClinicId,
    /// Of what.
    pub kind: SeriesKind,
    /// The last that was given.
    pub last: u64,
}

impl Kind for SeriesData {
    const NAME: &'static str = "series";
    const SCHEMA: u32 = 1;
}

/// What is numbered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesKind {
    /// Invoices.
    Invoice,
    /// Credit notes.
    CreditNote,
}

impl SeriesKind {
    /// What a number of it begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Invoice => "INV",
            Self::CreditNote => "CN",
        }
    }

    /// The series of a clinic.
    pub fn of(self, clinic: ClinicId) -> SeriesId {
        SeriesId(Uuid::new_v5(&clinic.0, self.prefix().as_bytes()))
    }
}

/// Something with the version that it has.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// What it is.
    pub item: T,
    /// Its version.
    pub version: u64,
}

/// What to load of a patient's books.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// Whose.
    pub patient_id: PatientId,
    /// Every invoice that is open.
    pub open: bool,
    /// These, and what pays them.
    pub invoices: Vec<InvoiceId>,
    /// These, without what pays them.
    pub directed: Vec<InvoiceId>,
    /// These, and what they pay.
    pub payments: Vec<PaymentId>,
    /// These, as far as they were done.
    pub acts: Vec<JournalId>,
    /// These claims, with the invoices that they are for, what pays those, and every other claim of them.
    pub claims: Vec<ClaimId>,
    /// What was used of these coverages, beside those of the claims.
    pub coverages: Vec<CoverageId>,
    /// Every claim of the patient.
    pub all_claims: bool,
}

impl Wanted {
    /// Nothing yet.
    pub fn of(patient_id: PatientId) -> Self {
        let (invoices, directed, payments, acts, claims, coverages) = Default::default();
        Self { patient_id, open: false, invoices, directed, payments, acts, claims, coverages, all_claims: false }
    }
}

/// A part of a patient's books, with what the store needs to replace it.
#[derive(Clone, Debug, Default)]
pub struct LoadedBooks {
    /// Whether the patient has an account.
    pub has_account: bool,
    /// The invoices and payments.
    pub books: PatientBooks,
    /// The acts that were done before: their requests, and what those were answered.
    pub acts: BTreeMap<JournalId, (Vec<KeyedRequest>, Outcome)>,
    /// The coverages that the claims are by.
    pub coverages: BTreeMap<CoverageId, Coverage>,
    /// The payers that the claims go to.
    pub payers: BTreeMap<PayerId, Payer>,
    invoices: BTreeMap<InvoiceId, Stored<Invoice>>,
    pub(super) payments: BTreeMap<PaymentId, Stored<Payment>>,
    pub(super) claims: BTreeMap<ClaimId, Stored<ClaimFile>>,
    pub(super) accumulators: BTreeMap<CoverageId, Stored<Accumulators>>,
}

/// A series with what the store needs to replace it; none that was never used.
#[derive(Clone, Debug)]
pub struct LoadedSeries(pub(super) Option<Stored<SeriesData>>);

impl LoadedSeries {
    /// The last number that was given.
    pub fn last(&self) -> u64 {
        self.0.as_ref().map_or(0, |stored| stored.document.data.last)
    }
}

/// The books, as they are stored.
#[derive(Clone, Debug)]
pub struct Journal {
    sidecar: Sidecar,
    documents: Documents,
    books: Questions,
    changes: Groups<Change>,
}

impl LoadedBooks {
    /// The version that an invoice was loaded in; 0 when it was not.
    pub fn invoice_version(&self, id: InvoiceId) -> u64 {
        self.invoices.get(&id).map_or(0, |stored| stored.document.version)
    }

    /// An invoice as it was loaded.
    pub fn stored_invoice(&self, id: InvoiceId) -> Option<&Stored<Invoice>> {
        self.invoices.get(&id)
    }

    /// The version that a payment was loaded in; 0 when it was not.
    pub fn payment_version(&self, id: PaymentId) -> u64 {
        self.payments.get(&id).map_or(0, |stored| stored.document.version)
    }

    /// The version that a claim was loaded in; 0 when it was not.
    pub fn claim_version(&self, id: ClaimId) -> u64 {
        self.claims.get(&id).map_or(0, |stored| stored.document.version)
    }

    /// One invoice that was loaded by itself.
    pub fn of_invoice(stored: Stored<Invoice>, id: InvoiceId) -> Self {
        let mut loaded = Self::default();
        loaded.add_invoice(id, stored);
        loaded
    }

    fn add_invoice(&mut self, id: InvoiceId, stored: Stored<Invoice>) {
        self.books.invoices.insert(id, Invoice { id, ..stored.document.data.clone() });
        self.invoices.insert(id, stored);
    }
}

impl Journal {
    /// The books in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { books: Questions::new(&sidecar, "patient_books"), changes: documents.groups(), sidecar, documents }
    }

    /// A part of a patient's books.
    pub async fn load(&self, wanted: &Wanted) -> Result<LoadedBooks, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            has_account: bool,
            invoices: Vec<Answered>,
            payments: Vec<Answered>,
            acts: Vec<Answered>,
            claims: Vec<Answered>,
            accumulators: Vec<Answered>,
            coverages: Vec<Answered>,
            payers: Vec<Answered>,
        }
        let answer: Answer = self.books.ask(wanted).await?;
        let mut loaded = LoadedBooks { has_account: answer.has_account, ..LoadedBooks::default() };
        for found in answer.invoices {
            loaded.add_invoice(InvoiceId(found.id), found.stored()?);
        }
        for found in answer.payments {
            let (id, stored) = (PaymentId(found.id), found.stored::<Payment>()?);
            loaded.books.payments.insert(id, Payment { id, ..stored.document.data.clone() });
            loaded.payments.insert(id, stored);
        }
        for found in answer.claims {
            let (id, stored) = (ClaimId(found.id), found.stored::<ClaimFile>()?);
            loaded.books.claims.insert(id, stored.document.data.clone());
            loaded.claims.insert(id, stored);
        }
        for found in answer.accumulators {
            let (id, stored) = (CoverageId(found.id), found.stored::<Accumulators>()?);
            loaded.books.accumulators.insert(id, stored.document.data.clone());
            loaded.accumulators.insert(id, stored);
        }
        for found in answer.coverages {
            let id = CoverageId(found.id);
            loaded.coverages.insert(id, found.stored::<Coverage>()?.document.data);
        }
        for found in answer.payers {
            let id = PayerId(found.id);
            loaded.payers.insert(id, Payer { id, ..found.stored::<Payer>()?.document.data });
        }
        for found in answer.acts {
            let document = found.stored::<JournalData>()?.document;
            loaded.acts.insert(JournalId(found.id), (document.requests, document.data.outcome));
        }
        Ok(loaded)
    }

    /// An invoice.
    pub async fn invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, Failure> {
        self.documents.get(id.0).await
    }

    /// A claim.
    pub async fn claim(&self, id: ClaimId) -> Result<Option<Stored<ClaimFile>>, Failure> {
        self.documents.get(id.0).await
    }

    /// Invoices, in the order of their ids.
    pub async fn invoices(&self, ids: &[InvoiceId]) -> Result<Vec<Option<Stored<Invoice>>>, Failure> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        self.documents.get_many(&ids).await
    }

    /// A payment.
    pub async fn payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, Failure> {
        self.documents.get(id.0).await
    }

    /// Whom an invoice named when it was issued; nobody when it was not, or that was erased.
    pub async fn recipient(&self, id: InvoiceId) -> Result<Option<RecipientData>, Failure> {
        Ok(self.documents.get::<RecipientData>(id.0).await?.map(|stored| stored.document.data))
    }

    /// A series.
    pub async fn series(&self, id: SeriesId) -> Result<LoadedSeries, Failure> {
        Ok(LoadedSeries(self.documents.get(id.0).await?))
    }

    /// A version of an invoice that was there once.
    pub async fn invoice_of(&self, id: InvoiceId, version: u64) -> Result<Option<Versioned<Invoice>>, Failure> {
        let found = self.version::<Invoice>(id.0, version).await?;
        Ok(found.map(|found| Versioned { item: Invoice { id, ..found.item }, version: found.version }))
    }

    /// A version of a payment that was there once.
    pub async fn payment_of(&self, id: PaymentId, version: u64) -> Result<Option<Versioned<Payment>>, Failure> {
        let found = self.version::<Payment>(id.0, version).await?;
        Ok(found.map(|found| Versioned { item: Payment { id, ..found.item }, version: found.version }))
    }

    /// A version of a document that was there once.
    pub async fn version<T: Kind>(&self, id: Uuid, at: u64) -> Result<Option<Versioned<T>>, Failure> {
        version(&self.sidecar, id, at).await
    }

    /// Saves a change: all of it or nothing. What is saved at the same time is saved together.
    pub async fn save(&self, change: Change) -> Result<(), Failure> {
        self.changes.commit(change).await
    }
}

/// A version of a document that was there once.
pub(super) async fn version<T: Kind>(
    sidecar: &Sidecar,
    id: Uuid,
    version: u64,
) -> Result<Option<Versioned<T>>, Failure> {
    let asked = serde_json::json!({ "kind": T::NAME, "id": id, "version": version });
    let found: Option<Answered> = sidecar.query("document_version", &asked).await?;
    let Some(found) = found else { return Ok(None) };
    let document = found.stored::<T>()?.document;
    Ok(Some(Versioned { item: document.data, version: document.version }))
}
