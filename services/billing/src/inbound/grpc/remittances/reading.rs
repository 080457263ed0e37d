//! Reading a remittance.

use contracts::billing::v1 as wire;
use problem::{Problem, input::Findings};

use crate::{
    domain::{
        claim::{
            adjustment::{Adjustment, Group},
            remittance::{ClaimPayment, ClaimStatusCode, LinePayment, ProviderAdjustment, Remittance},
        },
        coverage::PayerId,
        ids::ClaimId,
        money::Amount,
    },
    inbound::grpc::read,
};

const MOST_CLAIMS: usize = 1_000;
const MOST_LINES: usize = 200;
const MOST_ADJUSTMENTS: usize = 100;
const LONGEST_NUMBER: usize = 50;
/// CARC and RARC have at most five letters and digits.
const LONGEST_CODE: usize = 5;

/// A remittance; whether it adds up is the domain's to say.
pub(super) fn remittance(asked: &wire::ReceiveRemittanceRequest) -> Result<Remittance, Problem> {
    let mut findings = Findings::default();
    let payer = read::required_id(&asked.payer_id, "payer_id", &mut findings).map(PayerId);
    let trace = read::text(&asked.trace, LONGEST_NUMBER, "trace", &mut findings);
    let paid_on = read::date(&asked.paid_date, "paid_date", &mut findings);
    let currency = read::currency(&asked.currency_code, "currency_code", &mut findings);
    if asked.claims.is_empty() && asked.provider_adjustments.is_empty() {
        findings.add("claims", "is required");
    }
    let claims = all(&asked.claims, MOST_CLAIMS, "claims", &mut findings, claim);
    let adjustments =
        all(&asked.provider_adjustments, MOST_ADJUSTMENTS, "provider_adjustments", &mut findings, provider_adjustment);
    let whole = (|| {
        Some(Remittance {
            payer_id: payer?,
            trace: trace?,
            paid_on: paid_on?,
            currency: currency?,
            payment: Amount(asked.payment),
            claims: claims?,
            provider_adjustments: adjustments?,
        })
    })();
    findings.into_result(whole)
}

/// Every item, if each can be read.
fn all<G, T>(
    given: &[G],
    most: usize,
    pointer: &str,
    findings: &mut Findings,
    read: impl Fn(&G, &str, &mut Findings) -> Option<T>,
) -> Option<Vec<T>> {
    if given.len() > most {
        findings.add(pointer, format!("must have at most {most} items"));
        return None;
    }
    let items: Vec<_> =
        given.iter().enumerate().map(|(at, item)| read(item, &format!("{pointer}[{at}]"), findings)).collect();
    items.into_iter().collect()
}

fn claim(given: &wire::ClaimPayment, pointer: &str, findings: &mut Findings) -> Option<ClaimPayment> {
    let id = read::required_id(&given.claim_id, &format!("{pointer}.claim_id"), findings).map(ClaimId);
    let number = read::text(&given.control_number, LONGEST_NUMBER, &format!("{pointer}.control_number"), findings);
    let status = ClaimStatusCode::parse(&given.status_code);
    if status.is_none() {
        findings.add(format!("{pointer}.status_code"), "must be 1, 2, 3, 4, 19, 20, 21 or 22");
    }
    let adjustments =
        all(&given.adjustments, MOST_ADJUSTMENTS, &format!("{pointer}.adjustments"), findings, adjustment);
    let lines = all(&given.lines, MOST_LINES, &format!("{pointer}.lines"), findings, line);
    Some(ClaimPayment {
        claim_id: id?,
        control_number: number?,
        status: status?,
        billed: Amount(given.billed),
        paid: Amount(given.paid),
        adjustments: adjustments?,
        lines: lines?,
    })
}

fn line(given: &wire::AnsweredLine, pointer: &str, findings: &mut Findings) -> Option<LinePayment> {
    let line = usize::try_from(given.line).ok().filter(|line| *line > 0);
    if line.is_none() {
        findings.add(format!("{pointer}.line"), "must be 1 or more");
    }
    let adjustments =
        all(&given.adjustments, MOST_ADJUSTMENTS, &format!("{pointer}.adjustments"), findings, adjustment);
    Some(LinePayment { line: line?, billed: Amount(given.billed), paid: Amount(given.paid), adjustments: adjustments? })
}

fn adjustment(given: &wire::ClaimAdjustment, pointer: &str, findings: &mut Findings) -> Option<Adjustment> {
    let group = Group::parse(&given.group);
    if group.is_none() {
        findings.add(format!("{pointer}.group"), "must be CO, PR, OA or PI");
    }
    let reason = code(Some(&given.reason), &format!("{pointer}.reason"), findings).flatten();
    if given.reason.is_empty() {
        findings.add(format!("{pointer}.reason"), "is required");
    }
    let remark = code(given.remark.as_deref(), &format!("{pointer}.remark"), findings);
    Some(Adjustment { group: group?, reason: reason?, remark: remark?, amount: Amount(given.amount) })
}

/// A code that may be there; none when what is there is no code.
#[expect(clippy::option_option, reason = "whether it can be read, and whether it is there")]
fn code(given: Option<&str>, pointer: &str, findings: &mut Findings) -> Option<Option<String>> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Some(None) };
    if given.len() <= LONGEST_CODE && given.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(Some(given.to_owned()));
    }
    findings.add(pointer, "must be a code of at most 5 letters and digits");
    None
}

fn provider_adjustment(
    given: &wire::ProviderAdjustment,
    pointer: &str,
    findings: &mut Findings,
) -> Option<ProviderAdjustment> {
    let reason = read::text(&given.reason, LONGEST_CODE, &format!("{pointer}.reason"), findings);
    let reference = given.reference.as_deref();
    let reference = read::optional_text(reference, LONGEST_NUMBER, &format!("{pointer}.reference"), findings);
    Some(ProviderAdjustment { reason: reason?, reference, amount: Amount(given.amount) })
}
