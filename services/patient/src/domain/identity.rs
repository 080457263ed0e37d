//! What makes two records look like one person, and what a record is found by.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::demographics::{BirthDate, ContactSystem, Demographics, Gender, HumanName, NameUse};

/// What a record is found by; kept beside the record so that every reader folds alike.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SearchKeys {
    /// Folded family name.
    pub family: String,
    /// Folded given names.
    pub given: String,
    /// Folded family + first given name + full birth date + sex, when all four are known.
    pub identity: Option<String>,
    /// Digits of phone numbers.
    pub phone: Vec<String>,
    /// E-mail addresses in lower case.
    pub email: Vec<String>,
    /// Folded words that a free-text search finds.
    pub words: Vec<String>,
}

/// Letters and digits alone, without accents and case: what a clerk types and what a passport prints fall together.
pub fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for c in plain {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'ø' => folded.push('o'),
            'œ' => folded.push_str("oe"),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            c if c.is_alphanumeric() => folded.push(c),
            // Hyphens and apostrophes vary with whoever writes; a space keeps the words of a name apart.
            c if c.is_whitespace() && !folded.is_empty() && !folded.ends_with(' ') => folded.push(' '),
            _ => {}
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The digits of a phone number.
pub fn fold_phone(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

impl SearchKeys {
    /// The keys of a person.
    pub fn of(person: &Demographics) -> Self {
        let name = person.identifying_name();
        let family = name.and_then(|name| name.family.as_deref()).map(fold).unwrap_or_default();
        let given: Vec<_> = name.map(|name| name.given.iter().map(|given| fold(given)).collect()).unwrap_or_default();
        let identity = identity(&family, given.first(), person.birth_date, person.gender);
        let contacts = |system| person.telecom.iter().filter(move |telecom| telecom.system == system);
        let mut phone: Vec<_> = contacts(ContactSystem::Phone)
            .chain(contacts(ContactSystem::Sms))
            .map(|telecom| fold_phone(&telecom.value))
            .filter(|digits| !digits.is_empty())
            .collect();
        phone.sort_unstable();
        phone.dedup();
        let email: Vec<_> = contacts(ContactSystem::Email).map(|telecom| telecom.value.to_lowercase()).collect();

        let names = person.name.iter().flat_map(|name| name.family.iter().chain(&name.given));
        let mut words: Vec<_> =
            names.flat_map(|part| fold(part).split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
        words.extend(phone.iter().cloned());
        words.extend(email.iter().cloned());
        words.extend(person.identifier.iter().map(|identifier| fold(&identifier.value)));
        words.retain(|word| !word.is_empty());
        words.sort_unstable();
        words.dedup();
        Self { family, given: given.join(" "), identity, phone, email, words }
    }
}

fn identity(family: &str, given: Option<&String>, born: Option<BirthDate>, gender: Option<Gender>) -> Option<String> {
    let given = given.filter(|given| !given.is_empty() && !family.is_empty())?;
    let Some(BirthDate::Day(born)) = born else { return None };
    let gender = gender.filter(|gender| *gender != Gender::Unknown)?;
    Some(format!("{family}|{given}|{born}|{}", gender.code()))
}

impl Demographics {
    /// The name that a record is filed under: the official one, else the usual one, else the first that is current.
    pub fn identifying_name(&self) -> Option<&HumanName> {
        let of_use = |r#use| self.name.iter().find(|name| name.r#use == Some(r#use));
        let current = || self.name.iter().find(|name| !matches!(name.r#use, Some(NameUse::Old | NameUse::Maiden)));
        of_use(NameUse::Official).or_else(|| of_use(NameUse::Usual)).or_else(current).or(self.name.first())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_fold_together() {
        for (a, b) in [
            ("Müller", "MULLER"),
            ("O'Connor", "oconnor"),
            ("Łukasz", "Lukasz"),
            ("Straße", "STRASSE"),
            ("Anne-Marie", "Annemarie"),
            ("  van  der Berg ", "Van der Berg"),
            ("Nguyễn", "nguyen"),
            ("ﬁnn", "Finn"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("Ann"), fold("Anna"));
        assert_eq!(fold("岡田"), "岡田", "other scripts stay");
    }

    proptest! {
        #[test]
        fn folding_is_done_once(text in "\\PC*") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.clone());
            prop_assert!(!folded.starts_with(' ') && !folded.ends_with(' ') && !folded.contains("  "));
        }
    }

    fn person(family: &str, given: &str, born: &str, gender: Option<Gender>) -> Demographics {
        let name = HumanName { family: Some(family.to_owned()), given: vec![given.to_owned()], ..HumanName::default() };
        Demographics { name: vec![name], gender, birth_date: BirthDate::parse(born).ok(), ..Demographics::default() }
    }

    #[test]
    fn identity_wants_all_four() {
        let identity = |person: &Demographics| SearchKeys::of(person).identity;
        let full = person("Okafor", "Ada", "1984-02-11", Some(Gender::Female));
        assert_eq!(identity(&full).as_deref(), Some("okafor|ada|1984-02-11|female"));
        for lacking in [
            person("Okafor", "Ada", "1984-02", Some(Gender::Female)),
            person("Okafor", "Ada", "1984-02-11", Some(Gender::Unknown)),
            person("Okafor", "Ada", "1984-02-11", None),
            person("-", "Ada", "1984-02-11", Some(Gender::Female)),
            person("Okafor", "'", "1984-02-11", Some(Gender::Female)),
        ] {
            assert_eq!(identity(&lacking), None);
        }
        // A twin differs by the given name, a namesake by the birth date.
        assert_ne!(identity(&full), identity(&person("Okafor", "Ngozi", "1984-02-11", Some(Gender::Female))));
    }
}
