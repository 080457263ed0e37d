//! What a payer has said of a coverage; X12 271, <http://hl7.org/fhir/R4/coverageeligibilityresponse.html>.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::CoverageId;

/// The longest of what a payer says beside yes or no.
pub const LONGEST_NOTE: usize = 500;

/// What a payer said of a day.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Eligibility {
    /// Of which coverage.
    pub coverage_id: CoverageId,
    /// As it was in which version: what is said of one member number says nothing of another.
    pub coverage_version: u64,
    /// Of which day.
    pub date: Date,
    /// Whether it insures the patient on that day.
    pub active: bool,
    /// What it says beside that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was asked.
    pub checked_at: Timestamp,
}

impl Eligibility {
    /// How long ago it was asked, in seconds.
    pub fn age(&self, now: Timestamp) -> i64 {
        // A clock that was set back has asked nobody in the future.
        now.duration_since(self.checked_at).as_secs().max(0)
    }

    /// Whether it answers a question about a version of its coverage that may be answered by what is so old.
    pub fn answers(&self, coverage_version: u64, max_age: i64, now: Timestamp) -> bool {
        // With an age of nothing the payer is asked, even within the same second.
        self.coverage_version == coverage_version && max_age > 0 && self.age(now) <= max_age
    }

    /// What a payer says beside yes or no, as far as it is kept.
    pub fn note(said: &str) -> Option<String> {
        let plain: String = said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let kept: String = plain.trim().chars().take(LONGEST_NOTE).collect();
        Some(kept).filter(|kept| !kept.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use uuid::Uuid;

    use super::*;

    fn answer() -> Eligibility {
        Eligibility {
            coverage_id: CoverageId(Uuid::from_u128(1)),
            coverage_version: 2,
            date: jiff::civil::date(2026, 11, 30),
            active: true,
            note: None,
            checked_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_answer_holds_for_its_age_and_its_version() {
        let after = |seconds: i64| Timestamp::UNIX_EPOCH + seconds.seconds();
        assert!(answer().answers(2, 60, after(60)));
        assert!(!answer().answers(2, 60, after(61)));
        assert!(!answer().answers(3, 60, after(1)), "the coverage is another");
        assert!(!answer().answers(2, 0, after(0)), "nothing is new enough");
        assert_eq!((answer().age(after(5)), answer().age(after(-5))), (5, 0));
    }

    #[test]
    fn a_note_is_cut_and_has_no_control_characters() {
        assert_eq!(Eligibility::note(" In\nnetwork "), Some("In network".to_owned()));
        assert_eq!(Eligibility::note(" \t"), None);
        assert_eq!(Eligibility::note(&"x".repeat(600)).map(|note| note.len()), Some(LONGEST_NOTE));
    }
}
