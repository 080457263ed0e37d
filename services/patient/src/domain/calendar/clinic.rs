//! A clinic: a place with a clock of its own.

use jiff::civil::Date;

use super::zone::Zone;

/// A place where patients are seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clinic {
    /// What it is called.
    pub name: String,
    /// Whose clock its hours are meant by.
    pub zone: Zone,
    /// Days on which nobody is seen.
    pub closures: Vec<Closure>,
}

/// Days on which a clinic is closed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Closure {
    /// The first of them.
    pub first: Date,
    /// The last of them.
    pub last: Date,
    /// Why, for those who look at the calendar.
    pub reason: Option<String>,
}
