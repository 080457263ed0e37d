//! Demographics in FHIR's JSON: the one door through which requests and stored documents come in.
//!
//! Health records, and what the calendar is made of, have a door each.

pub mod allergy_intolerance;
pub mod calendar;
pub mod condition;
pub mod datatypes;
pub mod encounter;
pub mod exact;
pub mod immunization;
pub mod medication_request;
pub mod note;
pub mod observation;
pub mod procedure;
#[cfg(test)]
mod round_trips;

use email_address::{EmailAddress, Options};
use problem::input::{Findings, Object};
use serde_json::{Map, Value};

use crate::domain::demographics::{
    Address, AddressUse, BirthDate, ContactPoint, ContactSystem, ContactUse, Demographics, Gender, HumanName,
    Identifier, NameUse,
};

/// The longest part of a name, line of an address and the like.
const SHORT: usize = 100;
/// The longest URI, e-mail address and the like.
const LONG: usize = 255;
const CODE: usize = 20;
/// More than this of anything is a mistake or an attack.
const MOST: usize = 20;

/// Reads demographics; what is wrong is noted with a pointer.
pub fn read(body: &mut Object, findings: &mut Findings) -> Demographics {
    body.require("name", findings);
    let name = body.objects("name", MOST, findings).into_iter().map(|object| name(object, findings)).collect();
    Demographics {
        name,
        gender: body.parsed("gender", CODE, findings, Gender::parse),
        birth_date: body.parsed("birthDate", CODE, findings, BirthDate::parse),
        telecom: body
            .objects("telecom", MOST, findings)
            .into_iter()
            .filter_map(|object| telecom(object, findings))
            .collect(),
        address: body.objects("address", MOST, findings).into_iter().map(|object| address(object, findings)).collect(),
        identifier: identifiers(body, findings),
    }
}

fn name(mut object: Object, findings: &mut Findings) -> HumanName {
    let family_pointer = object.pointer("family");
    let name = HumanName {
        r#use: object.parsed("use", CODE, findings, NameUse::parse),
        family: object.text("family", SHORT, findings),
        given: object.texts("given", MOST, SHORT, findings),
        prefix: object.texts("prefix", MOST, SHORT, findings),
        suffix: object.texts("suffix", MOST, SHORT, findings),
    };
    if name.family.is_none() && name.given.is_empty() {
        findings.add(family_pointer, "a name needs a family name or a given name");
    }
    object.finish(findings);
    name
}

fn telecom(mut object: Object, findings: &mut Findings) -> Option<ContactPoint> {
    let value_pointer = object.pointer("value");
    object.require("system", findings);
    let system = object.parsed("system", CODE, findings, ContactSystem::parse);
    let value = object.required_text("value", LONG, findings);
    let r#use = object.parsed("use", CODE, findings, ContactUse::parse);
    object.finish(findings);
    let (system, value) = (system?, value?);
    if let Err(detail) = check_contact(system, &value) {
        findings.add(value_pointer, detail);
    }
    Some(ContactPoint { system, value, r#use })
}

fn check_contact(system: ContactSystem, value: &str) -> Result<(), &'static str> {
    match system {
        ContactSystem::Phone | ContactSystem::Fax | ContactSystem::Sms | ContactSystem::Pager => {
            let digits = value.bytes().filter(u8::is_ascii_digit).count();
            let shaped =
                value.strip_prefix('+').unwrap_or(value).chars().all(|c| c.is_ascii_digit() || " ()-./".contains(c));
            // ITU-T E.164 allows 15 digits.
            if shaped && (3..=15).contains(&digits) {
                Ok(())
            } else {
                Err("must be a phone number of 3 to 15 digits, such as +15555550100")
            }
        }
        ContactSystem::Email => {
            let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
            EmailAddress::parse_with_options(value, options).map(drop).map_err(|_| "must be an e-mail address")
        }
        ContactSystem::Url | ContactSystem::Other => Ok(()),
    }
}

fn address(mut object: Object, findings: &mut Findings) -> Address {
    let pointer = object.pointer("line");
    let address = Address {
        r#use: object.parsed("use", CODE, findings, AddressUse::parse),
        line: object.texts("line", MOST, LONG, findings),
        city: object.text("city", SHORT, findings),
        state: object.text("state", SHORT, findings),
        postal_code: object.text("postalCode", CODE, findings),
        country: object.text("country", SHORT, findings),
    };
    if address == (Address { r#use: address.r#use, ..Address::default() }) {
        findings.add(pointer, "an address needs more than its use");
    }
    object.finish(findings);
    address
}

fn identifiers(body: &mut Object, findings: &mut Findings) -> Vec<Identifier> {
    let mut identifiers: Vec<Identifier> = Vec::new();
    for mut object in body.objects("identifier", MOST, findings) {
        let pointer = object.pointer("value");
        let system = object.required_text("system", LONG, findings);
        let value = object.required_text("value", SHORT, findings);
        object.finish(findings);
        let (Some(system), Some(value)) = (system, value) else { continue };
        let identifier = Identifier { system, value };
        if identifiers.contains(&identifier) {
            findings.add(pointer, "is given twice");
        }
        identifiers.push(identifier);
    }
    identifiers
}

/// Writes demographics: absent is left out, as FHIR wants it.
pub fn write(person: &Demographics, into: &mut Map<String, Value>) {
    put_list(
        into,
        "name",
        person.name.iter().map(|name| {
            let mut object = Map::new();
            put(&mut object, "use", name.r#use.map(NameUse::code));
            put(&mut object, "family", name.family.as_deref());
            put_list(&mut object, "given", name.given.iter().cloned());
            put_list(&mut object, "prefix", name.prefix.iter().cloned());
            put_list(&mut object, "suffix", name.suffix.iter().cloned());
            object
        }),
    );
    put(into, "gender", person.gender.map(Gender::code));
    put(into, "birthDate", person.birth_date.map(|born| born.to_string()));
    put_list(
        into,
        "telecom",
        person.telecom.iter().map(|telecom| {
            let mut object = Map::new();
            put(&mut object, "system", Some(telecom.system.code()));
            put(&mut object, "value", Some(telecom.value.as_str()));
            put(&mut object, "use", telecom.r#use.map(ContactUse::code));
            object
        }),
    );
    put_list(
        into,
        "address",
        person.address.iter().map(|address| {
            let mut object = Map::new();
            put(&mut object, "use", address.r#use.map(AddressUse::code));
            put_list(&mut object, "line", address.line.iter().cloned());
            put(&mut object, "city", address.city.as_deref());
            put(&mut object, "state", address.state.as_deref());
            put(&mut object, "postalCode", address.postal_code.as_deref());
            put(&mut object, "country", address.country.as_deref());
            object
        }),
    );
    put_list(
        into,
        "identifier",
        person.identifier.iter().map(|identifier| {
            let mut object = Map::new();
            put(&mut object, "system", Some(identifier.system.as_str()));
            put(&mut object, "value", Some(identifier.value.as_str()));
            object
        }),
    );
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

fn put_list<T: Into<Value>>(object: &mut Map<String, Value>, name: &str, items: impl Iterator<Item = T>) {
    let items: Vec<Value> = items.map(Into::into).collect();
    if !items.is_empty() {
        object.insert(name.to_owned(), items.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(value: Value) -> Result<Demographics, Vec<String>> {
        let mut findings = Findings::default();
        let mut body = problem::input::object(value).unwrap();
        let person = read(&mut body, &mut findings);
        body.finish(&mut findings);
        findings
            .into_result(Some(person))
            .map_err(|problem| problem.errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn what_is_read_is_written_alike() {
        let value = json!({
            "name": [{ "use": "official", "family": "Okafor", "given": ["Ada", "Ngozi"], "prefix": ["Dr"] }],
            "gender": "female",
            "birthDate": "1984-02-11",
            "telecom": [{ "system": "phone", "value": "+1 (555) 555-0100", "use": "mobile" },
                        { "system": "email", "value": "ada@example.org" }],
            "address": [{ "line": ["12 High Street"], "city": "Springfield", "postalCode": "12345", "country": "US" }],
            "identifier": [{ "system": "http://hl7.org/fhir/sid/us-ssn", "value": "123" }],
        });
        let mut written = Map::new();
        write(&read_json(value.clone()).unwrap(), &mut written);
        assert_eq!(Value::Object(written), value);
    }

    #[test]
    fn every_wrong_field_has_its_pointer() {
        let found = read_json(json!({
            "name": [{ "use": "nickname" }, { "family": "x", "middle": "y" }],
            "gender": "F",
            "birthDate": "1984-02-30",
            "telecom": [{ "value": "1" }, { "system": "phone", "value": "call me" }, { "system": "email", "value": "a@b" }],
            "address": [{ "use": "home" }],
            "identifier": [{ "system": "s", "value": "1" }, { "system": "s", "value": "1" }, { "system": "s" }],
            "shoeSize": 41,
        }));
        assert_eq!(
            found.unwrap_err(),
            [
                "/name/0/family",
                "/name/1/middle",
                "/gender",
                "/birthDate",
                "/telecom/0/system",
                "/telecom/1/value",
                "/telecom/2/value",
                "/address/0/line",
                "/identifier/1/value",
                "/identifier/2/value",
                "/shoeSize",
            ]
        );
        assert_eq!(read_json(json!({})).unwrap_err(), ["/name"]);
    }
}
