//! Reading.

use serde::Serialize;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::Registry;
use crate::{
    domain::{
        identity::{fold, fold_phone},
        patient::PatientId,
    },
    outbound::patients::{Page, Versioned},
};

/// What is searched for; every filter narrows the result.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// Words of names, an MRN, a phone number, an identifier: each by its beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<IdentifierFilter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Uuid>,
    limit: u16,
}

#[derive(Debug, Serialize)]
struct IdentifierFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    value: String,
}

impl Search {
    /// A search for everyone, a page of `limit` from the beginning.
    pub fn new(limit: u16) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Words as a clerk types them; a phone number may hold spaces and dashes.
    pub fn query(&mut self, text: &str) {
        let folded = fold(text);
        let phone = text.chars().all(|c| c.is_ascii_digit() || " +()-./".contains(c));
        self.words = match () {
            () if phone => vec![fold_phone(text)],
            () if text.contains('@') => vec![text.trim().to_lowercase()],
            () => folded.split(' ').map(str::to_owned).collect(),
        };
        self.words.retain(|word| !word.is_empty());
    }

    /// The beginning of a family name.
    pub fn family(&mut self, text: &str) {
        self.family = Some(fold(text));
    }

    /// The beginning of a given name.
    pub fn given(&mut self, text: &str) {
        self.given = Some(fold(text));
    }

    /// A birth date, possibly partial.
    pub fn birth_date(&mut self, text: &str) {
        self.birth_date = Some(text.to_owned());
    }

    /// A whole phone number.
    pub fn phone(&mut self, text: &str) {
        self.phone = Some(fold_phone(text));
    }

    /// A whole e-mail address.
    pub fn email(&mut self, text: &str) {
        self.email = Some(text.to_lowercase());
    }

    /// An identifier, `system|value` or the value alone; <http://hl7.org/fhir/R4/search.html#token>.
    pub fn identifier(&mut self, text: &str) {
        let (system, value) = text.rsplit_once('|').map_or((None, text), |(system, value)| (Some(system), value));
        let system = system.filter(|system| !system.is_empty()).map(str::to_owned);
        self.identifier = Some(IdentifierFilter { system, value: value.to_owned() });
    }

    /// The patient that the previous page ended with.
    pub fn after(&mut self, id: PatientId) {
        self.after = Some(id.as_uuid());
    }
}

impl Registry {
    /// A patient by id.
    pub async fn find(&self, id: PatientId) -> Result<Option<Versioned>, Failure> {
        Ok(self.patients.get(id).await?.map(|loaded| loaded.current))
    }

    /// A page of those who match.
    pub async fn search(&self, search: &Search) -> Result<Page, Failure> {
        self.patients.search(search).await
    }
}
