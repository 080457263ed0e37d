//! What was done or refused, for whoever has to know later who did what.

use access::Role;
use uuid::Uuid;

use super::Directory;
use crate::domain::user::Refusal;

/// One thing that happened to a user or a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// A user signed in.
    SignedIn {
        /// Who.
        user: Uuid,
        /// The session that it began.
        session: Uuid,
    },
    /// Somebody was not let in; the reason names the user, if there is one.
    SignInRefused(Refusal),
    /// Somebody tried too often; whether there is such a user is not looked at.
    SignInHeldUp {
        /// The id that the address would have.
        account: Uuid,
    },
    /// A refresh token was used again, which ended its session.
    TokenReused {
        /// Whose.
        user: Uuid,
        /// The session.
        session: Uuid,
    },
    /// A user ended a session.
    SignedOut {
        /// Who.
        user: Uuid,
        /// The session.
        session: Uuid,
    },
    /// A user ended all of their sessions.
    SignedOutEverywhere {
        /// Who.
        user: Uuid,
    },
    /// A user changed their password.
    PasswordChanged {
        /// Who.
        user: Uuid,
    },
    /// An administrator made a user.
    UserMade {
        /// Who made them.
        by: Uuid,
        /// The user.
        user: Uuid,
        /// What they are.
        role: Role,
    },
    /// An administrator gave a user another role.
    RoleChanged {
        /// Who.
        by: Uuid,
        /// The user.
        user: Uuid,
        /// What they were.
        from: Role,
        /// What they are.
        to: Role,
    },
    /// An administrator let a user sign in again.
    SwitchedOn {
        /// Who.
        by: Uuid,
        /// The user.
        user: Uuid,
    },
    /// An administrator keeps a user from signing in.
    SwitchedOff {
        /// Who.
        by: Uuid,
        /// The user.
        user: Uuid,
    },
    /// The last administrator was not to be one any more, and stays one.
    ChangeRefused {
        /// Who wanted it.
        by: Uuid,
        /// The user.
        user: Uuid,
    },
    /// An administrator gave a user a password that serves once.
    PasswordReset {
        /// Who.
        by: Uuid,
        /// The user.
        user: Uuid,
    },
    /// A user gave a wrong password when they wanted another.
    PasswordRefused {
        /// Who.
        user: Uuid,
    },
}

impl Directory {
    /// The one place that every deed passes.
    #[expect(clippy::unused_self, reason = "the audit will be one of its parts")]
    pub(super) fn note(&self, deed: Deed) {
        tracing::info!(?deed, "a deed");
    }
}
