//! A short run.
fn main() {}
