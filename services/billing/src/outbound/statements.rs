//! What a statement of an account has, by currency.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::json;
use sidecar::failure::Failure;

use super::lists::Lists;
use crate::domain::{
    ids::{InvoiceId, PatientId},
    ledger::Act,
    money::{Amount, Currency},
    payment::Method,
    statement::{Happened, MOST_ACTS, OpenInvoice, Period, Standing},
};

/// What is known of an account in one currency.
#[derive(Clone, Debug)]
pub struct History {
    /// The currency.
    pub currency: Currency,
    /// Before the first day.
    pub opening: Standing,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// What was open after the last day.
    pub open: Vec<OpenInvoice>,
}

impl History {
    /// Nothing at all.
    pub fn of(currency: Currency) -> Self {
        Self { currency, opening: Standing::default(), happened: Vec::new(), open: Vec::new() }
    }
}

#[derive(Deserialize)]
struct Answer {
    opening: Vec<Opening>,
    acts: Vec<Acted>,
    open: Vec<OpenThen>,
}

#[derive(Deserialize)]
struct Opening {
    currency: Currency,
    receivable: Amount,
    unapplied: Amount,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acted {
    act: Act,
    date: Date,
    currency: Currency,
    receivable: Amount,
    unapplied: Amount,
    invoices: Vec<String>,
    credit_note: Option<String>,
    method: Option<Method>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenThen {
    id: InvoiceId,
    number: String,
    issued_at: Timestamp,
    due: Option<Date>,
    currency: Currency,
    open: Amount,
}

impl Lists {
    /// What became of a patient's account, by currency; none when more happened than [`MOST_ACTS`].
    pub async fn history(
        &self,
        patient: PatientId,
        period: Period,
        day: impl Fn(Timestamp) -> Date,
    ) -> Result<Option<Vec<History>>, Failure> {
        let asked = json!({ "patientId": patient, "from": period.from, "to": period.to, "limit": MOST_ACTS + 1 });
        let answer: Answer = self.sidecar.query("account_statement", &asked).await?;
        if answer.acts.len() > MOST_ACTS {
            return Ok(None);
        }
        let mut found: BTreeMap<&str, History> = BTreeMap::new();
        for Opening { currency, receivable, unapplied } in answer.opening {
            of(&mut found, currency).opening = Standing { receivable, unapplied };
        }
        for act in answer.acts {
            let Acted { act, date, currency, receivable, unapplied, invoices, credit_note, method } = act;
            let change = Standing { receivable, unapplied };
            of(&mut found, currency).happened.push(Happened { date, act, invoices, credit_note, method, change });
        }
        for OpenThen { id, number, issued_at, due, currency, open } in answer.open {
            of(&mut found, currency).open.push(OpenInvoice { id, number, issued: day(issued_at), due, open });
        }
        Ok(Some(found.into_values().collect()))
    }
}

fn of<'a>(found: &'a mut BTreeMap<&'static str, History>, currency: Currency) -> &'a mut History {
    found.entry(currency.code()).or_insert_with(|| History::of(currency))
}
