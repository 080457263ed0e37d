//! What was done or refused, for whoever has to know later who did what.

use access::Role;
use audit::{Action, Agent, Entry, Outcome};
use problem::Problem;
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
        /// What they are.
        role: Role,
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
    /// A user locked their session at a browser.
    Locked {
        /// Who.
        user: Uuid,
        /// The session.
        session: Uuid,
    },
    /// A user unlocked their session at a browser.
    Unlocked {
        /// Who.
        user: Uuid,
        /// The session.
        session: Uuid,
    },
    /// Somebody gave a wrong password when they wanted a session unlocked.
    UnlockRefused {
        /// Whose.
        user: Uuid,
        /// The session.
        session: Uuid,
    },
    /// A user changed their password.
    PasswordChanged {
        /// Who.
        user: Uuid,
    },
    /// A user was made.
    UserMade {
        /// Who made them; none where the first start did.
        by: Option<Uuid>,
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
    /// A user set a second factor up.
    FactorSet {
        /// Who.
        user: Uuid,
    },
    /// A user gave a wrong code when they had to prove that they have the secret.
    FactorRefused {
        /// Who.
        user: Uuid,
    },
    /// A second factor was taken away.
    FactorRemoved {
        /// Who did it.
        by: Uuid,
        /// Whose it was.
        user: Uuid,
    },
    /// A user gave a wrong password when they had to prove once more who they are.
    PasswordRefused {
        /// Who.
        user: Uuid,
    },
}

/// Says in the log what a change has done; its entry in the audit went with the change.
pub(super) fn done(deed: Deed) {
    tracing::info!(?deed, "a deed");
}

impl Directory {
    /// Notes what changed nothing, or what nobody could be told for.
    pub(super) fn note(&self, deed: Deed) {
        tracing::info!(?deed, "a deed");
        if let Err(problem) = self.recorder.record(&entry(deed)) {
            tracing::error!(?deed, %problem, "a deed is not in the audit");
        }
    }

    /// The same, before anything has come of it: who could not be recorded is told to come back.
    pub(super) fn note_first(&self, deed: Deed) -> Result<(), Problem> {
        tracing::info!(?deed, "a deed");
        self.recorder.record(&entry(deed))
    }
}

/// A deed in the words of the audit; types of events are DICOM's where it has one.
pub(super) fn entry(deed: Deed) -> Entry {
    const USER: &str = "user";
    const SESSION: &str = "session";
    let by = |who| Agent { who, role: None, session: None };
    let within = |who, session| Agent { session: Some(session), ..by(who) };
    let login = || Entry::new(Action::Execute, "login");
    match deed {
        Deed::SignedIn { user, session, role } => {
            login().by(Agent { role: Some(role), ..within(user, session) }).about(USER, user)
        }
        // Nobody has proved who they are, and where nobody has the address there is nobody to name.
        Deed::SignInRefused(Refusal::Unknown) => login().ended(Outcome::MinorFailure).detail("reason", "unknown-user"),
        Deed::SignInRefused(Refusal::WrongPassword(user)) => {
            login().ended(Outcome::MinorFailure).about(USER, user).detail("reason", "wrong-password")
        }
        Deed::SignInRefused(Refusal::Inactive(user)) => {
            login().ended(Outcome::MajorFailure).about(USER, user).detail("reason", "inactive")
        }
        Deed::SignInRefused(Refusal::RanOut(user)) => {
            login().ended(Outcome::MajorFailure).about(USER, user).detail("reason", "one-time-password-ran-out")
        }
        Deed::SignInRefused(Refusal::NoCode(user)) => {
            login().ended(Outcome::MinorFailure).about(USER, user).detail("reason", "no-code")
        }
        Deed::SignInRefused(Refusal::WrongCode(user)) => {
            login().ended(Outcome::MinorFailure).about(USER, user).detail("reason", "wrong-code")
        }
        // Whether there is such a user is not looked at, so it is not said.
        Deed::SignInHeldUp { account } => {
            login().ended(Outcome::SeriousFailure).detail("reason", "too-many-tries").detail("account", account)
        }
        // The thief or the owner: it cannot be told who.
        Deed::TokenReused { user, session } => Entry::new(Action::Execute, "refresh-token-reused")
            .ended(Outcome::SeriousFailure)
            .about(SESSION, session)
            .detail("user", user),
        Deed::SignedOut { user, session } => {
            Entry::new(Action::Execute, "logout").by(within(user, session)).about(SESSION, session)
        }
        Deed::Locked { user, session } => {
            Entry::new(Action::Execute, "session-locked").by(within(user, session)).about(SESSION, session)
        }
        Deed::Unlocked { user, session } => {
            Entry::new(Action::Execute, "session-unlocked").by(within(user, session)).about(SESSION, session)
        }
        // Whoever sits there has not proved who they are.
        Deed::UnlockRefused { user, session } => Entry::new(Action::Execute, "session-unlocked")
            .ended(Outcome::MinorFailure)
            .about(SESSION, session)
            .detail("user", user)
            .detail("reason", "wrong-password"),
        Deed::SignedOutEverywhere { user } => Entry::new(Action::Execute, "logout-all").by(by(user)).about(USER, user),
        Deed::PasswordChanged { user } => Entry::new(Action::Update, "password-changed").by(by(user)).about(USER, user),
        Deed::PasswordRefused { user } => Entry::new(Action::Update, "password-changed")
            .by(by(user))
            .ended(Outcome::MinorFailure)
            .about(USER, user)
            .detail("reason", "wrong-password"),
        Deed::FactorSet { user } => Entry::new(Action::Create, "second-factor-set").by(by(user)).about(USER, user),
        Deed::FactorRefused { user } => Entry::new(Action::Create, "second-factor-set")
            .by(by(user))
            .ended(Outcome::MinorFailure)
            .about(USER, user)
            .detail("reason", "wrong-code"),
        Deed::FactorRemoved { by: who, user } => {
            Entry::new(Action::Delete, "second-factor-removed").by(by(who)).about(USER, user)
        }
        Deed::UserMade { by: who, user, role } => {
            let entry = Entry::new(Action::Create, "user-made").about(USER, user).detail("role", role);
            who.into_iter().fold(entry, |entry, who| entry.by(by(who)))
        }
        Deed::RoleChanged { by: who, user, from, to } => {
            let entry = Entry::new(Action::Update, "role-changed").by(by(who)).about(USER, user);
            entry.detail("from", from).detail("to", to)
        }
        Deed::SwitchedOn { by: who, user } => Entry::new(Action::Update, "user-enabled").by(by(who)).about(USER, user),
        Deed::SwitchedOff { by: who, user } => {
            Entry::new(Action::Update, "user-disabled").by(by(who)).about(USER, user)
        }
        Deed::ChangeRefused { by: who, user } => Entry::new(Action::Update, "user-changed")
            .by(by(who))
            .ended(Outcome::SeriousFailure)
            .about(USER, user)
            .detail("reason", "last-administrator"),
        Deed::PasswordReset { by: who, user } => {
            Entry::new(Action::Update, "password-reset").by(by(who)).about(USER, user)
        }
    }
}
