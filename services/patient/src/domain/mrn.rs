//! Medical record numbers: what staff read aloud, so a wrong digit or two digits swapped must show.

use std::fmt;

use uuid::Uuid;

use super::patient::PatientId;

/// Ten opaque digits and a check digit.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Mrn(String);

/// H. Michael Damm, *Total anti-symmetrische Quasigruppen* (2004): finds every wrong digit and every swap of
/// neighbours.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

impl Mrn {
    /// The number of a patient.
    ///
    /// It is drawn from the id, so it says nothing about the person nor about how many there are; two patients can
    /// draw the same number, which the database refuses, and then the next `attempt` draws another.
    pub fn draw(patient: PatientId, attempt: u8) -> Self {
        let drawn = Uuid::new_v5(&patient.as_uuid(), &[attempt]).as_u128() % 10_000_000_000;
        let digits = format!("{drawn:010}");
        let check = check_digit(&digits);
        Self(format!("{digits}{check}"))
    }

    /// Reads a number; refuses one whose check digit is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit());
        (shaped && check_digit(text) == 0).then(|| Self(text.to_owned()))
    }
}

fn check_digit(digits: &str) -> u8 {
    digits.bytes().fold(0, |interim, digit| DAMM[usize::from(interim)][usize::from(digit - b'0')])
}

impl fmt::Display for Mrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_wrong_digit_or_a_swap_shows(id: u128, attempt: u8, at in 0_usize..11, by in 1_u8..10) {
            let mrn = Mrn::draw(PatientId::new(Uuid::from_u128(id)), attempt).to_string();
            prop_assert!(Mrn::parse(&mrn).is_some());

            let mut wrong = mrn.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            prop_assert!(Mrn::parse(std::str::from_utf8(&wrong).unwrap()).is_none());

            let mut swapped = mrn.clone().into_bytes();
            let next = (at + 1) % 11;
            if next > 0 && swapped[at] != swapped[next] {
                swapped.swap(at, next);
                prop_assert!(Mrn::parse(std::str::from_utf8(&swapped).unwrap()).is_none());
            }
        }
    }

    #[test]
    fn another_attempt_draws_another_number() {
        let id = PatientId::new(Uuid::from_u128(7));
        assert_eq!(Mrn::draw(id, 0), Mrn::draw(id, 0));
        assert_ne!(Mrn::draw(id, 0), Mrn::draw(id, 1));
        assert!(Mrn::parse("1234567890").is_none() && Mrn::parse("1234567890a").is_none());
    }
}
