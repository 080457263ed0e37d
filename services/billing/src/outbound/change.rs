//! A change of the books: documents that are written together or not at all.

use std::collections::BTreeMap;

use audit::Entry;
use contracts::{billing::v1, topic};
use jiff::Timestamp;
use serde::Serialize;
use sidecar::{
    commit,
    documents::{Document, KeyedRequest, Kind, Stored, Write},
    event::Event,
    failure::Failure,
    origin::Origin,
};
use uuid::Uuid;

use super::{
    claim_messages,
    journal::{JournalData, LoadedBooks, LoadedSeries, Outcome, SeriesData, SeriesKind},
    journal_messages, messages,
};
use crate::{
    APP_ID,
    domain::{
        claim::{adjudication::Accumulators, file::ClaimFile},
        ids::{ClinicId, InvoiceId, PatientId},
        invoice::Invoice,
        ledger::JournalEntry,
        payment::Payment,
    },
};

/// What is left by what changed a document: entries of the audit, and what an event tells of its cause.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The cause.
    pub origin: Origin,
}

impl Trail {
    /// Of the request that is served here and now.
    pub fn of(entry: Entry) -> Self {
        Self { entries: vec![entry], origin: Origin::current() }
    }
}

/// A change.
#[derive(Clone, Debug, Default)]
pub struct Change {
    series: Vec<Write>,
    invoices: Vec<Write>,
    recipients: Vec<Write>,
    journal: Vec<(Option<PatientId>, Write)>,
    payments: Vec<Write>,
    claims: Vec<(bool, Write)>,
    accumulators: Vec<Write>,
}

impl Change {
    /// Numbers up to `last` are given.
    pub fn number(
        &mut self,
        clinic_id: ClinicId,
        kind: SeriesKind,
        loaded: &LoadedSeries,
        last: u64,
    ) -> Result<(), Failure> {
        let (id, data) = (kind.of(clinic_id).0, SeriesData { clinic_id, kind, last });
        self.series.push(write(id, loaded.0.as_ref(), data, Vec::new(), None, &[])?);
        Ok(())
    }

    /// An invoice is there, or another than it was loaded; answers its version.
    pub fn invoice(
        &mut self,
        loaded: Option<&Stored<Invoice>>,
        invoice: &Invoice,
        request: Option<KeyedRequest>,
        trail: &Trail,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let version = next(loaded);
        let snapshot = Some(messages::invoice_snapshot(invoice, version, now));
        let event = if loaded.is_none() {
            let message = v1::InvoiceCreated { invoice: snapshot };
            event(topic::BILLING_INVOICE_CREATED, invoice.id.0, now, &trail.origin, &message)?
        } else {
            let message = v1::InvoiceChanged { invoice: snapshot };
            event(topic::BILLING_INVOICE_CHANGED, invoice.id.0, now, &trail.origin, &message)?
        };
        self.invoices.push(write(invoice.id.0, loaded, invoice.clone(), vec![event], request, &trail.entries)?);
        Ok(version)
    }

    /// A payment is there, or another than it was loaded; answers its version.
    pub fn payment(
        &mut self,
        loaded: &LoadedBooks,
        payment: &Payment,
        trail: &Trail,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let stored = loaded.payments.get(&payment.id);
        let version = next(stored);
        let message = v1::PaymentRecorded { payment: Some(messages::payment_snapshot(payment, version, now)) };
        let events = vec![event(topic::BILLING_PAYMENT_RECORDED, payment.id.0, now, &trail.origin, &message)?];
        self.payments.push(write(payment.id.0, stored, payment.clone(), events, None, &trail.entries)?);
        Ok(version)
    }

    /// A claim is there, or another than it was loaded; answers its version.
    pub fn claim(
        &mut self,
        loaded: &LoadedBooks,
        file: &ClaimFile,
        trail: &Trail,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let id = file.claim.id;
        let stored = loaded.claims.get(&id);
        let version = next(stored);
        let invoice = loaded.books.invoices.get(&file.claim.invoice_id);
        let invoice = invoice.ok_or_else(|| Failure::Bug(format!("claim {id} has lost its invoice")))?;
        let message = v1::ClaimChanged { claim: Some(claim_messages::snapshot(file, invoice, version, now)) };
        let events = vec![event(topic::BILLING_CLAIM_CHANGED, id.0, now, &trail.origin, &message)?];
        self.claims.push((file.live, write(id.0, stored, file.clone(), events, None, &trail.entries)?));
        Ok(version)
    }

    /// What a member has used is another than it was loaded.
    pub fn used(&mut self, loaded: &LoadedBooks, used: &Accumulators, trail: &Trail) -> Result<(), Failure> {
        let id = used.coverage_id;
        let stored = loaded.accumulators.get(&id);
        self.accumulators.push(write(id.0, stored, used.clone(), Vec::new(), None, &trail.entries)?);
        Ok(())
    }

    /// An act is done, for this request; `invoices` are those that it touched, among others.
    pub fn act(
        &mut self,
        entry: JournalEntry,
        invoices: &BTreeMap<InvoiceId, Invoice>,
        outcome: Outcome,
        request: KeyedRequest,
        origin: &Origin,
    ) -> Result<(), Failure> {
        let patient = entry.patient_id;
        self.journal.push((patient, posted(entry, invoices, outcome, request, origin)?));
        Ok(())
    }

    /// A document that stands beside an invoice is there.
    pub fn beside(&mut self, written: Write) {
        self.recipients.push(written);
    }
}

/// Series, invoices, then what moves money, patient by patient.
impl commit::Change for Change {
    fn in_order(changes: Vec<Self>) -> Vec<Write> {
        let mut all = Self::default();
        for change in changes {
            all.series.extend(change.series);
            all.invoices.extend(change.invoices);
            all.recipients.extend(change.recipients);
            all.journal.extend(change.journal);
            all.payments.extend(change.payments);
            all.claims.extend(change.claims);
            all.accumulators.extend(change.accumulators);
        }
        let (recipients, accumulators) = (&mut all.recipients, &mut all.accumulators);
        let sorted = [&mut all.series, &mut all.invoices, recipients, &mut all.payments, accumulators];
        for writes in sorted {
            writes.sort_by(|a, b| a.key().cmp(b.key()));
        }
        // Acts of one patient stay in the order in which they were done.
        all.journal.sort_by_key(|(patient, _)| *patient);
        // One claim of an invoice and payer stands at a time: what takes the place of another comes after it.
        all.claims.sort_by(|(a_stands, a), (b_stands, b)| (a_stands, a.key()).cmp(&(b_stands, b.key())));
        let claims = all.claims.into_iter().map(|(_, written)| written);
        let journal = all.journal.into_iter().map(|(_, written)| written);
        all.series
            .into_iter()
            .chain(all.invoices)
            .chain(all.recipients)
            .chain(journal)
            .chain(all.payments)
            .chain(claims)
            .chain(all.accumulators)
            .collect()
    }
}

/// The document of an act, which tells others what moved, if anything did.
pub(super) fn posted(
    entry: JournalEntry,
    invoices: &BTreeMap<InvoiceId, Invoice>,
    outcome: Outcome,
    request: KeyedRequest,
    origin: &Origin,
) -> Result<Write, Failure> {
    let id = entry.id.0;
    let events = if entry.postings.is_empty() {
        Vec::new()
    } else {
        let message = v1::JournalPosted { entry: Some(journal_messages::entry(&entry, invoices)?) };
        vec![event(topic::BILLING_JOURNAL_POSTED, id, entry.recorded_at, origin, &message)?]
    };
    write(id, None, JournalData { entry, outcome }, events, Some(request), &[])
}

fn next<T>(loaded: Option<&Stored<T>>) -> u64 {
    loaded.map_or(0, |stored| stored.document.version) + 1
}

fn write<T: Kind + Clone>(
    id: Uuid,
    loaded: Option<&Stored<T>>,
    data: T,
    events: Vec<Event>,
    request: Option<KeyedRequest>,
    entries: &[Entry],
) -> Result<Write, Failure> {
    let document = match loaded {
        Some(stored) => stored.document.next(data, events),
        None => Document::first(data, events),
    };
    let mut document = entries.iter().try_fold(document, Document::audited)?;
    if let Some(request) = request {
        document.remember(request);
    }
    match loaded {
        Some(stored) => Write::replace(id, stored, document),
        None => Write::create(id, document),
    }
}

fn event<M: prost::Name + Serialize>(
    topic: &str,
    subject: Uuid,
    now: Timestamp,
    origin: &Origin,
    message: &M,
) -> Result<Event, Failure> {
    let event = Event::new(topic, APP_ID, subject, Uuid::now_v7(), now, Some(origin.clone()), message);
    event.map_err(|error| Failure::Bug(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Serialize, serde::Deserialize)]
    struct Thing;

    impl Kind for Thing {
        const NAME: &'static str = "thing";
        const SCHEMA: u32 = 1;
    }

    fn thing(id: u128) -> Write {
        Write::create(Uuid::from_u128(id), Document::first(Thing, Vec::new())).unwrap()
    }

    fn act(patient: u128, id: u128) -> (Option<PatientId>, Write) {
        (Some(PatientId(Uuid::from_u128(patient))), thing(id))
    }

    #[test]
    fn changes_of_several_patients_are_written_in_one_order() {
        let of_one = Change {
            invoices: vec![thing(5)],
            journal: vec![act(2, 10), act(2, 9)],
            payments: vec![thing(4)],
            ..Change::default()
        };
        let of_another = Change {
            invoices: vec![thing(6), thing(3)],
            journal: vec![act(1, 20)],
            payments: vec![thing(1)],
            ..Change::default()
        };
        let written = <Change as commit::Change>::in_order(vec![of_one, of_another]);
        let keys: Vec<_> = written.iter().map(Write::key).collect();
        let expected = [3, 5, 6, 20, 10, 9, 1, 4].map(|id| Thing::key(Uuid::from_u128(id)));
        assert_eq!(keys, expected);
    }
}
