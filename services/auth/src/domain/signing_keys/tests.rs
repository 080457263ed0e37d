use access::AccessTokens;
use ed25519_dalek::{
    SigningKey as Ed25519,
    pkcs8::{EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding},
};
use uuid::Uuid;

use super::*;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn pem(seed: u8) -> String {
    let key = Ed25519::from_bytes(&[seed; 32]);
    KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

fn from(at: Timestamp, seed: u8) -> String {
    format!("signs-from: {at}\n{}", pem(seed))
}

fn id(seed: u8) -> String {
    SigningKey::from_pem(&pem(seed)).unwrap().id().to_owned()
}

fn published(keys: &SigningKeys, now: Timestamp) -> Vec<String> {
    keys.key_set(now).keys.into_iter().filter_map(|key| key.common.key_id).collect()
}

fn start() -> Timestamp {
    "2026-11-25T15:00:00Z".parse().unwrap()
}

#[test]
fn a_key_alone_signs_and_is_published_always() {
    // Even one that ought to begin later: somebody has to sign.
    for text in [pem(1), format!("\n{}\n\n", pem(1)), from(start() + MINUTE, 1), pem(1).replace('\n', "\r\n")] {
        let keys = SigningKeys::parse(&text).unwrap();
        for now in [start(), start() + 60 * MINUTE] {
            assert_eq!((keys.signing(now).id(), published(&keys, now)), (id(1).as_str(), vec![id(1)]));
        }
    }
}

#[test]
fn a_new_key_is_known_before_it_signs_and_the_old_one_until_its_tokens_are_over() {
    let text = from(start() + MINUTE, 2) + &pem(1);
    let swapped = pem(1) + &from(start() + MINUTE, 2);
    for text in [text, swapped] {
        let keys = SigningKeys::parse(&text).unwrap();
        let second = SignedDuration::from_secs(1);
        let both = vec![id(2), id(1)];
        for (now, signs, known) in [
            (start(), 1, &both),
            (start() + MINUTE - second, 1, &both),
            (start() + MINUTE, 2, &both),
            (start() + MINUTE + OVERLAP - second, 2, &both),
            (start() + MINUTE + OVERLAP, 2, &vec![id(2)]),
        ] {
            assert_eq!((keys.signing(now).id(), &published(&keys, now)), (id(signs).as_str(), known), "{now}");
        }
    }
}

#[test]
fn the_overlap_is_longer_than_a_token_is_accepted() {
    let text = from(start(), 2) + &pem(1);
    let keys = SigningKeys::parse(&text).unwrap();
    let last = start() - SignedDuration::from_nanos(1);
    let alive = SignedDuration::from_secs(crate::domain::access_token::LIFETIME) + MINUTE;
    assert_eq!(keys.signing(last).id(), id(1));
    assert!(published(&keys, last + alive).contains(&id(1)));
}

#[test]
fn several_rotations_at_once_each_have_their_time() {
    let text = from(start() + 3 * MINUTE, 3) + &from(start() + 2 * MINUTE, 2) + &pem(1);
    let keys = SigningKeys::parse(&text).unwrap();
    let at = |minutes: i32| {
        let now = start() + minutes * MINUTE;
        (keys.signing(now).id().to_owned(), published(&keys, now))
    };
    assert_eq!(at(0), (id(1), vec![id(3), id(2), id(1)]));
    assert_eq!(at(2), (id(2), vec![id(3), id(2), id(1)]));
    assert_eq!(at(14), (id(3), vec![id(3), id(2)]));
    assert_eq!(at(15), (id(3), vec![id(3)]));
}

#[test]
fn without_times_the_first_signs_and_all_are_published() {
    let keys = SigningKeys::parse(&(pem(3) + &pem(1) + &pem(2))).unwrap();
    assert_eq!((keys.signing(start()).id(), published(&keys, start())), (id(3).as_str(), vec![id(3), id(1), id(2)]));
    // Nobody knows when the last one ceased to sign, so it goes with its neighbour.
    let keys = SigningKeys::parse(&(from(start(), 3) + &pem(1) + &pem(2))).unwrap();
    assert_eq!(published(&keys, start() + OVERLAP), [id(3)]);
}

#[test]
fn one_bad_block_refuses_the_whole_and_says_which() {
    let two = pem(1) + &pem(2);
    for (text, fault) in [
        (String::new(), "there is no key"),
        (" \n".to_owned(), "there is no key"),
        (two.clone() + "hunter2", "key 3 cannot be used"),
        (two.replacen("MC4CAQ", "MC4CAZ", 1), "key 1 cannot be used"),
        (two[..two.len() - 10].to_owned(), "key 2 cannot be used"),
        (two.clone() + &pem(1), "key 3 is there twice"),
        ((1..=5).map(pem).collect(), "there are more than 4 keys"),
        (pem(1) + "signs-from: soon\n" + &pem(2), "what stands before key 2 is not"),
        (pem(1) + "sings-from: 2026-11-25T15:03:00Z\n" + &pem(2), "what stands before key 2 is not"),
        ("signs-from: 2026-11-25\n".to_owned() + &two, "what stands before key 1 is not"),
    ] {
        let refused = SigningKeys::parse(&text).unwrap_err();
        assert!(refused.to_string().starts_with(fault), "{refused} instead of {fault}");
        assert!(!format!("{refused:?}").contains("MC4C"), "a key is told");
    }
    assert!(!format!("{:?}", SigningKeys::parse(&two).unwrap()).contains("Encoding"));
}

#[test]
fn a_token_of_a_key_that_is_over_is_refused() {
    let text = from(start() + MINUTE, 2) + &pem(1);
    let keys = SigningKeys::parse(&text).unwrap();
    let now = Timestamp::now();
    let claims = access::Claims {
        iss: access::ISSUER.to_owned(),
        sub: Uuid::nil(),
        aud: access::AUDIENCE.to_owned(),
        exp: now.as_second() + 600,
        iat: now.as_second(),
        nbf: now.as_second(),
        jti: Uuid::nil(),
        sid: Uuid::nil(),
        role: access::Role::Nurse,
        scope: access::SCOPE.to_owned(),
    };
    let (old, new) = (keys.signing(start()), keys.signing(start() + MINUTE));
    let [old, new] = [old, new].map(|key| key.sign(&claims).unwrap());
    let tokens = AccessTokens::default();
    for (at, old_is_good) in [(start(), true), (start() + MINUTE + OVERLAP, false)] {
        tokens.set_keys(&keys.key_set(at));
        assert_eq!((tokens.verify(&old, now).is_ok(), tokens.verify(&new, now).is_ok()), (old_is_good, true));
    }
}
