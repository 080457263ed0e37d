//! What is done to the money of a patient, one turn after the other.

use std::collections::BTreeMap;

use access::Caller;
use audit::{Action, Entry};
use jiff::Timestamp;
use sidecar::{failure::Failure, origin::Sender};
use uuid::Uuid;

use super::{
    Books, Desk, Keyed,
    claim_act::ClaimAct,
    round::{Round, Taken},
    rounds::Rounds,
};
use crate::{
    domain::{
        books::{self, Direction},
        claim::file::ClaimFile,
        ids::{ClaimId, InvoiceId, JournalId, PatientId, PaymentId, RefundId, UserId},
        invoice::{CreditedLine, Invoice, WriteOffReason},
        money::Amount,
        payment::Payment,
    },
    outbound::journal::{Journal, Outcome, Versioned, Wanted},
};

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Act {
    /// Money is there: write the payment down and use it.
    Record(Payment, Direction),
    /// A payment is announced.
    Announce(Payment),
    /// See [`Payment::authorise`].
    Authorise(PaymentId),
    /// The money of an announced payment is there.
    Capture(PaymentId, Direction),
    /// See [`Payment::fail`].
    Fail(PaymentId, String),
    /// See [`Payment::void`].
    VoidPayment(PaymentId, String),
    /// What is unapplied of a payment is used.
    Allocate(PaymentId, Direction),
    /// Money goes back, or waits for a second person to say so.
    Refund(PaymentId, Amount, String),
    /// A second person says yes.
    ApproveRefund(PaymentId, RefundId),
    /// A second person says no.
    RejectRefund(PaymentId, RefundId, String),
    /// The bank took back what was left.
    ChargeBack(PaymentId, String),
    /// An issued invoice is taken back.
    VoidInvoice(InvoiceId, String),
    /// A rest is given up.
    WriteOff(InvoiceId, Option<Amount>, WriteOffReason),
    /// A part is taken back.
    Credit(InvoiceId, Vec<CreditedLine>, String),
    /// Something is done to a claim.
    Claim(ClaimId, ClaimAct),
}

/// What an act is done to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// An invoice.
    Invoice(InvoiceId),
    /// A payment.
    Payment(PaymentId),
    /// A claim.
    Claim(ClaimId),
}

/// An act that somebody wants done.
#[derive(Clone, Debug)]
pub struct Asked {
    /// On whose account.
    pub patient: PatientId,
    /// What.
    pub act: Act,
    /// The version of the target that the caller has seen; none of what is new.
    pub expected: Option<u64>,
    /// The request.
    pub request: Keyed,
    /// Who; nobody where the service does what is due.
    pub caller: Option<Caller>,
    /// For the trace and the log, where what is done together is of several requests.
    pub sender: Option<Sender>,
}

/// What an act has made.
#[derive(Clone, Debug)]
pub enum Done {
    /// An invoice as it is now.
    Invoice(Versioned<Invoice>),
    /// A payment as it is now.
    Payment(Versioned<Payment>),
    /// A claim as it is now.
    Claim(Box<Versioned<ClaimFile>>),
}

/// Why nothing was done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such thing.
    #[error("there is no such thing")]
    Unknown,
    /// It is another version than the caller has seen.
    #[error("it is version {current} now")]
    Stale {
        /// The present one.
        current: u64,
    },
    /// The key was used for something else.
    #[error("the key was used with another body")]
    KeyReused,
    /// A rule of the domain.
    #[error(transparent)]
    Refused(#[from] books::Refusal),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// What is answered.
pub type Answer = Result<Done, ActError>;

impl Act {
    /// What it is done to.
    pub fn target(&self) -> Target {
        match self {
            Self::Record(payment, _) | Self::Announce(payment) => Target::Payment(payment.id),
            Self::Authorise(id)
            | Self::Capture(id, _)
            | Self::Fail(id, _)
            | Self::VoidPayment(id, _)
            | Self::Allocate(id, _)
            | Self::Refund(id, ..)
            | Self::ApproveRefund(id, _)
            | Self::RejectRefund(id, ..)
            | Self::ChargeBack(id, _) => Target::Payment(*id),
            Self::VoidInvoice(id, _) | Self::WriteOff(id, ..) | Self::Credit(id, ..) => Target::Invoice(*id),
            Self::Claim(id, _) => Target::Claim(*id),
        }
    }

    /// What the audit calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Record(..) => "record",
            Self::Announce(_) => "announce",
            Self::Authorise(_) => "authorise",
            Self::Capture(..) => "capture",
            Self::Fail(..) => "fail",
            Self::VoidPayment(..) | Self::VoidInvoice(..) => "void",
            Self::Allocate(..) => "allocate",
            Self::Refund(..) => "refund",
            Self::ApproveRefund(..) => "approve-refund",
            Self::RejectRefund(..) => "reject-refund",
            Self::ChargeBack(..) => "charge-back",
            Self::WriteOff(..) => "write-off",
            Self::Credit(..) => "credit",
            Self::Claim(_, act) => act.name(),
        }
    }

    fn direction(&self) -> Option<&Direction> {
        match self {
            Self::Record(_, direction) | Self::Capture(_, direction) | Self::Allocate(_, direction) => Some(direction),
            _ => None,
        }
    }

    /// Whether what it is done to is there only after it.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::Record(..) | Self::Announce(_) | Self::Claim(_, ClaimAct::Create(_)))
    }
}

impl Asked {
    /// The entry of the audit, for each document that the act changes.
    pub(super) fn entry(&self) -> Entry {
        let (action, subtype) = if self.act.is_new() { (Action::Create, "create") } else { (Action::Update, "update") };
        self.signed(Entry::new(action, subtype))
    }

    /// The entry for a document that the act changes beside what it is done to.
    pub(super) fn effect(&self) -> Entry {
        self.signed(Entry::new(Action::Update, "update"))
    }

    fn signed(&self, entry: Entry) -> Entry {
        let entry = self.caller.iter().fold(entry, Entry::by);
        entry.of_patient(self.patient.0).detail("action", self.act.name())
    }

    /// Who does it.
    pub(super) fn user(&self) -> Option<UserId> {
        self.caller.as_ref().map(|caller| UserId(caller.subject))
    }

    /// What the act is called in the journal.
    pub(super) fn journal_id(&self) -> JournalId {
        JournalId(self.request.key)
    }
}

impl Books {
    /// Does something to a patient's money.
    pub async fn act(&self, asked: Asked) -> Answer {
        self.turns.of(asked.patient.0).ask(asked).await.unwrap_or_else(|| Err(Failure::Again.into()))
    }

    /// Does something to an invoice, whoever's it is.
    pub async fn act_on_invoice(&self, id: InvoiceId, ask: impl FnOnce(PatientId) -> Asked) -> Answer {
        let invoice = self.journal.invoice(id).await?.ok_or(ActError::Unknown)?;
        self.act(ask(invoice.document.data.patient_id)).await
    }

    /// Does something to a payment, whoever's it is.
    pub async fn act_on_payment(&self, id: PaymentId, ask: impl FnOnce(PatientId) -> Asked) -> Answer {
        let payment = self.journal.payment(id).await?.ok_or(ActError::Unknown)?;
        self.act(ask(payment.document.data.patient_id)).await
    }

    /// Why something cannot be done to a claim now, if it cannot; nothing is changed.
    pub(super) async fn would(&self, patient: PatientId, act: ClaimAct) -> Result<Option<ActError>, Failure> {
        let ClaimAct::Book(booked) = &act else { return Ok(None) };
        let act = Act::Claim(booked.payment.claim_id, act.clone());
        let request = Keyed { key: Uuid::nil(), hash: Uuid::nil() };
        let asked = Asked { patient, act, expected: None, request, caller: None, sender: None };
        let loaded = self.journal.load(&wanted(patient, &[(0, asked.clone())])).await?;
        let now = Timestamp::now();
        Ok(match Round::new(&self.settings, loaded, now, self.open_days.day(now)).take(&asked) {
            Taken::Refused(error) => Some(error),
            Taken::Decided | Taken::Later | Taken::Served(_) => None,
        })
    }

    /// What the same request was answered before.
    pub(super) async fn served(&self, outcome: Outcome) -> Answer {
        served(&self.journal, outcome).await
    }
}

impl Desk {
    /// A turn of several acts, of one patient or of a few who share a queue.
    pub(super) async fn take_turns(&self, asked: Vec<Asked>) -> Vec<Answer> {
        let mut by_patient: BTreeMap<PatientId, Vec<(usize, Asked)>> = BTreeMap::new();
        let count = asked.len();
        for (at, asked) in asked.into_iter().enumerate() {
            by_patient.entry(asked.patient).or_default().push((at, asked));
        }
        let turns = by_patient.into_iter().map(|(patient, asked)| self.take_turn(patient, asked));
        let mut answers: Vec<_> = futures::future::join_all(turns).await.into_iter().flatten().collect();
        answers.sort_by_key(|(at, _)| *at);
        debug_assert_eq!(answers.len(), count);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    async fn take_turn(&self, patient: PatientId, mut waiting: Vec<(usize, Asked)>) -> Vec<(usize, Answer)> {
        let mut rounds = Rounds::begin();
        let mut answers = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let (answered, left) = match self.round(patient, waiting.clone()).await {
                Ok(round) => round,
                Err(failure) => {
                    if rounds.again(&failure).await {
                        self.days.learn(&failure).await;
                        continue;
                    }
                    answers.extend(waiting.into_iter().map(|(at, _)| (at, Err(failure.clone().into()))));
                    break;
                }
            };
            answers.extend(answered);
            waiting = left;
        }
        answers
    }

    /// Does what can be done together; answers what is done or refused, and what is to come after it.
    async fn round(
        &self,
        patient: PatientId,
        waiting: Vec<(usize, Asked)>,
    ) -> Result<(Vec<(usize, Answer)>, Vec<(usize, Asked)>), Failure> {
        let loaded = self.journal.load(&wanted(patient, &waiting)).await?;
        let now = Timestamp::now();
        let mut round = Round::new(&self.settings, loaded, now, self.days.day(now));
        let (mut answers, mut decided, mut later) = (Vec::new(), Vec::new(), Vec::new());
        for (at, asked) in waiting {
            if let Act::Credit(id, ..) = &asked.act {
                round.needs_series(&self.journal, *id).await?;
            }
            match in_scope(asked.sender.clone(), async { round.take(&asked) }).await {
                Taken::Decided => decided.push((at, asked)),
                Taken::Later => later.push((at, asked)),
                Taken::Refused(error) => answers.push((at, Err(error))),
                Taken::Served(outcome) => answers.push((at, served(&self.journal, outcome).await)),
            }
        }
        if !decided.is_empty() {
            let (change, made) = round.change()?;
            self.journal.save(change).await?;
            answers.extend(decided.into_iter().map(|(at, asked)| {
                let done = made.get(&asked.act.target()).cloned();
                (at, done.ok_or_else(|| Failure::Bug("an act made nothing".to_owned()).into()))
            }));
        }
        Ok((answers, later))
    }
}

async fn served(journal: &Journal, outcome: Outcome) -> Answer {
    let lost = |id: Uuid| ActError::Store(Failure::Bug(format!("{id} has lost a version")));
    match outcome {
        Outcome::Invoice { id, version } => {
            let found = journal.invoice_of(id, version).await?;
            found.map(Done::Invoice).ok_or_else(|| lost(id.0))
        }
        Outcome::Payment { id, version } => {
            let found = journal.payment_of(id, version).await?;
            found.map(Done::Payment).ok_or_else(|| lost(id.0))
        }
        Outcome::Claim { id, version } => {
            let found = journal.version::<ClaimFile>(id.0, version).await?;
            found.map(|found| Done::Claim(Box::new(found))).ok_or_else(|| lost(id.0))
        }
        Outcome::Remittance { id } => Err(lost(id.0)),
    }
}

fn wanted(patient: PatientId, waiting: &[(usize, Asked)]) -> Wanted {
    let mut wanted = Wanted::of(patient);
    for (_, asked) in waiting {
        match asked.act.target() {
            Target::Invoice(id) => wanted.invoices.push(id),
            Target::Payment(id) => wanted.payments.push(id),
            Target::Claim(id) => wanted.claims.push(id),
        }
        if let Act::Claim(_, act) = &asked.act {
            act.wants(&mut wanted);
        }
        match asked.act.direction() {
            Some(Direction::OldestFirst) => wanted.open = true,
            Some(Direction::To(used)) => wanted.directed.extend(used.iter().map(|used| used.invoice_id)),
            None => {}
        }
        wanted.acts.push(asked.journal_id());
    }
    wanted
}

/// Does something as a part of the request that it is of.
pub(super) async fn in_scope<F: Future>(sender: Option<Sender>, done: F) -> F::Output {
    match sender {
        Some(sender) => sender.scope(done).await,
        None => done.await,
    }
}
