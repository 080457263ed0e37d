//! Reminding patients of their appointments.

use std::sync::OnceLock;

use jiff::Timestamp;
use opentelemetry::{KeyValue, global, metrics::Counter};
use sidecar::failure::Failure;

use crate::{
    domain::appointment::reminder::Outcome,
    outbound::reminders::{Candidate, Reminders},
};

/// So many are claimed at one tick; the next one comes soon.
const AT_ONCE: usize = 100;

/// Hands over what is due, each once whoever else ticks. One that fails keeps no other from it.
///
/// It is claimed before and noted after, so who is killed in between leaves it to be handed over again, under the same
/// id, when the claim has run out.
pub async fn remind(reminders: &Reminders) -> Result<(), Failure> {
    let mut outcome = Ok(());
    for candidate in reminders.due(Timestamp::now(), AT_ONCE).await? {
        if let Err(failure) = hand_over(reminders, &candidate).await {
            outcome = Err(failure);
        }
    }
    outcome
}

async fn hand_over(reminders: &Reminders, candidate: &Candidate) -> Result<(), Failure> {
    let Some(claimed) = reminders.claim(candidate, Timestamp::now()).await? else { return Ok(()) };
    let (id, handed) = (claimed.id, reminders.hand_over(candidate, &claimed).await);
    let now = Timestamp::now();
    let outcome = match handed {
        Ok(true) => Outcome::Sent,
        Ok(false) => Outcome::Unreachable,
        Err(failure) => {
            count("failed");
            // The cause may name the receiver's address, which may be a secret.
            let binding = reminders.binding();
            tracing::warn!(reminder = %id, binding, %failure, "not handed over; is the binding loaded, and its receiver there?");
            return reminders.note(id, |reminder| reminder.failed(now)).await;
        }
    };
    count(outcome.name());
    reminders.note(id, |reminder| reminder.closed(outcome, now)).await
}

fn count(outcome: &'static str) {
    static REMINDERS: OnceLock<Counter<u64>> = OnceLock::new();
    let reminders = REMINDERS.get_or_init(|| {
        global::meter("patient")
            .u64_counter("patient.reminders")
            .with_description("reminders of appointments by what became of them: sent, unreachable, failed")
            .build()
    });
    reminders.add(1, &[KeyValue::new("outcome", outcome)]);
}
