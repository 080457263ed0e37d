//! What is counted, and over which time: pure, synchronous, without clock, store or protocol.

pub mod fact;
pub mod metric;
pub mod range;
pub mod zone;
