//! The state machine: one table, from which the checks, the documentation and the tests of properties come.

use super::status::Status;

/// What can be done with an appointment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Puts somebody on the list of those who would like a time.
    Wait,
    /// Asks for a time.
    Propose,
    /// Keeps a time until the practitioner agrees.
    Request,
    /// Fixes it.
    Book,
    /// Moves it.
    Reschedule,
    /// The patient says that they will come.
    Confirm,
    /// The patient is here.
    Arrive,
    /// The encounter may begin.
    CheckIn,
    /// The encounter has begun.
    Start,
    /// The encounter is over.
    Finish,
    /// Calls it off.
    Cancel,
    /// The patient did not come.
    NoShow,
    /// The patient did not fail to come: it is booked as it was.
    CorrectToBooked,
    /// The patient did come.
    CorrectToArrived,
    /// It should never have been written.
    EnterInError,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 15] = [
        Self::Wait,
        Self::Propose,
        Self::Request,
        Self::Book,
        Self::Reschedule,
        Self::Confirm,
        Self::Arrive,
        Self::CheckIn,
        Self::Start,
        Self::Finish,
        Self::Cancel,
        Self::NoShow,
        Self::CorrectToBooked,
        Self::CorrectToArrived,
        Self::EnterInError,
    ];

    /// Its name, the last part of its route.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Propose => "propose",
            Self::Request => "request",
            Self::Book => "book",
            Self::Reschedule => "reschedule",
            Self::Confirm => "confirm",
            Self::Arrive => "arrive",
            Self::CheckIn => "check-in",
            Self::Start => "start",
            Self::Finish => "finish",
            Self::Cancel => "cancel",
            Self::NoShow => "no-show",
            Self::CorrectToBooked | Self::CorrectToArrived => "correct",
            Self::EnterInError => "enter-in-error",
        }
    }
}

/// What has to be so beside the status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guard {
    /// The practitioner works then, and practitioner, room and patient are free; or it is an overbooking.
    Free,
    /// Nobody has taken the time since.
    StillFree,
    /// It is the day of the appointment at the clinic, or within four hours of it.
    SameDay,
    /// It began a quarter of an hour ago or longer.
    Overdue,
    /// The encounter has not begun.
    NotStarted,
    /// The encounter has begun.
    Started,
    /// A reason is given.
    Reason,
}

impl Guard {
    /// In the words of the documentation.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Free => {
                "the practitioner works then; practitioner, room and patient are free, or it is an overbooking"
            }
            Self::StillFree => "nobody has taken the time since",
            Self::SameDay => "the day of the appointment at the clinic, or within 4 hours of it",
            Self::Overdue => "it should have begun 15 minutes ago or earlier",
            Self::NotStarted => "the encounter has not begun",
            Self::Started => "the encounter has begun",
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

const fn on(from: Status, action: Action, to: Status, guards: &'static [Guard]) -> Transition {
    Transition { from: Some(from), action, to, guards }
}

const fn new(action: Action, to: Status, guards: &'static [Guard]) -> Transition {
    Transition { from: None, action, to, guards }
}

/// Everything that can happen to an appointment; what is not here is refused.
pub const TABLE: [Transition; 28] = {
    use Action as A;
    use Guard as G;
    use Status as S;
    [
        new(A::Wait, S::Waitlist, &[]),
        new(A::Propose, S::Proposed, &[]),
        new(A::Request, S::Pending, &[G::Free]),
        new(A::Book, S::Booked, &[G::Free]),
        on(S::Waitlist, A::Book, S::Booked, &[G::Free]),
        on(S::Proposed, A::Book, S::Booked, &[G::Free]),
        on(S::Pending, A::Book, S::Booked, &[G::Free]),
        on(S::Booked, A::Reschedule, S::Booked, &[G::Free]),
        on(S::Booked, A::Confirm, S::Booked, &[]),
        on(S::Booked, A::Arrive, S::Arrived, &[G::SameDay]),
        on(S::Arrived, A::CheckIn, S::CheckedIn, &[]),
        on(S::CheckedIn, A::Start, S::CheckedIn, &[G::NotStarted]),
        on(S::CheckedIn, A::Finish, S::Fulfilled, &[G::Started]),
        on(S::Waitlist, A::Cancel, S::Cancelled, &[G::Reason]),
        on(S::Proposed, A::Cancel, S::Cancelled, &[G::Reason]),
        on(S::Pending, A::Cancel, S::Cancelled, &[G::Reason]),
        on(S::Booked, A::Cancel, S::Cancelled, &[G::Reason]),
        on(S::Arrived, A::Cancel, S::Cancelled, &[G::Reason]),
        on(S::Booked, A::NoShow, S::NoShow, &[G::Overdue]),
        on(S::NoShow, A::CorrectToBooked, S::Booked, &[G::Reason, G::StillFree]),
        on(S::NoShow, A::CorrectToArrived, S::Arrived, &[G::Reason, G::StillFree]),
        on(S::Waitlist, A::EnterInError, S::EnteredInError, &[G::Reason]),
        on(S::Proposed, A::EnterInError, S::EnteredInError, &[G::Reason]),
        on(S::Pending, A::EnterInError, S::EnteredInError, &[G::Reason]),
        on(S::Booked, A::EnterInError, S::EnteredInError, &[G::Reason]),
        on(S::Arrived, A::EnterInError, S::EnteredInError, &[G::Reason]),
        on(S::CheckedIn, A::EnterInError, S::EnteredInError, &[G::Reason]),
        on(S::NoShow, A::EnterInError, S::EnteredInError, &[G::Reason]),
    ]
};

/// The row for an action, if it is allowed at this status.
pub fn transition(from: Option<Status>, action: Action) -> Option<&'static Transition> {
    TABLE.iter().find(|row| row.from == from && row.action == action)
}

/// The names of what can be done at a status, each once, in the order of the table.
pub fn allowed(from: Status) -> Vec<&'static str> {
    let mut names: Vec<_> = TABLE.iter().filter(|row| row.from == Some(from)).map(|row| row.action.name()).collect();
    names.dedup();
    names
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
        assert!(page.contains(&written()), "put this into services/patient/README.md:\n{}", written());
    }

    #[test]
    fn an_action_leads_from_a_status_to_one_other() {
        let rows: BTreeSet<_> = TABLE.iter().map(|row| (row.from, row.action.name(), row.to)).collect();
        assert_eq!(rows.len(), TABLE.len());
        for row in &TABLE {
            let same = TABLE.iter().filter(|other| other.from == row.from && other.action == row.action);
            assert_eq!(same.count(), 1, "{row:?}");
        }
    }

    #[test]
    fn every_status_is_reached_and_the_last_ones_are_left_by_nothing() {
        for status in Status::ALL {
            assert!(TABLE.iter().any(|row| row.to == status), "{status:?} is never reached");
            let last = matches!(status, Status::Fulfilled | Status::Cancelled | Status::EnteredInError);
            assert_eq!(allowed(status).is_empty(), last, "{status:?}");
        }
        for action in Action::ALL {
            assert!(TABLE.iter().any(|row| row.action == action), "{action:?} does nothing");
        }
    }

    /// What takes nobody's time cannot come to take it without a look at whether it is free.
    #[test]
    fn nothing_takes_time_without_a_look() {
        for row in &TABLE {
            let took = row.from.is_some_and(Status::takes_time);
            let looks = row.guards.iter().any(|guard| matches!(guard, Guard::Free | Guard::StillFree));
            assert!(took || !row.to.takes_time() || looks, "{row:?}");
        }
    }
}
