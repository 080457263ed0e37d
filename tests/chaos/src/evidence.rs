//! Which events a sweeper had to send, row by row, and which kills had left them behind.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::Timestamp;
use local::App;
use serde_json::Value;

use crate::{killer::Kill, stage::Stage};

/// The services that publish.
pub(crate) const PUBLISHERS: [App; 2] = [App::Patient, App::Billing];

/// An event that was written so shortly before a kill was written in its hold, or under it.
const SHORTLY: f64 = 2.0;

/// Notes each claim of a sweeper. An event that was published in time is never claimed, and nothing but a sweeper
/// claims.
const WATCH: &str = "
    create schema chaos;
    create table chaos.claims (event_id uuid not null, created_at timestamptz not null, claimed_by uuid not null,
      claimed_at timestamptz not null default clock_timestamp());
    create function chaos.note_claim() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    begin
      insert into chaos.claims (event_id, created_at, claimed_by) values (new.event_id, new.created_at, new.claimed_by);
      return null;
    end
    $$;
    create trigger note_claim after update of claimed_by on document.outbox
    for each row execute function chaos.note_claim()";

/// What sweepers did.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Events that a sweeper had to send.
    pub swept: usize,
    /// How many the sweepers say that they sent, by their logs; the last words of one that was killed are missing.
    pub logged: u64,
    /// Kills that left at least one committed event unpublished, which a sweeper sent.
    pub kills: usize,
    /// The events that these left.
    pub left: usize,
    /// Claims of an event that had been claimed before.
    pub again: usize,
}

/// Begins to watch the sweepers.
pub(crate) async fn watch(stage: &Stage) -> Result<()> {
    for app in PUBLISHERS {
        stage.execute(app, WATCH).await?;
    }
    Ok(())
}

/// What was seen.
pub(crate) async fn gather(stage: &Stage, kills: &[Kill]) -> Result<Evidence> {
    let mut evidence = Evidence { logged: logged(stage), ..Evidence::default() };
    let mut guilty = BTreeSet::new();
    for app in PUBLISHERS {
        let claims = stage
            .rows(
                app,
                "select jsonb_build_object('event', event_id, 'at', extract(epoch from created_at), 'gone',
                   not exists (select from document.outbox as o where o.event_id = c.event_id))
                 from chaos.claims as c order by created_at",
            )
            .await?;
        let mut events = BTreeMap::new();
        for claim in &claims {
            let gone = claim["gone"] == true;
            events
                .insert(claim["event"].as_str().unwrap_or_default(), (claim["at"].as_f64().unwrap_or_default(), gone));
        }
        evidence.swept += events.len();
        evidence.again += claims.len() - events.len();
        for (at, _) in events.into_values().filter(|(_, gone)| *gone) {
            let kill = kills.iter().position(|kill| {
                let after = seconds(kill.at) - at;
                kill.victim.delays(app) && (0.0..SHORTLY).contains(&after)
            });
            evidence.left += usize::from(kill.is_some());
            guilty.extend(kill);
        }
    }
    evidence.kills = guilty.len();
    Ok(evidence)
}

/// The sum of what all sweepers logged.
fn logged(stage: &Stage) -> u64 {
    let publishers = stage.system.parts().filter(|part| part.is_service() && PUBLISHERS.contains(&part.app));
    let sent = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line.pointer("/fields/sent").or_else(|| line.get("sent"))?.as_u64()
    };
    publishers
        .flat_map(|part| {
            let log = stage.log_of(part);
            log.lines().filter(|line| line.contains("the sweeper sent events")).filter_map(sent).collect::<Vec<_>>()
        })
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit")]
fn seconds(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}
