//! Entries as the database has them.

use audit::chain::Sealed;
use sqlx::{FromRow, Row as _, postgres::PgRow};
use uuid::Uuid;

/// All of them with their details, in order.
pub(crate) const ENTRIES: &str = "\
    select entry.position, hash, entry_id, (extract(epoch from recorded) * 1000000)::bigint as recorded, action, subtype, \
      outcome, agent, agent_role, session, entity_type, entity_id, entity_version, request_id, trace_id, details_digest, \
      patient, salt, details.details \
    from audit.entries as entry left join audit.details on details.position = entry.position \
    order by entry.position";

/// An entry with its place in the chain and its details.
pub(crate) struct Row {
    pub(crate) sealed: Sealed,
    pub(crate) hash: Vec<u8>,
    pub(crate) details: Option<(Uuid, String)>,
}

impl<'r> FromRow<'r, PgRow> for Row {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let salt: Option<Uuid> = row.try_get("salt")?;
        let details: Option<String> = row.try_get("details")?;
        Ok(Self {
            sealed: Sealed {
                position: row.try_get("position")?,
                id: row.try_get("entry_id")?,
                recorded: row.try_get("recorded")?,
                action: row.try_get("action")?,
                subtype: row.try_get("subtype")?,
                outcome: row.try_get("outcome")?,
                agent: row.try_get("agent")?,
                agent_role: row.try_get("agent_role")?,
                session: row.try_get("session")?,
                entity_type: row.try_get("entity_type")?,
                entity_id: row.try_get("entity_id")?,
                entity_version: row.try_get("entity_version")?,
                request_id: row.try_get("request_id")?,
                trace_id: row.try_get("trace_id")?,
                details_digest: row.try_get("details_digest")?,
                patient: row.try_get("patient")?,
            },
            hash: row.try_get("hash")?,
            details: salt.zip(details),
        })
    }
}
