//! How much a payer pays of a claim, line by line.

use super::remittance::{Adjustment, AnsweredLine, ClaimPayment};
use crate::claim::{Claim, Line};

const ALLOWED_PERCENT: i64 = 80;
/// What the member pays of each line, unless less is allowed.
const COPAY: i64 = 2_000;

/// Processed as primary, as secondary, denied: CLP02.
const PRIMARY: &str = "1";
const SECONDARY: &str = "2";
const DENIED: &str = "4";

/// Above what was agreed on.
const CONTRACT: (&str, &str) = ("CO", "45");

/// Everything as agreed: the copay is the patient's.
pub(super) fn paid(claim: &Claim) -> ClaimPayment {
    of(claim, PRIMARY, claim.lines.iter().map(paid_line))
}

/// All that is allowed falls below the deductible.
pub(super) fn below_deductible(claim: &Claim) -> ClaimPayment {
    let lines = claim.lines.iter().map(|line| {
        let allowed = allowed(line);
        answered(line, 0, [adjustment(CONTRACT, line.charge - allowed), adjustment(("PR", "1"), allowed)])
    });
    of(claim, PRIMARY, lines)
}

/// Nothing is paid, for this reason.
pub(super) fn denied(claim: &Claim, reason: (&'static str, &'static str)) -> ClaimPayment {
    of(claim, DENIED, claim.lines.iter().map(|line| answered(line, 0, [adjustment(reason, line.charge)])))
}

/// The first line is paid, and the others are not covered.
pub(super) fn partly_denied(claim: &Claim) -> ClaimPayment {
    let lines = claim.lines.iter().enumerate().map(|(place, line)| {
        if place == 0 {
            return paid_line(line);
        }
        let uncovered = Adjustment { remark: Some("N130"), ..adjustment(("CO", "96"), line.charge) };
        answered(line, 0, [uncovered])
    });
    of(claim, PRIMARY, lines)
}

/// Half of what the payers before have left to the patient.
pub(super) fn after_others(claim: &Claim) -> ClaimPayment {
    let lines = claim.lines.iter().map(|line| {
        let left = claim.left_to_patient(line);
        let paid = left / 2;
        answered(line, paid, [adjustment(("OA", "23"), line.charge - left), adjustment(("PR", "2"), left - paid)])
    });
    of(claim, SECONDARY, lines)
}

/// The same answer with less paid, by contract: from the first line on that has something to take.
pub(super) fn less(answer: &ClaimPayment, mut by: i64) -> ClaimPayment {
    let mut answer = answer.clone();
    for line in &mut answer.lines {
        let less = by.min(line.paid);
        by -= less;
        line.paid -= less;
        let same = line.adjustments.iter_mut().find(|known| (known.group, known.reason) == CONTRACT);
        match same {
            Some(known) => known.amount += less,
            None if less > 0 => line.adjustments.push(adjustment(CONTRACT, less)),
            None => {}
        }
    }
    answer.paid = answer.lines.iter().map(|line| line.paid).sum();
    answer
}

/// The payer's own number of a claim.
pub(super) fn control_number(claim_id: &str) -> String {
    format!("PCN-{claim_id}")
}

fn of(claim: &Claim, status_code: &'static str, lines: impl Iterator<Item = AnsweredLine>) -> ClaimPayment {
    let lines: Vec<_> = lines.collect();
    ClaimPayment {
        claim_id: claim.id.clone(),
        control_number: control_number(&claim.id),
        status_code,
        billed: lines.iter().map(|line| line.billed).sum(),
        paid: lines.iter().map(|line| line.paid).sum(),
        lines,
    }
}

fn paid_line(line: &Line) -> AnsweredLine {
    let allowed = allowed(line);
    let copay = COPAY.min(allowed);
    let adjustments = [adjustment(CONTRACT, line.charge - allowed), adjustment(("PR", "3"), copay)];
    answered(line, allowed - copay, adjustments)
}

fn allowed(line: &Line) -> i64 {
    line.charge * ALLOWED_PERCENT / 100
}

/// X12 knows no adjustment by nothing.
fn answered<const N: usize>(line: &Line, paid: i64, adjustments: [Adjustment; N]) -> AnsweredLine {
    let adjustments = adjustments.into_iter().filter(|adjustment| adjustment.amount != 0).collect();
    AnsweredLine { line: line.number, billed: line.charge, paid, adjustments }
}

fn adjustment((group, reason): (&'static str, &'static str), amount: i64) -> Adjustment {
    Adjustment { group, reason, remark: None, amount }
}
