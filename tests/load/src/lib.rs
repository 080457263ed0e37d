#![doc = include_str!("../README.md")]

pub mod calls;
pub mod client;
pub mod goals;
pub mod growth;
pub mod load;
pub mod machine;
pub mod measured;
pub mod options;
pub mod person;
pub mod report;
pub mod rig;
pub mod scenarios;
pub mod sources;
pub mod tally;
pub mod usage;
pub mod visible;
