use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use testkit::{Parts, test};

use super::{get, id, person, register, unique};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("without_its_database_it_says_so_within_a_second", parts, |parts| async move {
            let (key, body) = (unique("key"), person(&unique("Down")));
            parts.stop_postgres().await?;
            for _ in 0..3 {
                let begun = Instant::now();
                let answer = register(&parts, &key, &body).await?;
                assert_eq!(answer.status(), 503);
                assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
                assert_eq!(answer.headers()["retry-after"], "1");
                let detail = answer.text().await?;
                assert!(!detail.contains("SQLSTATE") && !detail.contains("connect"), "{detail}");
            }
            assert_eq!(get(&parts, "/api/patients?family=x").await?.status(), 503);
            assert_eq!(get(&parts, "/readyz").await?.status(), 503);
            assert_eq!(get(&parts, "/livez").await?.status(), 200);
            parts.start_postgres().await?;
            parts.ready().await?;
            // Connections that broke are found out one by one; a client that retries gets through.
            parts
                .eventually("the same request succeeds", || async {
                    let answer = register(&parts, &key, &body).await?;
                    assert!([201, 503].contains(&answer.status().as_u16()));
                    Ok(answer.status() == 201)
                })
                .await?;
            let patient: Value = register(&parts, &key, &body).await?.json().await?;
            assert_eq!(get(&parts, &format!("/api/patients/{}", id(&patient))).await?.status(), 200);
            Ok(())
        }),
        test("without_its_sidecar_it_says_so_within_a_second", parts, |parts| async move {
            let (key, body) = (unique("key"), person(&unique("Alone")));
            parts.kill_sidecar().await;
            let begun = Instant::now();
            assert_eq!(register(&parts, &key, &body).await?.status(), 503);
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
            parts.start_sidecar().await?;
            parts.ready().await?;
            assert_eq!(register(&parts, &key, &body).await?.status(), 201);
            Ok(())
        }),
    ]
}
