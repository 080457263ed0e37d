//! What became of a patient's account in a period: the letter that says what is owed, and how it came to that.

use jiff::{Span, civil::Date};

use super::{
    ids::InvoiceId,
    ledger::Act,
    money::{Amount, Currency},
    payment::Method,
};

/// More acts than this nobody reads; whoever has more in a period asks for a shorter one.
pub const MOST_ACTS: usize = 500;

/// Days of the books, both of them included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

impl Period {
    /// The period that is meant; without an end up to today, without a beginning the three months before its end. None
    /// when it ends before it begins.
    pub fn of(from: Option<Date>, to: Option<Date>, today: Date) -> Option<Self> {
        let to = to.unwrap_or(today);
        let from = from.unwrap_or_else(|| to.saturating_sub(Span::new().months(3)));
        (from <= to).then_some(Self { from, to })
    }
}

/// How a patient's account stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// What the patient owes of invoices.
    pub receivable: Amount,
    /// What the patient has paid and no invoice has used.
    pub unapplied: Amount,
}

impl Standing {
    /// What the patient owes in all; below nothing where the clinic owes them.
    pub fn balance(self) -> Amount {
        self.receivable - self.unapplied
    }
}

/// What an act did to the account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Happened {
    /// The day of the books.
    pub date: Date,
    /// What was done.
    pub act: Act,
    /// The numbers of the invoices that it touched.
    pub invoices: Vec<String>,
    /// The number of the credit note that it is.
    pub credit_note: Option<String>,
    /// How it was paid, where it is of a payment.
    pub method: Option<Method>,
    /// What it added.
    pub change: Standing,
}

/// An act with what was owed after it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatementLine {
    /// The act.
    pub happened: Happened,
    /// What was owed then.
    pub balance: Amount,
}

/// An invoice of which something was open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenInvoice {
    /// Which.
    pub id: InvoiceId,
    /// Its number.
    pub number: String,
    /// When it was issued.
    pub issued: Date,
    /// By when it is to be paid.
    pub due: Option<Date>,
    /// How much of it was open for the patient.
    pub open: Amount,
}

/// A statement of an account in one currency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// Of every amount.
    pub currency: Currency,
    /// Before the first day.
    pub opening: Standing,
    /// What changed what is owed, in order. What only used money that was there already is not among it.
    pub lines: Vec<StatementLine>,
    /// After the last day.
    pub closing: Standing,
    /// What was open after the last day, what is due first before the others.
    pub open: Vec<OpenInvoice>,
}

impl Statement {
    /// The statement of what happened, in order.
    pub fn of(currency: Currency, opening: Standing, happened: Vec<Happened>, mut open: Vec<OpenInvoice>) -> Self {
        let (mut closing, mut lines) = (opening, Vec::new());
        for happened in happened {
            closing.receivable += happened.change.receivable;
            closing.unapplied += happened.change.unapplied;
            if !happened.change.balance().is_zero() {
                lines.push(StatementLine { happened, balance: closing.balance() });
            }
        }
        open.sort_by(|one, other| (one.due, &one.number, one.id).cmp(&(other.due, &other.number, other.id)));
        Self { currency, opening, lines, closing, open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn happened(date: &str, act: Act, receivable: i64, unapplied: i64) -> Happened {
        let change = Standing { receivable: Amount(receivable), unapplied: Amount(unapplied) };
        Happened { date: day(date), act, invoices: Vec::new(), credit_note: None, method: None, change }
    }

    #[test]
    fn each_line_says_what_is_owed_after_it() {
        let statement = Statement::of(
            Currency::from_code("EUR").unwrap(),
            Standing { receivable: Amount(1_000), unapplied: Amount(200) },
            vec![
                happened("2026-11-01", Act::InvoiceIssued, 5_000, 0),
                happened("2026-11-02", Act::PaymentCaptured, -4_000, 500),
                happened("2026-11-03", Act::PaymentAllocated, -700, -700),
                happened("2026-11-04", Act::InvoiceWrittenOff, -300, 0),
            ],
            Vec::new(),
        );
        let told: Vec<_> = statement
            .lines
            .iter()
            .map(|line| (line.happened.act, line.happened.change.balance().0, line.balance.0))
            .collect();
        assert_eq!(
            told,
            [
                (Act::InvoiceIssued, 5_000, 5_800),
                (Act::PaymentCaptured, -4_500, 1_300),
                (Act::InvoiceWrittenOff, -300, 1_000),
            ]
        );
        assert_eq!(statement.closing, Standing { receivable: Amount(1_000), unapplied: Amount(0) });
        assert_eq!(statement.closing.balance(), statement.lines[2].balance);
    }

    #[test]
    fn what_is_due_first_is_listed_first() {
        let open = |number: &str, due: Option<&str>| OpenInvoice {
            id: InvoiceId(uuid::Uuid::nil()),
            number: number.to_owned(),
            issued: day("2026-10-01"),
            due: due.map(day),
            open: Amount(1),
        };
        let statement = Statement::of(
            Currency::from_code("EUR").unwrap(),
            Standing::default(),
            Vec::new(),
            vec![open("INV-000003", Some("2026-12-01")), open("INV-000002", Some("2026-11-01"))],
        );
        let numbers: Vec<_> = statement.open.iter().map(|invoice| invoice.number.as_str()).collect();
        assert_eq!(numbers, ["INV-000002", "INV-000003"]);
    }

    #[test]
    fn a_period_has_an_end_after_its_beginning() {
        let today = day("2026-11-30");
        let usual = Period::of(None, None, today).unwrap();
        assert_eq!((usual.from, usual.to), (day("2026-08-30"), today));
        let one_day = Period::of(Some(today), Some(today), today).unwrap();
        assert_eq!((one_day.from, one_day.to), (today, today));
        assert_eq!(Period::of(Some(day("2026-12-01")), None, today), None);
    }
}
