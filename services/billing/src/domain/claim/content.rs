//! What is written on a claim: the lines of its invoice, and what a payer wants to know beside them.

use jiff::Timestamp;

use super::{Claim, ClaimId, Frequency, Line, Npi, Prior, Status};
use crate::domain::{books, coverage::Coverage, invoice::Invoice, payer::Payer};

/// An office, of CMS's places of service.
const OFFICE: &str = "11";

/// What a claim says beside its invoice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Content {
    /// Who asks.
    pub billing_provider: Option<Npi>,
    /// Who treated.
    pub rendering_provider: Option<Npi>,
    /// Where; an office when it is not given.
    pub place_of_service: Option<String>,
    /// ICD-10-CM; those of the invoice when there are none.
    pub diagnoses: Vec<String>,
    /// Lines that say something else than the invoice.
    pub lines: Vec<LineContent>,
}

/// What a line says that the invoice does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineContent {
    /// Which, from 1.
    pub line: usize,
    /// All of them; those of the invoice when there are none.
    pub modifiers: Vec<String>,
    /// All of them; those of the invoice when there are none.
    pub pointers: Vec<u8>,
}

/// What a claim is to another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The first.
    Original,
    /// Takes this one's place.
    Replacement(Prior),
    /// Takes this one back.
    Void(Prior),
}

impl Content {
    /// Refuses lines that an invoice has not.
    pub fn must_be_within(&self, invoice: &Invoice) -> Result<(), books::Refusal> {
        let known = 1..=invoice.lines.len();
        let beyond: Vec<_> =
            self.lines.iter().enumerate().filter(|(_, line)| !known.contains(&line.line)).map(|(at, _)| at).collect();
        if beyond.is_empty() { Ok(()) } else { Err(books::Refusal::NoLines(beyond)) }
    }

    /// The diagnoses and lines of an invoice with this content.
    fn written(&self, invoice: &Invoice) -> (Vec<String>, Vec<Line>) {
        let diagnoses = if self.diagnoses.is_empty() {
            invoice.diagnoses.iter().map(|code| code.code.clone()).collect()
        } else {
            self.diagnoses.clone()
        };
        let lines = invoice.lines.iter().zip(1_usize..).map(|(line, number)| {
            let own = self.lines.iter().rev().find(|own| own.line == number);
            let modifiers = own.map(|own| &own.modifiers).filter(|own| !own.is_empty()).unwrap_or(&line.modifiers);
            let own_pointers = own.map(|own| own.pointers.clone()).filter(|own| !own.is_empty());
            // What is beyond 255 points to no diagnosis either.
            let pointers = line.diagnoses.iter().map(|&place| u8::try_from(place).unwrap_or(u8::MAX)).collect();
            Line {
                procedure: line.code.code.clone(),
                modifiers: modifiers.clone(),
                units: line.units,
                date: line.date,
                place_of_service: self.place_of_service.clone().unwrap_or_else(|| OFFICE.to_owned()),
                charge: line.amounts().total,
                pointers: own_pointers.unwrap_or(pointers),
            }
        });
        (diagnoses, lines.collect())
    }
}

impl Claim {
    /// The draft of a claim for an invoice by a coverage.
    pub fn of_invoice(
        id: ClaimId,
        invoice: &Invoice,
        (coverage, payer): (&Coverage, &Payer),
        standing: Standing,
        content: &Content,
        now: Timestamp,
    ) -> Self {
        let (diagnoses, lines) = content.written(invoice);
        let (frequency, prior) = match standing {
            Standing::Original => (Frequency::Original, None),
            Standing::Replacement(prior) => (Frequency::Replacement, Some(prior)),
            Standing::Void(prior) => (Frequency::Void, Some(prior)),
        };
        Self {
            id,
            status: Status::Draft,
            created: now,
            patient_id: invoice.patient_id,
            coverage_id: coverage.id,
            payer_id: coverage.payer_id,
            filing: payer.filing,
            invoice_id: invoice.id,
            currency: invoice.currency,
            frequency,
            prior,
            billing_provider: content.billing_provider.clone(),
            rendering_provider: content.rendering_provider.clone(),
            diagnoses,
            lines,
            adjudicated_on: None,
        }
    }

    /// A draft with another content.
    #[must_use]
    pub fn rewritten(&self, invoice: &Invoice, content: &Content) -> Self {
        let (diagnoses, lines) = content.written(invoice);
        Self {
            billing_provider: content.billing_provider.clone(),
            rendering_provider: content.rendering_provider.clone(),
            diagnoses,
            lines,
            ..self.clone()
        }
    }
}
