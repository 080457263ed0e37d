//! Where a claim is in its life. FHIR's codes say less, and follow from these.

use serde::{Deserialize, Serialize};

/// Where a claim is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Is being written.
    Draft,
    /// Was scrubbed, and can be sent.
    Ready,
    /// Is sent; nobody has said that it came.
    Submitted,
    /// The payer has it and will decide (277CA).
    Accepted,
    /// The payer's front end sent it back (999, 277CA): nobody decided about it, and it is sent again when it is mended.
    Rejected,
    /// The payer wants to know more, or took back what it had decided (277).
    Pended,
    /// Everything was decided and nothing denied; what the patient owes may be all of it (835).
    #[serde(rename = "adjudicated-paid")]
    Paid,
    /// Some of it was denied (835).
    PartiallyPaid,
    /// All of it was denied (835).
    Denied,
    /// The payer is asked to decide again.
    Appealed,
    /// Another claim stands in its place (frequency 7).
    Corrected,
    /// It is withdrawn, or another claim took it back (frequency 8).
    Voided,
    /// Nobody waits for anything.
    Closed,
}

/// <http://hl7.org/fhir/R4/valueset-fm-status.html>
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClaimStatus {
    /// Not sent.
    Draft,
    /// Sent.
    Active,
    /// Taken back.
    Cancelled,
}

impl ClaimStatus {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Cancelled => "cancelled",
        }
    }
}

/// <http://hl7.org/fhir/R4/valueset-remittance-outcome.html>
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResponseOutcome {
    /// Not decided yet.
    Queued,
    /// Decided.
    Complete,
    /// Could not be read.
    Error,
    /// Not decided in whole.
    Partial,
}

impl ResponseOutcome {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Partial => "partial",
        }
    }
}

impl Status {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 13] = [
        Self::Draft,
        Self::Ready,
        Self::Submitted,
        Self::Accepted,
        Self::Rejected,
        Self::Pended,
        Self::Paid,
        Self::PartiallyPaid,
        Self::Denied,
        Self::Appealed,
        Self::Corrected,
        Self::Voided,
        Self::Closed,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Ready => "ready",
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Pended => "pended",
            Self::Paid => "adjudicated-paid",
            Self::PartiallyPaid => "partially-paid",
            Self::Denied => "denied",
            Self::Appealed => "appealed",
            Self::Corrected => "corrected",
            Self::Voided => "voided",
            Self::Closed => "closed",
        }
    }

    /// FHIR's `Claim.status` and, once there is one, `ClaimResponse.outcome`. What was taken back has no answer that
    /// still holds.
    pub const fn fhir(self) -> (ClaimStatus, Option<ResponseOutcome>) {
        let outcome = match self {
            Self::Draft | Self::Ready => return (ClaimStatus::Draft, None),
            Self::Voided => return (ClaimStatus::Cancelled, None),
            Self::Submitted | Self::Accepted => ResponseOutcome::Queued,
            Self::Rejected => ResponseOutcome::Error,
            Self::Pended => ResponseOutcome::Partial,
            Self::Paid | Self::PartiallyPaid | Self::Denied | Self::Appealed | Self::Corrected | Self::Closed => {
                ResponseOutcome::Complete
            }
        };
        (ClaimStatus::Active, Some(outcome))
    }

    /// Whether nothing leads out of it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Corrected | Self::Voided)
    }

    /// Whether the payer has decided, and the decision stands.
    pub const fn is_adjudicated(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyPaid | Self::Denied)
    }

    /// Whether the payer has not yet said that it has the claim, so that the time for filing runs.
    pub const fn is_unfiled(self) -> bool {
        matches!(self, Self::Draft | Self::Ready | Self::Submitted | Self::Rejected)
    }
}
