//! The clearing house and a clinic that takes what it is given, each at a port of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    http::{HeaderMap, Uri},
    response::IntoResponse,
};
use reqwest::Client;
use serde_json::json;
use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};

use super::*;
use crate::sample::claim;

const SOON: Duration = Duration::from_secs(20);

/// Path, key, token and body of a request.
type Seen = (String, String, String, Value);

/// A clinic that takes whatever it is sent.
#[derive(Clone, Default)]
struct Fake {
    seen: Arc<Mutex<Vec<Seen>>>,
    sign_ins: Arc<AtomicUsize>,
    /// What the first requests are answered, one after the other.
    first: Arc<Vec<u16>>,
}

async fn open(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    url
}

impl Fake {
    async fn open(&self) -> String {
        let login = post(async |State(fake): State<Self>, Json(shown): Json<Value>| {
            assert_eq!(shown, json!({ "email": "payer@example.com", "password": "a long password" }));
            let number = fake.sign_ins.fetch_add(1, Ordering::SeqCst) + 1;
            Json(json!({ "access_token": format!("token {number}"), "expires_in": 600 }))
        });
        let anything = async |State(fake): State<Self>, uri: Uri, headers: HeaderMap, Json(body): Json<Value>| {
            let text = |name: &str| headers[name].to_str().unwrap().to_owned();
            let mut seen = fake.seen.lock().unwrap();
            seen.push((uri.path().to_owned(), text("idempotency-key"), text("authorization"), body));
            match fake.first.get(seen.len() - 1) {
                Some(status) => {
                    (StatusCode::from_u16(*status).unwrap(), [("retry-after", "0")], Json(json!({}))).into_response()
                }
                None => Json(json!({ "taken": true })).into_response(),
            }
        };
        open(Router::new().route("/auth/login", login).fallback(anything).with_state(self.clone())).await
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn somebody() -> Credentials {
    Credentials { email: "payer@example.com".to_owned(), password: "a long password".to_owned() }
}

/// Opens a clearing house; answers where.
async fn house(fake: &Fake, credentials: Option<Credentials>, api_token: Option<&str>) -> String {
    let clinic = Clinic::new(fake.open().await, credentials).unwrap();
    open(Desk::new(clinic, api_token.map(str::to_owned)).routes()).await
}

async fn submit(house: &str, claim: &Value) -> u16 {
    Client::new().post(format!("{house}/claims")).json(claim).send().await.unwrap().status().as_u16()
}

/// The record of the sample claim, when everything is answered.
async fn done(house: &str) -> Value {
    let id = claim("")["claimId"].as_str().unwrap().to_owned();
    let asked = async {
        loop {
            let answer = Client::new().get(format!("{house}/cases/{id}")).send().await.unwrap();
            let record: Value = answer.json().await.unwrap();
            if record["submissions"].as_array().unwrap().iter().all(|submission| submission["done"] == true) {
                return record;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, asked).await.unwrap()
}

#[tokio::test]
async fn what_a_payer_says_comes_in_order_and_once() {
    let fake = Fake::default();
    let house = house(&fake, Some(somebody()), None).await;
    assert_eq!(submit(&house, &claim("PEND-1")).await, 202);
    assert_eq!(submit(&house, &claim("PEND-1")).await, 202);
    let record = done(&house).await;
    let submission = &record["submissions"][0];
    assert_eq!((submission["case"].as_str(), submission["deliveries"].as_u64()), (Some("PEND"), Some(2)));
    let steps: Vec<_> =
        submission["steps"].as_array().unwrap().iter().map(|step| (&step["name"], &step["status"])).collect();
    assert_eq!(json!(steps), json!([["accepted", 200], ["pended", 200], ["answered", 200]]));
    assert_eq!(submission["steps"][2]["answer"]["taken"], true);

    let seen = fake.seen();
    let paths: Vec<_> = seen.iter().map(|(path, ..)| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(paths, ["acknowledgements", "acknowledgements", "remittances"]);
    assert!(seen.iter().all(|(_, _, token, _)| token == "Bearer token 1"), "{seen:?}");
    let keys: std::collections::BTreeSet<_> = seen.iter().map(|(_, key, ..)| key.trim_matches('"')).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| key.parse::<Uuid>().is_ok()), "{keys:?}");
    assert_eq!(fake.sign_ins.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_not_decided_is_sent_again_with_its_key() {
    let fake = Fake { first: Arc::new(vec![503, 429, 504, 401]), ..Fake::default() };
    let house = house(&fake, Some(somebody()), None).await;
    submit(&house, &claim("REJECT-1")).await;
    let step = done(&house).await["submissions"][0]["steps"][0].clone();
    assert_eq!((step["status"].as_u64(), step["attempts"].as_u64()), (Some(200), Some(5)));
    let seen = fake.seen();
    assert!(seen.len() == 5 && seen.iter().all(|(_, key, ..)| *key == seen[0].1), "{seen:?}");
    // Who was not known signs in again.
    assert_eq!((seen[3].2.as_str(), seen[4].2.as_str()), ("Bearer token 1", "Bearer token 2"));
}

#[tokio::test]
async fn what_is_refused_is_noted_and_the_next_is_sent() {
    let fake = Fake { first: Arc::new(vec![200, 422]), ..Fake::default() };
    let house = house(&fake, Some(somebody()), None).await;
    submit(&house, &claim("UNBALANCED-1")).await;
    let record = done(&house).await;
    let statuses: Vec<_> =
        record["submissions"][0]["steps"].as_array().unwrap().iter().map(|step| &step["status"]).collect();
    assert_eq!(json!(statuses), json!([200, 422, 200]));
}

#[tokio::test]
async fn who_signs_in_may_be_told_later_by_who_has_the_token() {
    let fake = Fake::default();
    let house = house(&fake, None, Some("secret")).await;
    let client = Client::new();
    for (method, path) in [("GET", "/livez"), ("GET", "/readyz")] {
        let answer = client.request(method.parse().unwrap(), format!("{house}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(submit(&house, &claim("PAY-1")).await, 401);
    let with = |method: &str, path: &str| {
        client.request(method.parse().unwrap(), format!("{house}{path}")).header(TOKEN, "secret")
    };
    assert_eq!(with("GET", "/anything").send().await.unwrap().status(), 404);
    assert_eq!(with("POST", "/claims").json(&claim("REJECT-1")).send().await.unwrap().status(), 202);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(fake.seen().len(), 0);
    assert_eq!(with("PUT", "/credentials").json(&somebody()).send().await.unwrap().status(), 204);
    let told = async {
        while fake.seen().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, told).await.unwrap();
}

#[tokio::test]
async fn a_slow_house_works_while_it_is_silent_and_answers_the_second_time() {
    let fake = Fake::default();
    let house = house(&fake, Some(somebody()), None).await;
    let begun = Instant::now();
    let body = claim("SLOW-1");
    let (first, ()) = tokio::join!(submit(&house, &body), async {
        sleep(Duration::from_millis(100)).await;
        assert_eq!(submit(&house, &body).await, 202);
        done(&house).await;
        assert!(begun.elapsed() < SILENCE, "{:?}", begun.elapsed());
    });
    assert!(first == 202 && begun.elapsed() >= SILENCE, "{first} after {:?}", begun.elapsed());
}

#[tokio::test]
async fn only_whole_claims_and_insured_members_are_known() {
    let fake = Fake::default();
    let house = house(&fake, None, None).await;
    let mut half = claim("PAY-1");
    half["billingProvider"] = Value::Null;
    assert_eq!(submit(&house, &half).await, 422);
    for (member, active) in [("PAY-1", true), ("INACTIVE-1", false), ("INACTIVE", false)] {
        let question = json!({
            "coverageId": "c", "date": "2026-11-30", "payer": { "id": "p" }, "memberId": member, "relationship": "self",
        });
        let answer = Client::new().post(format!("{house}/eligibility")).json(&question).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!((answer["active"].as_bool(), answer["note"].is_string()), (Some(active), !active), "{member}");
    }
    assert_eq!(Client::new().get(format!("{house}/cases/x")).send().await.unwrap().status(), 404);
}
