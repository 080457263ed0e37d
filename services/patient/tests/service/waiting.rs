//! The waiting list: who waits, what gets free, and who has it then.

use access::Role;
use futures::future::join_all;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{
    get, id, person,
    place::{Place, ask, at},
    registered, unique,
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("one_acceptance_wins_and_the_others_are_told", parts, one_wins),
        test("who_declines_makes_room_for_the_next_who_waits", parts, declining),
        test("an_offer_that_expires_goes_to_the_next_at_a_tick", parts, expiring),
        test("who_books_what_is_offered_is_as_good_as_who_accepts", parts, taken_by_somebody_else),
        test("who_would_not_take_it_is_not_asked", parts, not_asked),
        test("who_waits_is_booked_at_a_time_that_is_said", parts, booked_directly),
        test("a_wish_that_cannot_be_meant_is_told_where", parts, refusals),
        test("a_series_that_ends_leaves_its_times_to_those_who_wait", parts, series),
    ]
}

/// Waits for a time at the place within the next two weeks.
async fn waits(parts: &Parts, place: &Place, name: &str, priority: u8) -> Result<Value> {
    waits_for(parts, place, name, json!({ "priority": priority })).await
}

async fn waits_for(parts: &Parts, place: &Place, name: &str, more: Value) -> Result<Value> {
    let patient = registered(parts, &person(&unique(name))).await?;
    let mut wish = json!({
        "status": "waitlist", "patientId": id(&patient), "serviceId": place.service, "clinicId": place.clinic,
        "requestedPeriod": period(),
    });
    more.as_object().into_iter().flatten().for_each(|(name, value)| wish[name] = value.clone());
    let (status, body) = ask(parts, Role::FrontDesk, "/api/appointments", &unique("key"), None, &wish).await?;
    anyhow::ensure!(status == 201, "{body}");
    assert_eq!((&body["status"], &body["start"]), (&json!("waitlist"), &Value::Null), "{body}");
    Ok(body)
}

fn period() -> Value {
    let now = jiff::Timestamp::now();
    json!({ "start": minute(now), "end": minute(now + jiff::SignedDuration::from_hours(24 * 14)) })
}

fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// Somebody is booked and calls off; answers the opening that is left.
async fn freed(parts: &Parts, place: &Place, start: &str) -> Result<Value> {
    let patient = registered(parts, &person(&unique("gone"))).await?;
    let (status, booked) = place.book(parts, &patient, start).await?;
    anyhow::ensure!(status == 201, "{booked}");
    let path = format!("/api/appointments/{}/cancel", id(&booked));
    let body = json!({ "reason": "pat" });
    let (status, cancelled) = ask(parts, Role::FrontDesk, &path, &unique("key"), Some(1), &body).await?;
    anyhow::ensure!(status == 200, "{cancelled}");
    let found = openings(parts, place).await?;
    let opening = found.into_iter().find(|opening| opening["freedBy"] == booked["id"]);
    opening.ok_or_else(|| anyhow::anyhow!("nothing was left by {booked}"))
}

async fn openings(parts: &Parts, place: &Place) -> Result<Vec<Value>> {
    let page: Value = get(parts, &format!("/api/appointments/openings?clinic={}", place.clinic)).await?.json().await?;
    Ok(page["items"].as_array().cloned().unwrap_or_default())
}

/// Those who were asked, and what became of it.
fn asked(opening: &Value) -> Vec<(&str, &str)> {
    let offers = opening["offers"].as_array().into_iter().flatten();
    offers
        .map(|offer| {
            (offer["appointmentId"].as_str().unwrap_or_default(), offer["answer"].as_str().unwrap_or_default())
        })
        .collect()
}

async fn reply(parts: &Parts, opening: &Value, by: &Value, what: &str, seen: u64) -> Result<(u16, Value)> {
    let path = format!("/api/appointments/openings/{}/{what}", id(opening));
    ask(parts, Role::FrontDesk, &path, &unique("key"), Some(seen), &json!({ "appointmentId": id(by) })).await
}

async fn one_wins(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let late = waits(&parts, &place, "late", 5).await?;
    let urgent = waits(&parts, &place, "urgent", 1).await?;
    let third = waits(&parts, &place, "third", 5).await?;
    let fourth = waits(&parts, &place, "fourth", 5).await?;
    let list: Value =
        get(&parts, &format!("/api/appointments/waitlist?clinic={}&limit=3", place.clinic)).await?.json().await?;
    let order: Vec<_> = list["items"].as_array().into_iter().flatten().map(|one| &one["id"]).collect();
    assert_eq!(order, [&urgent["id"], &late["id"], &third["id"]]);
    let path =
        format!("/api/appointments/waitlist?clinic={}&cursor={}", place.clinic, list["next"].as_str().unwrap_or(""));
    let rest: Value = get(&parts, &path).await?.json().await?;
    assert_eq!((&rest["items"][0]["id"], &rest["items"][1]), (&fourth["id"], &Value::Null));

    let opening = freed(&parts, &place, &at(9, 0)).await?;
    assert_eq!(asked(&opening), [(id(&urgent), ""), (id(&late), ""), (id(&third), "")], "{opening}");
    let (status, refused) = reply(&parts, &opening, &fourth, "accept", 1).await?;
    assert_eq!((status, &refused["type"]), (409, &json!("urn:patient-management:problem:no-offer")), "{refused}");
    let all = [&urgent, &late, &third];
    let answers = join_all(all.map(|one| reply(&parts, &opening, one, "accept", 1))).await;
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let mut statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409], "{answers:?}");

    let mut booked = 0;
    for one in all {
        let now: Value = get(&parts, &format!("/api/appointments/{}", id(one))).await?.json().await?;
        if now["status"] == "booked" {
            booked += 1;
            assert_eq!((&now["start"], &now["practitionerId"]), (&opening["start"], &json!(place.practitioner)));
            assert_eq!(now["requestedPeriod"], one["requestedPeriod"]);
        } else {
            assert_eq!(now, *one, "who was too late waits as before");
        }
    }
    assert_eq!(booked, 1);
    assert!(openings(&parts, &place).await?.is_empty(), "it is no longer offered");
    let now: Value = get(&parts, &format!("/api/appointments/openings/{}", id(&opening))).await?.json().await?;
    assert_eq!((&now["status"], &now["version"]), (&json!("filled"), &json!(2)));
    Ok(())
}

async fn declining(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let mut all = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        all.push(waits(&parts, &place, name, 5).await?);
    }
    let opening = freed(&parts, &place, &at(10, 0)).await?;
    let (status, stale) = reply(&parts, &opening, &all[1], "decline", 7).await?;
    assert_eq!(status, 412, "{stale}");
    let (status, declined) = reply(&parts, &opening, &all[1], "decline", 1).await?;
    assert_eq!(status, 200, "{declined}");
    let expected = [(id(&all[0]), ""), (id(&all[1]), "declined"), (id(&all[2]), ""), (id(&all[3]), "")];
    assert_eq!(asked(&declined), expected);
    let (status, again) = reply(&parts, &opening, &all[1], "accept", 2).await?;
    assert_eq!(status, 409, "{again}");
    // Who no longer waits cannot take it, whatever was offered before.
    let path = format!("/api/appointments/{}/cancel", id(&all[0]));
    ask(&parts, Role::FrontDesk, &path, &unique("key"), Some(1), &json!({ "reason": "pat" })).await?;
    let (status, gone) = reply(&parts, &opening, &all[0], "accept", 2).await?;
    assert_eq!((status, &gone["type"]), (409, &json!("urn:patient-management:problem:transition-refused")), "{gone}");
    let (status, taken) = reply(&parts, &opening, &all[3], "accept", 2).await?;
    assert_eq!((status, &taken["status"]), (200, &json!("filled")), "{taken}");
    Ok(())
}

async fn expiring(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let mut all = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        all.push(waits(&parts, &place, name, 5).await?);
    }
    let opening = freed(&parts, &place, &at(16, 0)).await?;
    let tick = || parts.request(Method::POST, "/tick").send();
    assert_eq!(tick().await?.status(), 200);
    let path = format!("/api/appointments/openings/{}", id(&opening));
    let now = async || -> Result<Value> { Ok(get(&parts, &path).await?.json().await?) };
    assert_eq!(now().await?, opening, "nothing has expired");
    // The first offer's two hours are over.
    let expire = "update state.state set value = convert_to(jsonb_set(jsonb_set(jsonb_set(
          convert_from(value, 'UTF8')::jsonb, '{data,offers,0,expires}', '\"2026-01-01T00:00:00Z\"'),
          '{data,due}', '\"2026-01-01T00:00:00Z\"'), '{version}', '2')::text, 'UTF8') where key = $1";
    let refused = parts.database().await?.change(expire, &[&format!("opening/{}", id(&opening))]).await?;
    assert_eq!(refused, None);
    let (first, second) = tokio::join!(tick(), tick());
    assert_eq!((first?.status().as_u16(), second?.status().as_u16()), (200, 200));
    let renewed = now().await?;
    let expected = [(id(&all[0]), "expired"), (id(&all[1]), ""), (id(&all[2]), ""), (id(&all[3]), "")];
    assert_eq!((asked(&renewed), &renewed["version"]), (expected.to_vec(), &json!(3)));
    let (status, late) = reply(&parts, &opening, &all[0], "accept", 3).await?;
    assert_eq!(status, 409, "{late}");
    Ok(())
}

async fn taken_by_somebody_else(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let waiting = waits(&parts, &place, "waiting", 5).await?;
    let opening = freed(&parts, &place, &at(11, 0)).await?;
    let patient = registered(&parts, &person(&unique("walk"))).await?;
    let start = at(11, 0);
    let (booked, accepted) =
        tokio::join!(place.book(&parts, &patient, &start), reply(&parts, &opening, &waiting, "accept", 1));
    let (booked, accepted) = (booked?, accepted?);
    let one = [(201, 409), (409, 200)].contains(&(booked.0, accepted.0));
    assert!(one, "{booked:?} {accepted:?}");
    Ok(())
}

async fn not_asked(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let other = Place::make(&parts).await?;
    for more in [
        json!({ "requestedPeriod": { "start": at(12, 0), "end": at(12, 29) } }),
        json!({ "practitionerId": other.practitioner }),
        json!({ "serviceId": other.service }),
        json!({ "clinicId": other.clinic }),
    ] {
        waits_for(&parts, &place, "other", more).await?;
    }
    let exactly = json!({
        "requestedPeriod": { "start": at(12, 0), "end": at(12, 30) }, "practitionerId": place.practitioner,
    });
    let would = waits_for(&parts, &place, "would", exactly).await?;
    let opening = freed(&parts, &place, &at(12, 0)).await?;
    assert_eq!(asked(&opening), [(id(&would), "")], "{opening}");
    // Nobody who would take this one: nothing is offered, and so nothing is there to look at.
    assert!(freed(&parts, &place, &at(13, 0)).await.is_err());
    Ok(())
}

async fn booked_directly(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let waiting = waits(&parts, &place, "waiting", 5).await?;
    let path = format!("/api/appointments/{}/book", id(&waiting));
    let (status, vague) = ask(&parts, Role::FrontDesk, &path, &unique("key"), Some(1), &json!({})).await?;
    let pointers: Vec<_> = vague["errors"].as_array().into_iter().flatten().map(|one| &one["pointer"]).collect();
    assert_eq!((status, pointers), (422, vec![&json!("/start"), &json!("/practitionerId")]), "{vague}");
    let told = json!({ "start": at(14, 0), "practitionerId": place.practitioner });
    let (status, booked) = ask(&parts, Role::FrontDesk, &path, &unique("key"), Some(1), &told).await?;
    assert_eq!((status, &booked["status"], &booked["priority"]), (200, &json!("booked"), &json!(5)), "{booked}");
    Ok(())
}

async fn refusals(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let patient = registered(&parts, &person(&unique("vague"))).await?;
    let wish = |changes: Value| {
        let mut wish = json!({
            "status": "waitlist", "patientId": id(&patient), "serviceId": place.service, "clinicId": place.clinic,
            "requestedPeriod": period(),
        });
        changes.as_object().into_iter().flatten().for_each(|(name, value)| wish[name] = value.clone());
        wish
    };
    for (changes, pointer) in [
        (json!({ "priority": 0 }), "/priority"),
        (json!({ "start": at(9, 0) }), "/start"),
        (json!({ "requestedPeriod": null }), "/requestedPeriod"),
        (json!({ "requestedPeriod": { "start": at(9, 0) } }), "/requestedPeriod/end"),
        (json!({ "requestedPeriod": { "start": at(9, 0), "end": at(8, 0) } }), "/requestedPeriod/end"),
        (
            json!({ "requestedPeriod": { "start": "2027-03-28T02:30", "end": "2027-04-01T08:00" } }),
            "/requestedPeriod/start",
        ),
        (json!({ "practitionerId": place.service }), "/practitionerId"),
        (json!({ "serviceId": place.clinic }), "/serviceId"),
    ] {
        let wish = wish(changes);
        let (status, problem) = ask(&parts, Role::FrontDesk, "/api/appointments", &unique("key"), None, &wish).await?;
        let pointers: Vec<_> = problem["errors"].as_array().into_iter().flatten().map(|one| &one["pointer"]).collect();
        assert_eq!((status, pointers), (422, vec![&json!(pointer)]), "{problem}");
    }
    let request = parts.request(Method::GET, "/api/appointments/waitlist").bearer_auth(parts.token(Role::FrontDesk)?);
    assert_eq!(request.send().await?.status(), 422);
    let unknown = get(&parts, "/api/appointments/openings/0197a1b2-7c11-7000-8000-1b2c3d4e5f63").await?;
    assert_eq!(unknown.status(), 404);
    Ok(())
}

async fn series(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let patient = registered(&parts, &person(&unique("often"))).await?;
    let start: String = at(15, 0).chars().take(16).collect();
    let mut wanted = place.wanted(&patient, &start);
    wanted["rule"] = json!({ "frequency": "daily", "count": 3 });
    let made = ask(&parts, Role::FrontDesk, "/api/appointments/series", &unique("key"), None, &wanted).await?;
    assert_eq!(made.0, 201, "{made:?}");
    let waiting = waits(&parts, &place, "waiting", 5).await?;
    let path = format!("/api/appointments/series/{}/cancel", id(&made.1));
    let ended =
        ask(&parts, Role::FrontDesk, &path, &unique("key"), Some(1), &json!({ "from": 2, "reason": "pat" })).await?;
    assert_eq!(ended.0, 200, "{ended:?}");
    let left = openings(&parts, &place).await?;
    let starts: Vec<_> = left.iter().map(|opening| &opening["start"]).collect();
    assert_eq!(starts, [&made.1["occurrences"][1]["start"], &made.1["occurrences"][2]["start"]]);
    assert!(left.iter().all(|opening| asked(opening) == [(id(&waiting), "")]));
    Ok(())
}
