//! Too many callers, and parts that are away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use testkit::{Parts, Result};
use tokio::task::JoinSet;

use crate::{administrator, answered, credentials, header, login, sign_in};

/// The queue is shorter than that, by far.
const CALLERS: usize = 100;

pub(crate) async fn many_at_once(parts: Parts) -> Result<()> {
    let (email, password) = administrator(&parts);
    let done = Arc::new(AtomicBool::new(false));
    let meanwhile = tokio::spawn(ask_for_keys(parts.clone(), Arc::clone(&done)));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let request = login(&parts, &credentials(email, password));
        callers.spawn(async move {
            let response = request.send().await?;
            let told_when = header(&response, "retry-after") == "1";
            Ok((response.status().as_u16(), told_when))
        });
    }
    let answers = callers.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    done.store(true, Ordering::Relaxed);

    let signed_in = answers.iter().filter(|(status, _)| *status == 200).count();
    let told_off = answers.iter().filter(|answer| **answer == (429, true)).count();
    assert_eq!(signed_in + told_off, CALLERS, "{answers:?}");
    assert!(signed_in > 0 && told_off > 0, "{signed_in} signed in, {told_off} told to come back");

    let mut times = meanwhile.await??;
    times.sort_unstable();
    let p95 = times[times.len() * 95 / 100];
    assert!(times.len() >= 10 && p95 < Duration::from_millis(200), "{} answers, p95 {p95:?}", times.len());
    assert_eq!(sign_in(&parts, email, password).await?.0, 200, "the queue is empty again");
    Ok(())
}

async fn ask_for_keys(parts: Parts, done: Arc<AtomicBool>) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let keys = parts.request(Method::GET, "/auth/.well-known/jwks.json").send().await?;
        anyhow::ensure!(keys.status().is_success(), "{}", keys.status());
        keys.bytes().await?;
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(times)
}

pub(crate) async fn without_a_database(parts: Parts) -> Result<()> {
    let (email, password) = administrator(&parts);
    parts.stop_postgres().await?;
    for email in [email, "nobody@clinic.example"] {
        let begun = Instant::now();
        let response = login(&parts, &credentials(email, password)).send().await?;
        let took = begun.elapsed();
        assert_eq!(header(&response, "retry-after"), "1");
        let (status, problem) = answered(response).await?;
        assert_eq!(status, 503, "{problem}");
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(!problem.to_string().contains("postgres"), "{problem}");
    }
    assert_eq!(parts.request(Method::GET, "/auth/.well-known/jwks.json").send().await?.status(), 200);
    assert_eq!(parts.request(Method::GET, "/livez").send().await?.status(), 200);
    parts.start_postgres().await?;
    parts.eventually("signing in works again", || async { Ok(sign_in(&parts, email, password).await?.0 == 200) }).await
}
