//! Measured amounts, digit by digit as they were given.
//!
//! <http://hl7.org/fhir/R4/datatypes.html#Quantity>

use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use super::demographics::codes;

/// FHIR asks for no more.
const DIGITS: usize = 18;

/// A decimal number whose precision says something: 72.50 is not 72.5.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decimal(String);

impl Decimal {
    /// Marks a number where it stands as text among other JSON, since a JSON number in memory would be rounded.
    /// No text that comes in may hold this letter.
    pub const MARK: char = '\u{1}';

    /// Reads `-72.50`; an exponent would hide how precise the number is.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "must be a number such as 72.50, without an exponent";
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || whole.len() > 1 && whole.starts_with('0') || !fraction.is_none_or(digits) {
            return Err(SHAPE);
        }
        let whole = if whole == "0" { 0 } else { whole.len() };
        if whole + fraction.map_or(0, str::len) > DIGITS {
            return Err("must have at most 18 digits");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How it stands to another as a number, to which 72.50 and 72.5 are the same.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.scaled().cmp(&other.scaled())
    }

    /// In units of the eighteenth decimal place, which every number of eighteen digits fits into.
    fn scaled(&self) -> i128 {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, ""));
        format!("{whole}{fraction:0<DIGITS$}").parse().unwrap_or_default()
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}{}", Self::MARK, self.0))
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-quantity-comparator.html>
    Comparator {
        /// Less than.
        Less = "<",
        /// At most.
        AtMost = "<=",
        /// At least.
        AtLeast = ">=",
        /// More than.
        More = ">",
    }
}

/// An amount.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantity {
    /// How much.
    pub value: Decimal,
    /// Whether it is that or beyond what could be measured.
    pub comparator: Option<Comparator>,
    /// As people write it.
    pub unit: Option<String>,
    /// The system of `code`, as a rule UCUM.
    pub system: Option<String>,
    /// The unit for programs.
    pub code: Option<String>,
}

/// From an amount to another; either may be left open.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// The least.
    pub low: Option<Quantity>,
    /// The most.
    pub high: Option<Quantity>,
}

impl Quantity {
    /// `qty-3`: a unit for programs says of which system it is.
    pub fn code_has_system(&self) -> bool {
        self.code.is_none() || self.system.is_some()
    }
}

impl Range {
    /// `rng-2`: low is not above high. Amounts in different units cannot be compared.
    pub fn is_ascending(&self) -> bool {
        let (Some(low), Some(high)) = (&self.low, &self.high) else { return true };
        let unit = |quantity: &Quantity| (quantity.system.clone(), quantity.code.clone(), quantity.unit.clone());
        unit(low) != unit(high) || low.value.compare(&high.value).is_le()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_keeps_its_digits() {
        for text in ["72.50", "0", "-0.5", "0.000000000000000001", "999999999999999999"] {
            assert_eq!(Decimal::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "-", ".5", "5.", "05", "1e3", "1,5", "+1", "0x1", " 1", "1234567890123456789", "1.2.3"] {
            assert!(Decimal::parse(text).is_err(), "{text}");
        }
        assert_ne!(Decimal::parse("72.50"), Decimal::parse("72.5"), "precision is part of the number");
    }

    proptest! {
        #[test]
        fn numbers_are_ordered_as_numbers(a in -99_999_i64..99_999, b in -99_999_i64..99_999, places in 0_usize..4) {
            let decimal = |n: i64| {
                let (sign, digits) = (if n < 0 { "-" } else { "" }, format!("{:0>6}", n.abs()));
                let (whole, fraction) = digits.split_at(6 - places);
                let whole = whole.trim_start_matches('0');
                let whole = if whole.is_empty() { "0" } else { whole };
                let dot = if places == 0 { "" } else { "." };
                Decimal::parse(&format!("{sign}{whole}{dot}{fraction}")).unwrap()
            };
            prop_assert_eq!(decimal(a).compare(&decimal(b)), a.cmp(&b));
        }
    }

    fn of(value: &str, code: &str) -> Quantity {
        let value = Decimal::parse(value).unwrap();
        Quantity { value, comparator: None, unit: None, system: None, code: Some(code.to_owned()) }
    }

    #[test]
    fn rng_2_a_range_goes_up() {
        let range = |low, high| Range { low: Some(low), high: Some(high) }.is_ascending();
        assert!(range(of("90", "mm[Hg]"), of("120.0", "mm[Hg]")));
        assert!(range(of("90", "mm[Hg]"), of("90.0", "mm[Hg]")));
        assert!(!range(of("120", "mm[Hg]"), of("90", "mm[Hg]")));
        assert!(range(of("900", "mg"), of("1", "g")), "units are not converted");
    }

    #[test]
    fn qty_3_a_unit_for_programs_has_a_system() {
        assert!(!of("1", "kg").code_has_system());
        assert!(Quantity { code: None, ..of("1", "kg") }.code_has_system());
        assert!(Quantity { system: Some("http://unitsofmeasure.org".to_owned()), ..of("1", "kg") }.code_has_system());
    }
}
