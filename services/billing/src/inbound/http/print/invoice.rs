//! An invoice on a sheet.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::sheet::{Column, Sheet, Table, words};
use crate::{
    domain::{
        fees::{Tax, TaxCategory},
        invoice::{Invoice, Line, Status},
        money::{Amount, Rate},
    },
    service::print::Printable,
};

/// The sheet of an issued invoice; `day` tells the day of the books of a moment.
pub(super) fn sheet(printable: &Printable, day: impl Fn(Timestamp) -> Date) -> Sheet {
    let invoice = &printable.invoice;
    let number = invoice.number.as_ref().map(|number| number.text.clone()).unwrap_or_default();
    let mut sheet = Sheet { title: format!("Invoice {number}"), name: number, ..Sheet::default() };
    sheet.stamp = (invoice.status == Status::Void).then_some("VOID");
    let written = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    sheet.fact("Issued", &written(invoice.issued_at.map(&day)));
    sheet.fact("Due", &written(invoice.due));
    sheet.fact("Status", &words(&invoice.status));
    sheet.address(printable.recipient.as_ref());
    sheet.fact("Clinic", &invoice.clinic_id);
    sheet.currency(invoice.currency);
    sheet.fact("Reason", &invoice.reason.as_deref().unwrap_or_default());
    sheet.tables = vec![services(invoice), taxes(invoice), balance(invoice)];
    sheet.tables.extend((!invoice.credit_notes.is_empty()).then(|| credit_notes(invoice, day)));
    sheet
}

fn services(invoice: &Invoice) -> Table {
    let write = |amount| invoice.currency.write(amount);
    let row = |line: &Line| {
        let amounts = line.amounts();
        let code =
            [&line.code.code].into_iter().chain(&line.modifiers).map(String::as_str).collect::<Vec<_>>().join(" ");
        let reason = line.discount.as_ref().map(|discount| format!("(discount: {})", discount.reason));
        let text = line.text.iter().cloned().chain(reason).collect::<Vec<_>>().join(" ");
        let price = line.unit_price.map(write).unwrap_or_default();
        let (date, units) = (line.date.to_string(), line.units.to_string());
        let [discount, tax, total] = [amounts.discount, amounts.tax, amounts.total].map(write);
        vec![date, code, text, units, price, discount, rate(line.tax), tax, total]
    };
    let totals = invoice.totals();
    let mut sums = vec![String::new(); 9];
    sums[0] = "Total".to_owned();
    (sums[5], sums[7], sums[8]) = (write(totals.discount), write(totals.tax), write(totals.total));
    Table {
        caption: "Services".to_owned(),
        columns: vec![
            Column::words("Date", 11),
            Column::words("Code", 10),
            Column::words("Service", 25),
            Column::numbers("Units", 6),
            Column::numbers("Unit price", 11),
            Column::numbers("Discount", 9),
            Column::numbers("Tax rate", 8),
            Column::numbers("Tax", 9),
            Column::numbers("Total", 11),
        ],
        rows: invoice.lines.iter().map(row).collect(),
        sums: vec![sums],
    }
}

fn taxes(invoice: &Invoice) -> Table {
    let mut by_rate: BTreeMap<(Rate, bool), (Tax, [Amount; 3])> = BTreeMap::new();
    for line in &invoice.lines {
        let (amounts, exempt) = (line.amounts(), line.tax.category == TaxCategory::Exempt);
        let (_, sums) = by_rate.entry((line.tax.rate, exempt)).or_insert((line.tax, [Amount::ZERO; 3]));
        for (sum, amount) in sums.iter_mut().zip([amounts.gross - amounts.discount, amounts.tax, amounts.total]) {
            *sum += amount;
        }
    }
    let row = |(tax, sums): (Tax, [Amount; 3])| {
        [rate(tax)].into_iter().chain(sums.map(|sum| invoice.currency.write(sum))).collect()
    };
    Table {
        caption: "By tax rate".to_owned(),
        columns: vec![
            Column::words("Rate", 40),
            Column::numbers("Without tax", 20),
            Column::numbers("Tax", 20),
            Column::numbers("With tax", 20),
        ],
        rows: by_rate.into_values().map(row).collect(),
        sums: Vec::new(),
    }
}

/// A tax as people read it: `19%`, `5.5%`, `exempt`.
fn rate(tax: Tax) -> String {
    if tax.category == TaxCategory::Exempt {
        return "exempt".to_owned();
    }
    let millionths = tax.rate.millionths();
    let part = format!("{:04}", millionths % 10_000);
    let part = part.trim_end_matches('0');
    let point = if part.is_empty() { "" } else { "." };
    format!("{}{point}{part}%", millionths / 10_000)
}

fn balance(invoice: &Invoice) -> Table {
    let (balance, total) = (&invoice.balance, invoice.totals().total);
    let void = if invoice.status == Status::Void { total } else { Amount::ZERO };
    let became = [
        ("Paid by the patient", balance.patient_paid),
        ("Paid by payers", balance.insurance_paid),
        ("Left unpaid by contract", balance.adjusted),
        ("Credited", balance.credited),
        ("Written off", balance.written_off),
        ("Taken back", void),
        ("Open for payers", balance.insurance_open),
    ];
    let row = |(name, amount): (&str, Amount)| vec![name.to_owned(), invoice.currency.write(amount)];
    let became = became.into_iter().filter(|(_, amount)| !amount.is_zero()).map(|(name, amount)| (name, -amount));
    Table {
        caption: "What became of it".to_owned(),
        columns: vec![Column::words("What", 80), Column::numbers("Amount", 20)],
        rows: [("Total", total)].into_iter().chain(became).map(row).collect(),
        sums: vec![row(("Open for the patient", balance.patient_open))],
    }
}

fn credit_notes(invoice: &Invoice, day: impl Fn(Timestamp) -> Date) -> Table {
    let rows = invoice.credit_notes.iter().map(|note| {
        let amount: Amount = note.lines.iter().map(|line| line.amount).sum();
        let date = day(note.issued_at).to_string();
        vec![note.number.text.clone(), date, note.reason.clone(), invoice.currency.write(amount)]
    });
    Table {
        caption: "Credit notes".to_owned(),
        columns: vec![
            Column::words("Number", 20),
            Column::words("Date", 15),
            Column::words("Reason", 45),
            Column::numbers("Amount", 20),
        ],
        rows: rows.collect(),
        sums: Vec::new(),
    }
}
