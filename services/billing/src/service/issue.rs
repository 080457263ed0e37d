//! Issuing: numbers without a gap, given to all who wait for one at once.

use std::collections::BTreeMap;

use access::Caller;
use audit::{Action, Entry};
use jiff::{Span, Timestamp};
use sidecar::{failure::Failure, origin::Sender};

use super::{
    Books, Desk, Keyed,
    act::{ActError, Answer, Done, in_scope},
    round::number,
    rounds::Rounds,
};
use crate::{
    domain::{
        books::PatientBooks,
        ids::{ClinicId, InvoiceId, JournalId, UserId},
        invoice::{Invoice, Status},
        ledger::JournalEntry,
    },
    outbound::{
        change::{Change, Trail},
        demographics::RecipientData,
        journal::{Outcome, SeriesKind, Versioned, Wanted},
    },
};

/// An invoice that waits for its number.
#[derive(Clone, Debug)]
pub(super) struct Issuing {
    id: InvoiceId,
    clinic: ClinicId,
    expected: u64,
    request: Keyed,
    caller: Caller,
    sender: Option<Sender>,
    recipient: RecipientData,
}

/// Why no invoice was issued.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IssueError {
    /// For a reason that every act has.
    #[error(transparent)]
    Act(#[from] ActError),
    /// Nobody says who the patient is.
    #[error("nobody says who the patient is")]
    Demographics(#[source] problem::Problem),
}

impl From<Failure> for IssueError {
    fn from(failure: Failure) -> Self {
        Self::Act(failure.into())
    }
}

impl Books {
    /// Issues version `expected` of a draft on behalf of the holder of `access_token`.
    pub async fn issue(
        &self,
        id: InvoiceId,
        expected: u64,
        request: Keyed,
        caller: &Caller,
        access_token: &str,
    ) -> Result<Done, IssueError> {
        let stored = self.journal.invoice(id).await?.ok_or(ActError::Unknown)?;
        let draft = Invoice { id, ..stored.document.data.clone() };
        if draft.status != Status::Draft {
            return Ok(self.issued_before(&draft, stored.document.version, expected, request).await?);
        }
        if stored.document.version != expected {
            return Err(ActError::Stale { current: stored.document.version }.into());
        }
        draft.may_issue().map_err(|refusal| ActError::Refused(refusal.into()))?;
        let recipient = self.demographics.of(draft.patient_id, access_token).await.map_err(IssueError::Demographics)?;
        let issuing = Issuing {
            id,
            clinic: draft.clinic_id,
            expected,
            request,
            caller: caller.clone(),
            sender: Sender::current(),
            recipient,
        };
        let answer = self.issues.of(draft.clinic_id.0).ask(issuing).await;
        match answer.unwrap_or_else(|| Err(Failure::Again.into())) {
            // The same request may have been faster than itself.
            Err(refused @ (ActError::Stale { .. } | ActError::Refused(_))) => {
                Ok(self.served_before(&draft, request).await?.ok_or(refused)?)
            }
            answer => Ok(answer?),
        }
    }

    async fn issued_before(&self, invoice: &Invoice, current: u64, expected: u64, request: Keyed) -> Answer {
        if let Some(served) = self.served_before(invoice, request).await? {
            return Ok(served);
        }
        if current != expected {
            return Err(ActError::Stale { current });
        }
        let refused = invoice.may_issue().err().unwrap_or(crate::domain::invoice::Refusal::Status(invoice.status));
        Err(ActError::Refused(refused.into()))
    }

    async fn served_before(&self, invoice: &Invoice, request: Keyed) -> Result<Option<Done>, ActError> {
        let key = JournalId(request.key);
        let loaded = self.journal.load(&Wanted { acts: vec![key], ..Wanted::of(invoice.patient_id) }).await?;
        let Some((requests, outcome)) = loaded.acts.get(&key) else { return Ok(None) };
        if !request.is_among(requests) {
            return Err(ActError::KeyReused);
        }
        self.served(*outcome).await.map(Some)
    }
}

impl Desk {
    /// Numbers all who wait in one transaction for each clinic.
    pub(super) async fn take_numbers(&self, asked: Vec<Issuing>) -> Vec<Answer> {
        let mut by_clinic: BTreeMap<ClinicId, Vec<(usize, Issuing)>> = BTreeMap::new();
        for (at, asked) in asked.into_iter().enumerate() {
            by_clinic.entry(asked.clinic).or_default().push((at, asked));
        }
        let mut answers = Vec::new();
        for (clinic, waiting) in by_clinic {
            answers.extend(self.number_all(clinic, waiting).await);
        }
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    async fn number_all(&self, clinic: ClinicId, waiting: Vec<(usize, Issuing)>) -> Vec<(usize, Answer)> {
        let mut rounds = Rounds::begin();
        loop {
            match self.try_numbers(clinic, &waiting).await {
                Ok(answers) => return waiting.iter().map(|(at, _)| *at).zip(answers).collect(),
                // Another instance was faster; its numbers are taken now.
                Err(failure) => {
                    if !rounds.again(&failure).await {
                        return waiting.into_iter().map(|(at, _)| (at, Err(failure.clone().into()))).collect();
                    }
                    self.days.learn(&failure).await;
                }
            }
        }
    }

    async fn try_numbers(&self, clinic: ClinicId, waiting: &[(usize, Issuing)]) -> Result<Vec<Answer>, Failure> {
        let kind = SeriesKind::Invoice;
        let ids: Vec<_> = waiting.iter().map(|(_, issuing)| issuing.id).collect();
        let (series, stored) = tokio::try_join!(self.journal.series(kind.of(clinic)), self.journal.invoices(&ids))?;
        let now = Timestamp::now();
        let date = self.days.day(now);
        let due = date.saturating_add(Span::new().days(i64::from(self.settings.payment_terms)));
        let (mut change, mut last) = (Change::default(), series.last());
        let mut answers: Vec<Answer> = Vec::with_capacity(waiting.len());
        for ((_, issuing), stored) in waiting.iter().zip(stored) {
            let answer = in_scope(issuing.sender.clone(), async {
                let Some(stored) = stored else { return Ok(Err(ActError::Unknown)) };
                let is_here =
                    |answer: &Answer| matches!(answer, Ok(Done::Invoice(found)) if found.item.id == issuing.id);
                if stored.document.version != issuing.expected || answers.iter().any(is_here) {
                    return Ok(Err(ActError::Stale { current: stored.document.version }));
                }
                let mut books = PatientBooks::default();
                books.invoices.insert(issuing.id, Invoice { id: issuing.id, ..stored.document.data.clone() });
                let moved = match books.issue(issuing.id, number(kind, clinic, last + 1), due, now) {
                    Ok(moved) => moved,
                    Err(refusal) => return Ok(Err(refusal.into())),
                };
                last += 1;
                let invoice = books.invoices.get(&issuing.id).unwrap_or(&stored.document.data).clone();
                let invoice = Invoice { issued_by: Some(JournalId(issuing.request.key)), ..invoice };
                let entry = Entry::new(Action::Update, "update").by(&issuing.caller).of_patient(invoice.patient_id.0);
                let trail = Trail::of(entry.detail("action", "issue"));
                let version = change.invoice(Some(&stored), &invoice, None, &trail, now)?;
                change.beside(issuing.recipient.clone().write(issuing.id)?);
                let entry = JournalEntry {
                    id: JournalId(issuing.request.key),
                    act: moved.act,
                    patient_id: Some(invoice.patient_id),
                    clinic_id: Some(clinic),
                    currency: invoice.currency,
                    recorded_at: now,
                    date,
                    user_id: Some(UserId(issuing.caller.subject)),
                    reverses: None,
                    postings: moved.postings,
                };
                let outcome = Outcome::Invoice { id: issuing.id, version };
                change.act(entry, &books.invoices, outcome, issuing.request.remembered(), &trail.origin)?;
                Ok::<_, Failure>(Ok(Done::Invoice(Versioned { item: invoice, version })))
            });
            answers.push(answer.await?);
        }
        if last > series.last() {
            change.number(clinic, kind, &series, last)?;
            self.journal.save(change).await?;
        }
        Ok(answers)
    }
}
