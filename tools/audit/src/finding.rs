//! What is wrong with a chain, and where.

use std::fmt;

use audit::checkpoint::Forged;

/// One thing that is not as it was sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    /// The entry, or the one before it, is not what was sealed.
    Changed(i64),
    /// Entries are gone from the middle.
    Missing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// A position is there twice, or one below the first.
    Twice(i64),
    /// The details are not those that were sealed.
    Details(i64),
    /// Details of an entry that never had any, or that is not there.
    StrayDetails(i64),
    /// The chain's end was cut off.
    Truncated {
        /// The first entry that is gone.
        from: i64,
        /// The last that is known to have been there.
        to: i64,
    },
    /// The chain's end is not where sealing left it.
    Head(i64),
    /// The checkpoint was not made by the service.
    Forged {
        /// Its position.
        position: i64,
        /// Why.
        why: Forged,
    },
    /// The checkpoint cannot be read, or says it is another's.
    BadCheckpoint(i64),
    /// The service signed another chain than this one.
    Rewritten {
        /// The last checkpoint before it that holds.
        after: i64,
        /// The checkpoint that does not.
        position: i64,
    },
    /// A checkpoint that was kept elsewhere is not in the database.
    LostCheckpoint(i64),
}

impl Finding {
    /// Where it is.
    pub fn position(&self) -> i64 {
        match *self {
            Self::Changed(position)
            | Self::Twice(position)
            | Self::Details(position)
            | Self::StrayDetails(position)
            | Self::Head(position)
            | Self::Forged { position, .. }
            | Self::BadCheckpoint(position)
            | Self::LostCheckpoint(position)
            | Self::Rewritten { position, .. }
            | Self::Missing { from: position, .. }
            | Self::Truncated { from: position, .. } => position,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(position) => write!(f, "entry {position}, or the link to the one before, was changed"),
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing"),
            Self::Twice(position) => write!(f, "entry {position} is there twice or out of place"),
            Self::Details(position) => write!(f, "the details of entry {position} were changed"),
            Self::StrayDetails(position) => write!(f, "entry {position} has details that it never had"),
            Self::Truncated { from, to } => write!(f, "the end was cut off: entries {from} to {to} are missing"),
            Self::Head(position) => write!(f, "the chain ends at {position}, which is not where sealing left it"),
            Self::Forged { position, why } => write!(f, "the checkpoint at {position} is forged: {why}"),
            Self::BadCheckpoint(position) => write!(f, "the checkpoint at {position} was changed"),
            Self::Rewritten { after, position } => {
                write!(f, "somewhere from {} to {position} the chain is not what was signed at {position}", after + 1)
            }
            Self::LostCheckpoint(position) => write!(f, "the checkpoint at {position} is not in the database any more"),
        }
    }
}
