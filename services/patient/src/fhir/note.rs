//! <http://hl7.org/fhir/R4/composition.html>

use problem::input::{Findings, Object};

use super::datatypes::{CODE, Elements, LINE, concept, concepts, moment, prose, required};
use crate::domain::record::note::{Note, NoteStatus};

/// The longest note.
const LONGEST: usize = 50_000;

impl Elements for Note {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        body.require("status", findings);
        let status = body.parsed("status", CODE, findings, NoteStatus::parse);
        let r#type = required(body, "type", findings, concept);
        let category = concepts(body, "category", findings);
        let title = body.text("title", LINE, findings);
        let date = moment(body, "date", findings);
        let text = required(body, "text", findings, |o, n, f| prose(o, n, LONGEST, f));
        Some(Self { status: status?, r#type: r#type?, category, title, date, text: text? })
    }
}
