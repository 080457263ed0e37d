use super::*;
use crate::domain::{
    email_address::EmailAddress,
    password::{Password, SALT},
};

fn user() -> User {
    let email = EmailAddress::parse("ada@clinic.example").unwrap();
    let password = Password::parse("correct horse battery").unwrap().hash(&[7; SALT]).unwrap();
    User::administrator(email, password, Timestamp::UNIX_EPOCH)
}

fn token(secret: u8) -> SessionToken {
    SessionToken::new(Uuid::from_u128(5), [secret; SECRET])
}

fn minute(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

#[test]
fn a_token_reads_as_it_was_revealed_and_in_no_other_spelling() {
    let revealed = token(3).reveal();
    let read = SessionToken::parse(&revealed).unwrap();
    assert_eq!((read.session, read.hash()), (token(3).session, token(3).hash()));
    let (session, secret) = revealed.split_once('.').unwrap();
    for bad in [
        "",
        ".",
        session,
        secret,
        &format!("{session}."),
        &format!("{session}.{secret}="),
        &format!("{session}.{}", &secret[1..]),
        &format!("{{{session}}}.{secret}"),
        &format!("{}.{secret}", session.replace('-', "")),
        &format!("{revealed}.x"),
    ] {
        assert!(SessionToken::parse(bad).is_none(), "{bad:?}");
    }
}

#[test]
fn only_the_current_token_renews_and_only_once() {
    let begun = Session::begin(&user(), &token(1), minute(0));
    let renewed = begun.renew(&user(), &token(1), &token(2), minute(10)).unwrap();
    assert_eq!((renewed.used_at, renewed.created_at), (minute(10), minute(0)));
    for old in [1, 3] {
        assert_eq!(
            renewed.renew(&user(), &token(old), &token(4), minute(11)),
            Err(Refusal::Reused(renewed.id)),
            "{old}"
        );
    }
    assert!(renewed.renew(&user(), &token(2), &token(3), minute(11)).is_ok());
}

#[test]
fn a_session_runs_out_when_idle_and_in_the_end() {
    let begun = Session::begin(&user(), &token(1), minute(0));
    let renew = |session: &Session, at| session.renew(&user(), &token(1), &token(1), minute(at));
    assert!(renew(&begun, 29).is_ok());
    assert_eq!(renew(&begun, 30), Err(Refusal::Idle(begun.id)));
    let busy = (1..36).fold(begun.clone(), |session, tick| renew(&session, tick * 20).unwrap());
    assert!(renew(&busy, 719).is_ok());
    assert_eq!(renew(&busy, 720), Err(Refusal::Expired(begun.id)));
}

#[test]
fn what_happens_to_a_user_happens_to_their_sessions() {
    let begun = Session::begin(&user(), &token(1), minute(0));
    let renew = |session: &Session, user: &User| session.renew(user, &token(1), &token(2), minute(1));
    let changed = User { epoch: 1, ..user() };
    assert_eq!(renew(&begun, &changed), Err(Refusal::Outdated(begun.id)));
    assert!(renew(&begun.go_on(&changed), &changed).is_ok());
    assert_eq!(renew(&begun, &User { active: false, ..user() }), Err(Refusal::Inactive(begun.id)));
    let ended = begun.end(EndReason::Reused, minute(1));
    assert_eq!(renew(&ended, &user()), Err(Refusal::Ended(begun.id)));
    assert_eq!(ended.end(EndReason::SignedOut, minute(2)), ended, "the first end is the one that counts");
}

#[test]
fn a_browser_goes_on_with_one_token_until_the_end() {
    let begun = Session::begin_in_browser(&user(), &token(1), minute(0));
    let go_on = |session: &Session, at| session.go_on_in_browser(&user(), &token(1), true, minute(at));
    let busy = (1..72).fold(begun.clone(), |session, tick| go_on(&session, tick * 10).unwrap());
    assert_eq!((busy.used_at, busy.token), (minute(710), begun.token));
    assert!(go_on(&busy, 719).is_ok());
    assert_eq!(go_on(&busy, 720), Err(Refusal::Expired(begun.id)));
    let wrong = begun.go_on_in_browser(&user(), &token(2), true, minute(1));
    assert_eq!(wrong, Err(Refusal::Unknown), "who knows the id alone ends nothing");
    let changed = User { epoch: 1, ..user() };
    assert_eq!(begun.go_on_in_browser(&changed, &token(1), true, minute(1)), Err(Refusal::Outdated(begun.id)));
    let soon = begun.go_on_in_browser(&user(), &token(1), true, minute(0) + SignedDuration::from_secs(29));
    assert_eq!(soon, Ok(begun), "what is known well enough is not written");
}

#[test]
fn what_a_page_does_by_itself_keeps_no_browser_open() {
    let begun = Session::begin_in_browser(&user(), &token(1), minute(0));
    let go_on =
        |session: &Session, is_attended, at| session.go_on_in_browser(&user(), &token(1), is_attended, minute(at));
    let watched = (1..15).fold(begun.clone(), |session, tick| go_on(&session, false, tick).unwrap());
    assert_eq!(watched.used_at, minute(14), "when a token was given last");
    for is_attended in [false, true] {
        assert_eq!(go_on(&watched, is_attended, 15), Err(Refusal::Locked(begun.id)));
    }
    let busy = go_on(&watched, true, 14).unwrap();
    assert!(go_on(&busy, false, 28).is_ok());
    assert_eq!(go_on(&busy, false, 29), Err(Refusal::Locked(begun.id)));
}

#[test]
fn a_locked_browser_is_unlocked_until_the_session_is_over() {
    let begun = Session::begin_in_browser(&user(), &token(1), minute(0));
    let shown = |session: &Session, at| session.shown_in_browser(&user(), &token(1), minute(at));
    let locked = begun.lock();
    assert!(shown(&locked, 1).unwrap().locked && !shown(&begun, 1).unwrap().locked);
    assert!(shown(&begun, 15).unwrap().locked, "nobody was there");
    assert_eq!(locked.go_on_in_browser(&user(), &token(1), true, minute(1)), Err(Refusal::Locked(begun.id)));
    let unlocked = locked.unlock(minute(600));
    assert!(!shown(&unlocked, 601).unwrap().locked);
    assert_eq!(shown(&unlocked, 720), Err(Refusal::Expired(begun.id)));
    assert_eq!(shown(&unlocked.end(EndReason::SignedOut, minute(601)), 602), Err(Refusal::Ended(begun.id)));
}

#[test]
fn a_cookie_does_not_renew_and_a_refresh_token_is_no_cookie() {
    let (begun, in_browser) =
        (Session::begin(&user(), &token(1), minute(0)), Session::begin_in_browser(&user(), &token(1), minute(0)));
    let renewed = in_browser.renew(&user(), &token(1), &token(2), minute(1));
    assert_eq!(renewed, Err(Refusal::OtherSort(begun.id)));
    assert_eq!(begun.shown_in_browser(&user(), &token(1), minute(1)), Err(Refusal::OtherSort(begun.id)));
    assert_eq!((begun.lock(), begun.unlock(minute(1))), (begun.clone(), begun));
}

#[test]
fn a_secret_is_not_debugged() {
    let debugged = format!("{:?}", token(65));
    assert!(!debugged.contains("65") && !debugged.contains("AAAA") && !debugged.contains("QUFB"), "{debugged}");
}
