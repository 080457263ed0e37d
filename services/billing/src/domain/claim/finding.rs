//! What a check finds wrong: all of it at once, each with a code for programs, a place and words for people.

use serde::{Deserialize, Serialize};

/// Something wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding<C> {
    /// What, in a code that stays.
    pub code: C,
    /// Where, a JSON pointer.
    pub pointer: String,
    /// What, for people. No personal data: findings are logged and counted.
    pub words: String,
}

impl<C> Finding<C> {
    /// Something wrong.
    pub fn new(code: C, pointer: impl Into<String>, words: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), words: words.into() }
    }
}
