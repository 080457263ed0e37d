//! The chain's definition. `audit.link` in the database is the same; the verifier has it from here.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first entry follows.
pub const BEGINNING: Hash = [0; 32];

/// A sealed entry, with what its hash is made of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sealed {
    /// Its place, counted from 1 without gap.
    pub position: i64,
    /// The entry's own id.
    pub id: Uuid,
    /// When it was recorded, in microseconds since 1970.
    pub recorded: i64,
    /// `C`, `R`, `U`, `D` or `E`.
    pub action: String,
    /// What exactly.
    pub subtype: String,
    /// 0, 4, 8 or 12.
    pub outcome: i16,
    /// Who.
    pub agent: Option<Uuid>,
    /// What they were.
    pub agent_role: Option<String>,
    /// In which session.
    pub session: Option<Uuid>,
    /// What it was done to.
    pub entity_type: Option<String>,
    /// Which of these.
    pub entity_id: Option<String>,
    /// Which version.
    pub entity_version: Option<i64>,
    /// In which request.
    pub request_id: Option<String>,
    /// In which trace.
    pub trace_id: Option<String>,
    /// Of the details beside the chain.
    pub details_digest: Option<Vec<u8>>,
    /// Of whose record it is.
    pub patient: Option<Uuid>,
}

impl Sealed {
    /// The hash of this entry after the one with the hash `previous`.
    ///
    /// SHA-256 over that hash and the fields, one a line, an absent one as an empty line. The patient is a line more,
    /// and no line when there is none: entries that were sealed before there were patients stay as they are. No field
    /// has a line end, so no other entry gives the same lines.
    pub fn hash(&self, previous: &[u8]) -> Hash {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let lines = [
            self.position.to_string(),
            self.id.to_string(),
            self.recorded.to_string(),
            self.action.clone(),
            self.subtype.clone(),
            self.outcome.to_string(),
            id(self.agent),
            text(&self.agent_role),
            id(self.session),
            text(&self.entity_type),
            text(&self.entity_id),
            self.entity_version.map(|version| version.to_string()).unwrap_or_default(),
            text(&self.request_id),
            text(&self.trace_id),
            self.details_digest.as_deref().map(hex).unwrap_or_default(),
        ];
        let patient = self.patient.map(|patient| format!("\n{patient}")).unwrap_or_default();
        Sha256::new().chain_update(previous).chain_update(lines.join("\n")).chain_update(patient).finalize().into()
    }
}

/// What the chain holds of an entry's details: with the salt gone, nobody can find out by guessing what they were.
pub fn digest(salt: Uuid, details: &str) -> Hash {
    Sha256::new().chain_update(salt.as_bytes()).chain_update(details).finalize().into()
}

/// In lower case, as the database writes it.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines are written out here once more, since whoever changes them breaks every chain that there is.
    #[test]
    fn the_definition_stays_as_it_is() {
        let sealed = Sealed {
            position: 7,
            id: Uuid::from_u128(1),
            recorded: 1_793_527_200_000_007,
            action: "E".to_owned(),
            subtype: "login".to_owned(),
            outcome: 4,
            agent: Some(Uuid::from_u128(2)),
            agent_role: Some("nurse".to_owned()),
            entity_type: Some("user".to_owned()),
            entity_version: Some(3),
            details_digest: Some(vec![0xab, 0x01]),
            ..Sealed::default()
        };
        let lines = "7\n00000000-0000-0000-0000-000000000001\n1793527200000007\nE\nlogin\n4\n\
                     00000000-0000-0000-0000-000000000002\nnurse\n\nuser\n\n3\n\n\nab01";
        let expected: Hash = Sha256::new().chain_update(BEGINNING).chain_update(lines).finalize().into();
        assert_eq!(sealed.hash(&BEGINNING), expected);
        assert_ne!(sealed.hash(&expected), expected);
        let of_patient = Sealed { patient: Some(Uuid::from_u128(4)), ..sealed };
        let lines = format!("{lines}\n00000000-0000-0000-0000-000000000004");
        let expected: Hash = Sha256::new().chain_update(BEGINNING).chain_update(lines).finalize().into();
        assert_eq!(of_patient.hash(&BEGINNING), expected);
        assert_eq!(hex(&digest(Uuid::nil(), "{}"))[..8], hex(&Sha256::digest([&[0; 16][..], b"{}"].concat()))[..8]);
    }
}
