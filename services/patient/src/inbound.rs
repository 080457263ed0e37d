//! What others ask of this service.

pub mod http;
pub mod tick;
