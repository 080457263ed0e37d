//! Money and who owes it: pure, synchronous, without clock, store or protocol.

pub mod account;
pub mod books;
pub mod claim;
pub mod collections;
pub mod coverage;
pub mod day;
pub mod fees;
pub mod ids;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod payer;
pub mod payment;
pub mod receivables;
pub mod statement;
