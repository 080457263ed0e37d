//! What a patient is and what may become of them: pure, synchronous, without clock, store or protocol.

pub mod appointment;
pub mod calendar;
pub mod coding;
pub mod demographics;
pub mod identity;
pub mod moment;
pub mod mrn;
pub mod patient;
pub mod quantity;
pub mod record;
