//! National Provider Identifiers; 45 CFR 162.406, ISO/IEC 7812 for the check digit.

use serde::{Deserialize, Serialize};

/// What an identifier of the US health system begins with on a card. It stands before the ten digits when the check
/// digit is computed.
const PREFIX: &str = "80840";

/// A provider's number as it was given, which may be wrong: a draft can wait until it is right.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Npi(pub String);

impl Npi {
    /// Whether it has ten digits, the last of which is the check digit of the others (Luhn).
    pub fn is_valid(&self) -> bool {
        let digits = self.0.bytes().all(|byte| byte.is_ascii_digit());
        digits && self.0.len() == 10 && luhn(PREFIX.bytes().chain(self.0.bytes())).is_multiple_of(10)
    }
}

/// The sum in which every second digit from the right is doubled.
fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> u32 {
    let values = digits.rev().map(|digit| u32::from(digit - b'0')).enumerate();
    values.map(|(at, value)| if at % 2 == 0 { value } else { value * 2 / 10 + value * 2 % 10 }).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn valid(digits: &str) -> bool {
        Npi(digits.to_owned()).is_valid()
    }

    #[test]
    fn only_ten_digits_with_their_check_digit_are_a_number() {
        // The example of the standard: 24 of the prefix and 43 of 123456789 make 67, and 3 make 70.
        assert!(valid("1234567893"));
        for wrong in ["", "1234567890", "123456789", "12345678933", "12345678-3", "123456789٣", "2134567893"] {
            assert!(!valid(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn one_digit_of_ten_fits_and_a_wrong_one_shows(nine in 0_u32..1_000_000_000, at in 0_usize..10, by in 1_u8..10) {
            let fitting: Vec<_> = (0..10).map(|check| format!("{nine:09}{check}")).filter(|npi| valid(npi)).collect();
            prop_assert_eq!(fitting.len(), 1);
            let mut wrong = fitting[0].clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            prop_assert!(!valid(std::str::from_utf8(&wrong).unwrap()));
        }
    }
}
