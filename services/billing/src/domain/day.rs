//! Days of the books: each is open until it is closed, with the cash of its drawer counted, and closed for ever.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    ids::UserId,
    money::{Amount, Currency},
};

/// What closed a day, and every open day before it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// The day.
    pub date: Date,
    /// The day that was closed last before it; none on the first closing, which closes all that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Date>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What was found in the drawer beyond what it began with; below nothing where more went out than came in.
    pub counted: Amount,
    /// What the account `cash` has moved on the days that it closes.
    pub expected: Amount,
    /// What is said of the count, of a difference above all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// By whom.
    pub closed_by: UserId,
}

/// How the books stand when somebody wants to close a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The day that it is where the clinic is.
    pub today: Date,
    /// The last day that is closed.
    pub closed: Option<Date>,
    /// What the account `cash` has moved since, up to the day that is to be closed.
    pub expected: Amount,
}

/// What somebody counted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Count {
    /// See [`Day::counted`].
    pub counted: Amount,
    /// The currency.
    pub currency: Currency,
    /// What they say of it.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
}

/// Why a day is not closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is closed.
    #[error("the day is closed")]
    Closed,
    /// It has not begun.
    #[error("the day has not begun")]
    Ahead {
        /// The day that it is.
        today: Date,
    },
    /// Nothing is said of a difference.
    #[error("what was counted is not what the books say, and no note says why")]
    NoNote {
        /// What the books say.
        expected: Amount,
    },
}

impl Day {
    /// Closes a day. A difference is written down and not refused, if something is said of it.
    pub fn close(date: Date, standing: Standing, count: Count) -> Result<Self, Refusal> {
        let Standing { today, closed, expected } = standing;
        if closed.is_some_and(|closed| date <= closed) {
            return Err(Refusal::Closed);
        }
        if date > today {
            return Err(Refusal::Ahead { today });
        }
        let Count { counted, currency, note, at, by } = count;
        if counted != expected && note.is_none() {
            return Err(Refusal::NoNote { expected });
        }
        Ok(Self { date, after: closed, currency, counted, expected, note, closed_at: at, closed_by: by })
    }

    /// What was counted above what was expected.
    pub fn difference(&self) -> Amount {
        self.counted - self.expected
    }

    /// The first of the days that it closes; none where it closes all that was.
    pub fn first(&self) -> Option<Date> {
        self.after.map(|after| after.saturating_add(jiff::Span::new().days(1)))
    }
}

/// The day to which one posts: the present one, or the next that is open.
pub fn open_day(today: Date, closed: Option<Date>) -> Date {
    let next = closed.map(|closed| closed.saturating_add(jiff::Span::new().days(1)));
    next.map_or(today, |next| today.max(next))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 30);

    fn count(counted: i64, note: Option<&str>) -> Count {
        Count {
            counted: Amount(counted),
            currency: Currency::from_code("EUR").unwrap(),
            note: note.map(str::to_owned),
            at: Timestamp::UNIX_EPOCH,
            by: UserId(uuid::Uuid::nil()),
        }
    }

    fn standing(closed: Option<Date>) -> Standing {
        Standing { today: TODAY, closed, expected: Amount(500) }
    }

    #[test]
    fn a_day_is_closed_once_and_with_it_all_before_it() {
        let yesterday = date(2026, 11, 29);
        let close = |day, closed| Day::close(day, standing(closed), count(500, None));
        assert_eq!(close(yesterday, Some(yesterday)), Err(Refusal::Closed));
        assert_eq!(close(date(2026, 11, 1), Some(yesterday)), Err(Refusal::Closed));
        let day = close(TODAY, Some(date(2026, 11, 27))).unwrap();
        assert_eq!((day.first(), day.after), (Some(date(2026, 11, 28)), Some(date(2026, 11, 27))));
        assert_eq!(close(date(2026, 11, 10), None).unwrap().first(), None);
    }

    #[test]
    fn a_day_can_be_closed_from_its_evening_on() {
        let close = |day| Day::close(day, standing(None), count(500, None));
        assert!(close(TODAY).is_ok());
        assert_eq!(close(date(2026, 12, 1)), Err(Refusal::Ahead { today: TODAY }));
    }

    #[test]
    fn a_difference_is_written_down_with_what_is_said_of_it() {
        let close = |counted, note| Day::close(TODAY, standing(None), count(counted, note));
        assert_eq!(close(499, None), Err(Refusal::NoNote { expected: Amount(500) }));
        assert_eq!(close(499, Some("a coin rolled away")).unwrap().difference(), Amount(-1));
        assert_eq!(close(510, Some("found under the drawer")).unwrap().difference(), Amount(10));
        assert_eq!(close(500, None).unwrap().difference(), Amount::ZERO);
    }

    #[test]
    fn one_posts_to_the_first_open_day_from_today_on() {
        assert_eq!(open_day(TODAY, None), TODAY);
        assert_eq!(open_day(TODAY, Some(date(2026, 11, 29))), TODAY);
        assert_eq!(open_day(TODAY, Some(TODAY)), date(2026, 12, 1));
        assert_eq!(open_day(TODAY, Some(date(2026, 12, 4))), date(2026, 12, 5));
    }
}
