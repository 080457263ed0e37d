//! Reminding patients of their appointments.

use std::sync::OnceLock;

use jiff::Timestamp;
use opentelemetry::{KeyValue, global, metrics::Counter};
use sidecar::failure::Failure;

use crate::{domain::appointment::reminder::Outcome, outbound::reminders::Reminders};

/// So many are claimed at one tick; the next one comes soon.
const AT_ONCE: usize = 100;

/// Hands over what is due, each once whoever else ticks.
///
/// It is claimed before and noted after, so who is killed in between leaves it to be handed over again, under the same
/// id, when the claim has run out.
pub async fn remind(reminders: &Reminders, now: Timestamp) -> Result<(), Failure> {
    for candidate in reminders.due(now, AT_ONCE).await? {
        let Some(claimed) = reminders.claim(&candidate, now).await? else { continue };
        let (id, handed) = (claimed.id, reminders.hand_over(&candidate, &claimed).await);
        let now = Timestamp::now();
        match handed {
            Ok(true) => {
                count(Outcome::Sent.name());
                reminders.note(id, |reminder| reminder.closed(Outcome::Sent, now)).await?;
            }
            Ok(false) => {
                count(Outcome::Unreachable.name());
                reminders.note(id, |reminder| reminder.closed(Outcome::Unreachable, now)).await?;
            }
            Err(failure) => {
                count("failed");
                tracing::warn!(reminder = %id, %failure, "a reminder is tried again later");
                reminders.note(id, |reminder| reminder.failed(now)).await?;
            }
        }
    }
    Ok(())
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
