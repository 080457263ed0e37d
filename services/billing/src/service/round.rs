//! A round of acts on one patient's books: decided one after the other, saved together.

mod claims;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use jiff::{Timestamp, civil::Date};
use sidecar::{documents::Write, failure::Failure, origin::Origin};
use uuid::Uuid;

use super::{
    Settings,
    act::{Act, ActError, Asked, Done, Target},
};
use crate::{
    domain::{
        books::{self, Moved},
        ids::{ClaimId, ClinicId, CoverageId, CreditNoteId, InvoiceId, PaymentId, RefundId, UserId},
        invoice::Number,
        ledger::{self, JournalEntry, Postings},
        payment::{Refund, RefundStatus},
    },
    outbound::{
        change::{Change, Trail},
        journal::{Journal, LoadedBooks, LoadedSeries, Outcome, SeriesKind, Versioned},
    },
};

/// What becomes of an act in a round.
pub(super) enum Taken {
    /// It is done when the round is saved.
    Decided,
    /// What it is done to was changed in this round.
    Later,
    /// It was done before, and this was answered.
    Served(Outcome),
    /// It is refused.
    Refused(ActError),
}

/// The acts that are decided so far.
pub(super) struct Round<'a> {
    settings: &'a Settings,
    now: Timestamp,
    date: Date,
    loaded: LoadedBooks,
    decided: Vec<(Asked, JournalEntry, Origin)>,
    keys: BTreeSet<Uuid>,
    invoices: BTreeMap<InvoiceId, Trail>,
    payments: BTreeMap<PaymentId, Trail>,
    claims: BTreeMap<ClaimId, Trail>,
    used: BTreeMap<CoverageId, Trail>,
    beside: Vec<Write>,
    series: BTreeMap<ClinicId, (LoadedSeries, u64)>,
}

impl<'a> Round<'a> {
    /// A round of acts that are posted to the day `date`.
    pub(super) fn new(settings: &'a Settings, loaded: LoadedBooks, now: Timestamp, date: Date) -> Self {
        Self {
            settings,
            now,
            date,
            loaded,
            decided: Vec::new(),
            keys: BTreeSet::new(),
            invoices: BTreeMap::new(),
            payments: BTreeMap::new(),
            claims: BTreeMap::new(),
            used: BTreeMap::new(),
            beside: Vec::new(),
            series: BTreeMap::new(),
        }
    }

    /// Loads the numbers that a credit note for an invoice gets its own from.
    pub(super) async fn needs_series(&mut self, journal: &Journal, id: InvoiceId) -> Result<(), Failure> {
        let Some(clinic) = self.loaded.books.invoices.get(&id).map(|invoice| invoice.clinic_id) else { return Ok(()) };
        if let Entry::Vacant(unknown) = self.series.entry(clinic) {
            let series = journal.series(SeriesKind::CreditNote.of(clinic)).await?;
            let last = series.last();
            unknown.insert((series, last));
        }
        Ok(())
    }

    /// Decides an act.
    pub(super) fn take(&mut self, asked: &Asked) -> Taken {
        let key = asked.request.key;
        if let Some((requests, outcome)) = self.loaded.acts.get(&asked.journal_id()) {
            let same = asked.request.is_among(requests);
            return if same { Taken::Served(*outcome) } else { Taken::Refused(ActError::KeyReused) };
        }
        if self.keys.contains(&key) {
            return Taken::Later;
        }
        let target = asked.act.target();
        if !asked.act.is_new() && self.is_changed(target) {
            return Taken::Later;
        }
        let (current, is_there) = match target {
            Target::Invoice(id) => (self.loaded.invoice_version(id), self.loaded.books.invoices.contains_key(&id)),
            Target::Payment(id) => (self.loaded.payment_version(id), self.loaded.books.payments.contains_key(&id)),
            Target::Claim(id) => (self.loaded.claim_version(id), self.loaded.books.claims.contains_key(&id)),
        };
        if asked.act.is_new() && !self.loaded.has_account {
            return Taken::Refused(books::Refusal::NoAccount.into());
        }
        if !asked.act.is_new() && !is_there {
            return Taken::Refused(ActError::Unknown);
        }
        if asked.expected.is_some_and(|expected| expected != current) {
            return Taken::Refused(ActError::Stale { current });
        }
        let before = self.loaded.books.clone();
        match self.decide(asked) {
            Ok(moved) => self.note(asked, moved, &before),
            Err(error) => return Taken::Refused(error),
        }
        Taken::Decided
    }

    fn is_changed(&self, target: Target) -> bool {
        match target {
            Target::Invoice(id) => self.invoices.contains_key(&id),
            Target::Payment(id) => self.payments.contains_key(&id),
            Target::Claim(id) => self.claims.contains_key(&id),
        }
    }

    fn decide(&mut self, asked: &Asked) -> Result<Moved, ActError> {
        if let Act::Claim(id, act) = &asked.act {
            return self.decide_claim(asked, *id, act);
        }
        let user = asked.user().ok_or_else(|| Failure::Bug("money is moved by nobody".to_owned()))?;
        Ok(self.decide_money(asked, user)?)
    }

    fn decide_money(&mut self, asked: &Asked, user: UserId) -> Result<Moved, books::Refusal> {
        let now = self.now;
        let books = &mut self.loaded.books;
        let still = |act| Moved { act, postings: Postings::default() };
        match asked.act.clone() {
            Act::Record(payment, direction) => books.record(payment, &direction, now),
            Act::Announce(payment) => {
                books.payments.insert(payment.id, payment);
                Ok(still(ledger::Act::PaymentAnnounced))
            }
            Act::Authorise(id) => {
                books.payment_mut(id)?.authorise()?;
                Ok(still(ledger::Act::PaymentAuthorised))
            }
            Act::Capture(id, direction) => books.capture(id, &direction, now),
            Act::Fail(id, reason) => {
                books.payment_mut(id)?.fail(reason)?;
                Ok(still(ledger::Act::PaymentFailed))
            }
            Act::VoidPayment(id, reason) => {
                books.payment_mut(id)?.void(reason)?;
                Ok(still(ledger::Act::PaymentVoided))
            }
            Act::Allocate(id, direction) => books.allocate(id, &direction),
            Act::Refund(id, amount, reason) => {
                let refund = Refund {
                    id: RefundId(asked.request.key),
                    amount,
                    status: RefundStatus::AwaitingApproval,
                    reason,
                    requested_by: user,
                    requested_at: now,
                    decided_by: None,
                    decision_reason: None,
                };
                if amount > self.settings.refund_limit {
                    books.payment_mut(id)?.ask_back(refund)?;
                    return Ok(still(ledger::Act::RefundRequested));
                }
                books.refund(id, refund)
            }
            Act::ApproveRefund(id, refund) => books.approve_refund(id, refund, user),
            Act::RejectRefund(id, refund, reason) => {
                books.payment_mut(id)?.reject_refund(refund, user, reason)?;
                Ok(still(ledger::Act::RefundRejected))
            }
            Act::ChargeBack(id, reason) => books.charge_back(id, reason),
            Act::VoidInvoice(id, reason) => books.void(id, reason),
            Act::WriteOff(id, amount, reason) => books.write_off(id, amount, reason),
            Act::Credit(id, lines, reason) => {
                let clinic = books.invoices.get(&id).map(|invoice| invoice.clinic_id);
                let Some((clinic, (_, last))) = clinic.and_then(|clinic| Some((clinic, self.series.get_mut(&clinic)?)))
                else {
                    return Err(books::Refusal::NoInvoice { at: 0 });
                };
                let number = number(SeriesKind::CreditNote, clinic, *last + 1);
                let credited = books.credit(id, CreditNoteId(asked.request.key), number, lines, reason, now)?;
                *last += 1;
                Ok(credited)
            }
            Act::Claim(..) => Err(books::Refusal::NoClaim),
        }
    }

    fn note(&mut self, asked: &Asked, moved: Moved, before: &books::PatientBooks) {
        let mut clinic = None;
        let reverses = match asked.act {
            Act::VoidInvoice(id, _) => before.invoices.get(&id).and_then(|invoice| invoice.issued_by),
            _ => None,
        };
        for (id, invoice) in &self.loaded.books.invoices {
            if before.invoices.get(id) != Some(invoice) {
                clinic = Some(invoice.clinic_id);
                let is_target = asked.act.target() == Target::Invoice(*id);
                self.invoices.entry(*id).or_default().add(asked, is_target);
            }
        }
        for (id, payment) in &self.loaded.books.payments {
            if before.payments.get(id) != Some(payment) {
                let is_target = asked.act.target() == Target::Payment(*id);
                self.payments.entry(*id).or_default().add(asked, is_target);
            }
        }
        for (id, file) in &self.loaded.books.claims {
            if before.claims.get(id) != Some(file) {
                clinic =
                    clinic.or_else(|| self.loaded.books.invoices.get(&file.claim.invoice_id).map(|one| one.clinic_id));
                let is_target = asked.act.target() == Target::Claim(*id);
                self.claims.entry(*id).or_default().add(asked, is_target);
            }
        }
        for (id, used) in &self.loaded.books.accumulators {
            if before.accumulators.get(id) != Some(used) {
                self.used.entry(*id).or_default().add(asked, false);
            }
        }
        // What was looked at and left as it was has its version, too: it is what the request is answered.
        let looked_at = || Trail::of(asked.entry());
        match asked.act.target() {
            Target::Invoice(id) => drop(self.invoices.entry(id).or_insert_with(looked_at)),
            Target::Payment(id) => drop(self.payments.entry(id).or_insert_with(looked_at)),
            Target::Claim(id) => drop(self.claims.entry(id).or_insert_with(looked_at)),
        }
        let entry = JournalEntry {
            id: asked.journal_id(),
            act: moved.act,
            patient_id: Some(asked.patient),
            clinic_id: clinic,
            currency: self.settings.currency,
            recorded_at: self.now,
            date: self.date,
            user_id: asked.user(),
            reverses,
            postings: moved.postings,
        };
        self.keys.insert(asked.request.key);
        self.decided.push((asked.clone(), entry, Origin::current()));
    }

    /// What is to be saved, and what each target is then.
    pub(super) fn change(self) -> Result<(Change, BTreeMap<Target, Done>), Failure> {
        let mut change = Change::default();
        let mut made = BTreeMap::new();
        for (clinic, (series, last)) in &self.series {
            if *last > series.last() {
                change.number(*clinic, SeriesKind::CreditNote, series, *last)?;
            }
        }
        for (id, trail) in &self.invoices {
            let invoice = &self.loaded.books.invoices[id];
            let version = change.invoice(self.loaded.stored_invoice(*id), invoice, None, trail, self.now)?;
            made.insert(Target::Invoice(*id), Done::Invoice(Versioned { item: invoice.clone(), version }));
        }
        for (id, trail) in &self.payments {
            let payment = &self.loaded.books.payments[id];
            let version = change.payment(&self.loaded, payment, trail, self.now)?;
            made.insert(Target::Payment(*id), Done::Payment(Versioned { item: payment.clone(), version }));
        }
        for (id, trail) in &self.claims {
            let file = &self.loaded.books.claims[id];
            let version = change.claim(&self.loaded, file, trail, self.now)?;
            made.insert(Target::Claim(*id), Done::Claim(Box::new(Versioned { item: file.clone(), version })));
        }
        for (id, trail) in &self.used {
            change.used(&self.loaded, &self.loaded.books.accumulators[id], trail)?;
        }
        for written in self.beside {
            change.beside(written);
        }
        for (asked, entry, origin) in self.decided {
            let outcome = match made.get(&asked.act.target()) {
                Some(Done::Invoice(found)) => Outcome::Invoice { id: found.item.id, version: found.version },
                Some(Done::Payment(found)) => Outcome::Payment { id: found.item.id, version: found.version },
                Some(Done::Claim(found)) => Outcome::Claim { id: found.item.claim.id, version: found.version },
                None => return Err(Failure::Bug(format!("{} changed nothing", asked.act.name()))),
            };
            change.act(entry, &self.loaded.books.invoices, outcome, asked.request.remembered(), &origin)?;
        }
        Ok((change, made))
    }
}

impl Trail {
    fn add(&mut self, asked: &Asked, is_target: bool) {
        self.entries.push(if is_target { asked.entry() } else { asked.effect() });
        self.origin = Origin::current();
    }
}

/// A number as it is printed.
pub(super) fn number(kind: SeriesKind, clinic: ClinicId, place: u64) -> Number {
    Number { series_id: kind.of(clinic), place, text: format!("{}-{place:06}", kind.prefix()) }
}
