//! Asks producers, every now and then, for what they have told, and hears it as if it came now: an event that was lost,
//! by whatever accident, is lost for so long at most.
//!
//! What was heard already is read and left as it is. Every instance does this, since what two do at once is done once.

use std::time::Duration;

use contracts::topic;
use jiff::Timestamp;
use problem::Problem;
use tokio::time;

use super::events;
use crate::{outbound::replay::Patient, service::Books};

/// Between two pages, so that those who wait for something come first.
const BREATH: Duration = Duration::from_millis(50);

/// Asks for as long as the process runs, with such a pause before each time.
pub async fn run(books: Books, patient: Patient, pause: Duration) {
    loop {
        time::sleep(pause).await;
        for topic in [topic::PATIENT_REGISTERED, topic::ENCOUNTER_FINISHED] {
            match reconcile(&books, &patient, topic).await {
                Ok((heard, unreadable)) => tracing::info!(topic, heard, unreadable, "reconciled with patient"),
                // The next time begins anew.
                Err(problem) => tracing::warn!(%problem, topic, "not reconciled with patient"),
            }
        }
    }
}

/// Hears all that was told by a topic; answers how many events that were, and how many cannot be read.
async fn reconcile(books: &Books, patient: &Patient, topic: &str) -> Result<(usize, usize), Problem> {
    let (mut heard, mut unreadable, mut cursor) = (0, 0, None);
    loop {
        let told = patient.latest(topic, cursor).await?;
        let now = Timestamp::now();
        let count = told.events.len();
        let read = if topic == topic::PATIENT_REGISTERED {
            let openings: Vec<_> = told.events.iter().filter_map(|event| events::opening(event).ok()).collect();
            let read = openings.len();
            books.open_accounts(openings, now).await?;
            read
        } else {
            let finished = told.events.iter().filter_map(|event| events::heard(event, |moment| books.day(moment)).ok());
            let finished: Vec<_> = finished.collect();
            let read = finished.len();
            books.hear(finished, now).await?;
            read
        };
        heard += read;
        unreadable += told.unreadable + count - read;
        let Some(next) = told.next else { return Ok((heard, unreadable)) };
        cursor = Some(next);
        time::sleep(BREATH).await;
    }
}
