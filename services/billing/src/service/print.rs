//! What is printed: an invoice as it was sent, an account as it stands.

use jiff::{Timestamp, civil::Date};
use problem::Problem;
use sidecar::failure::Failure;

use super::Books;
use crate::{
    domain::{
        ids::{InvoiceId, PatientId},
        invoice::{Invoice, Refusal},
        statement::{Period, Statement},
    },
    outbound::{demographics::RecipientData, statements::History},
};

/// An invoice with whom it named.
#[derive(Clone, Debug)]
pub struct Printable {
    /// The invoice.
    pub invoice: Invoice,
    /// Whom it named when it was issued; nobody when that was erased.
    pub recipient: Option<RecipientData>,
}

/// A patient's account.
#[derive(Clone, Debug)]
pub struct AccountStatement {
    /// Whose.
    pub patient: PatientId,
    /// Who that is now.
    pub recipient: RecipientData,
    /// The days.
    pub period: Period,
    /// The day on which it is told.
    pub today: Date,
    /// One for each currency.
    pub statements: Vec<Statement>,
}

/// Why nothing is printed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PrintError {
    /// There is no such invoice.
    #[error("there is no such invoice")]
    Unknown,
    /// It cannot be printed as it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The period ends before it begins.
    #[error("the period ends before it begins")]
    Period,
    /// More happened in the period than anybody reads.
    #[error("too much happened")]
    TooMuch,
    /// Nobody says who the patient is.
    #[error("nobody says who the patient is")]
    Demographics(#[source] Problem),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Books {
    /// An issued invoice with whom it named.
    pub async fn printable(&self, id: InvoiceId) -> Result<Printable, PrintError> {
        let (stored, recipient) = tokio::try_join!(self.invoice(id), self.journal.recipient(id))?;
        let invoice = stored.ok_or(PrintError::Unknown)?.item;
        invoice.was_issued()?;
        Ok(Printable { invoice, recipient })
    }

    /// What became of a patient's account, on behalf of the holder of `access_token`. Who the patient is, is asked at
    /// that moment and kept nowhere.
    pub async fn statement(
        &self,
        patient: PatientId,
        (from, to): (Option<Date>, Option<Date>),
        access_token: &str,
        now: Timestamp,
    ) -> Result<AccountStatement, PrintError> {
        let today = self.day(now);
        let period = Period::of(from, to, today).ok_or(PrintError::Period)?;
        let history = async {
            let history = self.lists.history(patient, period, |moment| self.day(moment)).await?;
            history.ok_or(PrintError::TooMuch)
        };
        let recipient = async {
            let recipient = self.demographics.of(patient, access_token).await;
            recipient.map_err(PrintError::Demographics)
        };
        let (mut history, recipient) = tokio::try_join!(history, recipient)?;
        if history.is_empty() {
            history.push(History::of(self.settings.currency));
        }
        let statement = |found: History| Statement::of(found.currency, found.opening, found.happened, found.open);
        let statements = history.into_iter().map(statement).collect();
        Ok(AccountStatement { patient, recipient, period, today, statements })
    }
}
