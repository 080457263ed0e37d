//! The limits around routes that answer at once, or never.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use http::StatusCode;
use http_body_util::BodyExt as _;
use runtime::{http::LARGEST_BODY, step::Steps};
use tower::ServiceExt as _;

use super::*;

const WIDE: Settings = Settings {
    per_address: Rate::new(1000, 1),
    auth_per_address: Rate::new(1000, 1),
    per_user: Rate::new(1000, 1),
    per_service: 1000,
    sign_ins: 1000,
};

fn app(settings: Settings) -> Router {
    let limits = Arc::new(Limits::new(&settings));
    let (slow, quick) = (limits.places(), limits.places());
    let hangs = || async { tokio::time::sleep(Duration::from_hours(1)).await };
    let routes = Router::new()
        .route("/slow", get(hangs).layer(Steps::of(limits.of_route(slow))))
        .route("/auth/login", post(|| async {}).layer(Steps::of(limits.of_route(quick.clone()))))
        .route("/", get(|| async {}).post(|body: String| async { body }).layer(Steps::of(limits.of_route(quick))));
    routes.layer((Steps::of(AtTheDoor(limits)), DefaultBodyLimit::max(LARGEST_BODY)))
}

fn from(address: &str, method: &str, path: &str) -> http::request::Builder {
    let address = ClientAddress(address.parse().unwrap());
    Request::builder().method(method).uri(path).extension(address)
}

async fn ask(app: &Router, request: http::request::Builder, body: impl Into<Body>) -> (u16, HeaderMap) {
    let response = app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    if parts.status.is_client_error() || parts.status.is_server_error() {
        let body = body.collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["status"], parts.status.as_u16());
    }
    (parts.status.as_u16(), parts.headers)
}

#[tokio::test]
async fn an_address_that_asks_too_much_is_refused_and_the_others_are_not() {
    let app = app(Settings { per_address: Rate::new(10, 3600), ..WIDE });
    let mut passed = 0;
    for _ in 0..1000 {
        let (status, headers) = ask(&app, from("192.0.2.1", "GET", "/"), "").await;
        match status {
            200 => passed += 1,
            429 => assert!(headers.contains_key("retry-after") && headers.contains_key("ratelimit-policy")),
            other => assert_eq!(other, 429),
        }
    }
    assert_eq!(passed, 10);
    assert_eq!(ask(&app, from("192.0.2.2", "GET", "/"), "").await.0, 200);
    assert_eq!(ask(&app, Request::get("/"), "").await.0, 200, "the sidecar's calls come from nowhere");
}

#[tokio::test]
async fn signing_in_is_limited_more_strictly() {
    let app = app(Settings { auth_per_address: Rate::new(2, 3600), ..WIDE });
    for status in [200, 200, 429] {
        assert_eq!(ask(&app, from("192.0.2.1", "POST", "/auth/login"), "").await.0, status);
    }
    assert_eq!(ask(&app, from("192.0.2.1", "GET", "/"), "").await.0, 200);
    assert!(!is_auth("/authors") && is_auth("/auth"));
}

#[tokio::test]
async fn what_is_too_large_is_told_so() {
    let app = app(WIDE);
    let headers = |size| Request::get("/").header("x-large", "h".repeat(size));
    let json = |depth: usize| ("[".repeat(depth) + &"]".repeat(depth), "application/merge-patch+json");
    assert_eq!(ask(&app, headers(size::LARGEST_HEADERS - 11), "").await.0, 200);
    assert_eq!(ask(&app, headers(size::LARGEST_HEADERS), "").await.0, 431);
    assert_eq!(ask(&app, Request::get(format!("/?{}", "u".repeat(size::LONGEST_URL - 2))), "").await.0, 200);
    assert_eq!(ask(&app, Request::get(format!("/?{}", "u".repeat(size::LONGEST_URL))), "").await.0, 414);
    for ((body, kind), status) in [
        (json(64), 200),
        (json(65), 400),
        ((" ".repeat(2 << 20), "text/plain"), 413),
        (("[".repeat(99), "text/plain"), 200),
    ] {
        let request = Request::post("/").header("content-type", kind);
        assert_eq!(ask(&app, request, body).await.0, status, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_ends() {
    let begun = tokio::time::Instant::now();
    assert_eq!(ask(&app(WIDE), Request::get("/slow"), "").await.0, 504);
    assert_eq!(begun.elapsed().as_secs(), LONGEST.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let slow = |pieces: u32| {
        let piece = move |n| async move {
            tokio::time::sleep(Duration::from_millis(900)).await;
            (n < pieces).then(|| (Ok::<_, std::io::Error>("x"), n + 1))
        };
        Body::from_stream(futures::stream::unfold(0, piece))
    };
    let begun = tokio::time::Instant::now();
    let (status, headers) = ask(&app(WIDE), Request::post("/"), slow(u32::MAX)).await;
    assert_eq!((status, headers["connection"].as_bytes()), (408, &b"close"[..]));
    assert_eq!(begun.elapsed().as_secs(), BODY.as_secs());
    let (status, headers) = ask(&app(WIDE), Request::post("/"), slow(4)).await;
    assert!(status == 200 && !headers.contains_key("connection"), "{status} {headers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_does_not_take_the_others_down() {
    let app = app(Settings { per_service: 3, ..WIDE });
    let hanging: Vec<_> = (0..3)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { ask(&app, Request::get("/slow"), "").await.0 })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (status, headers) = ask(&app, Request::get("/slow"), "").await;
    assert_eq!((status, headers["retry-after"].as_bytes()), (503, &b"1"[..]));
    assert_eq!(ask(&app, Request::get("/"), "").await.0, 200);
    for hung in hanging {
        assert_eq!(hung.await.unwrap(), StatusCode::GATEWAY_TIMEOUT.as_u16());
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let again = tokio::time::timeout(Duration::from_secs(1), ask(&app, Request::get("/slow"), "")).await;
    assert!(again.is_err(), "a place that is free again is taken");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_remembered_for_ever() {
    let limits = Arc::new(Limits::new(&WIDE));
    let (address, told) = (AddressKey::from(std::net::IpAddr::from([192, 0, 2, 1])), &mut HeaderMap::new());
    limits.addresses.take(&address, told).unwrap();
    limits.auth.take(&address, told).unwrap();
    limits.users.take(&Uuid::nil(), told).unwrap();
    let sweeping = tokio::spawn(Arc::clone(&limits).sweep());
    // The buckets go by the real clock, and are full again within milliseconds of it.
    let begun = std::time::Instant::now();
    while [limits.addresses.len(), limits.auth.len(), limits.users.len()] != [0; 3] {
        assert!(begun.elapsed() < Duration::from_secs(5), "somebody is remembered");
        tokio::time::sleep(SWEEP).await;
    }
    sweeping.abort();
}
