use access::{AccessTokens, Role};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::{
    access_token::{self, LIFETIME},
    email_address::EmailAddress,
    password::{Password, SALT},
    session::{self, Session, SessionToken},
    user::User,
};

/// The key of RFC 8037, appendix A.
const SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

fn pem(with_public_key: bool) -> String {
    let key = Ed25519::from_bytes(&SECRET);
    let public_key = with_public_key.then(|| (&key.verifying_key()).into());
    KeypairBytes { secret_key: SECRET, public_key }.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

fn user() -> User {
    let password = Password::parse("correct horse battery").unwrap().hash(&[7; SALT]).unwrap();
    User::administrator(EmailAddress::parse("ada@clinic.example").unwrap(), password, Timestamp::UNIX_EPOCH)
}

#[test]
fn both_forms_of_a_key_are_the_same_key() {
    let published = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        // RFC 8037, appendix A.3.
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    });
    for with_public_key in [false, true] {
        let key = SigningKey::from_pem(&pem(with_public_key)).unwrap();
        assert_eq!(serde_json::to_value(key.public()).unwrap(), published);
    }
    assert_ne!(pem(false), pem(true));
    assert!(SigningKey::from_pem(&format!("\n{}\n", pem(false))).is_ok());
}

#[test]
fn what_is_no_key_is_refused_and_not_told() {
    for bad in ["", "hunter2", &pem(false).replace("PRIVATE", "PUBLIC"), &pem(false).replace("MC4CAQ", "MC4CAZ")] {
        let refused = SigningKey::from_pem(bad).unwrap_err().to_string();
        assert_eq!(refused, "it is no Ed25519 key in PKCS#8 PEM");
    }
    assert!(!format!("{:?}", SigningKey::from_pem(&pem(false)).unwrap()).contains("Encoding"));
}

#[test]
fn a_token_does_not_outlast_its_session() {
    let now = Timestamp::now();
    let session = Session::begin(&user(), &SessionToken::new(Uuid::from_u128(6), [1; 32]), now);
    let late = session.ends_at() - jiff::SignedDuration::from_secs(30);
    let claims = access_token::claims(&user(), access::SCOPE, &session, Uuid::from_u128(5), late);
    assert_eq!((claims.exp - claims.iat, claims.iat - now.as_second()), (30, session::LIFETIME.as_secs() - 30));
}

#[test]
fn what_is_signed_verifies_with_the_published_set() {
    let key = SigningKey::from_pem(&pem(false)).unwrap();
    let now = Timestamp::now();
    let (user, id) = (user(), Uuid::from_u128(5));
    let session = Session::begin(&user, &SessionToken::new(Uuid::from_u128(6), [1; 32]), now);
    let claims = access_token::claims(&user, access::SCOPE, &session, id, now);
    assert_eq!((claims.exp - claims.iat, claims.nbf, claims.jti), (LIFETIME, claims.iat, id));
    let token = key.sign(&claims).unwrap();

    let tokens = AccessTokens::default();
    let published = json!({ "keys": [key.public()] }).to_string();
    tokens.set_keys(&serde_json::from_str(&published).unwrap());
    let caller = tokens.verify(&token, now).unwrap();
    assert_eq!((caller.subject, caller.role, caller.session), (user.id, Role::Admin, session.id));
    assert_eq!(jsonwebtoken::decode_header(&token).unwrap().typ.as_deref(), Some("at+jwt"));
}
