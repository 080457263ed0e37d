//! What was measured or seen.
//!
//! <http://hl7.org/fhir/R4/observation.html>

use jiff::Timestamp;
use serde::Serialize;

use super::{AmendmentKind, Resource, Terms, Violation, choice, codings};
use crate::domain::{
    coding::{Annotation, CodeableConcept},
    demographics::codes,
    moment::{Moment, Period},
    quantity::{Quantity, Range},
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-observation-status.html>
    ObservationStatus {
        /// Asked for, nothing is known yet.
        Registered = "registered",
        /// Not verified yet.
        Preliminary = "preliminary",
        /// Complete.
        Final = "final",
        /// More is known since it was final.
        Amended = "amended",
        /// It was wrong when it was final.
        Corrected = "corrected",
        /// It will not be made.
        Cancelled = "cancelled",
        /// It should not be there.
        EnteredInError = "entered-in-error",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

choice! {
    /// `effective[x]`
    Effective {
        /// At once.
        DateTime(Moment) = "effectiveDateTime",
        /// Over a time.
        Period(Period) = "effectivePeriod",
    }
}

choice! {
    /// `value[x]`
    ObservationValue {
        /// An amount.
        Quantity(Quantity) = "valueQuantity",
        /// A finding.
        Concept(CodeableConcept) = "valueCodeableConcept",
        /// Words.
        Text(String) = "valueString",
        /// Yes or no.
        Boolean(bool) = "valueBoolean",
        /// A count.
        Integer(i64) = "valueInteger",
        /// Between two amounts.
        Range(Range) = "valueRange",
        /// A time.
        DateTime(Moment) = "valueDateTime",
        /// A stretch of time.
        Period(Period) = "valuePeriod",
    }
}

/// What is usual for such a value.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceRange {
    /// The least.
    pub low: Option<Quantity>,
    /// The most.
    pub high: Option<Quantity>,
    /// Usual in which sense.
    pub r#type: Option<CodeableConcept>,
    /// For whom.
    pub applies_to: Vec<CodeableConcept>,
    /// In words.
    pub text: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was looked at.
    pub code: CodeableConcept,
    /// What came of it.
    #[serde(flatten)]
    pub value: Option<ObservationValue>,
    /// Why nothing did.
    pub data_absent_reason: Option<CodeableConcept>,
    /// High, low, normal.
    pub interpretation: Vec<CodeableConcept>,
    /// What is usual.
    pub reference_range: Vec<ReferenceRange>,
}

/// An observation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// How far it is.
    pub status: ObservationStatus,
    /// Vital signs, laboratory and the like.
    pub category: Vec<CodeableConcept>,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// When it was so.
    #[serde(flatten)]
    pub effective: Option<Effective>,
    /// Where on the body.
    pub body_site: Option<CodeableConcept>,
    /// How it was done.
    pub method: Option<CodeableConcept>,
    /// What else there is to say.
    pub note: Vec<Annotation>,
    /// Values that only make sense together, such as those of a blood pressure.
    pub component: Vec<Finding>,
}

/// <http://hl7.org/fhir/R4/valueset-observation-interpretation.html>
const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
const INTERPRETATIONS: [&str; 49] = [
    "<", ">", "A", "AA", "AC", "B", "CAR", "Carrier", "D", "DET", "E", "EX", "EXP", "H", "H>", "HH", "HM", "HU", "HX",
    "I", "IE", "IND", "L", "L<", "LL", "LU", "LX", "MS", "N", "NCL", "ND", "NEG", "NR", "NS", "OBX", "POS", "QCF", "R",
    "RR", "S", "SDD", "SYN-R", "SYN-S", "TOX", "U", "UNE", "VS", "W", "WR",
];

impl Finding {
    fn violations(&self, place: &str) -> Vec<Violation> {
        let mut violations = Vec::new();
        violations.extend(Violation::unless(
            self.data_absent_reason.is_none() || self.value.is_none(),
            format!("{place}/dataAbsentReason"),
            "is only for what has no value (obs-6)",
        ));
        for (index, range) in self.reference_range.iter().enumerate() {
            violations.extend(Violation::unless(
                range.low.is_some() || range.high.is_some() || range.text.is_some(),
                format!("{place}/referenceRange/{index}"),
                "needs low, high or text (obs-3)",
            ));
            let both = Range { low: range.low.clone(), high: range.high.clone() };
            violations.extend(Violation::unless(
                both.is_ascending(),
                format!("{place}/referenceRange/{index}/low"),
                "must not be above high",
            ));
        }
        let known = |code: &str| INTERPRETATIONS.contains(&code);
        for (index, concept) in self.interpretation.iter().enumerate() {
            let wrong = concept.coding.iter().position(|own| own.system == INTERPRETATION && !known(&own.code));
            violations.extend(wrong.map(|coding| {
                let pointer = format!("{place}/interpretation/{index}/coding/{coding}/code");
                Violation::at(pointer, "is not a code of this system, such as H, L or N")
            }));
        }
        violations
    }
}

impl Resource for Observation {
    const KIND: &'static str = "observation";

    fn violations(&self) -> Vec<Violation> {
        let mut violations = self.finding.violations("");
        for (index, component) in self.component.iter().enumerate() {
            violations.extend(component.violations(&format!("/component/{index}")));
        }
        let same = self.component.iter().position(|component| component.code.shares_code(&self.finding.code));
        if let (Some(index), Some(_)) = (same, &self.finding.value) {
            let detail = "is the code of the observation, whose own value must then be left out (obs-7)";
            violations.push(Violation::at(format!("/component/{index}/code"), detail));
        }
        violations
    }

    fn status(&self) -> &'static str {
        self.status.code()
    }

    fn in_error(&self) -> Self {
        Self { status: ObservationStatus::EnteredInError, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let time = match &self.effective {
            Some(Effective::DateTime(moment)) => Some(moment.from()),
            Some(Effective::Period(period)) => period.moment(),
            None => None,
        };
        let codes = std::iter::once(&self.finding).chain(&self.component).map(|finding| &finding.code);
        Terms { codes: codings(codes), categories: codings(&self.category), time }
    }

    /// What was final says that it is no longer what it was.
    fn revised(&self, wanted: Self, amendment: Option<AmendmentKind>, _now: Timestamp) -> Result<Self, Vec<Violation>> {
        use ObservationStatus as S;
        let Some(kind) = amendment else { return Err(vec![Violation::at("/amendment", "is required")]) };
        if !matches!(self.status, S::Final | S::Amended | S::Corrected) {
            let fine = !matches!(wanted.status, S::Amended | S::Corrected);
            let violation =
                Violation::unless(fine, "/status", "was not final, so it cannot be amended or corrected yet");
            return violation.map_or(Ok(wanted), |violation| Err(vec![violation]));
        }
        if wanted.status != self.status {
            return Err(vec![Violation::at("/status", "follows from the kind of the amendment once it was final")]);
        }
        let corrected = kind == AmendmentKind::Corrected;
        Ok(Self { status: if corrected { S::Corrected } else { S::Amended }, ..wanted })
    }
}
