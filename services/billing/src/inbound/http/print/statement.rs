//! A statement of an account on a sheet.

use super::sheet::{Column, Sheet, Table, words};
use crate::{
    domain::{
        money::Amount,
        statement::{Period, Statement, StatementLine},
    },
    service::print::AccountStatement,
};

/// The sheet of a statement.
pub(super) fn sheet(told: &AccountStatement) -> Sheet {
    let AccountStatement { recipient, period, today, statements, .. } = told;
    let mut sheet = Sheet {
        title: "Statement of account".to_owned(),
        name: format!("statement-{}", period.to),
        ..Sheet::default()
    };
    sheet.fact("Date", today);
    sheet.fact("From", &period.from);
    sheet.fact("To", &period.to);
    sheet.address(Some(recipient));
    let several = statements.len() > 1;
    for statement in statements {
        sheet.currency(statement.currency);
        let within = if several { format!(" in {}", statement.currency) } else { String::new() };
        sheet.tables.push(account(statement, *period, &within));
        sheet.tables.push(open(statement, &within));
    }
    sheet
}

fn account(statement: &Statement, period: Period, within: &str) -> Table {
    let write = |amount| statement.currency.write(amount);
    let standing = |date: String, what: &str, balance| {
        vec![date, what.to_owned(), String::new(), String::new(), String::new(), write(balance)]
    };
    let row = |line: &StatementLine| {
        let (happened, change) = (&line.happened, line.happened.change.balance());
        let (charged, credited) = if change.is_positive() { (change, Amount::ZERO) } else { (Amount::ZERO, -change) };
        let [charged, credited] =
            [charged, credited].map(|amount| if amount.is_zero() { String::new() } else { write(amount) });
        let method = happened.method.map(|method| format!(", {}", words(&method).to_lowercase()));
        let what = words(&happened.act) + &method.unwrap_or_default();
        let numbers: Vec<_> = happened.credit_note.iter().chain(&happened.invoices).map(String::as_str).collect();
        vec![happened.date.to_string(), what, numbers.join(", "), charged, credited, write(line.balance)]
    };
    let opening = standing(period.from.to_string(), "Opening balance", statement.opening.balance());
    Table {
        caption: format!("Account{within}"),
        columns: vec![
            Column::words("Date", 12),
            Column::words("What", 28),
            Column::words("Number", 24),
            Column::numbers("Charged", 12),
            Column::numbers("Credited", 12),
            Column::numbers("Balance", 12),
        ],
        rows: [opening].into_iter().chain(statement.lines.iter().map(row)).collect(),
        sums: vec![standing(period.to.to_string(), "Closing balance", statement.closing.balance())],
    }
}

fn open(statement: &Statement, within: &str) -> Table {
    let write = |amount| statement.currency.write(amount);
    let rows = statement.open.iter().map(|invoice| {
        let due = invoice.due.map(|due| due.to_string()).unwrap_or_default();
        vec![invoice.number.clone(), invoice.issued.to_string(), due, write(invoice.open)]
    });
    let sum = |name: &str, amount| vec![name.to_owned(), String::new(), String::new(), write(amount)];
    Table {
        caption: format!("Open invoices{within}"),
        columns: vec![
            Column::words("Number", 40),
            Column::words("Issued", 20),
            Column::words("Due", 20),
            Column::numbers("Open", 20),
        ],
        rows: rows.collect(),
        sums: vec![
            sum("Open", statement.closing.receivable),
            sum("Unapplied credit", -statement.closing.unapplied),
            sum("To be paid", statement.closing.balance()),
        ],
    }
}
