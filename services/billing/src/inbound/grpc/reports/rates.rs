//! How payers decide.

use contracts::billing::v1 as wire;
use problem::{Problem, input::Findings};

use super::period;
use crate::{
    domain::{claim::file::Outcome, coverage::PayerId},
    inbound::grpc::read,
    outbound::{
        claim_messages,
        claims::{AnswerCounts, AnswerPosition, FoundAnswer, WantedAnswers},
    },
};

/// One in millionths.
const WHOLE: i64 = 1_000_000;

/// Which answers are counted.
pub(super) fn wanted(from: &str, to: &str, payer: Option<&str>, findings: &mut Findings) -> Option<WantedAnswers> {
    let days = period(from, to, findings);
    let payer_id = read::optional_id(payer, "payer_id", findings).map(PayerId);
    let (from, to) = days?;
    Some(WantedAnswers { from, to, payer_id })
}

pub(super) fn rates(counts: &AnswerCounts) -> wire::GetClaimRatesResponse {
    let rate = |part: i64| (counts.answered > 0).then(|| part * WHOLE / counts.answered);
    wire::GetClaimRatesResponse {
        answered: counts.answered,
        denied: counts.denied,
        partially_denied: counts.partially_denied,
        first_pass: counts.first_pass,
        denial_rate_millionths: rate(counts.denied + counts.partially_denied),
        first_pass_rate_millionths: rate(counts.first_pass),
    }
}

pub(super) fn outcome(asked: wire::ClaimOutcome, findings: &mut Findings) -> Option<Outcome> {
    match asked {
        wire::ClaimOutcome::Unspecified => {
            findings.add("outcome", "must be paid, partially-paid or denied");
            None
        }
        wire::ClaimOutcome::Paid => Some(Outcome::Paid),
        wire::ClaimOutcome::PartiallyPaid => Some(Outcome::PartiallyPaid),
        wire::ClaimOutcome::Denied => Some(Outcome::Denied),
    }
}

/// A page of answers.
pub(super) fn page(found: Vec<FoundAnswer>, limit: usize) -> Result<wire::ListClaimAnswersResponse, Problem> {
    let position = |last: &FoundAnswer| AnswerPosition { date: last.date, id: last.journal_id.0 };
    let (found, next) = read::page(found, limit, position)?;
    let told = |found: FoundAnswer| wire::FirstAnswer {
        journal_id: found.journal_id.to_string(),
        date: found.date.to_string(),
        claim_id: found.claim_id.to_string(),
        payer_id: found.payer_id.to_string(),
        outcome: claim_messages::outcome(found.outcome).into(),
        first_pass: found.first_pass,
        currency_code: found.currency.code().to_owned(),
        billed: found.billed.0,
        paid: found.paid.0,
    };
    Ok(wire::ListClaimAnswersResponse { items: found.into_iter().map(told).collect(), next })
}
