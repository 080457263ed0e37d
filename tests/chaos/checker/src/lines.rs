//! The promises, each with what would break it.

mod accounts;
mod books;
mod claims;
mod clinic;
mod money;
mod queues;
mod refusals;
mod remittances;
mod tables;
mod versions;
mod writes;

use crate::{databases::Databases, log::Log, report::Line};

/// Every line, in the order in which they are shown.
pub(crate) fn all(log: &Log, databases: &Databases) -> Vec<Line> {
    vec![
        refusals::definite(log),
        refusals::failures(log),
        writes::acknowledged(log, databases),
        writes::once(log, databases),
        clinic::appointments(log, databases),
        clinic::observations(log, databases),
        clinic::double_booked(databases),
        money::invoices(log, databases),
        money::payments(log, databases),
        money::acts(log, databases),
        claims::claims(log, databases),
        claims::answers(databases),
        claims::accumulators(databases),
        remittances::remittances(log, databases),
        refusals::refusals(log, databases),
        accounts::one_each(log, databases),
        books::ledger(databases),
        books::balances(databases),
        books::allocations(databases),
        books::numbers(databases),
        books::drafts(databases),
        versions::without_gap(databases),
        versions::events(databases),
        tables::projections(databases),
        tables::facts(databases),
        tables::figures(databases),
        queues::outbox(databases),
        queues::inbox(databases),
        queues::dead_letters(log, databases),
    ]
}
