//! Payers: insurers, and whoever else pays for patients; <http://hl7.org/fhir/R4/organization.html>.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::claim::{Filing, deadlines::Windows};
pub use super::ids::PayerId;

/// How many days a payer may give for a claim, or for an appeal.
const DAYS_GIVEN: RangeInclusive<u16> = 1..=3_650;
/// How many days before the end somebody may be told.
const DAYS_BEFORE: RangeInclusive<u16> = 0..=365;
/// X12 NM109.
const LENGTH_OF_ID: RangeInclusive<usize> = 2..=80;

/// Who pays.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payer {
    /// What it is called by.
    pub id: PayerId,
    /// What people call it.
    pub name: String,
    /// The id that clearing houses know it by, X12 NM109.
    pub electronic_id: String,
    /// What kind of payer it is.
    pub filing: Filing,
    /// How long it waits for a claim and for an appeal.
    pub windows: Windows,
}

/// What is wrong with a payer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where, as the payer's data has it.
    pub pointer: &'static str,
    /// What.
    pub words: &'static str,
}

impl Payer {
    /// Everything that is wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_id = LENGTH_OF_ID.contains(&self.electronic_id.len()) && self.electronic_id.bytes().all(plain);
        let Windows { filing_days, appeal_days, alert_days } = self.windows;
        let given = "must be from 1 to 3650";
        let rules = [
            (is_id, "/electronicId", "must be 2 to 80 letters, digits and hyphens"),
            (DAYS_GIVEN.contains(&filing_days), "/windows/filingDays", given),
            (DAYS_GIVEN.contains(&appeal_days), "/windows/appealDays", given),
            (DAYS_BEFORE.contains(&alert_days), "/windows/alertDays", "must be from 0 to 365"),
        ];
        let broken = rules.into_iter().filter(|(is_kept, ..)| !is_kept);
        broken.map(|(_, pointer, words)| Fault { pointer, words }).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn payer() -> Payer {
        Payer {
            id: PayerId(Uuid::from_u128(1)),
            name: "Cascade Mutual".to_owned(),
            electronic_id: "CASC-01".to_owned(),
            filing: Filing::Commercial,
            windows: Windows { filing_days: 90, appeal_days: 180, alert_days: 14 },
        }
    }

    fn pointers(payer: &Payer) -> Vec<&'static str> {
        payer.faults().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn the_bounds_of_everything_are_good_and_what_is_beyond_is_not() {
        assert_eq!(payer().faults(), []);
        for (filing_days, appeal_days, alert_days) in [(1, 1, 0), (3_650, 3_650, 365)] {
            let windows = Windows { filing_days, appeal_days, alert_days };
            assert_eq!(Payer { windows, ..payer() }.faults(), []);
        }
        let wrong = Payer {
            electronic_id: "A".to_owned(),
            windows: Windows { filing_days: 0, appeal_days: 3_651, alert_days: 366 },
            ..payer()
        };
        let all = ["/electronicId", "/windows/filingDays", "/windows/appealDays", "/windows/alertDays"];
        assert_eq!(pointers(&wrong), all);
    }

    #[test]
    fn an_electronic_id_is_letters_digits_and_hyphens() {
        for bad in ["", "A", "A B", "A_B", "ÄÖ", &"9".repeat(81)] {
            assert_eq!(pointers(&Payer { electronic_id: bad.to_owned(), ..payer() }), ["/electronicId"], "{bad}");
        }
        for good in ["AB", "60054", "a-1", &"9".repeat(80)] {
            assert_eq!(Payer { electronic_id: good.to_owned(), ..payer() }.faults(), [], "{good}");
        }
    }
}
