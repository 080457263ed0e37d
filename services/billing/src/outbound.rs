//! What this service asks of others, all of it through the sidecar.

pub mod accounts;
pub mod change;
pub mod claim_messages;
pub mod claims;
pub mod clearinghouse;
pub mod coverage_messages;
pub mod coverages;
pub mod days;
pub mod demographics;
pub mod eligibility;
pub mod fees;
pub mod journal;
mod journal_messages;
pub mod kept;
pub mod lists;
pub mod messages;
pub mod payers;
pub mod remittances;
pub mod replay;
pub mod reports;
pub mod statements;
pub mod told;
