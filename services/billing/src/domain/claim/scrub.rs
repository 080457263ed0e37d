//! Scrubbing: what a payer's front end would send a claim back for, or deny it for without a look at the medicine.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Claim, Finding, Frequency, Line, Npi, Status,
    deadlines::{Alert, Windows},
};
use crate::domain::{
    coverage::{self, Coverage},
    money::LARGEST,
};

/// As many as a claim of X12 837P has place for (loop 2300, HI).
const MOST_DIAGNOSES: usize = 12;
/// As many as a line has place for (SV107).
const MOST_POINTERS: usize = 4;
/// As many as a line has place for (SV101-3 to -6).
const MOST_MODIFIERS: usize = 4;
/// As many as a claim has place for (loop 2400).
const MOST_LINES: usize = 50;
/// Modifiers that say that the same was done again on purpose: by the same physician, by another, apart from the rest.
const AGAIN: [&str; 3] = ["76", "77", "59"];

/// What is known beside the claim.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The date at the clinic.
    pub today: Date,
    /// The coverage that the claim names, if it is there.
    pub coverage: Option<&'a Coverage>,
    /// How long the payer waits.
    pub windows: &'a Windows,
    /// The patient's other claims.
    pub others: &'a [Claim],
}

/// What is wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// No provider's number.
    NpiMissing,
    /// No number that a provider can have.
    NpiInvalid,
    /// No diagnosis.
    DiagnosisMissing,
    /// No code of ICD-10-CM.
    DiagnosisMalformed,
    /// More than twelve.
    DiagnosesTooMany,
    /// No line.
    LinesMissing,
    /// More than fifty.
    LinesTooMany,
    /// No code of CPT or HCPCS.
    ProcedureMalformed,
    /// Not two letters or digits.
    ModifierMalformed,
    /// More than four.
    ModifiersTooMany,
    /// Not two digits.
    PlaceMalformed,
    /// A line for no diagnosis.
    PointerMissing,
    /// A pointer to no diagnosis of the claim.
    PointerBeyond,
    /// More than four.
    PointersTooMany,
    /// Nothing was done.
    UnitsZero,
    /// Nothing is asked for, or less.
    ChargeZero,
    /// More than anybody may enter.
    ChargeTooLarge,
    /// Not done yet.
    DateInFuture,
    /// Not insured on that day.
    DateOutsideCoverage,
    /// Twice in this claim.
    LineDuplicate,
    /// In another claim, too.
    LineInOtherClaim,
    /// Nobody knows by what.
    CoverageMissing,
    /// Another patient's or payer's.
    CoverageForeign,
    /// Does not count.
    CoverageInactive,
    /// No member's number.
    MemberIdMissing,
    /// Not the plan's currency.
    CurrencyDiffers,
    /// The time for filing is over.
    FilingLate,
    /// Corrects or takes back nothing that the payer could find.
    PriorMissing,
}

type Findings = Vec<Finding<Code>>;

/// Everything that is wrong with a claim.
pub fn scrub(claim: &Claim, facts: &Facts<'_>) -> Findings {
    let mut findings = Vec::new();
    providers(claim, &mut findings);
    diagnoses(claim, &mut findings);
    if claim.frequency != Frequency::Original && claim.prior.as_ref().is_none_or(|prior| prior.control_number.is_none())
    {
        let words = "a claim that corrects or takes back another names it, with the payer's number of it";
        findings.push(Finding::new(Code::PriorMissing, "/prior", words));
    }
    if claim.deadline(facts.windows).is_some_and(|last| facts.windows.alert(last.due, facts.today) == Alert::Over) {
        let words = format!("the payer takes claims up to {} days after the service", facts.windows.filing_days);
        findings.push(Finding::new(Code::FilingLate, "/lines", words));
    }
    match facts.coverage.filter(|coverage| coverage.id == claim.coverage_id) {
        Some(coverage) => insured(claim, coverage, &mut findings),
        None => findings.push(Finding::new(Code::CoverageMissing, "/coverageId", "there is no such coverage")),
    }
    match claim.lines.len() {
        0 => findings.push(Finding::new(Code::LinesMissing, "/lines", "a claim has at least one line")),
        count if count > MOST_LINES => {
            findings.push(Finding::new(Code::LinesTooMany, "/lines", "a claim has at most 50 lines"));
        }
        _ => {}
    }
    for (at, line) in claim.lines.iter().enumerate() {
        coded(line, at, &mut findings);
        pointed(line, at, claim.diagnoses.len(), &mut findings);
        counted(line, at, facts, &mut findings);
    }
    repeated(claim, facts.others, &mut findings);
    findings
}

fn providers(claim: &Claim, findings: &mut Findings) {
    let both = [("/billingProvider", &claim.billing_provider), ("/renderingProvider", &claim.rendering_provider)];
    for (pointer, npi) in both {
        match npi {
            None => findings.push(Finding::new(Code::NpiMissing, pointer, "a provider needs an NPI")),
            Some(npi) if !Npi::is_valid(npi) => {
                let words = "an NPI has ten digits, the last of which checks the others";
                findings.push(Finding::new(Code::NpiInvalid, pointer, words));
            }
            Some(_) => {}
        }
    }
}

fn diagnoses(claim: &Claim, findings: &mut Findings) {
    match claim.diagnoses.len() {
        0 => findings.push(Finding::new(Code::DiagnosisMissing, "/diagnoses", "a claim has at least one diagnosis")),
        count if count > MOST_DIAGNOSES => {
            findings.push(Finding::new(Code::DiagnosesTooMany, "/diagnoses", "a claim has at most 12 diagnoses"));
        }
        _ => {}
    }
    for (at, code) in claim.diagnoses.iter().enumerate().filter(|(_, code)| !is_icd_10_cm(code)) {
        let words = format!("a code of ICD-10-CM looks like E11.9, and {} characters do not", code.chars().count());
        findings.push(Finding::new(Code::DiagnosisMalformed, format!("/diagnoses/{at}"), words));
    }
}

/// Whether a code has the shape of ICD-10-CM, with its point or without.
fn is_icd_10_cm(code: &str) -> bool {
    let (category, rest) = code.split_once('.').unwrap_or_else(|| code.split_at_checked(3).unwrap_or((code, "")));
    let alike = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let mut bytes = category.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_uppercase())
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.next().is_some_and(alike)
        && bytes.next().is_none();
    begins && rest.len() <= 4 && rest.bytes().all(alike) && !code.ends_with('.')
}

fn insured(claim: &Claim, coverage: &Coverage, findings: &mut Findings) {
    let mut found = |code, pointer: &str, words: &str| findings.push(Finding::new(code, pointer, words));
    if coverage.patient_id != claim.patient_id || coverage.payer_id != claim.payer_id {
        found(Code::CoverageForeign, "/coverageId", "the coverage is of another patient or payer");
    }
    if coverage.status != coverage::Status::Active {
        found(Code::CoverageInactive, "/coverageId", "the coverage is not active");
    }
    if coverage.member_id.as_ref().is_none_or(|member| member.trim().is_empty()) {
        found(Code::MemberIdMissing, "/coverage/memberId", "the coverage needs the member's number");
    }
    if coverage.terms.currency != claim.currency {
        let words = format!("the plan counts in {} and the claim in {}", coverage.terms.currency, claim.currency);
        found(Code::CurrencyDiffers, "/currency", &words);
    }
    for (at, line) in claim.lines.iter().enumerate().filter(|(_, line)| !coverage.period.holds(line.date)) {
        let words = format!("the coverage does not insure on {}", line.date);
        found(Code::DateOutsideCoverage, &format!("/lines/{at}/date"), &words);
    }
}

/// Whether the codes of a line have the shape that they need.
fn coded(line: &Line, at: usize, findings: &mut Findings) {
    let mut found = |code, place: &str, words: &str| {
        findings.push(Finding::new(code, format!("/lines/{at}/{place}"), words));
    };
    let alike = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let mut procedure = line.procedure.bytes();
    let begins = procedure.next().is_some_and(alike) && procedure.by_ref().take(3).all(|byte| byte.is_ascii_digit());
    if line.procedure.len() != 5 || !begins || !procedure.all(alike) {
        found(Code::ProcedureMalformed, "procedure", "a code of CPT or HCPCS looks like 99213, 0001F or J1100");
    }
    if line.modifiers.len() > MOST_MODIFIERS {
        found(Code::ModifiersTooMany, "modifiers", "a line has at most 4 modifiers");
    }
    for (index, modifier) in line.modifiers.iter().enumerate() {
        if modifier.len() != 2 || !modifier.bytes().all(alike) {
            found(Code::ModifierMalformed, &format!("modifiers/{index}"), "a modifier has two letters or digits");
        }
    }
    if line.place_of_service.len() != 2 || !line.place_of_service.bytes().all(|byte| byte.is_ascii_digit()) {
        found(Code::PlaceMalformed, "placeOfService", "a place of service has two digits");
    }
}

fn pointed(line: &Line, at: usize, diagnoses: usize, findings: &mut Findings) {
    let pointer = format!("/lines/{at}/pointers");
    match line.pointers.len() {
        0 => findings.push(Finding::new(Code::PointerMissing, &pointer, "a line points to at least one diagnosis")),
        count if count > MOST_POINTERS => {
            findings.push(Finding::new(Code::PointersTooMany, &pointer, "a line points to at most 4 diagnoses"));
        }
        _ => {}
    }
    for (index, own) in line.pointers.iter().enumerate() {
        if !(1..=diagnoses).contains(&usize::from(*own)) {
            let words = format!("the claim has no diagnosis {own}");
            findings.push(Finding::new(Code::PointerBeyond, format!("{pointer}/{index}"), words));
        }
    }
}

fn counted(line: &Line, at: usize, facts: &Facts<'_>, findings: &mut Findings) {
    let mut found = |code, place: &str, words: &str| {
        findings.push(Finding::new(code, format!("/lines/{at}/{place}"), words));
    };
    if line.units == 0 {
        found(Code::UnitsZero, "units", "a line has at least one unit");
    }
    if !line.charge.is_positive() {
        found(Code::ChargeZero, "charge", "a line asks for more than nothing");
    }
    if line.charge > LARGEST {
        found(Code::ChargeTooLarge, "charge", "a line asks for no more than anybody may enter");
    }
    if line.date > facts.today {
        found(Code::DateInFuture, "date", &format!("{} is yet to come", line.date));
    }
}

/// What makes two lines the same service. The order of modifiers says nothing here.
fn service(line: &Line) -> (&str, Date, Vec<&str>) {
    let mut modifiers: Vec<_> = line.modifiers.iter().map(String::as_str).collect();
    modifiers.sort_unstable();
    (&line.procedure, line.date, modifiers)
}

fn repeated(claim: &Claim, others: &[Claim], findings: &mut Findings) {
    let mut seen = BTreeMap::new();
    // Only an original can be the second one for what it asks for: the others are so on purpose.
    let counts = |other: &&Claim| {
        claim.frequency == Frequency::Original
            && other.id != claim.id
            && (other.patient_id, other.payer_id) == (claim.patient_id, claim.payer_id)
            && other.rendering_provider == claim.rendering_provider
            && !matches!(other.status, Status::Draft | Status::Rejected | Status::Voided)
            && other.frequency != Frequency::Void
    };
    let others: Vec<_> = others.iter().filter(counts).flat_map(|other| &other.lines).map(service).collect();
    for (at, line) in claim.lines.iter().enumerate() {
        if line.modifiers.iter().any(|modifier| AGAIN.contains(&modifier.as_str())) {
            continue;
        }
        let same = service(line);
        let pointer = format!("/lines/{at}");
        if others.contains(&same) {
            let words = "another claim asks for the same service; modifier 76, 77 or 59 says that it was done again";
            findings.push(Finding::new(Code::LineInOtherClaim, &pointer, words));
        }
        if let Some(first) = seen.insert(same, at + 1) {
            let words = format!("the same service as line {first}; modifier 76, 77 or 59 says that it was done again");
            findings.push(Finding::new(Code::LineDuplicate, pointer, words));
        }
    }
}

#[cfg(test)]
mod tests;
