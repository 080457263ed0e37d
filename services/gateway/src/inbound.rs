//! What the public asks.

pub mod http;
