//! Passwords and what is kept of them.

pub mod strength;

use std::{fmt, hint};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error, PasswordHasher as _, PasswordVerifier as _, phc},
};
use secrecy::{ExposeSecret as _, SecretString};

use self::strength::{Choice, Weak};

/// Whoever sends more wants to keep a core busy.
pub const LONGEST: usize = 256;

/// The minimum of OWASP's password storage cheat sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The salt of a password that is compared with nothing.
const NOBODYS_SALT: [u8; SALT] = [0; SALT];

/// No letter or digit that is mistaken for another; 32 of them, so that none is likelier.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Bytes of a salt.
pub const SALT: usize = 16;

/// A password, exactly as it was typed: nothing is cut, folded or stripped (OWASP ASVS 6.2.8).
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// What is kept of a password: algorithm, parameters, salt and hash, as a PHC string.
///
/// <https://github.com/P-H-C/phc-string-format>
#[derive(Clone, Eq, PartialEq)]
pub struct PasswordHash(phc::PasswordHash);

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

/// The machine could not compute a hash.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashError(Error);

impl Password {
    /// Takes what somebody signs in with: any characters but U+0000, which nobody can type.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.contains('\0') {
            return Err("must not contain U+0000");
        }
        if text.chars().count() > LONGEST {
            return Err("must have at most 256 characters");
        }
        Ok(Self(text.into()))
    }

    /// One that serves once: five groups of five letters and digits, 125 bits that a person can copy.
    pub fn one_time(random: &[u8; 25]) -> Self {
        let letters: Vec<char> = random.iter().map(|byte| char::from(READABLE[usize::from(byte % 32)])).collect();
        let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
        Self(groups.join("-").into())
    }

    /// Whether it is too short to stand alone.
    pub fn is_short(&self) -> bool {
        self.reveal().chars().count() < strength::SHORTEST_ALONE
    }

    /// The password, for whoever has to tell its owner.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether somebody may sign in with it from now on.
    pub fn judge(&self, choice: &Choice) -> Result<(), Weak> {
        strength::judge(self.0.expose_secret(), choice)
    }

    /// What to keep of it. Takes tens of milliseconds and 19 MiB.
    pub fn hash(&self, salt: &[u8; SALT]) -> Result<PasswordHash, HashError> {
        hasher()?.hash_password_with_salt(self.bytes(), salt).map(PasswordHash).map_err(HashError)
    }

    /// Whether it is the password that `kept` was made of.
    ///
    /// Without a hash, since there is no such user, it takes as long: the time must not tell who exists.
    pub fn matches(&self, kept: Option<&PasswordHash>) -> Result<bool, HashError> {
        let Some(PasswordHash(kept)) = kept else {
            hint::black_box(self.hash(&NOBODYS_SALT)?);
            return Ok(false);
        };
        match hasher()?.verify_password(self.bytes(), kept) {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(HashError(error)),
        }
    }

    fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

fn hasher() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError(error.into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

impl PasswordHash {
    /// Reads a stored PHC string.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = phc::PasswordHash::new(text).ok()?;
        (hash.salt.is_some() && hash.hash.is_some()).then_some(Self(hash))
    }

    /// Whether it was made at less cost than one that is made today.
    pub fn is_outdated(&self) -> bool {
        let cheaper =
            |made: Params| made.m_cost() < MEMORY_KIB || made.m_cost() == MEMORY_KIB && made.t_cost() < PASSES;
        self.0.algorithm != Algorithm::Argon2id.ident() || Params::try_from(&self.0).map_or(true, cheaper)
    }

    /// The PHC string, for the store and for nobody else.
    pub fn to_phc(&self) -> String {
        self.0.to_string()
    }
}

/// What is debugged is logged.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn hash(text: &str) -> PasswordHash {
        Password::parse(text).unwrap().hash(&[7; SALT]).unwrap()
    }

    fn matches(text: &str, kept: &PasswordHash) -> bool {
        Password::parse(text).unwrap().matches(Some(kept)).unwrap()
    }

    #[test]
    fn the_hash_says_how_it_was_made() {
        let phc = hash("correct horse battery").to_phc();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(matches("correct horse battery", &PasswordHash::parse(&phc).unwrap()));
        for bad in [
            "",
            "correct horse battery",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
        ] {
            assert!(PasswordHash::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_hash_that_was_cheaper_is_outdated() {
        assert!(!hash("correct horse battery").is_outdated());
        let salt_and_hash = "c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for (parameters, outdated) in [
            ("argon2id$v=19$m=19456,t=2,p=1", false),
            ("argon2id$v=19$m=65536,t=1,p=1", false),
            ("argon2id$v=19$m=19456,t=1,p=1", true),
            ("argon2id$v=19$m=12288,t=3,p=1", true),
            ("argon2i$v=19$m=19456,t=2,p=1", true),
        ] {
            let kept = PasswordHash::parse(&format!("${parameters}${salt_and_hash}")).unwrap();
            assert_eq!(kept.is_outdated(), outdated, "{parameters}");
        }
    }

    #[test]
    fn a_password_is_verified_exactly() {
        let longest = "ä".repeat(LONGEST);
        for (password, others) in [
            (" pass word ", [" pass word", "pass word ", "pass word"]),
            ("Ünïcode", ["ünïcode", "Unicode", "U\u{308}nïcode"]),
            (longest.as_str(), [&longest[..longest.len() - 2], "ä", "a"]),
        ] {
            let kept = hash(password);
            assert!(matches(password, &kept));
            for other in others {
                assert!(!matches(other, &kept), "{other:?} for {password:?}");
            }
        }
    }

    #[test]
    fn only_what_nobody_can_type_is_refused() {
        for good in ["a", " ", "\t\n", "🔑", &"ä".repeat(LONGEST)] {
            assert!(Password::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", "a\0b", &"a".repeat(LONGEST + 1)] {
            assert!(Password::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nobodys_password_takes_as_long() {
        let password = Password::parse("correct horse battery").unwrap();
        let kept = hash("another");
        let time = |kept: Option<&PasswordHash>| {
            let begun = Instant::now();
            assert!(!password.matches(kept).unwrap());
            begun.elapsed()
        };
        // In turn, and the least of many: a busy machine only adds.
        let (nobodys, somebodys) = (0..12).fold((Duration::MAX, Duration::MAX), |(nobodys, somebodys), _| {
            (nobodys.min(time(None)), somebodys.min(time(Some(&kept))))
        });
        let ratio = nobodys.as_secs_f64() / somebodys.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{nobodys:?} and {somebodys:?}");
    }

    #[test]
    fn neither_password_nor_hash_is_debugged() {
        let debugged = format!("{:?} {:?}", Password::parse("correct horse").unwrap(), hash("correct horse"));
        assert!(!debugged.contains("correct") && !debugged.contains("argon2"), "{debugged}");
    }
}
