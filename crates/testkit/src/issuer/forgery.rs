//! Tokens that nobody may accept.

use access::{Claims, Role, TYPE};
use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use serde_json::{Value, json};

use super::Issuer;

/// Within the minute by which clocks may differ, and beyond it, with seconds in which the token reaches its reader.
const INSIDE: SignedDuration = SignedDuration::from_secs(55);
const OUTSIDE: SignedDuration = SignedDuration::from_secs(65);
/// Beyond that minute, too, and for longer.
const TOO_LATE: SignedDuration = SignedDuration::from_secs(661);
/// Longer than a trial of every operation takes.
const TOO_EARLY: SignedDuration = SignedDuration::from_secs(500);

impl Issuer {
    /// Tokens that must be refused everywhere, each with what is wrong with it. All but that is as it should be.
    pub fn forgeries(&self, role: Role) -> Result<Vec<(&'static str, String)>> {
        let now = Timestamp::now();
        let claims = |now| Self::claims("forger", role, now);
        let good = self.sign(&claims(now))?;
        let (body, signature) = good.rsplit_once('.').context("a token has three parts")?;
        let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
        let foreign = EncodingKey::from_ed_der(&FOREIGN_KEY);
        let foreign_jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&foreign, Algorithm::EdDSA)?;
        let public = serde_json::to_value(&self.set)?;
        let public = public.pointer("/keys/0/x").and_then(Value::as_str).context("a public key")?;
        let header = || self.header();
        let signed = |header: &Header, key: &EncodingKey| encode(header, &claims(now), key);
        let with = |name: &str, value: Value| -> Result<String> {
            let mut changed = serde_json::to_value(claims(now))?;
            changed[name] = value;
            Ok(encode(&header(), &changed, &self.key)?)
        };
        let without = |name: &str| -> Result<String> {
            let mut changed = serde_json::to_value(claims(now))?;
            changed.as_object_mut().context("claims")?.remove(name);
            Ok(encode(&header(), &changed, &self.key)?)
        };
        let unsigned = json!({ "alg": "none", "typ": TYPE, "kid": self.id });
        let hmac = Header { alg: Algorithm::HS256, ..header() };
        Ok(vec![
            ("no token at all", "word".to_owned()),
            ("nothing", String::new()),
            ("alg none", format!("{}.{}.", part(&unsigned), part(&json!(claims(now))))),
            ("HS256 with the public key as its secret", signed(&hmac, &EncodingKey::from_secret(public.as_bytes()))?),
            ("signed by another", signed(&header(), &foreign)?),
            ("an unknown key id", signed(&Header { kid: Some("other".to_owned()), ..header() }, &self.key)?),
            ("no key id", signed(&Header { kid: None, ..header() }, &self.key)?),
            ("a key in its header", signed(&Header { jwk: Some(foreign_jwk), ..header() }, &foreign)?),
            (
                "the address of a key set in its header",
                signed(&Header { jku: Some("https://keys.example/jwks.json".to_owned()), ..header() }, &foreign)?,
            ),
            ("expired", self.sign(&claims(now - TOO_LATE))?),
            ("not valid yet", with("nbf", json!((now + TOO_EARLY).as_second()))?),
            ("another issuer", with("iss", json!("urn:elsewhere"))?),
            ("another audience", with("aud", json!("urn:elsewhere"))?),
            ("no subject", without("sub")?),
            ("no expiry", without("exp")?),
            ("no session", without("sid")?),
            ("an id token", signed(&Header { typ: Some("JWT".to_owned()), ..header() }, &self.key)?),
            ("another scope", with("scope", json!("openid"))?),
            ("an unknown role", with("role", json!("owner"))?),
            ("a bit that was flipped", format!("{body}.{flipped}{}", &signature[1..])),
            ("a claim that stands there twice", self.with_two_roles(&claims(now))?),
            ("ten kilobytes", format!("{}.{}.{}", "e".repeat(10_000), part(&json!({})), signature)),
        ])
    }

    /// Tokens whose time is as good as over or has as good as begun, and whether they are to be accepted at this moment.
    pub fn on_the_edge(&self, role: Role) -> Result<[(&'static str, String, bool); 4]> {
        let now = Timestamp::now();
        let expired = |ago: SignedDuration| {
            let mut claims = Self::claims("late", role, now - SignedDuration::from_secs(super::LIFETIME));
            claims.exp = (now - ago).as_second();
            self.sign(&claims)
        };
        let not_valid_yet = |ahead: SignedDuration| {
            let mut claims = Self::claims("early", role, now);
            claims.nbf = (now + ahead).as_second();
            self.sign(&claims)
        };
        Ok([
            ("expired for less than a minute", expired(INSIDE)?, true),
            ("expired for more than a minute", expired(OUTSIDE)?, false),
            ("valid in less than a minute", not_valid_yet(INSIDE)?, true),
            ("valid in more than a minute", not_valid_yet(OUTSIDE)?, false),
        ])
    }

    /// Which of the two counts would depend on who reads it.
    fn with_two_roles(&self, claims: &Claims) -> Result<String> {
        let claims = serde_json::to_string(claims)?;
        let doubled = claims.replacen('{', r#"{"role":"admin","#, 1);
        let message = format!("{}.{}", part(&serde_json::to_value(self.header())?), URL_SAFE_NO_PAD.encode(doubled));
        let signature = crypto::sign(message.as_bytes(), &self.key, Algorithm::EdDSA)?;
        Ok(format!("{message}.{signature}"))
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// An Ed25519 key in PKCS#8 that is nobody's: the seed is zeros.
const FOREIGN_KEY: [u8; 48] = {
    let prefix = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let mut key = [0; 48];
    let mut at = 0;
    while at < prefix.len() {
        key[at] = prefix[at];
        at += 1;
    }
    key
};
