//! What stands on a sheet, whichever way it is printed: in words, in order, and without a measure.

use serde::Serialize;

use crate::{domain::money::Currency, outbound::demographics::RecipientData};

/// A page or several of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Sheet {
    /// What it is.
    pub title: String,
    /// What its file is called, without an ending; it tells nothing of anybody.
    pub name: String,
    /// A word across every page.
    pub stamp: Option<&'static str>,
    /// Whom it is for: name and address, line by line.
    pub addressee: Vec<String>,
    /// What is to be known of the whole of it.
    pub facts: Vec<(&'static str, String)>,
    /// The rest.
    pub tables: Vec<Table>,
}

/// A table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Table {
    /// What is in it.
    pub caption: String,
    /// The columns; the first names its row.
    pub columns: Vec<Column>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// Rows that sum the others up.
    pub sums: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Column {
    /// What is in it.
    pub head: &'static str,
    /// Whether it has amounts, which stand on the right.
    pub is_number: bool,
    /// How much of the width it takes, in hundredths.
    pub share: u16,
}

impl Column {
    /// A column of words.
    pub(super) const fn words(head: &'static str, share: u16) -> Self {
        Self { head, is_number: false, share }
    }

    /// A column of numbers.
    pub(super) const fn numbers(head: &'static str, share: u16) -> Self {
        Self { head, is_number: true, share }
    }
}

impl Table {
    /// The cells of a row with their columns.
    pub(super) fn cells<'a>(&'a self, row: &'a [String]) -> impl Iterator<Item = (&'a Column, &'a String)> {
        self.columns.iter().zip(row)
    }
}

impl Sheet {
    /// Says whom it is for.
    pub(super) fn address(&mut self, recipient: Option<&RecipientData>) {
        let Some(recipient) = recipient else {
            self.addressee.push("The recipient was erased.".to_owned());
            return;
        };
        let RecipientData { name, line, postal_code, city, state, country, .. } = recipient;
        let town =
            [postal_code.as_str(), city].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let lines = [name].into_iter().chain(line).chain([&town, state, country]);
        self.addressee.extend(lines.filter(|line| !line.is_empty()).cloned());
        self.fact("Record number", &recipient.record_number);
        self.fact("Date of birth", &recipient.birth_date);
    }

    /// States something, if there is something to state.
    pub(super) fn fact(&mut self, name: &'static str, told: &impl ToString) {
        let told = told.to_string();
        if !told.is_empty() {
            self.facts.push((name, told));
        }
    }

    /// States what the amounts are in.
    pub(super) fn currency(&mut self, currency: Currency) {
        self.fact("Amounts in", &currency);
    }
}

/// A code of one of our enumerations in words: `written-off` is `Written off`.
pub(super) fn words(code: &impl Serialize) -> String {
    let code = serde_json::to_value(code).unwrap_or_default();
    let text = code.as_str().unwrap_or_default().replace('-', " ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
