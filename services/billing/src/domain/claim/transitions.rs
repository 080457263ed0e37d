//! The state machine: one table, from which the checks, the documentation and the tests of properties come.

use super::status::Status;

/// What can be done with a claim.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Writes one.
    Create,
    /// Says that it can be sent.
    Prepare,
    /// Opens it to be written on.
    Revise,
    /// Sends it.
    Submit,
    /// The payer has it.
    Accept,
    /// The payer's front end sends it back.
    Reject,
    /// The payer wants to know more.
    Pend,
    /// The payer denies nothing.
    Pay,
    /// The payer denies some of it.
    PayPartially,
    /// The payer denies all of it.
    Deny,
    /// The payer takes back what it decided (status 22 of an 835).
    Reverse,
    /// Asks the payer to decide again.
    Appeal,
    /// Another claim takes its place.
    Correct,
    /// Another claim takes it back.
    Void,
    /// Gives it up before anybody decided about it.
    Withdraw,
    /// Nobody waits for anything any more.
    Close,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 16] = [
        Self::Create,
        Self::Prepare,
        Self::Revise,
        Self::Submit,
        Self::Accept,
        Self::Reject,
        Self::Pend,
        Self::Pay,
        Self::PayPartially,
        Self::Deny,
        Self::Reverse,
        Self::Appeal,
        Self::Correct,
        Self::Void,
        Self::Withdraw,
        Self::Close,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Prepare => "prepare",
            Self::Revise => "revise",
            Self::Submit => "submit",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Pend => "pend",
            Self::Pay => "pay",
            Self::PayPartially => "pay-partially",
            Self::Deny => "deny",
            Self::Reverse => "reverse",
            Self::Appeal => "appeal",
            Self::Correct => "correct",
            Self::Void => "void",
            Self::Withdraw => "withdraw",
            Self::Close => "close",
        }
    }
}

/// What has to be so beside the status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guard {
    /// Scrubbing finds nothing.
    Clean,
    /// The window for appeals is open.
    InTime,
    /// The payer has a claim of frequency 7 for it.
    Successor,
    /// The payer has a claim of frequency 8 for it.
    Canceller,
    /// A reason is given.
    Reason,
}

impl Guard {
    /// In the words of the documentation.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Clean => "scrubbing finds nothing",
            Self::InTime => "the payer's window for appeals is open",
            Self::Successor => "the payer has a claim of frequency 7 that names it",
            Self::Canceller => "the payer has a claim of frequency 8 that names it",
            Self::Reason => "a reason",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Transition {
    /// None for what is new.
    pub from: Option<Status>,
    /// What is done.
    pub action: Action,
    /// What it is then.
    pub to: Status,
    /// What has to be so, too.
    pub guards: &'static [Guard],
}

const fn on(from: Status, action: Action, to: Status) -> Transition {
    Transition { from: Some(from), action, to, guards: &[] }
}

const fn when(from: Status, action: Action, to: Status, guards: &'static [Guard]) -> Transition {
    Transition { from: Some(from), action, to, guards }
}

/// Everything that can happen to a claim; what is not here is refused.
///
/// A payer may decide without having said that it has the claim. It may take back what it decided years later, also of
/// a claim that is closed, and before anybody knows that it has the claim that takes this one's place; once that one
/// stands there, only the money moves.
pub const TABLE: [Transition; 49] = {
    use Action as A;
    use Guard as G;
    use Status as S;
    [
        Transition { from: None, action: A::Create, to: S::Draft, guards: &[] },
        when(S::Draft, A::Prepare, S::Ready, &[G::Clean]),
        on(S::Ready, A::Revise, S::Draft),
        on(S::Ready, A::Submit, S::Submitted),
        on(S::Submitted, A::Accept, S::Accepted),
        on(S::Submitted, A::Reject, S::Rejected),
        on(S::Accepted, A::Reject, S::Rejected),
        on(S::Rejected, A::Revise, S::Draft),
        on(S::Submitted, A::Pend, S::Pended),
        on(S::Accepted, A::Pend, S::Pended),
        on(S::Submitted, A::Pay, S::Paid),
        on(S::Accepted, A::Pay, S::Paid),
        on(S::Pended, A::Pay, S::Paid),
        on(S::Appealed, A::Pay, S::Paid),
        on(S::Submitted, A::PayPartially, S::PartiallyPaid),
        on(S::Accepted, A::PayPartially, S::PartiallyPaid),
        on(S::Pended, A::PayPartially, S::PartiallyPaid),
        on(S::Appealed, A::PayPartially, S::PartiallyPaid),
        on(S::Submitted, A::Deny, S::Denied),
        on(S::Accepted, A::Deny, S::Denied),
        on(S::Pended, A::Deny, S::Denied),
        on(S::Appealed, A::Deny, S::Denied),
        on(S::Paid, A::Reverse, S::Pended),
        on(S::PartiallyPaid, A::Reverse, S::Pended),
        on(S::Denied, A::Reverse, S::Pended),
        on(S::Appealed, A::Reverse, S::Pended),
        on(S::Closed, A::Reverse, S::Pended),
        on(S::Corrected, A::Reverse, S::Corrected),
        on(S::Voided, A::Reverse, S::Voided),
        when(S::Paid, A::Appeal, S::Appealed, &[G::InTime]),
        when(S::PartiallyPaid, A::Appeal, S::Appealed, &[G::InTime]),
        when(S::Denied, A::Appeal, S::Appealed, &[G::InTime]),
        when(S::Paid, A::Correct, S::Corrected, &[G::Successor]),
        when(S::PartiallyPaid, A::Correct, S::Corrected, &[G::Successor]),
        when(S::Denied, A::Correct, S::Corrected, &[G::Successor]),
        when(S::Pended, A::Correct, S::Corrected, &[G::Successor]),
        when(S::Closed, A::Correct, S::Corrected, &[G::Successor]),
        when(S::Paid, A::Void, S::Voided, &[G::Canceller]),
        when(S::PartiallyPaid, A::Void, S::Voided, &[G::Canceller]),
        when(S::Denied, A::Void, S::Voided, &[G::Canceller]),
        when(S::Pended, A::Void, S::Voided, &[G::Canceller]),
        when(S::Closed, A::Void, S::Voided, &[G::Canceller]),
        when(S::Draft, A::Withdraw, S::Voided, &[G::Reason]),
        when(S::Ready, A::Withdraw, S::Voided, &[G::Reason]),
        when(S::Rejected, A::Withdraw, S::Voided, &[G::Reason]),
        on(S::Paid, A::Close, S::Closed),
        on(S::PartiallyPaid, A::Close, S::Closed),
        on(S::Denied, A::Close, S::Closed),
        on(S::Appealed, A::Close, S::Closed),
    ]
};

/// Why the table has no row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Another claim stands in its place, or it was taken back.
    Final,
    /// It was closed.
    Closed,
    /// It was not sent.
    NotSent,
    /// It never came to a decision: it is mended and sent again.
    RejectedNotDenied,
    /// It was sent, so that it can be corrected or taken back by another claim alone.
    Sent,
    /// The payer has not decided.
    Undecided,
    /// The payer has decided.
    Decided,
    /// It already is what it would become.
    Already,
    /// It is written: it has to be revised first.
    Written,
}

impl Reason {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Final => "another claim stands in its place, or it was taken back",
            Self::Closed => "it is closed",
            Self::NotSent => "it was not sent",
            Self::RejectedNotDenied => "the payer never decided about it: mend it and send it again",
            Self::Sent => "it was sent: only another claim can correct it or take it back",
            Self::Undecided => "the payer has not decided",
            Self::Decided => "the payer has decided",
            Self::Already => "it is so already",
            Self::Written => "it has to be revised first",
        }
    }
}

/// The row for an action, or why there is none at this status.
pub fn transition(from: Option<Status>, action: Action) -> Result<&'static Transition, Reason> {
    let row = TABLE.iter().find(|row| row.from == from && row.action == action);
    row.ok_or_else(|| from.map_or(Reason::NotSent, |from| why_not(from, action)))
}

/// The names of what can be done at a status, in the order of the table.
pub fn allowed(from: Status) -> Vec<&'static str> {
    TABLE.iter().filter(|row| row.from == Some(from)).map(|row| row.action.name()).collect()
}

fn why_not(from: Status, action: Action) -> Reason {
    use Action as A;
    use Status as S;
    let leads_here = |row: &super::transitions::Transition| row.action == action && row.to == from;
    match (from, action) {
        (S::Corrected | S::Voided, _) => Reason::Final,
        (S::Closed, _) => Reason::Closed,
        (_, A::Create) => Reason::Already,
        _ if TABLE.iter().any(|row| leads_here(row) && row.from != Some(from)) => Reason::Already,
        (S::Draft | S::Ready, A::Revise) => Reason::Already,
        (S::Draft | S::Ready, _) => Reason::NotSent,
        (S::Rejected, _) => Reason::RejectedNotDenied,
        (_, A::Prepare | A::Revise | A::Submit | A::Withdraw) => Reason::Sent,
        (S::Submitted | S::Accepted | S::Pended | S::Appealed, _) => Reason::Undecided,
        (S::Paid | S::PartiallyPaid | S::Denied, _) => Reason::Decided,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The table as the documentation shows it.
    fn written() -> String {
        let rows = TABLE.iter().map(|row| {
            let guards: Vec<_> = row.guards.iter().map(|guard| guard.words()).collect();
            let from = row.from.map_or_else(|| "-".to_owned(), |from| format!("`{}`", from.code()));
            format!("| {from} | {} | `{}` | {} |\n", row.action.name(), row.to.code(), guards.join("; "))
        });
        format!("| from | action | to | if |\n| --- | --- | --- | --- |\n{}", rows.collect::<String>())
    }

    #[test]
    fn the_documentation_has_the_table() {
        let page = include_str!("../../../README.md");
        assert!(page.contains(&written()), "put this into services/billing/README.md:\n{}", written());
    }

    #[test]
    fn an_action_leads_from_a_status_to_one_other() {
        let rows: BTreeSet<_> = TABLE.iter().map(|row| (row.from, row.action.name())).collect();
        assert_eq!(rows.len(), TABLE.len());
    }

    #[test]
    fn every_status_is_reached_and_the_last_ones_are_left_by_nothing() {
        for status in Status::ALL {
            assert!(TABLE.iter().any(|row| row.to == status), "{status:?} is never reached");
            let leaves = TABLE.iter().any(|row| row.from == Some(status) && row.to != status);
            assert_eq!(leaves, !status.is_final(), "{status:?}");
        }
        for action in Action::ALL {
            assert!(TABLE.iter().any(|row| row.action == action), "{action:?} does nothing");
        }
        assert_eq!(allowed(Status::Closed), ["reverse", "correct", "void"]);
        assert_eq!(allowed(Status::Rejected), ["revise", "withdraw"]);
    }

    #[test]
    fn rejected_is_not_denied() {
        for action in [Action::Appeal, Action::Pay, Action::Deny, Action::Correct, Action::Void, Action::Close] {
            assert_eq!(
                transition(Some(Status::Rejected), action).unwrap_err(),
                Reason::RejectedNotDenied,
                "{action:?}"
            );
        }
        assert_eq!(transition(Some(Status::Denied), Action::Revise).unwrap_err(), Reason::Sent);
        let decides = [Action::Pay, Action::PayPartially, Action::Deny];
        assert!(!TABLE.iter().any(|row| decides.contains(&row.action) && row.to == Status::Rejected));
    }

    #[test]
    fn what_is_refused_says_why() {
        let why = |from, action| transition(Some(from), action).map(|row| row.to);
        assert_eq!(why(Status::Draft, Action::Submit), Err(Reason::NotSent));
        assert_eq!(why(Status::Submitted, Action::Submit), Err(Reason::Already));
        assert_eq!(why(Status::Accepted, Action::Withdraw), Err(Reason::Sent));
        assert_eq!(why(Status::Accepted, Action::Appeal), Err(Reason::Undecided));
        assert_eq!(why(Status::Paid, Action::Deny), Err(Reason::Decided));
        assert_eq!(why(Status::Closed, Action::Appeal), Err(Reason::Closed));
        assert_eq!(why(Status::Corrected, Action::Close), Err(Reason::Final));
        assert_eq!(transition(None, Action::Submit).map(|row| row.to), Err(Reason::NotSent));
    }

    #[test]
    fn a_status_is_kept_by_its_code() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.code());
        }
    }
}
