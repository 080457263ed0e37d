//! People who exist nowhere else: whatever of them turns up in a log, a span or a metric has leaked.

use serde_json::{Value, json};
use uuid::Uuid;

const FAMILY: &str = "Qvortzel";
const GIVEN: &str = "Ybrindax";
const STREET: &str = "Wumblethwaite";
const CITY: &str = "Zyxminster";
const MAILBOX: &str = "kwormhale";
const PHONE: &str = "7719043526";
const IDENTIFIER: &str = "zqkennung";
const BIRTH_DATE: &str = "1857-03-29";
/// What is wrong with them.
pub(crate) const AILMENT: &str = "Xandroquelitis";

/// What may be said of nobody outside of documents and answers, in lower case.
pub(crate) fn secrets_of_everyone() -> Vec<String> {
    [FAMILY, GIVEN, STREET, CITY, MAILBOX, PHONE, IDENTIFIER, BIRTH_DATE, AILMENT].map(str::to_lowercase).to_vec()
}

/// Somebody whom nobody else is.
pub(crate) fn person() -> Value {
    let random = Uuid::now_v7();
    let tail = &random.as_bytes()[8..];
    let letters: String = tail.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let digits: String = tail[4..].iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    json!({
        "name": [{ "family": format!("{FAMILY}{letters}"), "given": [GIVEN] }],
        "gender": "female",
        "birthDate": BIRTH_DATE,
        "telecom": [
            { "system": "phone", "value": format!("+1{PHONE}{digits}") },
            { "system": "email", "value": format!("{MAILBOX}.{letters}@canary.example") },
        ],
        "address": [{ "line": [format!("12 {STREET} Row")], "city": CITY, "postalCode": "12345", "country": "US" }],
        "identifier": [{ "system": "urn:canary", "value": format!("{IDENTIFIER}{letters}") }],
    })
}

/// The family name of a person.
pub(crate) fn family(person: &Value) -> &str {
    person["name"][0]["family"].as_str().unwrap_or_default()
}
