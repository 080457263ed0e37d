//! What a call of the sidecar's building blocks failed of.
//!
//! Dapr reports most failures of a store as one code with a text; nothing outside this module reads such a text.

use problem::Problem;
use tonic::{Code, Status};

/// A call that did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// A rule of the database said no: the whole transaction is undone.
    #[error("constraint {name} refused the write")]
    Constraint {
        /// The constraint's name, as the service's migrations gave it.
        name: String,
    },
    /// First-write met a document that is there.
    #[error("the key is taken")]
    KeyTaken,
    /// The document has changed since it was loaded.
    #[error("the document has changed")]
    Changed,
    /// The database asks to try the transaction again.
    #[error("the transaction has to be repeated")]
    Again,
    /// Our own mistake, which no repetition mends: data that the database cannot hold, a document that cannot be read.
    #[error("bug: {0}")]
    Bug(String),
    /// Anything else: whether it took effect is unknown.
    #[error("outcome unknown")]
    Unknown(#[source] Box<Status>),
}

impl Failure {
    /// Reads a status of the state, binding or pub/sub API.
    pub fn of(status: Status) -> Self {
        match classify(status.code(), status.message()) {
            Some(failure) => failure,
            None => Self::Unknown(Box::new(status)),
        }
    }
}

fn classify(code: Code, text: &str) -> Option<Failure> {
    if let Some(state) = sqlstate(text) {
        return match (&state[..2], state) {
            ("23", _) => Some(Failure::Constraint { name: constraint(text).unwrap_or("unnamed").to_owned() }),
            (_, "40001" | "40P01") => Some(Failure::Again),
            // Class 22 is data that does not fit, 42 and 0A are statements that do not.
            ("22" | "42" | "0A", _) => Some(Failure::Bug(format!("SQLSTATE {state}"))),
            _ => None,
        };
    }
    if text.contains("no item was updated") {
        return Some(Failure::KeyTaken);
    }
    (code == Code::Aborted || text.contains("possible etag mismatch")).then_some(Failure::Changed)
}

/// The five characters of `(SQLSTATE 23505)`.
fn sqlstate(text: &str) -> Option<&str> {
    let at = text.find("SQLSTATE ")? + "SQLSTATE ".len();
    text.get(at..at + 5)
}

/// The name in `... constraint "patients_identity_key" ...`.
fn constraint(text: &str) -> Option<&str> {
    let at = text.find("constraint \"")? + "constraint \"".len();
    text.get(at..)?.split('"').next()
}

/// Each store has words of its own for a secret that it does not have: local files, AWS.
pub(crate) fn is_missing_secret(status: &Status) -> bool {
    let text = status.message();
    status.code() == Code::NotFound
        || text.contains("failed getting secret")
            && (text.ends_with("not found") || text.contains("ResourceNotFoundException"))
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::of(status)
    }
}

/// For failures that a use case has no answer to of its own.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Bug(_) | Failure::Constraint { .. } => Self::internal(failure),
            Failure::KeyTaken | Failure::Changed | Failure::Again | Failure::Unknown(_) => Self::unavailable(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as daprd 1.18 sends them.
    #[test]
    fn the_texts_of_the_sidecar_are_told_apart() {
        let class = |code, text: &str| format!("{:?}", Failure::of(Status::new(code, text)));
        let unique = "failed to execute state transaction: failed to set item: ERROR: duplicate key value violates \
                      unique constraint \"patients_identity_key\" (SQLSTATE 23505)";
        assert_eq!(class(Code::Internal, unique), "Constraint { name: \"patients_identity_key\" }");
        let exclusion = "ERROR: conflicting key value violates exclusion constraint \"slots\" (SQLSTATE 23P01)";
        assert_eq!(class(Code::Internal, exclusion), "Constraint { name: \"slots\" }");
        assert_eq!(class(Code::Internal, "failed to set item: no item was updated"), "KeyTaken");
        assert_eq!(class(Code::Internal, "possible etag mismatch. error from state store: x"), "Changed");
        assert_eq!(class(Code::Aborted, "failed saving state"), "Changed");
        assert_eq!(class(Code::Internal, "ERROR: deadlock detected (SQLSTATE 40P01)"), "Again");
        assert_eq!(class(Code::Internal, "ERROR: bad byte (SQLSTATE 22021)"), "Bug(\"SQLSTATE 22021\")");
        assert!(class(Code::Internal, "FATAL: terminating connection (SQLSTATE 57P01)").starts_with("Unknown"));
        assert!(class(Code::Unavailable, "connection refused").starts_with("Unknown"));
    }

    #[test]
    fn a_secret_that_is_missing_is_no_failure() {
        let missing = |text: &str| is_missing_secret(&Status::internal(text));
        let get = "failed getting secret with key signing-key from secret store secretstore: ";
        assert!(missing(&format!("{get}secret signing-key not found")));
        assert!(missing(&format!("{get}couldn't get secret: ResourceNotFoundException: it is not there")));
        assert!(!missing(&format!("{get}connection refused")));
        assert!(!missing("secret store secretstore not found"));
    }
}
