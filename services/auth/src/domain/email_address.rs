//! What a user signs in with.

use std::fmt;

use email_address::{EmailAddress as Syntax, Options};
use uuid::Uuid;

/// RFC 3696, erratum 1690.
const LONGEST: usize = 254;

/// Makes the ids of users.
const USERS: Uuid = Uuid::from_u128(0x91c4_3e0b_7a26_4f5d_b8e1_0d63_f27a_95c8);

/// An e-mail address in lower case: one mailbox is one user, however it is typed.
#[derive(Clone, Eq, PartialEq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address such as `ada@clinic.example`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim().to_lowercase();
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        if text.len() > LONGEST || Syntax::parse_with_options(&text, options).is_err() {
            return Err("must be an e-mail address");
        }
        Ok(Self(text))
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the user who registered with this address: a user is found by one load and without a search.
    pub fn user_id(&self) -> Uuid {
        Uuid::new_v5(&USERS, self.0.as_bytes())
    }
}

/// An address is personal data, and what is debugged is logged.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_mailbox_is_one_user() {
        let parse = |text| EmailAddress::parse(text).unwrap();
        assert_eq!(parse(" Ada@Clinic.Example ").as_str(), "ada@clinic.example");
        assert_eq!(parse("ADA@clinic.example").user_id(), parse("ada@CLINIC.example").user_id());
        assert_ne!(parse("ada@clinic.example").user_id(), parse("bob@clinic.example").user_id());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "ada",
            "ada@",
            "@clinic.example",
            "ada@clinic",
            "ada@[127.0.0.1]",
            "Ada <ada@clinic.example>",
            "ada@clinic.example\0",
            "a b@clinic.example",
            &format!("{}@clinic.example", "a".repeat(300)),
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_not_debugged() {
        assert!(!format!("{:?}", EmailAddress::parse("ada@clinic.example")).contains("ada"));
    }

    proptest! {
        #[test]
        fn an_address_reads_as_it_is_stored(text in "[A-Za-zÄÉΣßσς0-9+_-]{1,12}@[A-Za-z0-9]{1,10}[.][A-Za-z]{2,5}") {
            let address = EmailAddress::parse(&text);
            prop_assert!(address.is_ok());
            prop_assert_eq!(EmailAddress::parse(address.clone().unwrap().as_str()), address);
        }
    }
}
