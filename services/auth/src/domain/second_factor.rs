//! The second factor: one-time codes of RFC 6238, and recovery codes for who has lost what makes them.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use totp_rs::{Algorithm, TOTP};

/// Bytes of a secret; RFC 4226, section 4.
pub const SECRET: usize = 20;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code, of five bits each: more than 128 bits, which need no slow hash.
pub const RECOVERY_LETTERS: usize = 26;

/// Seconds that a code is shown.
const STEP: u64 = 30;
const DIGITS: usize = 6;
/// No letter or digit that is mistaken for another; 32 of them, so that none is likelier.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A second factor that stands beside a password.
#[derive(Clone, Eq, PartialEq)]
pub struct SecondFactor {
    /// The secret, sealed.
    pub sealed: String,
    /// The step of the last code that was used: it and those before it are no good any more.
    pub last_step: u64,
    /// Hashes of the recovery codes that are left.
    pub recovery: Vec<String>,
}

/// What somebody shows beside their password.
#[derive(Clone, Eq, PartialEq)]
pub enum Otp {
    /// Six digits.
    Code(String),
    /// A recovery code, as it is hashed.
    Recovery(String),
}

impl Otp {
    /// Reads what was typed; blanks and hyphens are for the eye.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let typed: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
        let typed = typed.to_lowercase();
        match typed.len() {
            DIGITS if typed.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Self::Code(typed)),
            RECOVERY_LETTERS if typed.bytes().all(|byte| READABLE.contains(&byte)) => Ok(Self::Recovery(typed)),
            _ => Err("must be six digits or a recovery code"),
        }
    }
}

/// What is debugged is logged.
impl fmt::Debug for Otp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Otp(..)")
    }
}

/// What is debugged is logged.
impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactor(..)")
    }
}

impl SecondFactor {
    /// Begins with the code that proves that its owner has the secret; `random` makes the recovery codes.
    pub fn confirm(
        sealed: String,
        secret: &[u8],
        otp: &Otp,
        random: &[[u8; RECOVERY_LETTERS]; RECOVERY_CODES],
        now: Timestamp,
    ) -> Option<(Self, Vec<String>)> {
        let Otp::Code(code) = otp else { return None };
        let last_step = step_of(secret, code, 0, now)?;
        let codes = random.map(|random| random.map(|byte| char::from(READABLE[usize::from(byte % 32)])));
        let codes: Vec<String> = codes.iter().map(|letters| letters.iter().collect()).collect();
        let shown = codes.iter().map(|code| grouped(code)).collect();
        Some((Self { sealed, last_step, recovery: codes.iter().map(|code| hash(code)).collect() }, shown))
    }

    /// Accepts a code once; what is left of the factor after that.
    pub fn accept(&self, secret: &[u8], otp: &Otp, now: Timestamp) -> Option<Self> {
        match otp {
            Otp::Code(code) => {
                let last_step = step_of(secret, code, self.last_step, now)?;
                Some(Self { last_step, ..self.clone() })
            }
            Otp::Recovery(code) => {
                let used = self.recovery.iter().position(|kept| *kept == hash(code))?;
                let mut left = self.clone();
                left.recovery.remove(used);
                Some(left)
            }
        }
    }
}

/// What an application on a telephone reads: the secret in base32, and the address that holds it.
pub fn provisioning(secret: &[u8], issuer: &str, email: &str) -> (String, String) {
    let secret = totp(secret).get_secret_base32();
    let (issuer, email) = (encode(issuer), encode(email));
    let uri = format!(
        "otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}"
    );
    (secret, uri)
}

/// RFC 3986, section 2.1.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn totp(secret: &[u8]) -> TOTP {
    TOTP::new_unchecked(Algorithm::SHA1, DIGITS, 1, STEP, secret.to_vec())
}

/// The step that a code is of: this one or a neighbour, and after the last one.
fn step_of(secret: &[u8], code: &str, last: u64, now: Timestamp) -> Option<u64> {
    let step = u64::try_from(now.as_second()).ok()? / STEP;
    let totp = totp(secret);
    [step.saturating_sub(1), step, step + 1]
        .into_iter()
        .filter(|step| *step > last)
        .find(|step| equal(&totp.generate(step * STEP), code))
}

/// Compares in a time that does not tell where the difference is.
fn equal(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

fn hash(code: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret, and the last six of eight digits.
    const RFC: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn otp(text: &str) -> Otp {
        Otp::parse(text).unwrap()
    }

    fn factor(last_step: u64) -> SecondFactor {
        SecondFactor { sealed: String::new(), last_step, recovery: Vec::new() }
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (second, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert!(factor(0).accept(RFC, &otp(code), at(second)).is_some(), "{second}");
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_around_and_once() {
        let (step, code) = (1_234_567_890 / 30, otp("005 924"));
        for (second, good) in [(-61, false), (-30, true), (0, true), (30, true), (61, false)] {
            assert_eq!(factor(0).accept(RFC, &code, at(1_234_567_890 + second)).is_some(), good, "{second}");
        }
        let used = factor(0).accept(RFC, &code, at(1_234_567_890)).unwrap();
        assert_eq!(used.last_step, step);
        assert!(used.accept(RFC, &code, at(1_234_567_900)).is_none());
    }

    #[test]
    fn a_recovery_code_serves_once_and_is_kept_as_a_hash() {
        let code = totp(RFC).generate(3000);
        let random = std::array::from_fn(|index| [u8::try_from(index).unwrap(); RECOVERY_LETTERS]);
        let (factor, codes) = SecondFactor::confirm("x".to_owned(), RFC, &otp(&code), &random, at(3000)).unwrap();
        assert_eq!((codes.len(), factor.recovery.len()), (10, 10));
        assert!(!factor.recovery.contains(&codes[3].replace('-', "")));
        let left = factor.accept(RFC, &otp(&codes[3].to_uppercase()), at(3000)).unwrap();
        assert_eq!(left.recovery.len(), 9);
        assert!(left.accept(RFC, &otp(&codes[3]), at(3000)).is_none());
        assert!(left.accept(RFC, &otp(&codes[4]), at(3000)).is_some());
        assert!(left.accept(RFC, &otp(&code), at(3000)).is_none(), "the code that confirmed has served");
    }

    #[test]
    fn what_is_no_code_does_not_read() {
        for bad in ["", "12345", "1234567", "12a456", "abcde-fghij", "١٢٣٤٥٦"] {
            assert!(Otp::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_application_can_read_the_address() {
        let (secret, uri) = provisioning(RFC, "Patient Management", "ada@clinic.example");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(uri.starts_with("otpauth://totp/Patient%20Management:ada%40clinic.example?secret=GEZDGN"), "{uri}");
    }
}
