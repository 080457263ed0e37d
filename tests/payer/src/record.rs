//! What was done about a claim and what the clinic said to it, for whoever tests.

use serde::Serialize;
use serde_json::Value;

use crate::{
    clinic::Outcome,
    plan::{Case, Message, Step},
};

/// All submissions of one claim.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Record {
    pub(crate) submissions: Vec<Submission>,
}

/// One submission.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Submission {
    #[serde(rename = "submission")]
    pub(crate) number: u32,
    /// How often the clinic has sent it.
    pub(crate) deliveries: u32,
    pub(crate) case: Case,
    /// Whether the clinic has answered everything.
    pub(crate) done: bool,
    pub(crate) steps: Vec<Sent>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sent {
    name: &'static str,
    message: Message,
    /// What the clinic answered in the end; none until then.
    status: Option<u16>,
    attempts: Option<u32>,
    answer: Option<Value>,
}

impl Record {
    pub(crate) fn find(&mut self, submission: u32) -> Option<&mut Submission> {
        self.submissions.iter_mut().find(|known| known.number == submission)
    }
}

impl Submission {
    pub(crate) fn new(number: u32, case: Case, steps: &[Step]) -> Self {
        let sent = |step: &Step| Sent {
            name: step.name,
            message: step.message.clone(),
            status: None,
            attempts: None,
            answer: None,
        };
        Self { number, deliveries: 1, case, done: steps.is_empty(), steps: steps.iter().map(sent).collect() }
    }

    /// Notes what came of a step.
    pub(crate) fn note(&mut self, place: usize, outcome: Outcome) {
        if let Some(sent) = self.steps.get_mut(place) {
            sent.status = Some(outcome.status);
            sent.attempts = Some(outcome.attempts);
            sent.answer = Some(outcome.body);
        }
        self.done = self.steps.iter().all(|sent| sent.status.is_some());
    }
}
