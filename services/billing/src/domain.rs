//! Money and who owes it: pure, synchronous, without clock, store or protocol.

pub mod account;
