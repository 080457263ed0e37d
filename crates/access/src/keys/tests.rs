use std::thread;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{EncodePrivateKey as _, KeypairBytes},
};
use jsonwebtoken::{
    EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::Role;

struct Issuer {
    key: EncodingKey,
    id: &'static str,
}

impl Issuer {
    fn new(seed: u8, id: &'static str) -> Self {
        let key = KeypairBytes { secret_key: SigningKey::from_bytes(&[seed; 32]).to_bytes(), public_key: None };
        let key = EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes());
        Self { key, id }
    }

    fn jwk(&self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        jwk
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }

    fn header(&self) -> Header {
        Header { kid: Some(self.id.to_owned()), typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) }
    }
}

fn claims(now: i64) -> Value {
    json!({ "iss": ISSUER, "sub": Uuid::nil(), "aud": AUDIENCE, "exp": now + 600, "iat": now, "nbf": now,
            "jti": Uuid::nil(), "sid": Uuid::nil(), "role": "front-desk", "scope": "api" })
}

/// Tokens that know one issuer, and a token of that issuer for somebody with this role.
pub(crate) fn known(role: Role) -> (Arc<AccessTokens>, String) {
    let issuer = Issuer::new(1, "ours");
    let tokens = AccessTokens::default();
    tokens.set_keys(&JwkSet { keys: vec![issuer.jwk()] });
    let mut claims = claims(Timestamp::now().as_second());
    claims["role"] = json!(role);
    let token = issuer.sign(&issuer.header(), &claims);
    (Arc::new(tokens), token)
}

#[test]
fn only_our_own_unexpired_tokens_are_accepted() {
    let (ours, foreign) = (Issuer::new(1, "ours"), Issuer::new(2, "ours"));
    let tokens = AccessTokens::default();
    let now = Timestamp::now();
    let good = ours.sign(&ours.header(), &claims(now.as_second()));
    assert_eq!(tokens.verify(&good, now).unwrap_err().kind, Kind::Unavailable, "no key is known yet");
    tokens.set_keys(&JwkSet { keys: vec![ours.jwk()] });
    assert_eq!(tokens.verify(&good, now).unwrap().role, Role::FrontDesk);

    let changed = |name: &str, value: Value| {
        let mut claims = claims(now.as_second());
        claims[name] = value;
        ours.sign(&ours.header(), &claims)
    };
    let without = |name: &str| {
        let mut claims = claims(now.as_second());
        claims.as_object_mut().unwrap().remove(name);
        ours.sign(&ours.header(), &claims)
    };
    let unsigned = |header: &str| {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.", part(header), part(&claims(now.as_second()).to_string()))
    };
    let unknown = Header { kid: Some("other".to_owned()), ..ours.header() };
    let nameless = Header { kid: None, ..ours.header() };
    let embedded = Header { jwk: Some(foreign.jwk()), ..foreign.header() };
    let mut flipped = good.clone().into_bytes();
    let at = good.rfind('.').unwrap() + 10;
    flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
    let bad = [
        ("signed by another", foreign.sign(&foreign.header(), &claims(now.as_second()))),
        ("key in the header", foreign.sign(&embedded, &claims(now.as_second()))),
        ("unknown key id", ours.sign(&unknown, &claims(now.as_second()))),
        ("no key id", ours.sign(&nameless, &claims(now.as_second()))),
        ("alg none", unsigned(r#"{"alg":"none","kid":"ours"}"#)),
        ("alg HS256", unsigned(r#"{"alg":"HS256","kid":"ours"}"#)),
        ("expired", changed("exp", json!(now.as_second() - 61))),
        ("not yet valid", changed("nbf", json!(now.as_second() + 90))),
        ("another issuer", changed("iss", json!("urn:else"))),
        ("another audience", changed("aud", json!("urn:else"))),
        ("an unknown role", changed("role", json!("owner"))),
        ("for something else", changed("scope", json!("offline_access"))),
        ("for nothing", without("scope")),
        ("of no session", without("sid")),
        ("no subject", without("sub")),
        ("no expiry", without("exp")),
        ("no audience", without("aud")),
        ("flipped", String::from_utf8(flipped).unwrap()),
        ("of no type", ours.sign(&Header { typ: None, ..ours.header() }, &claims(now.as_second()))),
        ("an id token", ours.sign(&Header { typ: Some("JWT".to_owned()), ..ours.header() }, &claims(now.as_second()))),
        ("long", "a".repeat(10_000)),
        ("empty", String::new()),
    ];
    for (name, token) in bad {
        assert_eq!(tokens.verify(&token, now).unwrap_err().kind, Kind::Unauthenticated, "{name}");
    }
}

#[test]
fn a_remembered_token_ends_with_its_time_and_with_its_key() {
    let ours = Issuer::new(1, "ours");
    let tokens = AccessTokens::default();
    tokens.set_keys(&JwkSet { keys: vec![ours.jwk()] });
    let now = Timestamp::now();
    let token = ours.sign(&ours.header(), &claims(now.as_second() - 650));
    let caller = tokens.verify(&token, now).unwrap();
    assert_eq!(caller.expires, now.as_second() + 10);

    let good = ours.sign(&ours.header(), &claims(now.as_second()));
    tokens.verify(&good, now).unwrap();
    tokens.set_keys(&JwkSet { keys: vec![Issuer::new(3, "next").jwk()] });
    assert_eq!(tokens.verify(&good, now).unwrap_err().kind, Kind::Unauthenticated);
}

#[test]
fn a_token_that_is_verified_while_its_key_goes_is_not_remembered() {
    let (ours, next) = (Issuer::new(1, "ours"), Issuer::new(3, "next"));
    let [before, after] = [&ours, &next].map(|issuer| JwkSet { keys: vec![issuer.jwk()] });
    let tokens = AccessTokens::default();
    let now = Timestamp::now();
    let token = ours.sign(&ours.header(), &claims(now.as_second()));
    for _ in 0..500 {
        tokens.set_keys(&before);
        thread::scope(|scope| {
            let verifying = scope.spawn(|| tokens.verify(&token, now));
            tokens.set_keys(&after);
            let _ = verifying.join();
        });
        assert!(tokens.verify(&token, now).is_err());
    }
}

#[test]
fn no_token_of_an_ended_session_is_accepted() {
    let ours = Issuer::new(1, "ours");
    let tokens = AccessTokens::default();
    tokens.set_keys(&JwkSet { keys: vec![ours.jwk()] });
    let now = Timestamp::now();
    let (ended, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let of = |session: Uuid, id: u128| {
        let mut claims = claims(now.as_second());
        claims["sid"] = json!(session);
        claims["jti"] = json!(Uuid::from_u128(id));
        ours.sign(&ours.header(), &claims)
    };
    let verified_before = of(ended, 1);
    tokens.verify(&verified_before, now).unwrap();
    tokens.set_ended(HashSet::from([ended]));
    for (token, good) in [(verified_before, false), (of(ended, 2), false), (of(other, 3), true)] {
        assert_eq!(tokens.verify(&token, now).is_ok(), good);
    }
}
