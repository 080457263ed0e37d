//! What the public asks.

pub mod http;
mod transcoder;
