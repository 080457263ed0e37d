//! Times that the clinic's clock skips, and those that it shows twice, in each zone that has them.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use access::Role;
use jiff::{SignedDuration, Span, Timestamp, civil::DateTime, tz::TimeZone};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{id, person, registered, unique};
use crate::place::{Place, ask};

const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
const BOOK: &str = "/api/appointments";
const SERIES: &str = "/api/appointments/series";

/// A time of the clock that does not exist, and one that comes twice, the next of them.
fn odd_times(zone: &str) -> Result<(DateTime, DateTime)> {
    let zone = TimeZone::get(zone)?;
    let (mut skipped, mut twice) = (None, None);
    for transition in zone.following(Timestamp::now() + SignedDuration::from_hours(72)).take(2) {
        let at = transition.timestamp();
        let before = zone.to_offset(at - SignedDuration::from_secs(1)).to_datetime(at);
        let after = transition.offset().to_datetime(at);
        // A quarter of an hour into what lies between the two.
        if after > before {
            skipped = Some(before + Span::new().minutes(15));
        } else {
            twice = Some(after + Span::new().minutes(15));
        }
    }
    Ok((skipped.unwrap(), twice.unwrap()))
}

fn written(local: DateTime) -> String {
    local.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The pointer and the words of the one field that is wrong.
fn wrong(answer: &(u16, Value)) -> (u16, &str, &str) {
    let error = &answer.1["errors"][0];
    (answer.0, error["pointer"].as_str().unwrap_or_default(), error["detail"].as_str().unwrap_or_default())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_time_that_the_clock_skips_or_shows_twice_is_refused_with_how_to_say_it", parts, |parts| async move {
            for zone in ZONES {
                let place = Place::open(&parts, zone, ("00:00", "24:00")).await?;
                let patient = registered(&parts, &person(&unique("Odd"))).await?;
                let (skipped, twice) = odd_times(zone)?;
                let refused = place.book(&parts, &patient, &written(skipped)).await?;
                let (status, pointer, detail) = wrong(&refused);
                assert_eq!((status, pointer), (422, "/start"), "{zone} {refused:?}");
                assert!(detail.contains("does not exist") && detail.contains(zone), "{zone} {detail}");

                let refused = place.book(&parts, &patient, &written(twice)).await?;
                let (status, pointer, detail) = wrong(&refused);
                assert_eq!((status, pointer), (422, "/start"), "{zone} {refused:?}");
                assert!(detail.contains("comes twice"), "{zone} {detail}");
                // What it says how to say is one of the two, in this order.
                let offsets: Vec<_> = detail.split_whitespace().filter(|word| word.starts_with(['+', '-'])).collect();
                let mut starts = Vec::new();
                for offset in &offsets {
                    let (status, made) =
                        place.book(&parts, &patient, &format!("{}:00{offset}", written(twice))).await?;
                    assert_eq!(status, 201, "{zone} {made}");
                    assert_eq!(made["localStart"], json!(format!("{}:00{offset}", written(twice))), "{zone}");
                    starts.push(made["start"].as_str().unwrap().parse::<Timestamp>()?);
                }
                assert!(starts.len() == 2 && starts[0] < starts[1], "{zone} {detail}");

                // One that is there already is moved by the same rules.
                let (_, made) = place.book(&parts, &patient, &written(skipped + Span::new().hours(5))).await?;
                let path = format!("{BOOK}/{}/reschedule", id(&made));
                let body = json!({ "start": written(skipped) });
                let refused = ask(&parts, Role::FrontDesk, &path, &unique("key"), Some(1), &body).await?;
                assert_eq!((wrong(&refused).0, wrong(&refused).1), (422, "/start"), "{zone} {refused:?}");
            }
            // No clock is ever set here.
            let place = Place::open(&parts, "Asia/Kolkata", ("00:00", "24:00")).await?;
            let patient = registered(&parts, &person(&unique("Even"))).await?;
            let (skipped, _) = odd_times("Europe/Berlin")?;
            let (status, made) = place.book(&parts, &patient, &written(skipped)).await?;
            assert_eq!(
                (status, &made["localStart"]),
                (201, &json!(format!("{}:00+05:30", written(skipped)))),
                "{made}"
            );
            Ok(())
        }),
        test("a_series_leaves_out_what_the_clock_skips_and_takes_the_first_of_two", parts, |parts| async move {
            for zone in ZONES {
                let place = Place::open(&parts, zone, ("00:00", "24:00")).await?;
                let patient = registered(&parts, &person(&unique("Nightly"))).await?;
                let (skipped, twice) = odd_times(zone)?;
                let shown = TimeZone::get(zone)?;
                for (odd, days) in [(skipped, [-1, 1, 2]), (twice, [-1, 0, 1])] {
                    let mut wanted = place.wanted(&patient, &written(odd - Span::new().days(1)));
                    wanted["rule"] = json!({ "frequency": "daily", "count": 3 });
                    let (status, made) = ask(&parts, Role::FrontDesk, SERIES, &unique("key"), None, &wanted).await?;
                    assert_eq!(status, 201, "{zone} {made}");
                    let starts: Vec<Timestamp> = made["occurrences"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|own| own["start"].as_str().unwrap().parse().unwrap())
                        .collect();
                    let locals: Vec<_> = starts.iter().map(|start| shown.to_datetime(*start)).collect();
                    assert_eq!(locals, days.map(|day| odd + Span::new().days(day)), "{zone}");
                    // An hour, or less, before that the clock showed something else: nothing came before the first.
                    let first = shown.to_ambiguous_timestamp(odd).earlier();
                    assert!(odd == skipped || starts[1] == first?, "{zone} {starts:?}");

                    // Who moves it onto what is skipped says of the first of them that it is to be there.
                    let path = format!("{SERIES}/{}/reschedule", id(&made));
                    let body = json!({ "from": 1, "start": written(skipped) });
                    let refused = ask(&parts, Role::FrontDesk, &path, &unique("key"), Some(1), &body).await?;
                    assert_eq!((wrong(&refused).0, wrong(&refused).1), (422, "/start"), "{zone} {refused:?}");
                }
            }
            Ok(())
        }),
    ]
}
