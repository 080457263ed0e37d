//! Checkpoints, from the database and from where an operator keeps them.

use std::collections::BTreeMap;

use audit::checkpoint::{Checkpoint, PublicKey};
use sqlx::postgres::PgConnection;

use crate::Finding;

/// The checkpoints in a text, one a line: what a run of `pms-audit` printed, or a service's log. Other lines are passed
/// over.
pub fn read(text: &str) -> Vec<Checkpoint> {
    text.lines().filter_map(of_line).collect()
}

fn of_line(line: &str) -> Option<Checkpoint> {
    let json = &line[line.find('{')?..];
    serde_json::from_str(json).ok().or_else(|| {
        // A line of a log has it as a text in its fields.
        let log: serde_json::Value = serde_json::from_str(json).ok()?;
        let text = log.get("checkpoint").or_else(|| log.get("fields")?.get("checkpoint"))?.as_str()?;
        serde_json::from_str(text).ok()
    })
}

/// The good ones by position, and what is wrong with the others.
pub(crate) async fn of_database(
    connection: &mut PgConnection,
    service: &str,
    keys: &[PublicKey],
    since: &[Checkpoint],
) -> sqlx::Result<(BTreeMap<i64, Vec<Checkpoint>>, Vec<Finding>)> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select position, checkpoint::text from audit.checkpoints order by position")
            .fetch_all(connection)
            .await?;
    let mut good: BTreeMap<i64, Vec<Checkpoint>> = BTreeMap::new();
    let mut findings = Vec::new();
    for (position, text) in rows {
        let read = serde_json::from_str::<Checkpoint>(&text).ok();
        match read.filter(|read| read.position == position && read.service == service) {
            None => findings.push(Finding::BadCheckpoint(position)),
            Some(read) => match read.verify(keys) {
                Ok(()) => good.entry(position).or_default().push(read),
                Err(why) => findings.push(Finding::Forged { position, why }),
            },
        }
    }
    for kept in since.iter().filter(|kept| kept.service == service) {
        let position = kept.position;
        if let Err(why) = kept.verify(keys) {
            findings.push(Finding::Forged { position, why });
            continue;
        }
        let known = good.entry(position).or_default();
        if !known.contains(kept) {
            findings.push(Finding::LostCheckpoint(position));
            known.push(kept.clone());
        }
    }
    Ok((good, findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_found_in_what_was_printed_and_logged() {
        let checkpoint = Checkpoint {
            service: "auth".to_owned(),
            position: 5,
            hash: "ab".to_owned(),
            time: jiff::Timestamp::UNIX_EPOCH,
            key: "k".to_owned(),
            signature: "s".to_owned(),
        };
        let text = serde_json::to_string(&checkpoint).unwrap();
        let log = serde_json::json!({ "level": "INFO", "checkpoint": text, "message": "audit checkpoint" });
        let nested = serde_json::json!({ "level": "INFO", "fields": { "checkpoint": text } });
        let printed = format!(
            "service  entries\nauth  5 {{\ncheckpoint {text}\n== APP - auth == {log}\n{nested}\n{{\"a\": 1}}\n"
        );
        assert_eq!(read(&printed), vec![checkpoint; 3]);
    }
}
