//! Reports that are more than one sum of the books.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sidecar::failure::Failure;

use super::Books;
use crate::{
    domain::{collections::Sums, money::Currency},
    outbound::reports::{WantedCollected, collected_position},
};

/// So many come with their invoices' lines well before the store's deadline.
const PAGE: usize = 1_000;

impl Books {
    /// What invoices got on the days from one to another, by currency. Each amount is divided over the lines of its
    /// invoice by itself, so that the sums of two stretches of days are those of both together.
    pub async fn collections(&self, from: Date, to: Date) -> Result<BTreeMap<&'static str, Sums>, Failure> {
        let mut sums: BTreeMap<_, Sums> = BTreeMap::new();
        let mut wanted = WantedCollected { from, to, payer: None, service_code: None, after: None, limit: PAGE };
        loop {
            let page = self.reports.collected(&wanted).await?;
            for collected in &page {
                sums.entry(Currency::code(collected.currency)).or_default().add(collected);
            }
            match page.last().filter(|_| page.len() == PAGE) {
                Some(last) => wanted.after = Some(collected_position(last)),
                None => return Ok(sums),
            }
        }
    }
}
