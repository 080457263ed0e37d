//! People who are registered, and what is amended of them; each has a name that nobody else has.

use rand::{Rng, seq::IndexedRandom as _};
use serde_json::{Map, Value, json};

const FAMILIES: [&str; 10] = [
    "Okafor",
    "Müller",
    "O'Connor",
    "Nguyễn",
    "岡田",
    "van der Berg",
    "Łukasiewicz",
    "Ólafsdóttir",
    "Straße",
    "Ғабитов",
];
const GIVEN: [&str; 9] = ["Ada", "Jürgen", "Anne-Marie", "Đức", "花子", "Zoë", "Søren", "José", "Ngozi"];
const SECOND_USES: [&str; 3] = ["old", "maiden", "nickname"];
const KNOWN_GENDERS: [&str; 3] = ["female", "male", "other"];

/// The name space of their identifiers.
const IDENTIFIERS: &str = "urn:chaos:number";

/// Somebody new. `tag` is of letters and digits, and no other person's.
pub(crate) fn person(random: &mut impl Rng, tag: &str) -> Value {
    let family = format!("{} {tag}", pick(random, &FAMILIES));
    let mut given = vec![pick(random, &GIVEN)];
    while random.random_bool(0.3) && given.len() < 3 {
        given.push(pick(random, &GIVEN));
    }
    let mut first = json!({ "family": family, "given": given });
    if random.random_bool(0.5) {
        first["use"] = "official".into();
    }
    let mut names = vec![first];
    if random.random_bool(0.25) {
        names.push(json!({ "use": pick(random, &SECOND_USES), "family": pick(random, &FAMILIES), "prefix": ["Dr"] }));
    }
    let mut person = Map::new();
    person.insert("name".to_owned(), names.into());
    match random.random_range(0..10) {
        0 => {}
        1 => drop(person.insert("gender".to_owned(), "unknown".into())),
        _ => drop(person.insert("gender".to_owned(), pick(random, &KNOWN_GENDERS).into())),
    }
    if let Some(born) = birth_date(random) {
        person.insert("birthDate".to_owned(), born.into());
    }
    if random.random_bool(0.6) {
        person.insert("telecom".to_owned(), telecom(random, tag));
    }
    if random.random_bool(0.4) {
        person.insert("address".to_owned(), address(random));
    }
    if random.random_bool(0.4) {
        let mut identifiers = vec![json!({ "system": IDENTIFIERS, "value": tag })];
        if random.random_bool(0.3) {
            identifiers.push(json!({ "system": "urn:chaos:passport", "value": format!("P-{tag}") }));
        }
        person.insert("identifier".to_owned(), identifiers.into());
    }
    Value::Object(person)
}

/// Whether name, birth date and sex say who it is.
pub(crate) fn has_identity(person: &Value) -> bool {
    person["birthDate"].as_str().is_some_and(|born| born.len() == 10)
        && person["gender"].as_str().is_some_and(|gender| gender != "unknown")
}

/// The same person as another clerk would write them down; none when nothing shows that it is the same.
pub(crate) fn duplicate(random: &mut impl Rng, person: &Value, tag: &str) -> Option<Value> {
    let identifier = person["identifier"].as_array().and_then(|all| all.choose(random));
    if has_identity(person) && (identifier.is_none() || random.random_bool(0.7)) {
        let name = &person["name"][0];
        let upper = |text: &Value| text.as_str().unwrap_or_default().to_uppercase();
        return Some(json!({
            "name": [{ "family": upper(&name["family"]), "given": [upper(&name["given"][0])] }],
            "gender": person["gender"],
            "birthDate": person["birthDate"],
        }));
    }
    identifier.map(
        |held| json!({ "name": [{ "family": format!("Other {tag}"), "given": ["Person"] }], "identifier": [held] }),
    )
}

/// A merge patch that changes something in any case, and never who it is.
pub(crate) fn patch(random: &mut impl Rng, person: &Value, tag: &str) -> Value {
    let mut patch = Map::new();
    patch.insert("telecom".to_owned(), telecom(random, tag));
    match random.random_range(0..5) {
        0 => drop(patch.insert("address".to_owned(), address(random))),
        1 => drop(patch.insert("address".to_owned(), Value::Null)),
        2 => drop(patch.insert("active".to_owned(), random.random_bool(0.5).into())),
        _ => {}
    }
    if !has_identity(person) && person["birthDate"].as_str().is_none_or(|born| born.len() < 10) {
        patch.insert("gender".to_owned(), pick(random, &KNOWN_GENDERS).into());
        if random.random_bool(0.5) {
            patch.insert(
                "birthDate".to_owned(),
                format!("{}-0{}", random.random_range(1930..2020), random.random_range(1..10)).into(),
            );
        }
    }
    Value::Object(patch)
}

fn birth_date(random: &mut impl Rng) -> Option<String> {
    let (year, month, day) = (random.random_range(1920..2026), random.random_range(1..13), random.random_range(1..29));
    match random.random_range(0..10) {
        0 => None,
        1 => Some(format!("{year}")),
        2 => Some(format!("{year}-{month:02}")),
        _ => Some(format!("{year}-{month:02}-{day:02}")),
    }
}

fn telecom(random: &mut impl Rng, tag: &str) -> Value {
    let number = random.random_range(100_000_000_u64..999_999_999);
    json!([{ "system": "phone", "value": format!("+1 {number}"), "use": "mobile" },
           { "system": "email", "value": format!("{tag}@chaos.example") }])
}

fn address(random: &mut impl Rng) -> Value {
    let number: u16 = random.random_range(1..400);
    json!([{ "line": [format!("{number} High Street")], "city": "Springfield", "postalCode": "12345", "country": "US" }])
}

fn pick<'a>(random: &mut impl Rng, from: &[&'a str]) -> &'a str {
    from.choose(random).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn an_amendment_never_makes_another_person() {
        let mut random = StdRng::seed_from_u64(1);
        for n in 0..500 {
            let mut amended = person(&mut random, &format!("t{n}"));
            let patch = patch(&mut random, &amended, &format!("p{n}"));
            assert!(patch["name"].is_null() && patch["identifier"].is_null(), "{patch}");
            let had = has_identity(&amended);
            for (name, value) in patch.as_object().unwrap() {
                amended[name] = value.clone();
            }
            assert_eq!(has_identity(&amended), had, "{amended}");
            assert!(!had || patch.get("gender").is_none());
        }
    }
}
