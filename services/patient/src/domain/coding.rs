//! Codes of the field, stored as they were given; what a system's codes look like is checked, what they mean is not.
//!
//! <http://hl7.org/fhir/R4/datatypes.html#Coding>

use serde::Serialize;

/// <http://snomed.info/sct>
pub const SNOMED_CT: &str = "http://snomed.info/sct";
/// <http://loinc.org>
pub const LOINC: &str = "http://loinc.org";
/// <http://hl7.org/fhir/R4/icd.html>
pub const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
/// <http://hl7.org/fhir/R4/rxnorm.html>
pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
/// <http://hl7.org/fhir/R4/cvx.html>
pub const CVX: &str = "http://hl7.org/fhir/sid/cvx";
/// <http://unitsofmeasure.org>
pub const UCUM: &str = "http://unitsofmeasure.org";

/// The longest unit that anybody writes is far shorter.
const LONGEST_UNIT: usize = 50;

/// A code of a system.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coding {
    /// The URI of the system.
    pub system: String,
    /// The release of the system, where it matters.
    pub version: Option<String>,
    /// The code.
    pub code: String,
    /// What the system calls it.
    pub display: Option<String>,
}

/// A concept: by codes, by words, or by both.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeableConcept {
    /// The same in several systems.
    pub coding: Vec<Coding>,
    /// In the words of who wrote it.
    pub text: Option<String>,
}

/// A remark.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Annotation {
    /// What it says.
    pub text: String,
}

impl Coding {
    /// Whether both are the same code of the same system.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.system, &self.code) == (&other.system, &other.code)
    }
}

impl CodeableConcept {
    /// The concept of one code of a closed set.
    pub fn of(system: &str, code: &str) -> Self {
        let coding = Coding { system: system.to_owned(), version: None, code: code.to_owned(), display: None };
        Self { coding: vec![coding], text: None }
    }

    /// Whether both have a code in common, which is what makes two concepts the same to FHIR's invariants.
    pub fn shares_code(&self, other: &Self) -> bool {
        self.coding.iter().any(|own| other.coding.iter().any(|coding| own.is_same(coding)))
    }
}

/// Whether a system is named as FHIR wants it: by an absolute URI.
pub fn check_system(system: &str) -> Result<(), &'static str> {
    let (scheme, rest) = system.split_once(':').unwrap_or_default();
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    if named && !rest.is_empty() && !system.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err("must be an absolute URI such as http://loinc.org")
    }
}

/// Whether a code looks like one of its system. Of a system that is not known here, every code does.
pub fn check_code(system: &str, code: &str) -> Result<(), &'static str> {
    let fits = |fits, detail| if fits { Ok(()) } else { Err(detail) };
    match system {
        SNOMED_CT => fits(is_snomed(code), "must be a SNOMED CT identifier: 6 to 18 digits, the last a check digit"),
        LOINC => fits(is_loinc(code), "must be a LOINC code such as 8480-6, the last digit a check digit"),
        ICD_10_CM => fits(is_icd_10_cm(code), "must be an ICD-10-CM code such as E11.9"),
        RXNORM => fits(is_number(code, 8) && !code.starts_with('0'), "must be an RxNorm identifier: 1 to 8 digits"),
        CVX => fits(is_number(code, 3), "must be a CVX code: 1 to 3 digits"),
        UCUM => fits(is_ucum(code), "must be a UCUM unit such as mm[Hg]"),
        _ => Ok(()),
    }
}

fn is_number(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_snomed(code: &str) -> bool {
    is_number(code, 18) && code.len() >= 6 && !code.starts_with('0') && verhoeff(code)
}

/// Whether the last digit is Verhoeff's: the sum in the symmetries of a pentagon, each digit turned by its place.
fn verhoeff(digits: &str) -> bool {
    /// The sum of two elements of the dihedral group of order ten.
    fn sum(a: u8, b: u8) -> u8 {
        match (a < 5, b < 5) {
            (true, true) => (a + b) % 5,
            (true, false) => (a + b) % 5 + 5,
            (false, true) => (a + 5 - b) % 5 + 5,
            (false, false) => (a + 5 - b) % 5,
        }
    }
    const TURN: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let turned = |digit: u8, times: usize| (0..times % 8).fold(digit, |digit, _| TURN[usize::from(digit)]);
    digits.bytes().rev().enumerate().fold(0, |total, (place, digit)| sum(total, turned(digit - b'0', place))) == 0
}

/// Terms have a check digit by Luhn; answers, lists, parts and groups (`LA6576-8`) have one by a rule of their own.
fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else { return false };
    let other = ["LA", "LL", "LP", "LG"].iter().find_map(|prefix| number.strip_prefix(prefix));
    if !is_number(check, 1) || !is_number(other.unwrap_or(number), 8) {
        return false;
    }
    other.is_some() || luhn(number) == check.as_bytes()[0] - b'0'
}

fn luhn(digits: &str) -> u8 {
    let doubled = |digit: u8| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let sum = digits
        .bytes()
        .rev()
        .map(|byte| byte - b'0')
        .enumerate()
        .fold(0, |sum, (place, digit)| (sum + if place % 2 == 0 { doubled(digit) } else { digit }) % 10);
    (10 - sum) % 10
}

fn is_icd_10_cm(code: &str) -> bool {
    let (category, rest) = code.split_once('.').map_or((code, None), |(category, rest)| (category, Some(rest)));
    let upper = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let [letter, digit, third] = category.as_bytes() else { return false };
    letter.is_ascii_uppercase()
        && digit.is_ascii_digit()
        && (third.is_ascii_digit() || b"AB".contains(third))
        && rest.is_none_or(|rest| (1..=4).contains(&rest.len()) && rest.as_bytes().iter().all(upper))
}

fn is_ucum(code: &str) -> bool {
    let closed = |open, close| {
        let mut depth = 0_i32;
        let never_less = code.chars().all(|c| {
            depth += i32::from(c == open) - i32::from(c == close);
            depth >= 0
        });
        never_less && depth == 0
    };
    (1..=LONGEST_UNIT).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_graphic())
        && [('[', ']'), ('{', '}'), ('(', ')')].into_iter().all(|(open, close)| closed(open, close))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_of_each_system_are_taken() {
        for (system, codes) in [
            (SNOMED_CT, &["271649006", "38341003", "22298006", "100005", "900000000000207008"][..]),
            (LOINC, &["8480-6", "8462-4", "85354-9", "8867-4", "29463-7", "34109-9", "LA6576-8"]),
            (ICD_10_CM, &["E11.9", "I10", "Z3A.01", "S72.001A", "C7A.00", "O9A.111"]),
            (RXNORM, &["314076", "7"]),
            (CVX, &["208", "08", "3"]),
            (UCUM, &["mm[Hg]", "kg/m2", "{beats}/min", "%", "10*3/uL", "(ab)"]),
            ("urn:oid:1.2.3", &["what-ever"]),
        ] {
            for code in codes {
                assert_eq!(check_code(system, code), Ok(()), "{system} {code}");
            }
        }
    }

    #[test]
    fn what_is_no_code_of_its_system_is_refused() {
        for (system, codes) in [
            (SNOMED_CT, &["271649007", "12345", "0271649006", "2716490O6", "1234567890123456789"][..]),
            (LOINC, &["8480-5", "84806", "8480-", "-6", "8480-66", "LX12-3", "x-1"]),
            (ICD_10_CM, &["e11.9", "E1", "E11.", "11.9", "E11.12345", "EE1", "E1C", "E11.9.1"]),
            (RXNORM, &["0314076", "3140x", "123456789", ""]),
            (CVX, &["2080", "x", ""]),
            (UCUM, &["mm Hg", "mm[Hg", "]mm[", "{a", ""]),
        ] {
            for code in codes {
                assert!(check_code(system, code).is_err(), "{system} {code}");
            }
        }
    }

    #[test]
    fn a_system_is_an_absolute_uri() {
        for good in [SNOMED_CT, "urn:oid:2.16.840", "https://clinic.example/codes"] {
            assert_eq!(check_system(good), Ok(()), "{good}");
        }
        for bad in ["loinc", "", ":x", "http:", "http://a b", "1a:b"] {
            assert!(check_system(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Verhoeff's promise: no digit mistyped and no two neighbours swapped goes unnoticed.
        #[test]
        fn a_mistyped_snomed_code_is_noticed(number in 10_000_u64..99_999_999, place in 0_usize..9, by in 1_u8..10) {
            let with_check = (0..10).map(|check| format!("{number}{check}")).find(|code| verhoeff(code));
            let code = with_check.expect("one of ten fits");
            let place = place % code.len();
            let mut wrong = code.clone().into_bytes();
            wrong[place] = (wrong[place] - b'0' + by) % 10 + b'0';
            prop_assert!(!verhoeff(std::str::from_utf8(&wrong).unwrap()));
            let mut swapped = code.clone().into_bytes();
            swapped.swap(place, (place + 1).min(code.len() - 1));
            prop_assert!(swapped == code.as_bytes() || !verhoeff(std::str::from_utf8(&swapped).unwrap()));
        }

        #[test]
        fn a_mistyped_digit_of_a_loinc_code_is_noticed(number in 1_u32..9_999_999, check in 0_u8..10) {
            prop_assert_eq!(is_loinc(&format!("{number}-{check}")), luhn(&number.to_string()) == check);
        }

        #[test]
        fn no_text_breaks_a_check(code in ".*") {
            for system in [SNOMED_CT, LOINC, ICD_10_CM, RXNORM, CVX, UCUM] {
                let _ = check_code(system, &code);
            }
            let _ = check_system(&code);
        }
    }
}
