//! Whether a password is good enough to be chosen.
//!
//! NIST SP 800-63B-4, section 3.1.1.2: long, none that others would try first, and no rule about its letters.

use std::borrow::Cow;

use zxcvbn::{Score, feedback::Feedback, zxcvbn};

use super::super::email_address::EmailAddress;

/// NIST SP 800-63B-4: characters of a password that is all there is.
pub const SHORTEST_ALONE: usize = 15;
/// Characters of a password that a second factor stands beside.
pub const SHORTEST_WITH_FACTOR: usize = 8;

/// What is judged of a long password: the cost grows with the square, and what is strong so far stays strong.
const JUDGED: usize = 100;
/// Changes that make another text of an address.
const NEAR: usize = 5;
/// Fewer letters are in every word.
const SHORTEST_PART: usize = 3;

/// Words of this system and of a clinic, which a stranger tries first.
const CONTEXT: [&str; 40] = [
    "patient",
    "patients",
    "management",
    "system",
    "pms",
    "patientmanagement",
    "clinic",
    "clinical",
    "hospital",
    "practice",
    "surgery",
    "ward",
    "health",
    "healthcare",
    "medical",
    "medicine",
    "medication",
    "doctor",
    "physician",
    "nurse",
    "nursing",
    "frontdesk",
    "reception",
    "receptionist",
    "biller",
    "billing",
    "invoice",
    "insurance",
    "analyst",
    "analytics",
    "privacy",
    "officer",
    "admin",
    "administrator",
    "appointment",
    "diagnosis",
    "gateway",
    "service",
    "welcome",
    "example",
];

/// Long ones that many have thought of, without blanks and marks.
const COMMON: [&str; 28] = [
    "abcdefghijklmnopqrstuvwxyz",
    "allyourbasearebelongtous",
    "changemechangeme",
    "correctbatteryhorsestaple",
    "correcthorsebatterystaple",
    "donttellanyone",
    "everythingisawesome",
    "giveapeaceachance",
    "ihatepasswords",
    "iloveyouiloveyou",
    "inthebeginningwastheword",
    "itwasthebestoftimes",
    "letmeinletmeinletmein",
    "liveandletdie",
    "maytheforcebewithyou",
    "mypasswordispassword",
    "onceuponatime",
    "openthedoorplease",
    "passwordpassword",
    "qwertyuiopasdfghjklzxcvbnm",
    "supercalifragilisticexpialidocious",
    "thequickbrownfoxjumpsoverthelazydog",
    "theresnoplacelikehome",
    "thisismypassword",
    "tobeornottobethatisthequestion",
    "trustno1trustno1",
    "winteriscoming",
    "youshallnotpass",
];
/// What may stand beside one of them without making it another.
const DECORATION: usize = 6;

/// For whom a password is chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What they sign in with.
    pub email: EmailAddress,
    /// Whether a second factor stands beside the password.
    pub second_factor: bool,
}

/// Why a password is not good enough.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Weak {
    /// Fewer characters than that.
    #[error("must have at least {0} characters")]
    Short(usize),
    /// The address, or nearly.
    #[error("must not be made of the e-mail address")]
    Similar,
    /// Hardly anything but what everybody here knows.
    #[error("must not be made of words of the clinic or of the e-mail address")]
    Context,
    /// Others have thought of it.
    #[error(
        "is one that many people choose, and that is tried first; take several words that have nothing to do with each other"
    )]
    Common,
    /// A program would find it.
    #[error("is easy to guess{0}; take several words that have nothing to do with each other or with the clinic")]
    Guessable(Cow<'static, str>),
}

/// Judges a password for somebody. Takes milliseconds at most, however long it is.
pub fn judge(password: &str, choice: &Choice) -> Result<(), Weak> {
    let shortest = if choice.second_factor { SHORTEST_WITH_FACTOR } else { SHORTEST_ALONE };
    if password.chars().count() < shortest {
        return Err(Weak::Short(shortest));
    }
    let judged: String = password.chars().take(JUDGED).collect();
    let folded = fold(&judged);
    let email = choice.email.as_str();
    let whole = fold(email);
    let of_address: Vec<_> = parts(email).map(fold).chain([whole.clone()]).collect();
    if distance(&folded, &whole) < NEAR || is_made_of(&folded, &of_address) {
        return Err(Weak::Similar);
    }
    let known: Vec<_> = of_address.into_iter().chain(CONTEXT.map(str::to_owned)).collect();
    if is_made_of(&folded, &known) {
        return Err(Weak::Context);
    }
    let is_common = |known: &&str| folded.len() <= known.len() + DECORATION && folded.contains(*known);
    if COMMON.iter().any(is_common) {
        return Err(Weak::Common);
    }
    let known: Vec<_> = known.iter().map(String::as_str).chain([email]).collect();
    let entropy = zxcvbn(&judged, &known);
    // Beside a second factor a password holds out against those who may try a few times only; eight characters of any
    // sort reach no more than two.
    let enough = if choice.second_factor { Score::Two } else { Score::Four };
    if entropy.score() >= enough {
        return Ok(());
    }
    let warning = entropy.feedback().and_then(Feedback::warning);
    Err(Weak::Guessable(
        warning.map_or(Cow::Borrowed(""), |warning| {
            Cow::Owned(format!(" ({})", warning.to_string().trim_end_matches('.')))
        }),
    ))
}

/// The words of an address.
fn parts(email: &str) -> impl Iterator<Item = &str> {
    let local = email.split('@').next();
    email.split(|letter: char| !letter.is_alphanumeric()).chain(local).filter(|part| part.len() >= SHORTEST_PART)
}

/// Letters and digits in lower case.
fn fold(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether less than half of a password is left without these words.
fn is_made_of(folded: &str, words: &[String]) -> bool {
    let mut longest_first: Vec<_> = words.iter().collect();
    longest_first.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let left = longest_first.iter().fold(folded.to_owned(), |left, word| left.replace(word.as_str(), ""));
    left.len() * 2 < folded.len()
}

/// Levenshtein's, of bytes.
fn distance(one: &str, other: &str) -> usize {
    let other = other.as_bytes();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, byte) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, also) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(byte != *also);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn choice(second_factor: bool) -> Choice {
        Choice { email: EmailAddress::parse("ada.lovelace@springfield-clinic.example").unwrap(), second_factor }
    }

    fn alone(password: &str) -> Result<(), Weak> {
        judge(password, &choice(false))
    }

    #[test]
    fn a_long_password_of_any_letters_is_good() {
        for good in [
            "gravel sonnet oblique teapot",
            "gravelsonnetobliqueteapot",
            "Tr7$kq!92zLmWx#",
            "83741926504817263",
            "кошка громко пела на крыше утром",
            &"gravel sonnet oblique teapot ".repeat(8),
        ] {
            assert_eq!(alone(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_others_would_try_is_refused_with_a_reason() {
        for (bad, reason) in [
            ("x7#Kq!92zLmWx$", "at least 15"),
            ("ääääääääääääää", "at least 15"),
            ("aaaaaaaaaaaaaaaaaaaa", "easy to guess"),
            ("123456789012345", "easy to guess"),
            ("qwertyuiopasdfgh", "easy to guess"),
            ("passwordpassword1", "many people"),
            ("Correct Horse Battery Staple!", "many people"),
            ("patientmanagement1", "words of the clinic"),
            ("Patient-Management-2026", "words of the clinic"),
            ("Ada, nurse of the Clinic", "words of the clinic"),
            ("clinic1234567890", "easy to guess"),
            ("ada.lovelace@springfield-clinic.example", "e-mail"),
            ("Ada.Lovelace@springfield-clinic.exmple1", "e-mail"),
            ("lovelace-ada-lovelace", "e-mail"),
            ("springfield-ada-2026", "e-mail"),
            (&"a".repeat(256), "easy to guess"),
        ] {
            let said = alone(bad).unwrap_err().to_string();
            assert!(said.contains(reason), "{bad}: {said}");
            assert!(!said.contains(bad), "{said}");
        }
    }

    #[test]
    fn beside_a_second_factor_eight_characters_can_do() {
        let both = |password| (judge(password, &choice(true)), alone(password));
        assert_eq!(both("v9#Lq!2z"), (Ok(()), Err(Weak::Short(15))));
        assert_eq!(both("v9#Lq!2").0, Err(Weak::Short(8)));
        assert!(both("password").0.is_err());
    }

    #[test]
    fn judging_is_quick_however_long_a_password_is() {
        for long in ["a1!".repeat(100), "qwertz 1984 ".repeat(30), "password".repeat(40), "ß".repeat(256)] {
            let begun = Instant::now();
            let _ = alone(&long);
            // Unoptimised, on a busy machine.
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_is_judged(text in "\\PC{0,40}") {
            let _ = alone(&text);
        }

        #[test]
        fn a_distance_is_that_of_single_changes(text in "[a-c]{0,12}", at in 0..12_usize) {
            prop_assert_eq!(distance(&text, &text), 0);
            if at < text.len() {
                let mut shorter = text.clone();
                shorter.remove(at);
                prop_assert_eq!(distance(&text, &shorter), 1);
            }
        }
    }
}
