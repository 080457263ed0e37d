//! Amounts in whole minor units: cents, pence, yen. No floating point, and one currency to a document.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

use serde::{Deserialize, Serialize};

/// The largest amount that anybody may enter: a hundred million of what has hundredths. A thousand lines of it are far
/// from the end of 64 bits.
pub const LARGEST: Amount = Amount(10_000_000_000);

/// A currency of ISO 4217 that is in use and has minor units.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency of three letters, `EUR`.
    pub fn from_code(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        let in_use = !currency.is_special() && !currency.is_fund() && currency.is_superseded().is_none();
        (in_use && currency.exponent().is_some()).then_some(Self(currency))
    }

    /// Three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal places the amounts have when they are written out; 2 for `EUR`, 0 for `JPY`.
    pub fn places(self) -> usize {
        usize::from(self.0.exponent().unwrap_or(0))
    }

    /// An amount as people read it: `1234.50`.
    pub fn write(self, amount: Amount) -> String {
        let digits = format!("{:0width$}", amount.0.unsigned_abs(), width = self.places() + 1);
        let (whole, part) = digits.split_at(digits.len() - self.places());
        let (sign, point) = (if amount.0 < 0 { "-" } else { "" }, if part.is_empty() { "" } else { "." });
        format!("{sign}{whole}{point}{part}")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom("no currency"))
    }
}

/// Minor units of the currency of the document that it stands in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `units` times the price of one; none when it is beyond [`LARGEST`].
    pub fn times(self, units: u32) -> Option<Self> {
        self.0.checked_mul(units.into()).map(Self).filter(|product| product.0.abs() <= LARGEST.0)
    }

    /// It divided in proportion to `weights`, exact in total: what rounding leaves goes to the largest remainders, the
    /// first of equal ones. Nothing where every weight is nothing.
    pub fn split(self, weights: &[Self]) -> Vec<Self> {
        let total: i128 = weights.iter().map(|weight| i128::from(weight.0.max(0))).sum();
        if total == 0 {
            return vec![Self::ZERO; weights.len()];
        }
        let (sign, whole) = (self.0.signum(), i128::from(self.0.abs()));
        let shares = weights.iter().map(|weight| whole * i128::from(weight.0.max(0)));
        let mut parts: Vec<_> = shares.map(|share| (share / total, share % total)).collect();
        let given: i128 = parts.iter().map(|(part, _)| part).sum();
        let mut by_remainder: Vec<_> = (0..parts.len()).collect();
        by_remainder.sort_by_key(|&at| (std::cmp::Reverse(parts[at].1), at));
        let left = usize::try_from(whole - given).unwrap_or(0);
        for at in by_remainder.into_iter().take(left) {
            parts[at].0 += 1;
        }
        // Each part is at most the whole, which fits.
        parts.into_iter().map(|(part, _)| Self(sign * i64::try_from(part).unwrap_or(i64::MAX))).collect()
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

/// A part of a whole, in millionths: a tax of 19 % is 190,000.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Rate(u32);

impl Rate {
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// The rate of so many millionths; none above the whole.
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::WHOLE.0 { Some(Self(millionths)) } else { None }
    }

    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// That part of an amount, halves away from zero.
    pub fn of(self, amount: Amount) -> Amount {
        let product = i128::from(amount.0) * i128::from(self.0);
        let half = i128::from(Self::WHOLE.0 / 2) * product.signum();
        // No larger than the amount, which fits.
        Amount(i64::try_from((product + half) / i128::from(Self::WHOLE.0)).unwrap_or(i64::MAX))
    }
}

impl TryFrom<u32> for Rate {
    type Error = &'static str;

    fn try_from(millionths: u32) -> Result<Self, Self::Error> {
        Self::from_millionths(millionths).ok_or("more than the whole")
    }
}

impl From<Rate> for u32 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_written_with_the_places_of_its_currency() {
        let write = |code, amount| Currency::from_code(code).unwrap().write(Amount(amount));
        assert_eq!(write("EUR", 123_450), "1234.50");
        assert_eq!(write("EUR", -5), "-0.05");
        assert_eq!(write("JPY", 120), "120");
        assert_eq!(write("KWD", 1_001), "1.001");
        assert_eq!(write("USD", 0), "0.00");
    }

    #[test]
    fn only_money_that_can_be_paid_is_a_currency() {
        for code in ["EUR", "USD", "GBP", "JPY", "INR", "BRL"] {
            assert_eq!(Currency::from_code(code).unwrap().code(), code);
        }
        for code in ["", "eur", "XXX", "XAU", "ABC", "EURO"] {
            assert_eq!(Currency::from_code(code), None, "{code}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        let half = Rate::from_millionths(500_000).unwrap();
        assert_eq!([1, 2, 3, -1, -3].map(|amount| half.of(Amount(amount)).0), [1, 1, 2, -1, -2]);
        assert_eq!(Rate::from_millionths(190_000).unwrap().of(Amount(9_999)), Amount(1_900));
        assert_eq!(Rate::from_millionths(1_000_001), None);
    }

    #[test]
    fn the_largest_remainder_gets_what_rounding_leaves() {
        let split = |amount, weights: &[i64]| -> Vec<i64> {
            let weights: Vec<_> = weights.iter().copied().map(Amount).collect();
            Amount(amount).split(&weights).into_iter().map(|part| part.0).collect()
        };
        assert_eq!(split(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split(10, &[1, 5, 4]), [1, 5, 4]);
        assert_eq!(split(5, &[3, 3, 4]), [2, 1, 2]);
        assert_eq!(split(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(split(7, &[0, 0]), [0, 0]);
        assert_eq!(split(7, &[]), [] as [i64; 0]);
    }

    proptest! {
        #[test]
        fn a_split_is_exact(amount in -LARGEST.0..=LARGEST.0, weights in proptest::collection::vec(0..=LARGEST.0, 1..20)) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let weights: Vec<_> = weights.into_iter().map(Amount).collect();
            let parts = Amount(amount).split(&weights);
            prop_assert_eq!(parts.iter().copied().sum::<Amount>(), Amount(amount));
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part.0.signum() * amount.signum() >= 0);
                prop_assert!(!weight.is_zero() || part.is_zero());
            }
        }

        #[test]
        fn a_part_and_the_rest_are_the_whole_but_for_one(amount in 0..=LARGEST.0, millionths in 0..=1_000_000_u32) {
            let (part, rest) = (Rate(millionths), Rate(1_000_000 - millionths));
            let both = part.of(Amount(amount)) + rest.of(Amount(amount));
            prop_assert!((both.0 - amount).abs() <= 1);
            prop_assert!(part.of(Amount(amount)) <= Amount(amount));
        }
    }
}
