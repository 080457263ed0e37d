//! What a patient is and what may become of them: pure, synchronous, without clock, store or protocol.

pub mod demographics;
pub mod identity;
pub mod mrn;
pub mod patient;
