//! Whether a remittance can be booked.
//!
//! A remittance that does not add up is refused as a whole. In one that does, a claim that cannot be booked keeps no
//! other from it: its money waits until somebody has looked at it.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert,
    ops::Neg,
};

use serde::{Deserialize, Serialize};

use super::{ClaimPayment, ClaimStatusCode, Remittance};
use crate::domain::{
    claim::{
        Claim, Finding,
        adjustment::{Adjustment, Group},
        transitions::{Action, transition},
    },
    coverage::PayerId,
    money::{Amount, Currency, LARGEST},
};

/// What is wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// An amount is larger than anybody may enter.
    AmountTooLarge,
    /// The claims less the provider's adjustments are not the payment.
    RemittanceUnbalanced,
    /// What is paid for a claim and its adjustments are not what was billed.
    ClaimUnbalanced,
    /// The lines and the claim's own adjustments are not what is paid or billed for it.
    LinesUnbalanced,
    /// What is paid for a line and its adjustments are not what was billed.
    LineUnbalanced,
    /// There is no such claim.
    ClaimUnknown,
    /// The claim went to another payer.
    ClaimOfOtherPayer,
    /// The claim is in another currency.
    CurrencyDiffers,
    /// The claim has no such line.
    LineUnknown,
    /// The claim has a line that is not answered.
    LineMissing,
    /// Not what was asked for.
    BilledDiffers,
    /// Denied, and paid.
    DeniedButPaid,
    /// Denied, without a reason that denies.
    DeniedWithoutReason,
    /// A sign that only a reversal has, or that a reversal has not.
    SignWrong,
    /// The claim was answered, and the answer was not taken back.
    AnsweredAlready,
    /// Takes back what was not paid.
    NothingToReverse,
    /// Takes back something else than what was paid.
    ReversalDiffers,
    /// The claim is not one that the payer can have answered.
    NotExpected,
}

impl Code {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmountTooLarge => "amount-too-large",
            Self::RemittanceUnbalanced => "remittance-unbalanced",
            Self::ClaimUnbalanced => "claim-unbalanced",
            Self::LinesUnbalanced => "lines-unbalanced",
            Self::LineUnbalanced => "line-unbalanced",
            Self::ClaimUnknown => "claim-unknown",
            Self::ClaimOfOtherPayer => "claim-of-other-payer",
            Self::CurrencyDiffers => "currency-differs",
            Self::LineUnknown => "line-unknown",
            Self::LineMissing => "line-missing",
            Self::BilledDiffers => "billed-differs",
            Self::DeniedButPaid => "denied-but-paid",
            Self::DeniedWithoutReason => "denied-without-reason",
            Self::SignWrong => "sign-wrong",
            Self::AnsweredAlready => "answered-already",
            Self::NothingToReverse => "nothing-to-reverse",
            Self::ReversalDiffers => "reversal-differs",
            Self::NotExpected => "not-expected",
        }
    }
}

/// What is known of a claim.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// The answer that was booked last, unless it was taken back.
    pub standing: Option<&'a ClaimPayment>,
}

/// The order in which claims are booked, each with where it stands: a payer takes back and answers anew in one
/// remittance, in any order.
pub fn in_order(claims: &[ClaimPayment]) -> Vec<(usize, &ClaimPayment)> {
    let mut order: Vec<_> = claims.iter().enumerate().collect();
    order.sort_by_key(|(_, payment)| payment.status != ClaimStatusCode::Reversal);
    order
}

/// Checks what a remittance says of one claim, at a place of it, against that claim as it is; answers what it does to the
/// claim.
pub fn check_claim(
    payment: &ClaimPayment,
    at: usize,
    payer: PayerId,
    currency: Currency,
    known: Option<Known<'_>>,
) -> Result<Action, Vec<Finding<Code>>> {
    let mut found = balances(payment);
    match known {
        None => found.push((Code::ClaimUnknown, "/claimId".to_owned())),
        Some(known) => found.extend(fits(payment, known.claim, payer, currency)),
    }
    found.extend(follows(payment, known.and_then(|known| known.standing)));
    let action = payment.action();
    if known.is_some_and(|known| transition(Some(known.claim.status), action).is_err()) {
        found.push((Code::NotExpected, "/status".to_owned()));
    }
    if found.is_empty() {
        return Ok(action);
    }
    let named = |(code, place)| Finding::new(code, format!("/claims/{at}{place}"), words(code));
    Err(found.into_iter().map(named).collect())
}

/// What is wrong with a remittance as a whole.
pub fn whole(remittance: &Remittance) -> Vec<Finding<Code>> {
    let claims = remittance.claims.iter().enumerate();
    let of_claims = claims.flat_map(|(at, payment)| {
        let lines = payment.lines.iter().flat_map(|line| [line.billed, line.paid]);
        let parts = payment.all_adjustments().map(|part| part.amount);
        let amounts = lines.chain(parts).chain([payment.billed, payment.paid]);
        amounts.map(move |amount| (format!("/claims/{at}"), amount))
    });
    let others = remittance.provider_adjustments.iter().enumerate();
    let others = others.map(|(at, part)| (format!("/providerAdjustments/{at}"), part.amount));
    let amounts = of_claims.chain(others).chain([("/payment".to_owned(), remittance.payment)]);
    let large = amounts.filter(|(_, amount)| !(-LARGEST..=LARGEST).contains(amount)).map(|(pointer, _)| pointer);
    // Sums of the others do not overflow.
    let large: BTreeSet<_> = large.collect();
    if !large.is_empty() {
        let finding = |pointer| Finding::new(Code::AmountTooLarge, pointer, words(Code::AmountTooLarge));
        return large.into_iter().map(finding).collect();
    }
    let claims: Amount = remittance.claims.iter().map(|payment| payment.paid).sum();
    let others: Amount = remittance.provider_adjustments.iter().map(|part| part.amount).sum();
    if claims - others == remittance.payment {
        return Vec::new();
    }
    vec![Finding::new(Code::RemittanceUnbalanced, "/payment", words(Code::RemittanceUnbalanced))]
}

type Found = Vec<(Code, String)>;

fn sum(adjustments: &[Adjustment]) -> Amount {
    adjustments.iter().map(|part| part.amount).sum()
}

/// X12 835 balancing of a claim: each line, and the lines and its own adjustments against the whole.
fn balances(payment: &ClaimPayment) -> Found {
    let mut found = Vec::new();
    for (at, line) in payment.lines.iter().enumerate() {
        if line.billed != line.paid + sum(&line.adjustments) {
            found.push((Code::LineUnbalanced, format!("/lines/{at}")));
        }
    }
    let adjusted: Amount = payment.all_adjustments().map(|part| part.amount).sum();
    if payment.billed != payment.paid + adjusted {
        found.push((Code::ClaimUnbalanced, String::new()));
    }
    let (billed, paid) = payment
        .lines
        .iter()
        .fold((Amount::ZERO, Amount::ZERO), |(billed, paid), line| (billed + line.billed, paid + line.paid));
    let whole = billed == payment.billed && paid - sum(&payment.adjustments) == payment.paid;
    if !payment.lines.is_empty() && !whole {
        found.push((Code::LinesUnbalanced, "/lines".to_owned()));
    }
    found
}

/// Whether a payment is for the claim as it was sent.
fn fits(payment: &ClaimPayment, claim: &Claim, payer: PayerId, currency: Currency) -> Found {
    let mut found = Vec::new();
    if claim.payer_id != payer {
        found.push((Code::ClaimOfOtherPayer, "/claimId".to_owned()));
    }
    if claim.currency != currency {
        found.push((Code::CurrencyDiffers, "/claimId".to_owned()));
    }
    let sign = |amount: Amount| if payment.status == ClaimStatusCode::Reversal { -amount } else { amount };
    if sign(payment.billed) != claim.total() {
        found.push((Code::BilledDiffers, "/billed".to_owned()));
    }
    let lines = payment.lines.iter().flat_map(|line| [line.billed, line.paid]);
    if lines.chain([payment.billed, payment.paid]).any(|amount| sign(amount) < Amount::ZERO) {
        found.push((Code::SignWrong, String::new()));
    }
    let mut answered: BTreeMap<usize, Amount> = BTreeMap::new();
    for (at, line) in payment.lines.iter().enumerate() {
        if !(1..=claim.lines.len()).contains(&line.line) {
            found.push((Code::LineUnknown, format!("/lines/{at}/line")));
        }
        *answered.entry(line.line).or_default() += sign(line.billed);
    }
    for (number, line) in (1..).zip(&claim.lines).filter(|_| !payment.lines.is_empty()) {
        match answered.get(&number) {
            None => found.push((Code::LineMissing, "/lines".to_owned())),
            Some(billed) if *billed != line.charge => found.push((Code::BilledDiffers, "/lines".to_owned())),
            Some(_) => {}
        }
    }
    if payment.status == ClaimStatusCode::Denied {
        let paid = payment.lines.iter().map(|line| line.paid).chain([payment.paid]).any(|paid| !paid.is_zero());
        if paid {
            found.push((Code::DeniedButPaid, "/paid".to_owned()));
        } else if payment.action() != Action::Deny {
            found.push((Code::DeniedWithoutReason, "/adjustments".to_owned()));
        }
    }
    found
}

/// Whether a payment can come after the one that stands.
fn follows(payment: &ClaimPayment, standing: Option<&ClaimPayment>) -> Found {
    let code = match (payment.status, standing) {
        (ClaimStatusCode::Reversal, None) => Code::NothingToReverse,
        (ClaimStatusCode::Reversal, Some(standing)) if !takes_back(payment, standing) => Code::ReversalDiffers,
        (ClaimStatusCode::Reversal, Some(_)) | (_, None) => return Vec::new(),
        (_, Some(_)) => Code::AnsweredAlready,
    };
    vec![(code, "/status".to_owned())]
}

/// Sums of adjustments by who bears them and why, without those that are nothing.
type Parts<'a> = BTreeMap<(Group, &'a str), Amount>;

/// What a payment says in amounts, each with this sign, in an order of its own.
type Amounts<'a> = (Amount, Amount, Parts<'a>, Vec<(usize, Amount, Amount, Parts<'a>)>);

fn amounts(payment: &ClaimPayment, sign: fn(Amount) -> Amount) -> Amounts<'_> {
    let parts = |adjustments| parts(adjustments, sign);
    let lines = payment.lines.iter();
    let mut lines: Vec<_> =
        lines.map(|line| (line.line, sign(line.billed), sign(line.paid), parts(&line.adjustments))).collect();
    lines.sort();
    (sign(payment.billed), sign(payment.paid), parts(&payment.adjustments), lines)
}

fn parts(adjustments: &[Adjustment], sign: fn(Amount) -> Amount) -> Parts<'_> {
    let mut sums = Parts::new();
    for part in adjustments {
        *sums.entry((part.group, &part.reason)).or_default() += sign(part.amount);
    }
    sums.retain(|_, amount| !amount.is_zero());
    sums
}

/// Whether a payment is the exact negative of another: line by line, amount by amount, reason by reason.
fn takes_back(reversal: &ClaimPayment, other: &ClaimPayment) -> bool {
    amounts(reversal, Neg::neg) == amounts(other, convert::identity)
}

const fn words(code: Code) -> &'static str {
    match code {
        Code::AmountTooLarge => "an amount is larger than anybody may enter",
        Code::RemittanceUnbalanced => "the claims less the provider's adjustments are not the payment",
        Code::ClaimUnbalanced => "what is paid and all adjustments are not what was billed",
        Code::LinesUnbalanced => "the lines do not add up to the claim",
        Code::LineUnbalanced => "what is paid for the line and its adjustments are not what was billed",
        Code::ClaimUnknown => "there is no such claim",
        Code::ClaimOfOtherPayer => "the claim went to another payer",
        Code::CurrencyDiffers => "the claim is in another currency",
        Code::LineUnknown => "the claim has no such line",
        Code::LineMissing => "a line of the claim is not answered",
        Code::BilledDiffers => "what was asked for is something else",
        Code::DeniedButPaid => "what is denied is not paid",
        Code::DeniedWithoutReason => "what is denied has a reason that denies",
        Code::SignWrong => "amounts are negative in a reversal, and there alone",
        Code::AnsweredAlready => "the claim was answered, and the answer was not taken back",
        Code::NothingToReverse => "there is no answer that could be taken back",
        Code::ReversalDiffers => "a reversal takes back exactly what was answered",
        Code::NotExpected => "the claim is not one that the payer can have answered so",
    }
}
