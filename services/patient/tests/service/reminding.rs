//! Reminders: what is handed to the output binding at a tick, to whom and how often.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{
    id, person,
    place::{Place, at},
    registered, unique,
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("nobody_but_the_sidecar_ticks", parts, only_the_sidecar),
        test("each_appointment_is_reminded_of_once_and_again_when_it_is_moved", parts, reminded),
    ]
}

async fn only_the_sidecar(parts: Parts) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = parts.app_url("/tick");
    assert_eq!(client.post(&url).send().await?.status(), 401);
    assert_eq!(client.post(&url).header("dapr-api-token", "another").send().await?.status(), 401);
    Ok(())
}

/// Where reminders go.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    /// Keys and messages.
    came: Vec<(String, Value)>,
    refuses_next: bool,
}

impl Receiver {
    async fn listen(port: u16) -> Result<Self> {
        let receiver = Self::default();
        let take = async |State(receiver): State<Self>, headers: HeaderMap, Json(message): Json<Value>| {
            let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
            let mut held = receiver.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.came.push((key.to_owned(), message));
            if std::mem::take(&mut held.refuses_next) {
                StatusCode::INTERNAL_SERVER_ERROR
            } else {
                StatusCode::ACCEPTED
            }
        };
        let routes = Router::new().route("/messages", post(take)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(receiver)
    }

    fn refuse_next(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refuses_next = true;
    }

    /// What came about an appointment, at least so many: the sidecar's own tick may have claimed it.
    async fn eventually(&self, appointment: &Value, many: usize) -> Vec<(String, Value)> {
        for _ in 0..50 {
            if self.of(appointment).len() >= many {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.of(appointment)
    }

    /// What came about an appointment.
    fn of(&self, appointment: &Value) -> Vec<(String, Value)> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.came.iter().filter(|(_, message)| message["appointmentId"] == appointment["id"]).cloned().collect()
    }
}

/// Changes a document as nobody could by asking.
async fn change(parts: &Parts, key: &str, version: u64, data: &[(&str, Value)]) -> Result<()> {
    let read = format!("select convert_from(value, 'UTF8')::jsonb as document from state.state where key = '{key}'");
    let mut document = parts.sql(&read).await?.remove(0)["document"].take();
    document["version"] = json!(version);
    document["events"] = json!([]);
    for (pointer, value) in data {
        *document["data"].pointer_mut(pointer).ok_or_else(|| anyhow::anyhow!("{key} has no {pointer}"))? =
            value.clone();
    }
    let write = "update state.state set value = convert_to($2, 'UTF8') where key = $1";
    let refused = parts.database().await?.change(write, &[key, &document.to_string()]).await?;
    anyhow::ensure!(refused.is_none(), "{refused:?}");
    Ok(())
}

/// Puts an appointment that was booked long ago at a time soon from now.
async fn moved_to(parts: &Parts, appointment: &Value, version: u64, minutes: i64) -> Result<()> {
    let start = Timestamp::now() + SignedDuration::from_mins(minutes);
    let time = json!({ "start": start, "end": start + SignedDuration::from_mins(30) });
    let long_ago = json!(Timestamp::now() - SignedDuration::from_hours(240));
    let data = [("/time", time.clone()), ("/busy", time), ("/stamps/booked", long_ago)];
    change(parts, &format!("appointment/{}", id(appointment)), version, &data).await
}

async fn reminded(parts: Parts) -> Result<()> {
    let receiver = Receiver::listen(parts.receiver_port()).await?;
    let place = Place::make(&parts).await?;
    let mut ada = person(&unique("Reminded"));
    ada["telecom"] = json!([
        { "system": "phone", "use": "old", "value": "+15555550100" }, { "system": "phone", "value": "+15555550177" },
        { "system": "email", "value": "a@example.org" }]);
    let patient = registered(&parts, &ada).await?;
    let booked = async |patient: &Value, hour| -> Result<Value> {
        let (status, booked) = place.book(&parts, patient, &at(hour, 0)).await?;
        anyhow::ensure!(status == 201, "{booked}");
        Ok(booked)
    };
    let tick = async || -> Result<()> {
        let (one, other) =
            tokio::join!(parts.request(Method::POST, "/tick").send(), parts.request(Method::POST, "/tick").send());
        assert_eq!((one?.status().as_u16(), other?.status().as_u16()), (200, 200));
        Ok(())
    };

    // Next week is not near; in a day is.
    let first = booked(&patient, 9).await?;
    tick().await?;
    assert!(receiver.of(&first).is_empty());
    moved_to(&parts, &first, 2, 24 * 60).await?;
    tick().await?;
    tick().await?;
    let came = receiver.eventually(&first, 1).await;
    let [(key, message)] = &came[..] else { panic!("{came:?}") };
    assert_eq!(message["kind"], "appointment-reminder");
    assert_eq!((&message["clinic"], &message["timeZone"]), (&json!("North"), &json!("Europe/Berlin")));
    assert_eq!(message["patient"]["family"], ada["name"][0]["family"]);
    assert_eq!(
        (&message["patient"]["phone"], &message["patient"]["email"]),
        (&json!("+15555550177"), &json!("a@example.org"))
    );
    // Another time is reminded of anew; two hours before, it is the second one alone.
    moved_to(&parts, &first, 3, 90).await?;
    tick().await?;
    let came = receiver.eventually(&first, 2).await;
    assert_eq!(came.len(), 2, "{came:?}");
    assert_ne!(came[1].0, *key);

    // A receiver that fails gets it again, under the same key, and not before the pause is over.
    let second = booked(&patient, 11).await?;
    receiver.refuse_next();
    moved_to(&parts, &second, 2, 26 * 60).await?;
    tick().await?;
    tick().await?;
    let came = receiver.eventually(&second, 1).await;
    assert_eq!(came.len(), 1, "{came:?}");
    change(&parts, &format!("reminder/{}", came[0].0), 3, &[("/due", json!("2026-01-01T00:00:00Z"))]).await?;
    tick().await?;
    tick().await?;
    let came = receiver.eventually(&second, 2).await;
    assert_eq!((came.len(), &came[0].0), (2, &came[1].0), "{came:?}");

    // Who was called off is not reminded, nor who has just booked, nor whom nobody can reach.
    let third = booked(&patient, 13).await?;
    moved_to(&parts, &third, 2, 28 * 60).await?;
    change(&parts, &format!("appointment/{}", id(&third)), 3, &[("/status", json!("cancelled"))]).await?;
    let fourth = booked(&patient, 14).await?;
    moved_to(&parts, &fourth, 2, 30 * 60).await?;
    let just_now = [("/stamps/booked", json!(Timestamp::now()))];
    change(&parts, &format!("appointment/{}", id(&fourth)), 3, &just_now).await?;
    let mut nobody = person(&unique("Unreachable"));
    nobody.as_object_mut().map(|nobody| nobody.remove("telecom"));
    let fifth = booked(&registered(&parts, &nobody).await?, 15).await?;
    moved_to(&parts, &fifth, 2, 32 * 60).await?;
    tick().await?;
    for one in [&third, &fourth, &fifth] {
        assert!(receiver.of(one).is_empty());
    }
    let outcome = format!(
        "select convert_from(value, 'UTF8')::jsonb #>> '{{data,outcome}}' as outcome from state.state
         join projection.reminders on key = 'reminder/' || reminder_id where appointment_id = '{}'",
        id(&fifth)
    );
    assert_eq!(parts.sql(&outcome).await?[0]["outcome"], "unreachable");
    Ok(())
}
