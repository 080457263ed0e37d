//! The public routes, with something in the sidecar's place that answers everything.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use access::{AUDIENCE, Claims, ISSUER, Role, SCOPE, TYPE};
use axum::{body::Body, extract::Request, response::Response};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{EncodePrivateKey as _, KeypairBytes},
};
use http::{HeaderMap, request::Builder};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::{
    limits::{Settings, rate::Rate},
    *,
};

const KEY: &str = "ours";
const WIDE: Settings = Settings {
    per_address: Rate::new(1000, 1),
    auth_per_address: Rate::new(1000, 1),
    per_user: Rate::new(1000, 1),
    per_service: 1000,
    sign_ins: 1000,
};

/// What may come from outside, what the gateway adds, and what a client of HTTP does.
const GOES_IN: [&str; 9] = [
    "accept",
    "authorization",
    "content-type",
    "dapr-api-token",
    "host",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "content-length",
];
const COMES_OUT: [&str; 10] = [
    "cache-control",
    "content-length",
    "content-type",
    "etag",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
];

/// The routes, and what the sidecar was asked.
struct Gateway {
    routes: Router,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    key: EncodingKey,
}

impl Gateway {
    async fn with(settings: Settings) -> Self {
        Self::serving(settings, &Web::default()).await
    }

    async fn serving(settings: Settings, web: &Web) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let port = sidecar_that_answers(Arc::clone(&asked)).await;
        let config = sidecar::Config { http_port: port, grpc_port: port, api_token: "right".to_owned().into() };
        let key = KeypairBytes { secret_key: SigningKey::from_bytes(&[1; 32]).to_bytes(), public_key: None };
        let key = EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
        jwk.common.key_id = Some(KEY.to_owned());
        let tokens = AccessTokens::default();
        tokens.set_keys(&JwkSet { keys: vec![jwk] });
        let limits = Arc::new(Limits::new(&settings));
        let routes = routes(&Sidecar::new(&config).unwrap(), Arc::new(tokens), &limits, web).unwrap();
        Self { routes, asked, key }
    }

    fn token(&self, user: u128) -> String {
        let (now, id) = (Timestamp::now().as_second(), Uuid::from_u128(user));
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: id,
            aud: AUDIENCE.to_owned(),
            exp: now + 600,
            iat: now,
            nbf: now,
            jti: id,
            sid: id,
            role: Role::FrontDesk,
            scope: SCOPE.to_owned(),
        };
        let header = Header { kid: Some(KEY.to_owned()), typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) };
        format!("Bearer {}", encode(&header, &claims, &self.key).unwrap())
    }

    async fn answer(&self, request: Builder) -> Response {
        self.routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn status(&self, request: Builder) -> u16 {
        self.answer(request).await.status().as_u16()
    }

    fn asked(&self) -> Vec<(String, HeaderMap)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whatever it is asked; at signing in it hangs.
async fn sidecar_that_answers(asked: Arc<Mutex<Vec<(String, HeaderMap)>>>) -> u16 {
    let answer = move |request: Request| {
        let path = request.uri().path().to_owned();
        asked.lock().unwrap().push((path.clone(), request.headers().clone()));
        async move {
            if path.ends_with("/auth/login") {
                std::future::pending::<()>().await;
            }
            let response =
                COMES_OUT.into_iter().filter(|name| !name.starts_with("ratelimit") && *name != "content-length");
            let response = response.fold(Response::builder(), |response, name| response.header(name, "told"));
            ["server", "set-cookie", "access-control-allow-origin", "dapr-caller-app-id", "traceparent", "x-powered-by"]
                .into_iter()
                .fold(response, |response, name| response.header(name, "inner"))
                .body(Body::from("{}"))
                .unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    port
}

#[tokio::test]
async fn only_listed_headers_go_in_and_come_out() {
    let gateway = Gateway::with(WIDE).await;
    let forged = [
        "dapr-api-token",
        "dapr-app-id",
        "dapr-caller-app-id",
        "dapr-caller-namespace",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-client-address",
        "x-user-id",
        "x-user-role",
        "te",
        "trailer",
        "upgrade",
        "proxy-authorization",
        "cookie",
        "tracestate",
        "baggage",
    ];
    let request = Request::get("/api/patients").header("authorization", gateway.token(1));
    let request = forged.into_iter().fold(request, |request, name| request.header(name, "forged"));
    let answer = gateway.answer(request.header("if-none-match", "\"6\"")).await;
    assert_eq!(answer.status().as_u16(), 200);
    let [(path, sent)] = &gateway.asked()[..] else { panic!("{:?}", gateway.asked()) };
    assert_eq!(path, "/v1.0/invoke/patient/method/api/patients");
    assert_eq!(
        (&sent["dapr-api-token"], &sent["if-none-match"]),
        (&"right".parse().unwrap(), &"\"6\"".parse().unwrap())
    );
    let listed = |headers: &HeaderMap, list: &[&str]| {
        let names: BTreeSet<_> = headers.keys().map(|name| name.as_str().to_owned()).collect();
        let list: BTreeSet<_> = list.iter().map(|name| (*name).to_owned()).collect();
        names.difference(&list).cloned().collect::<Vec<_>>()
    };
    assert_eq!(listed(sent, &GOES_IN), [""; 0], "sent to the service");
    assert!(sent.values().all(|value| value != "forged"), "{sent:?}");
    assert_eq!(listed(answer.headers(), &COMES_OUT), [""; 0], "told to the public");
    assert_eq!(answer.headers().values().filter(|value| *value == "told").count(), 7, "{:?}", answer.headers());
}

/// The app records the attempt; what it answers here, 200, is not what the client is told.
#[tokio::test]
async fn what_a_role_may_not_do_reaches_the_audit_and_nothing_else_of_the_app() {
    let gateway = Gateway::with(WIDE).await;
    let answer = gateway.answer(Request::get("/auth/users").header("authorization", gateway.token(1))).await;
    assert_eq!(answer.status().as_u16(), 403);
    assert!(answer.headers().values().all(|value| value != "told" && value != "inner"), "{:?}", answer.headers());
    let [(path, _)] = &gateway.asked()[..] else { panic!("{:?}", gateway.asked()) };
    assert_eq!(path, "/v1.0/invoke/auth/method/auth/users");
}

#[tokio::test]
async fn what_is_not_public_or_not_allowed_does_not_reach_a_sidecar() {
    let gateway = Gateway::with(WIDE).await;
    let clerk = gateway.token(1);
    for (request, status) in [
        (Request::get("/api/patients"), 401),
        (Request::get("/api/patients").header("authorization", "Bearer e30.e30.e30"), 401),
        (Request::get("/auth/.well-known/revoked-sessions"), 404),
        (Request::get("/v1.0/invoke/auth/method/auth/users").header("authorization", &clerk), 404),
        (Request::delete("/api/patients/1").header("authorization", &clerk), 405),
    ] {
        assert_eq!(gateway.status(request).await, status);
    }
    assert!(gateway.asked().is_empty(), "{:?}", gateway.asked());
}

#[tokio::test]
async fn a_user_who_asks_too_much_is_refused_and_the_others_are_not() {
    let gateway = Gateway::with(Settings { per_user: Rate::new(2, 3600), ..WIDE }).await;
    let asks = |user| Request::get("/api/patients").header("authorization", gateway.token(user));
    for (user, status) in [(1, 200), (1, 200), (1, 429), (2, 200), (1, 429)] {
        let answer = gateway.answer(asks(user)).await;
        assert_eq!(answer.status().as_u16(), status, "user {user}");
        let told = answer.headers()["ratelimit"].to_str().unwrap();
        assert!(
            told.starts_with("\"user\";") && (status == 200 || answer.headers().contains_key("retry-after")),
            "{told}"
        );
    }
    assert_eq!(gateway.asked().len(), 3, "who is refused asks no service");
}

#[tokio::test]
async fn a_service_that_hangs_takes_the_places_of_no_other() {
    let gateway = Gateway::with(Settings { per_service: 1, ..WIDE }).await;
    let hanging =
        tokio::spawn(gateway.routes.clone().oneshot(Request::post("/auth/login").body(Body::empty()).unwrap()));
    while gateway.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let answer = gateway.answer(Request::get("/auth/.well-known/jwks.json")).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    assert_eq!(gateway.status(Request::get("/api/patients").header("authorization", gateway.token(1))).await, 200);
    assert_eq!(gateway.status(Request::get("/openapi.json")).await, 200);
    hanging.abort();
}

#[tokio::test]
async fn who_signs_in_takes_turns_and_nobody_else_does() {
    let gateway = Gateway::with(Settings { sign_ins: 1, ..WIDE }).await;
    let sign_in = || gateway.routes.clone().oneshot(Request::post("/auth/login").body(Body::empty()).unwrap());
    let hanging: Vec<_> = (0..3).map(|_| tokio::spawn(sign_in())).collect();
    while gateway.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(gateway.status(Request::get("/auth/.well-known/jwks.json")).await, 200);
    assert_eq!(gateway.asked().iter().filter(|(path, _)| path.ends_with("login")).count(), 1);
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn the_page_is_for_everyone_and_nothing_beside_it() {
    let directory = std::env::temp_dir().join(format!("page-{}", Uuid::now_v7()));
    std::fs::create_dir_all(directory.join("assets")).unwrap();
    std::fs::write(directory.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(directory.join("assets/index-abc.js"), "1").unwrap();
    let web = Web::read(&directory).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let gateway = Gateway::serving(WIDE, &web).await;
    for (path, status) in [
        ("/", 200),
        ("/assets/index-abc.js", 200),
        ("/favicon.svg", 404),
        ("/index.html", 404),
        ("/assets/", 404),
        ("/assets/index.html", 404),
        ("/assets/../index.html", 404),
        ("/assets/..%2findex.html", 404),
        ("/assets/%2e%2e/index.html", 404),
        ("/assets//etc/passwd", 404),
    ] {
        assert_eq!(gateway.status(Request::get(path)).await, status, "{path}");
    }
    assert_eq!(gateway.status(Request::post("/")).await, 405, "nothing is told to it");
    assert!(gateway.asked().is_empty(), "no service has to do with it");
    let without = Gateway::with(WIDE).await;
    assert_eq!(without.status(Request::get("/")).await, 404);
}
