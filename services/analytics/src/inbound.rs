//! What others ask of this service, and what they tell it.

pub mod events;
pub mod http;
