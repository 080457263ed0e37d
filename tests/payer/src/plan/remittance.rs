//! What a payer sends, in the structure of X12 835 and the words of the clinic's public API.

use serde::Serialize;

/// A payment with what it is for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remittance {
    pub(crate) payer_id: String,
    pub(crate) trace: String,
    pub(crate) paid_date: String,
    pub(crate) currency_code: String,
    pub(crate) payment: i64,
    pub(crate) claims: Vec<ClaimPayment>,
    pub(crate) provider_adjustments: Vec<ProviderAdjustment>,
}

/// What is answered for a claim, loop 2100.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClaimPayment {
    pub(crate) claim_id: String,
    pub(crate) control_number: String,
    /// CLP02.
    pub(crate) status_code: &'static str,
    pub(crate) billed: i64,
    pub(crate) paid: i64,
    pub(crate) lines: Vec<AnsweredLine>,
}

/// What is answered for a line, loop 2110.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct AnsweredLine {
    pub(crate) line: u32,
    pub(crate) billed: i64,
    pub(crate) paid: i64,
    pub(crate) adjustments: Vec<Adjustment>,
}

/// Segment CAS, with a remark of segment LQ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Adjustment {
    pub(crate) group: &'static str,
    pub(crate) reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remark: Option<&'static str>,
    pub(crate) amount: i64,
}

/// Segment PLB: by how much less is paid.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct ProviderAdjustment {
    pub(crate) reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) amount: i64,
}

/// CLP02 of a claim whose answer is taken back.
const REVERSAL: &str = "22";

impl ClaimPayment {
    /// The same with every amount the other way: what takes this answer back.
    pub(crate) fn reversed(&self) -> Self {
        let lines = self.lines.iter().map(|line| AnsweredLine {
            line: line.line,
            billed: -line.billed,
            paid: -line.paid,
            adjustments: line.adjustments.iter().map(Adjustment::reversed).collect(),
        });
        Self {
            status_code: REVERSAL,
            billed: -self.billed,
            paid: -self.paid,
            lines: lines.collect(),
            claim_id: self.claim_id.clone(),
            control_number: self.control_number.clone(),
        }
    }
}

impl Adjustment {
    fn reversed(&self) -> Self {
        Self { amount: -self.amount, ..self.clone() }
    }
}
