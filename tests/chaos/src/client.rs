//! A client that writes, and repeats each write with its key until it has a definite answer.

mod arrivals;
mod bills;
mod bookings;
mod claims;
mod observations;
mod payments;
mod registrations;
mod remittances;
mod visits;
mod waiting;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use access::Role;
use anyhow::Result;
use jiff::Timestamp;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use reqwest::{Method, header};
use serde_json::Value;
use testkit::Issuer;

use self::{
    arrivals::Attending, bills::Bill, bookings::Booked, observations::Observed, payments::Paid, remittances::Remitted,
    waiting::Waiting,
};
pub(crate) use self::{remittances::Payers, visits::SERVICES};
use crate::{
    clinic::Clinic,
    journal::{Entry, Journal, Wish},
    pace::Pace,
};

/// A client asks again when it has waited this long.
const PATIENCE: Duration = Duration::from_millis(2500);
/// The pauses between attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How billing's refusal ends that stands for not yet.
const NO_ACCOUNT: &str = "no-account";
/// A system that has come back answers within this, so a client that gives up is a finding.
pub(crate) const GIVE_UP: Duration = Duration::from_mins(3);

/// How likely the wishes are, in percent. What cannot be, since there is nobody to do it to, is a registration.
const WISHES: [(u32, Wants); 24] = [
    (3, Wants::Duplicate),
    (3, Wants::Replay),
    (4, Wants::Contend),
    (5, Wants::Amend),
    (7, Wants::Book),
    (2, Wants::Rebook),
    (3, Wants::Move),
    (3, Wants::Cancel),
    (4, Wants::Attend),
    (2, Wants::Wait),
    (3, Wants::Observe),
    (2, Wants::Correct),
    (4, Wants::Visit),
    (10, Wants::Bill),
    (8, Wants::Pay),
    (2, Wants::Repay),
    (3, Wants::Credit),
    (2, Wants::WriteOff),
    (3, Wants::Refund),
    (2, Wants::Insure),
    (7, Wants::Claim),
    (5, Wants::Remit),
    (1, Wants::Reremit),
    (3, Wants::TakeBack),
];
/// How often the same request is sent twice at once, as a client does that has lost its patience.
const TWICE: f64 = 0.15;

#[derive(Clone, Copy, Debug)]
enum Wants {
    Duplicate,
    Replay,
    Contend,
    Amend,
    Book,
    Rebook,
    Move,
    Cancel,
    Attend,
    Wait,
    Observe,
    Correct,
    Visit,
    Bill,
    Pay,
    Repay,
    Credit,
    WriteOff,
    Refund,
    Insure,
    Claim,
    Remit,
    Reremit,
    TakeBack,
}

/// What all clients have in common.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) clinic: Clinic,
    pub(crate) http: reqwest::Client,
    pub(crate) issuer: Issuer,
    pub(crate) journal: Journal,
    pub(crate) payers: Payers,
    /// After how long a client gives up.
    pub(crate) give_up: Duration,
    pub(crate) pace: Arc<Pace>,
    pub(crate) seed: u64,
}

/// Patients that two clients amend.
pub(crate) type Contended = Arc<Mutex<Vec<(String, Value)>>>;

/// A patient whom a client has registered.
#[derive(Clone)]
struct Known {
    key: String,
    id: String,
    version: u64,
    /// As they were registered.
    person: Value,
    contended: bool,
}

pub(crate) struct Client {
    number: u32,
    world: Arc<World>,
    random: StdRng,
    known: Vec<Known>,
    booked: Vec<Booked>,
    attending: Vec<Attending>,
    waiting: Waiting,
    observed: Vec<Observed>,
    bills: Vec<Bill>,
    paid: Vec<Paid>,
    /// Payer and coverage of each patient who has one.
    insured: BTreeMap<String, (String, String)>,
    remitted: Vec<Remitted>,
    contended: Contended,
    made: u64,
}

/// A definite answer, or none.
#[derive(Default)]
struct Answer {
    status: Option<u16>,
    etag: Option<String>,
    body: Value,
    attempts: u32,
    faults: BTreeMap<String, u32>,
    /// How long the last attempt took.
    took: Duration,
}

/// What is sent with an attempt, and as whom.
#[derive(Clone)]
struct Ask<'a> {
    role: Role,
    method: Method,
    path: &'a str,
    key: Option<&'a str>,
    seen: Option<u64>,
    body: Option<&'a Value>,
}

impl Client {
    pub(crate) fn new(number: u32, world: &Arc<World>, contended: &Contended) -> Self {
        let random = StdRng::seed_from_u64(world.seed.wrapping_mul(1_000_003).wrapping_add(number.into()));
        let (world, contended) = (Arc::clone(world), Arc::clone(contended));
        let (known, booked, attending, waiting, observed, bills, paid, insured, remitted) = Default::default();
        Self {
            number,
            world,
            random,
            known,
            booked,
            attending,
            waiting,
            observed,
            bills,
            paid,
            insured,
            remitted,
            contended,
            made: 0,
        }
    }

    /// Writes until the load is over.
    pub(crate) async fn run(mut self) -> Result<()> {
        while self.world.pace.next().await.is_some() {
            let drawn = self.random.random_range(0..100);
            let mut wishes = WISHES.iter().scan(0, |sum, (likely, wish)| {
                *sum += likely;
                Some((*sum, *wish))
            });
            let wish = wishes.find(|(sum, _)| drawn < *sum).map(|(_, wish)| wish);
            let known = self.known.choose(&mut self.random).cloned();
            let done = match known.zip(wish) {
                None => false,
                Some((known, Wants::Duplicate)) => self.duplicate(&known).await?,
                Some((known, Wants::Replay)) => self.replay(&known).await?,
                Some((_, Wants::Contend)) => self.contend().await?,
                Some((_, Wants::Amend)) => self.amend().await?,
                Some((known, Wants::Book)) => self.book(&known).await?,
                Some((_, Wants::Rebook)) => self.rebook().await?,
                Some((_, Wants::Move)) => self.reschedule().await?,
                Some((_, Wants::Cancel)) => self.cancel().await?,
                Some((known, Wants::Attend)) => self.attend(&known).await?,
                Some((known, Wants::Wait)) => self.wait(&known).await?,
                Some((known, Wants::Observe)) => self.observe(&known).await?,
                Some((_, Wants::Correct)) => self.correct().await?,
                Some((known, Wants::Visit)) => self.visit(&known).await?,
                Some((known, Wants::Bill)) => self.bill(&known).await?,
                Some((known, Wants::Pay)) => self.pay(&known).await?,
                Some((_, Wants::Repay)) => self.repay().await?,
                Some((_, Wants::Credit)) => self.credit().await?,
                Some((_, Wants::WriteOff)) => self.write_off().await?,
                Some((_, Wants::Refund)) => self.refund().await?,
                Some((known, Wants::Insure)) => self.insure(&known.id).await?.is_some(),
                // Of what is missing for it, one thing is done instead.
                Some((known, Wants::Claim)) => self.claim().await? || self.bill(&known).await?,
                Some((_, Wants::Remit)) => self.remit().await? || self.claim().await?,
                Some((_, Wants::Reremit)) => self.remit_again().await? || self.remit().await?,
                Some((_, Wants::TakeBack)) => self.take_back().await? || self.remit().await? || self.claim().await?,
            };
            if !done {
                self.register().await?;
            }
            self.world.pace.finish();
        }
        Ok(())
    }

    /// Asks, sometimes twice at once.
    async fn perhaps_twice(&mut self, ask: Ask<'_>) -> Result<Vec<Answer>> {
        let twice = self.random.random_bool(TWICE);
        let (one, other) = (self.clone_random(), self.clone_random());
        if !twice {
            return Ok(vec![self.until_definite(one, ask).await?]);
        }
        let (first, second) =
            tokio::join!(self.until_definite(one, ask.clone()), self.until_definite(other, ask.clone()));
        Ok(vec![first?, second?])
    }

    /// What is there now.
    async fn see(&mut self, role: Role, path: &str) -> Result<Value> {
        let random = self.clone_random();
        let ask = Ask { role, method: Method::GET, path, key: None, seen: None, body: None };
        Ok(self.until_definite(random, ask).await?.body)
    }

    /// Asks until the answer is definite: not when a part of the system is away, nor when the answer got lost.
    async fn until_definite(&self, mut random: StdRng, ask: Ask<'_>) -> Result<Answer> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut answer = Answer::default();
        while begun.elapsed() < self.world.give_up {
            answer.attempts += 1;
            let asked = Instant::now();
            let token = self.world.issuer.token(&format!("chaos client {}", self.number), ask.role)?;
            match self.attempt(&ask, &token).await {
                // Whose account is not open yet will have one.
                Ok((409, _, body)) if body["type"].as_str().is_some_and(|kind| kind.ends_with(NO_ACCOUNT)) => {
                    *answer.faults.entry("no account yet".to_owned()).or_default() += 1;
                }
                Ok((status, etag, body)) if status < 500 => {
                    return Ok(Answer { status: Some(status), etag, body, took: asked.elapsed(), ..answer });
                }
                Ok((status, ..)) => *answer.faults.entry(status.to_string()).or_default() += 1,
                Err(error) => {
                    let fault = if error.is_timeout() { "timeout" } else { "broken" };
                    *answer.faults.entry(fault.to_owned()).or_default() += 1;
                }
            }
            tokio::time::sleep(pause.mul_f64(random.random_range(0.5..1.0))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(answer)
    }

    async fn attempt(&self, ask: &Ask<'_>, token: &str) -> reqwest::Result<(u16, Option<String>, Value)> {
        let url = format!("{}{}", self.world.url, ask.path);
        let mut request = self.world.http.request(ask.method.clone(), url).bearer_auth(token).timeout(PATIENCE);
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(seen) = ask.seen {
            request = request.header(header::IF_MATCH, format!("\"{seen}\""));
        }
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let text = response.text().await?;
        Ok((status, etag, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Writes down how it ended, before anything else is asked.
    fn note(
        &self,
        wish: Wish,
        key: &str,
        subject: Option<(&str, Option<u64>, bool)>,
        body: &Value,
        answer: &Answer,
    ) -> Result<()> {
        self.world.journal.append(&Entry {
            client: self.number,
            wish,
            key: key.to_owned(),
            subject: subject.map(|(id, ..)| id.to_owned()),
            seen: subject.and_then(|(_, seen, _)| seen),
            contended: subject.is_some_and(|(.., contended)| contended),
            body: body.clone(),
            status: answer.status,
            etag: answer.etag.clone(),
            answer: answer.body.clone(),
            attempts: answer.attempts,
            faults: answer.faults.clone(),
            took_ms: answer.took.as_millis(),
            at: Timestamp::now().to_string(),
        })
    }

    /// A key, and a word that nobody else uses.
    fn name(&mut self) -> (String, String) {
        self.made += 1;
        let tag = format!("c{}n{}s{}", self.number, self.made, self.world.seed);
        (format!("chaos-{tag}"), tag)
    }

    /// The pauses of a request take nothing from what decides the next one, since how many there are is chance.
    fn clone_random(&mut self) -> StdRng {
        StdRng::seed_from_u64(self.random.random())
    }
}

impl<'a> Ask<'a> {
    fn registration(key: &'a str, person: &'a Value) -> Self {
        Self::post(Role::FrontDesk, "/api/patients", key, person)
    }

    fn amendment(path: &'a str, key: &'a str, seen: u64, patch: &'a Value) -> Self {
        let (key, seen, body) = (Some(key), Some(seen), Some(patch));
        Self { role: Role::FrontDesk, method: Method::PATCH, path, key, seen, body }
    }

    fn post(role: Role, path: &'a str, key: &'a str, body: &'a Value) -> Self {
        Self { role, method: Method::POST, path, key: Some(key), seen: None, body: Some(body) }
    }
}
