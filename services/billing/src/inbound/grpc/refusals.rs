//! What is said to who is refused.

mod claiming;
mod covering;

use problem::{Kind, Problem};

use crate::{
    domain::{
        books,
        fees::BadSchedule,
        fees::MOST_FEES,
        invoice::{self, BadLine},
        money::{Currency, LARGEST},
        payment,
    },
    outbound::kept::KeepError,
    service::{ScheduleError, act::ActError, draft::DraftError, issue::IssueError},
};

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Unknown => Self::new(Kind::NotFound, "There is no such thing."),
            ActError::Stale { current } => stale(current),
            ActError::KeyReused => key_reused(),
            ActError::Refused(refusal) => refusal.into(),
            ActError::Store(failure) => failure.into(),
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Act(error) => error.into(),
            IssueError::Demographics(problem) => problem,
        }
    }
}

impl From<DraftError> for Problem {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Act(error) => error.into(),
            DraftError::BadLines(bad) => bad.into_iter().fold(Self::invalid(Vec::new()), |problem, (at, bad)| {
                let (field, detail) = bad_line(bad);
                problem.with_error(format!("lines[{at}]{field}"), detail)
            }),
        }
    }
}

impl From<KeepError> for Problem {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Unknown(kind) => {
                Self::new(Kind::NotFound, format!("There is no such {}.", kind.replace('-', " ")))
            }
            KeepError::Stale { current } => stale(current),
            KeepError::KeyReused => key_reused(),
            KeepError::Store(failure) => failure.into(),
        }
    }
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Bad(bad) => bad.into_iter().fold(Self::invalid(Vec::new()), |problem, bad| {
                let (field, detail) = bad_schedule(&bad);
                problem.with_error(format!("fee_schedule.{field}"), detail)
            }),
            ScheduleError::Currency(currency) => wrong_currency("fee_schedule.currency_code", currency),
            ScheduleError::Kept(error) => error.into(),
        }
    }
}

/// Everything is counted in one currency.
pub(super) fn wrong_currency(pointer: &str, currency: Currency) -> Problem {
    Problem::invalid_field(pointer, format!("the books are kept in {currency}"))
}

fn stale(current: u64) -> Problem {
    Problem::new(Kind::PreconditionFailed, format!("It has changed since; it is version {current} now."))
        .with("currentVersion", current)
}

pub(super) fn key_reused() -> Problem {
    Problem::new(Kind::Invalid, "This Idempotency-Key was used for something else.")
        .with_slug("idempotency-key-reused")
        .with_error("Idempotency-Key", "was used with another body")
}

impl From<books::Refusal> for Problem {
    fn from(refusal: books::Refusal) -> Self {
        use books::Refusal;
        match refusal {
            Refusal::NoInvoice { at } => Self::new(Kind::Conflict, "The patient has no such invoice.")
                .with_slug("unknown-invoice")
                .with_error(format!("allocations[{at}].invoice_id"), "is no invoice of this patient"),
            Refusal::NoAccount => Self::new(Kind::Conflict, "This patient has no billing account.")
                .with_slug("no-account")
                .with_error("patient_id", "is of nobody who has an account"),
            Refusal::NoPayment => Self::new(Kind::NotFound, "There is no such payment."),
            Refusal::Invoice(refusal) => of_invoice(&refusal, None),
            Refusal::Allocation { at, source } => of_invoice(&source, Some(at)),
            Refusal::Payment(refusal) => of_payment(&refusal),
            refusal => claiming::of_claim(&refusal),
        }
    }
}

fn of_invoice(refusal: &invoice::Refusal, allocation: Option<usize>) -> Problem {
    use invoice::Refusal;
    let sentence = {
        let words = refusal.to_string();
        let mut letters = words.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + letters.as_str() + ".")
            .unwrap_or_default()
    };
    let refused = |slug| Problem::new(Kind::Conflict, sentence.clone()).with_slug(slug);
    match refusal {
        Refusal::Status(status) => {
            let problem = refused("invoice-status").with("invoiceStatus", code(status));
            match allocation {
                Some(at) => {
                    problem.with_error(format!("allocations[{at}].invoice_id"), "is of no invoice that is open")
                }
                None => problem,
            }
        }
        Refusal::Empty => refused("invoice-empty"),
        Refusal::NoPrice { at } => refused("invoice-without-price").with("sequence", at + 1),
        Refusal::Moved => refused("invoice-moved"),
        Refusal::Claimed => refused("invoice-claimed"),
        Refusal::AboveOpen { open } => {
            let problem = refused("above-open").with("open", open.0);
            let wrong = |pointer| problem.clone().with_error(pointer, format!("must be at most {}", open.0));
            match allocation {
                Some(at) => wrong(format!("allocations[{at}].amount")),
                None => wrong("amount".to_owned()),
            }
        }
        Refusal::AbovePaid { left } => refused("above-paid").with("left", left.0),
        Refusal::AboveLine { at, left } => refused("above-line")
            .with("left", left.0)
            .with_error(format!("lines[{at}].amount"), format!("must be at most {}", left.0)),
        Refusal::NoLine { at } => {
            refused("unknown-line").with_error(format!("lines[{at}].sequence"), "is no line of the invoice")
        }
    }
}

/// A state as the public reads it.
fn code(status: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(status).unwrap_or_default()
}

fn of_payment(refusal: &payment::Refusal) -> Problem {
    use payment::Refusal;
    let conflict = |slug, detail: &str| Problem::new(Kind::Conflict, detail).with_slug(slug);
    match refusal {
        Refusal::Status(status) => conflict("payment-status", "This cannot be done to a payment in its state.")
            .with("paymentStatus", code(status)),
        Refusal::NotACard => conflict("payment-not-a-card", "Only the payment of a card is authorised."),
        Refusal::Cash => conflict("payment-in-cash", "Cash is refunded, not charged back."),
        Refusal::AboveUnapplied { unapplied } => conflict("above-unapplied", "More is to be used than is unapplied.")
            .with("unapplied", unapplied.0)
            .with_error("allocations", format!("must add up to at most {}", unapplied.0)),
        Refusal::AboveCaptured { left } => {
            conflict("above-captured", "More is to go back than is left of the payment.")
                .with("left", left.0)
                .with_error("amount", format!("must be at most {}", left.0))
        }
        Refusal::NoRefund => Problem::new(Kind::NotFound, "The payment has no such refund."),
        Refusal::RefundDecided => conflict("refund-decided", "The refund was decided already."),
        Refusal::SamePerson => {
            Problem::new(Kind::Forbidden, "Who asked for a refund cannot approve it.").with_slug("refund-same-person")
        }
    }
}

fn bad_line(bad: BadLine) -> (&'static str, String) {
    match bad {
        BadLine::Units => (".units", "must be from 1 to 9999".to_owned()),
        BadLine::Price => (".unit_price", format!("must not be below 0, nor the line above {} minor units", LARGEST.0)),
        BadLine::Discount => (".discount.amount", "must not be below 0 or more than the line".to_owned()),
        BadLine::Modifiers => (".modifiers", "must have at most 4 items".to_owned()),
        BadLine::Diagnoses => (".diagnoses", "must be at most 4 places of the invoice's diagnoses, from 1".to_owned()),
    }
}

fn bad_schedule(bad: &BadSchedule) -> (String, String) {
    match bad {
        BadSchedule::EndsBefore => ("effective_to".to_owned(), "must not be before effectiveFrom".to_owned()),
        BadSchedule::TooMany => ("fees".to_owned(), format!("must have at most {MOST_FEES} items")),
        BadSchedule::Price { at } => {
            (format!("fees[{at}].unit_price"), format!("must be from 0 to {} minor units", LARGEST.0))
        }
        BadSchedule::Tax { at } => {
            (format!("fees[{at}].tax"), "must have a rate if, and only if, its category is standard".to_owned())
        }
        BadSchedule::Twice { at } => (format!("fees[{at}].code"), "is there twice with this modifier".to_owned()),
    }
}
