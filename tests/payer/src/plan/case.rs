//! The ways in which a payer can answer, chosen by the number of its member.

use serde::Serialize;

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Case {
    Pay,
    Deductible,
    Deny,
    Partial,
    Reject,
    Pend,
    Reverse,
    Takeback,
    Unbalanced,
    Duplicate,
    Reorder,
    Interest,
    Unknown,
    Slow,
    Second,
    Inactive,
    /// Whatever the number: a claim that takes the place of another.
    Replace,
    /// Whatever the number: a claim that takes another back.
    Void,
}

/// The cases that a member's number can ask for.
const BY_NUMBER: [(&str, Case); 16] = [
    ("PAY", Case::Pay),
    ("DEDUCTIBLE", Case::Deductible),
    ("DENY", Case::Deny),
    ("PARTIAL", Case::Partial),
    ("REJECT", Case::Reject),
    ("PEND", Case::Pend),
    ("REVERSE", Case::Reverse),
    ("TAKEBACK", Case::Takeback),
    ("UNBALANCED", Case::Unbalanced),
    ("DUPLICATE", Case::Duplicate),
    ("REORDER", Case::Reorder),
    ("INTEREST", Case::Interest),
    ("UNKNOWN", Case::Unknown),
    ("SLOW", Case::Slow),
    ("SECOND", Case::Second),
    ("INACTIVE", Case::Inactive),
];

impl Case {
    /// The case of a member: what stands before the first hyphen. A number that asks for nothing is paid.
    pub(crate) fn of(member_id: &str) -> Self {
        let prefix = member_id.split('-').next().unwrap_or_default();
        BY_NUMBER.into_iter().find(|(name, _)| *name == prefix).map_or(Self::Pay, |(_, case)| case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_before_the_first_hyphen() {
        assert_eq!(Case::of("TAKEBACK-4711-X"), Case::Takeback);
        assert_eq!(Case::of("SECOND"), Case::Second);
        assert_eq!(Case::of("W123456789"), Case::Pay);
        assert_eq!(Case::of("PAYER-1"), Case::Pay);
        assert_eq!(Case::of(""), Case::Pay);
    }

    #[test]
    fn a_case_is_told_as_it_is_asked_for() {
        for (name, case) in BY_NUMBER {
            assert_eq!(serde_json::to_value(case).unwrap(), name);
        }
    }
}
