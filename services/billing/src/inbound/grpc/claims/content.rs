//! Reading what is written on a claim, and what a payer says of one.

use contracts::billing::v1 as wire;
use problem::input::Findings;

use crate::{
    domain::{
        books::claims::Acknowledgement,
        claim::{
            Npi, Status,
            content::{Content, LineContent},
        },
    },
    inbound::grpc::read,
    service::claim_act::ClaimAct,
};

const MOST_LINES: usize = 50;
/// More than a claim may have: scrubbing tells of what is too much for a payer.
const MOST_DIAGNOSES: usize = 50;
const MOST_REASONS: usize = 20;
const LONGEST_REASON: usize = 200;
const LONGEST_CODE: usize = 20;
const LONGEST_NUMBER: usize = 50;

/// What a claim says. Whether a payer would take it is scrubbing's to say; here it is only what can be kept at all.
pub(super) fn read(given: Option<&wire::ClaimContent>, findings: &mut Findings) -> Option<Content> {
    let Some(given) = given else { return Some(Content::default()) };
    let mut npi = |text: Option<&str>, field: &str| {
        read::optional_text(text, LONGEST_CODE, &format!("content.{field}"), findings).map(Npi)
    };
    let billing_provider = npi(given.billing_provider.as_deref(), "billing_provider");
    let rendering_provider = npi(given.rendering_provider.as_deref(), "rendering_provider");
    let place = given.place_of_service.as_deref();
    let place_of_service = read::optional_text(place, LONGEST_CODE, "content.place_of_service", findings);
    let diagnoses = texts(&given.diagnoses, MOST_DIAGNOSES, LONGEST_CODE, "content.diagnoses", findings);
    if given.lines.len() > MOST_LINES {
        findings.add("content.lines", format!("must have at most {MOST_LINES} items"));
    }
    let lines: Vec<_> =
        given.lines.iter().take(MOST_LINES).enumerate().map(|(at, own)| line(own, at, findings)).collect();
    let lines = lines.into_iter().collect::<Option<_>>();
    Some(Content { billing_provider, rendering_provider, place_of_service, diagnoses: diagnoses?, lines: lines? })
}

fn line(given: &wire::ClaimLineContent, at: usize, findings: &mut Findings) -> Option<LineContent> {
    let pointer = format!("content.lines[{at}].");
    let line = usize::try_from(given.line).ok().filter(|line| *line > 0);
    if line.is_none() {
        findings.add(format!("{pointer}line"), "must be 1 or more");
    }
    let modifiers = read::modifiers(&given.modifiers, &pointer, findings);
    let pointers: Option<Vec<u8>> =
        given.diagnosis_pointers.iter().map(|&place| u8::try_from(place).ok().filter(|place| *place > 0)).collect();
    if pointers.as_ref().is_none_or(|pointers| pointers.len() > 12) {
        findings.add(format!("{pointer}diagnosis_pointers"), "must be at most 12 places of diagnoses, from 1");
    }
    Some(LineContent { line: line?, modifiers: modifiers?, pointers: pointers? })
}

fn texts(given: &[String], most: usize, longest: usize, pointer: &str, findings: &mut Findings) -> Option<Vec<String>> {
    if given.len() > most {
        findings.add(pointer, format!("must have at most {most} items"));
        return None;
    }
    let read: Vec<_> = given
        .iter()
        .enumerate()
        .map(|(at, text)| read::text(text, longest, &format!("{pointer}[{at}]"), findings))
        .collect();
    read.into_iter().collect()
}

/// What a payer says before it decides.
pub(super) fn acknowledgement(asked: &wire::AcknowledgeClaimRequest, findings: &mut Findings) -> Option<ClaimAct> {
    let said = match asked.acknowledgement() {
        wire::Acknowledgement::Unspecified => {
            findings.add("acknowledgement", "is required: accepted, rejected or pended");
            None
        }
        wire::Acknowledgement::Accepted => Some(Acknowledgement::Accepted),
        wire::Acknowledgement::Rejected => Some(Acknowledgement::Rejected),
        wire::Acknowledgement::Pended => Some(Acknowledgement::Pended),
    };
    let number = asked.control_number.as_deref();
    let control_number = read::optional_text(number, LONGEST_NUMBER, "control_number", findings);
    let reasons = texts(&asked.reasons, MOST_REASONS, LONGEST_REASON, "reasons", findings);
    Some(ClaimAct::Acknowledge { said: said?, control_number, reasons: reasons? })
}

pub(super) fn status(status: wire::ClaimStatus, findings: &mut Findings) -> Option<Status> {
    Some(match status {
        wire::ClaimStatus::Unspecified => {
            findings.add("status", "is no state of a claim");
            return None;
        }
        wire::ClaimStatus::Draft => Status::Draft,
        wire::ClaimStatus::Ready => Status::Ready,
        wire::ClaimStatus::Submitted => Status::Submitted,
        wire::ClaimStatus::Accepted => Status::Accepted,
        wire::ClaimStatus::Rejected => Status::Rejected,
        wire::ClaimStatus::Pended => Status::Pended,
        wire::ClaimStatus::AdjudicatedPaid => Status::Paid,
        wire::ClaimStatus::PartiallyPaid => Status::PartiallyPaid,
        wire::ClaimStatus::Denied => Status::Denied,
        wire::ClaimStatus::Appealed => Status::Appealed,
        wire::ClaimStatus::Corrected => Status::Corrected,
        wire::ClaimStatus::Voided => Status::Voided,
        wire::ClaimStatus::Closed => Status::Closed,
    })
}
