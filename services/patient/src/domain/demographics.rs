//! What is known of a person, in FHIR's words.
//!
//! <http://hl7.org/fhir/R4/patient.html>

use std::fmt;

use jiff::civil::Date;

/// What is known of a person.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Demographics {
    /// At least one.
    pub name: Vec<HumanName>,
    /// Administrative gender.
    pub gender: Option<Gender>,
    /// Possibly partial.
    pub birth_date: Option<BirthDate>,
    /// Phones, e-mail addresses and other contacts.
    pub telecom: Vec<ContactPoint>,
    /// Where they live or get letters.
    pub address: Vec<Address>,
    /// Numbers that others gave them.
    pub identifier: Vec<Identifier>,
}

/// <http://hl7.org/fhir/R4/datatypes.html#HumanName>
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HumanName {
    /// How it is used.
    pub r#use: Option<NameUse>,
    /// Family name.
    pub family: Option<String>,
    /// Given names, in order.
    pub given: Vec<String>,
    /// Parts before.
    pub prefix: Vec<String>,
    /// Parts after.
    pub suffix: Vec<String>,
}

/// <http://hl7.org/fhir/R4/datatypes.html#ContactPoint>
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContactPoint {
    /// What sort of contact.
    pub system: ContactSystem,
    /// As it was given.
    pub value: String,
    /// How it is used.
    pub r#use: Option<ContactUse>,
}

/// <http://hl7.org/fhir/R4/datatypes.html#Address>
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Address {
    /// How it is used.
    pub r#use: Option<AddressUse>,
    /// Street, number, flat.
    pub line: Vec<String>,
    /// Town.
    pub city: Option<String>,
    /// Part of the country.
    pub state: Option<String>,
    /// Post code.
    pub postal_code: Option<String>,
    /// Country, best as ISO 3166 code.
    pub country: Option<String>,
}

/// <http://hl7.org/fhir/R4/datatypes.html#Identifier>
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Identifier {
    /// The name space, a URI.
    pub system: String,
    /// The number.
    pub value: String,
}

/// A code of a closed set.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The code as FHIR writes it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The value of a code.
            pub fn parse(code: &str) -> Result<Self, String> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", [$($code),+].join(", "))),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// <http://hl7.org/fhir/R4/valueset-administrative-gender.html>
    Gender {
        /// Male.
        Male = "male",
        /// Female.
        Female = "female",
        /// Neither.
        Other = "other",
        /// Not known.
        Unknown = "unknown",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-name-use.html>
    NameUse {
        /// The normal one.
        Usual = "usual",
        /// As registered.
        Official = "official",
        /// For a while.
        Temp = "temp",
        /// Among friends.
        Nickname = "nickname",
        /// Not to identify.
        Anonymous = "anonymous",
        /// Not in use any more.
        Old = "old",
        /// Before marriage.
        Maiden = "maiden",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-contact-point-system.html>
    ContactSystem {
        /// Telephone.
        Phone = "phone",
        /// Fax.
        Fax = "fax",
        /// E-mail.
        Email = "email",
        /// Pager.
        Pager = "pager",
        /// Web address.
        Url = "url",
        /// Text messages alone.
        Sms = "sms",
        /// Something else.
        Other = "other",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-contact-point-use.html>
    ContactUse {
        /// At home.
        Home = "home",
        /// At work.
        Work = "work",
        /// For a while.
        Temp = "temp",
        /// Not in use any more.
        Old = "old",
        /// Carried along.
        Mobile = "mobile",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-address-use.html>
    AddressUse {
        /// At home.
        Home = "home",
        /// At work.
        Work = "work",
        /// For a while.
        Temp = "temp",
        /// Not in use any more.
        Old = "old",
        /// For bills.
        Billing = "billing",
    }
}

/// A date of birth that may lack day, or month and day; <http://hl7.org/fhir/R4/datatypes.html#date>.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BirthDate {
    /// The day is known.
    Day(Date),
    /// Year and month.
    Month(i16, i8),
    /// The year alone.
    Year(i16),
}

/// Nobody alive was born earlier.
const EARLIEST_BIRTH_YEAR: i16 = 1850;

impl BirthDate {
    /// Reads `1984-02-11`, `1984-02` or `1984`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "must be a date such as 1984-02-11, 1984-02 or 1984";
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<i16>().ok())
                .flatten()
        };
        let year = parts.first().and_then(|part| digits(part, 4)).ok_or(SHAPE)?;
        if year < EARLIEST_BIRTH_YEAR {
            return Err("is too long ago");
        }
        let two = |part: &str| digits(part, 2).and_then(|number| i8::try_from(number).ok()).ok_or(SHAPE);
        match parts.as_slice() {
            [_] => Ok(Self::Year(year)),
            [_, month] => {
                let month = two(month)?;
                if (1..=12).contains(&month) {
                    Ok(Self::Month(year, month))
                } else {
                    Err("is not a month of the calendar")
                }
            }
            [_, month, day] => {
                Date::new(year, two(month)?, two(day)?).map(Self::Day).map_err(|_| "is not a day of the calendar")
            }
            _ => Err(SHAPE),
        }
    }

    /// The first day that it may mean.
    pub fn earliest(self) -> Date {
        match self {
            Self::Day(date) => date,
            Self::Month(year, month) => Date::constant(year, month, 1),
            Self::Year(year) => Date::constant(year, 1, 1),
        }
    }

    /// Age in years on a day, if the day of birth is known well enough.
    pub fn age_on(self, today: Date) -> i16 {
        let born = self.earliest();
        let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
        today.year() - born.year() - i16::from(!had_birthday)
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => write!(f, "{date}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

impl Demographics {
    /// The first contact of this sort that is still in use.
    pub fn reached_by(&self, system: ContactSystem) -> Option<&str> {
        let of = |point: &&ContactPoint| point.system == system && point.r#use != Some(ContactUse::Old);
        self.telecom.iter().find(of).map(|point| point.value.as_str())
    }

    /// Where bills go: the first address that is for them, else the first at home, else the first that is in use.
    pub fn billing_address(&self) -> Option<&Address> {
        let of_use = |r#use| self.address.iter().find(|address| address.r#use == Some(r#use));
        let current = || self.address.iter().find(|address| address.r#use != Some(AddressUse::Old));
        of_use(AddressUse::Billing).or_else(|| of_use(AddressUse::Home)).or_else(current)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn impossible_dates_are_refused() {
        for bad in [
            "1984-02-30",
            "1985-02-29",
            "1984-13-01",
            "1984-00",
            "84-02-11",
            "1984-2-11",
            "1984/02/11",
            "",
            "1849",
            "1984-02-11T00:00:00Z",
            "+984-01-01",
            "1984-02-11-01",
        ] {
            assert!(BirthDate::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(BirthDate::parse("1984-02-29"), Ok(BirthDate::Day(date(1984, 2, 29))));
        assert_eq!(BirthDate::parse("1984-02"), Ok(BirthDate::Month(1984, 2)));
        assert_eq!(BirthDate::parse("1984"), Ok(BirthDate::Year(1984)));
    }

    #[test]
    fn a_birthday_makes_a_year() {
        let born = BirthDate::Day(date(2000, 2, 29));
        assert_eq!(born.age_on(date(2001, 2, 28)), 0);
        assert_eq!(born.age_on(date(2001, 3, 1)), 1);
        assert_eq!(born.age_on(date(2024, 2, 29)), 24);
    }

    #[test]
    fn bills_go_to_an_address_that_is_in_use() {
        use AddressUse::{Billing, Home, Old, Temp, Work};
        for (uses, expected) in [
            (&[Some(Old), None, Some(Home), Some(Billing)][..], Some(3)),
            (&[Some(Work), None, Some(Home), Some(Home)], Some(2)),
            (&[Some(Old), Some(Temp), None], Some(1)),
            (&[Some(Old)], None),
            (&[], None),
        ] {
            let address = |(at, r#use): (usize, &Option<AddressUse>)| Address {
                r#use: *r#use,
                city: Some(at.to_string()),
                ..Address::default()
            };
            let address = uses.iter().enumerate().map(address).collect();
            let person = Demographics { address, ..Demographics::default() };
            let city = person.billing_address().and_then(|address| address.city.clone());
            assert_eq!(city, expected.map(|at: usize| at.to_string()), "{uses:?}");
        }
    }

    proptest! {
        #[test]
        fn every_day_reads_as_it_is_written(days in 0_i32..80_000) {
            let day = date(1850, 1, 1).saturating_add(jiff::Span::new().days(days));
            prop_assert_eq!(BirthDate::parse(&day.to_string()), Ok(BirthDate::Day(day)));
        }

        #[test]
        fn no_text_breaks_the_parser(text in ".*") {
            let _ = BirthDate::parse(&text);
        }
    }
}
