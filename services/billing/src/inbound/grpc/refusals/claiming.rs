//! What is said to who is refused something about a claim or a remittance.

use problem::{Kind, Problem};

use super::wrong_currency;
use crate::{
    domain::{books::Refusal, claim},
    service::{
        claims::{EstimateError, SubmitError},
        remittances::RemittanceError,
    },
};

/// What is said of a refusal that is about claims.
pub(super) fn of_claim(refusal: &Refusal) -> Problem {
    let refused = |slug| Problem::new(Kind::Conflict, sentence(&refusal.to_string())).with_slug(slug);
    match refusal {
        Refusal::NoClaim => Problem::new(Kind::NotFound, "There is no such claim."),
        Refusal::NoCoverage => refused("unknown-coverage").with_error("coverage_id", "is no coverage of this patient"),
        Refusal::NoLines(places) => places.iter().fold(Problem::invalid(Vec::new()), |problem, at| {
            problem.with_error(format!("content.lines[{at}].line"), "is no line of the invoice")
        }),
        Refusal::ClaimExists(other) => refused("claim-exists").with("claimId", other.to_string()),
        Refusal::NotPrior => refused("not-a-prior-claim")
            .with_error("prior_claim_id", "must be a claim of this invoice and coverage that its payer has taken"),
        Refusal::PriorStands(prior) => refused("prior-stands").with("claimId", prior.to_string()),
        Refusal::AboveInvoice { left } => refused("above-invoice").with("left", left.0),
        Refusal::Claim(refusal) => changed(refusal),
        _ => refused("unbookable"),
    }
}

fn changed(refusal: &claim::Refusal) -> Problem {
    let refused = |slug| Problem::new(Kind::Conflict, sentence(&refusal.to_string())).with_slug(slug);
    match refusal {
        claim::Refusal::NotAllowed { from, .. } => refused("claim-status")
            .with("claimStatus", from.code())
            .with("allowedActions", claim::transitions::allowed(*from)),
        claim::Refusal::Unclean(findings) => findings.iter().fold(refused("claim-not-clean"), |problem, found| {
            problem.with_error(in_claim(&found.pointer), found.words.clone())
        }),
        claim::Refusal::TooLate(due) => refused("appeal-late").with("dueDate", due.to_string()),
        claim::Refusal::OtherClaim => refused("not-a-prior-claim"),
    }
}

/// Where something stands in a claim as it is told.
fn in_claim(pointer: &str) -> String {
    match pointer {
        "/prior" => "/priorClaimId".to_owned(),
        "/currency" => "/currencyCode".to_owned(),
        "/billingProvider" | "/renderingProvider" => format!("/content{pointer}"),
        _ if pointer.starts_with("/diagnoses") => format!("/content{pointer}"),
        _ => pointer.replace("/pointers", "/diagnosisPointers"),
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str() + ".").unwrap_or_default()
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Act(error) => error.into(),
            SubmitError::Demographics(problem) => problem,
        }
    }
}

impl From<EstimateError> for Problem {
    fn from(error: EstimateError) -> Self {
        match error {
            EstimateError::Unknown => Self::new(Kind::NotFound, "There is no such claim."),
            EstimateError::Unfit => Self::new(Kind::Conflict, "The terms of the plan do not fit the claim.")
                .with_slug("estimate-impossible"),
            EstimateError::Store(failure) => failure.into(),
        }
    }
}

impl From<RemittanceError> for Problem {
    fn from(error: RemittanceError) -> Self {
        match error {
            RemittanceError::Bad(findings) => findings
                .into_iter()
                .fold(Self::invalid(Vec::new()), |problem, found| problem.with_error(found.pointer, found.words)),
            RemittanceError::NoPayer => Self::new(Kind::Conflict, "There is no such payer.")
                .with_slug("unknown-payer")
                .with_error("payer_id", "is of no payer"),
            RemittanceError::Currency(currency) => wrong_currency("currency_code", currency),
            RemittanceError::TraceReused => {
                Self::new(Kind::Conflict, "This payer has used the trace for another remittance.")
                    .with_slug("trace-reused")
                    .with_error("trace", "was used for another remittance")
            }
            RemittanceError::Unknown => Self::new(Kind::NotFound, "There is no such remittance."),
            RemittanceError::Store(failure) => failure.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_points_into_the_claim_as_it_is_told() {
        for (found, told) in [
            ("/billingProvider", "/content/billingProvider"),
            ("/diagnoses/1", "/content/diagnoses/1"),
            ("/lines/0/pointers/1", "/lines/0/diagnosisPointers/1"),
            ("/lines/0/date", "/lines/0/date"),
            ("/prior", "/priorClaimId"),
            ("/currency", "/currencyCode"),
        ] {
            assert_eq!(in_claim(found), told);
        }
    }
}
