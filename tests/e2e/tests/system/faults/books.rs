//! Money is moved by many at once, at every instance, while whoever serves them is killed: each number is given once and
//! none is left out, and no payment is lost or counted twice.
#![expect(clippy::print_stdout, reason = "how long it took is a figure to know")]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use access::Role;
use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use local::{App, Part};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

const CLIENTS: usize = 24;
/// How many things each of them does, one after the other, while one part dies.
const EACH: usize = 4;
const PATIENTS: usize = 6;
const PRICE: i64 = 9_500;
/// What any client may ask again after.
const UNDECIDED: [u16; 4] = [429, 502, 503, 504];
const PAUSE: Duration = Duration::from_millis(100);
/// When everybody is at it.
const UNDER_WAY: Duration = Duration::from_millis(150);
/// How long a definite answer may take, whoever has to come back first.
const GIVE_UP: Duration = Duration::from_mins(1);
/// Longer than the resolver waits before it uses an instance that was away: the other one is killed next.
const SETTLED: Duration = Duration::from_secs(4);

/// A request that is sent until it is decided, and then once more.
struct Wanted {
    path: String,
    key: String,
    seen: Option<u64>,
    body: Value,
}

pub(crate) async fn are_numbered(stage: &Stage) -> Result<()> {
    let (desk, biller) = (stage.public(Role::FrontDesk)?, stage.public(Role::Biller)?);
    let (patients, clinic) = (patients(stage, &desk).await?, Uuid::now_v7());
    let mut numbers = BTreeSet::new();
    for part in billing(stage) {
        let drafts = try_join_all((0..CLIENTS * EACH).map(async |n| {
            let draft = wanted("", None, &draft(&patients[n % PATIENTS], clinic));
            let draft = decided(&biller, &draft).await?.expect(201)?;
            let path = format!("/{}/issue", draft.text("/invoiceId"));
            anyhow::Ok(wanted(&path, draft.body["version"].as_u64(), &json!({})))
        }));
        let issued = while_it_dies(stage, part, &biller, &drafts.await?).await.with_context(|| part.to_string())?;
        for answer in issued {
            let number = answer.expect(200)?.text("/number").to_owned();
            ensure!(numbers.insert(number.clone()), "{number} was given twice");
        }
    }
    let expected: BTreeSet<_> = (1..=numbers.len()).map(|place| format!("INV-{place:06}")).collect();
    ensure!(numbers == expected, "there is a gap: {numbers:?}");
    let held = format!(
        "select count(*) as given, coalesce(max(place), 0) as last, (select last from projection.series as held
           where held.clinic_id = '{clinic}' and kind = 'invoice') as held
         from projection.numbers join projection.invoices using (invoice_id) where clinic_id = '{clinic}'"
    );
    let held = stage.count(App::Billing, &held).await?;
    let all = numbers.len();
    ensure!(held["given"] == all && held["last"] == all && held["held"] == all, "{all} were answered: {held}");
    add_up(stage).await?;
    println!("    {all} invoices of one clinic have the numbers 1 to {all}");
    stage.settled().await
}

pub(crate) async fn take_money(stage: &Stage) -> Result<()> {
    let (desk, biller) = (stage.public(Role::FrontDesk)?, stage.public(Role::Biller)?);
    let (patients, clinic) = (patients(stage, &desk).await?, Uuid::now_v7());
    for n in 0..PATIENTS * 4 {
        let draft = decided(&biller, &wanted("", None, &draft(&patients[n % PATIENTS], clinic))).await?.expect(201)?;
        let path = format!("/{}/issue", draft.text("/invoiceId"));
        decided(&biller, &wanted(&path, Some(1), &json!({}))).await?.expect(200)?;
    }
    let (mut paid, mut ids) = (0, BTreeSet::new());
    for part in billing(stage) {
        let payments: Vec<_> = (0..CLIENTS * EACH)
            .map(|n| Wanted { path: "/api/billing/payments".to_owned(), ..payment(&patients[n % PATIENTS], n) })
            .collect();
        paid += payments.iter().filter_map(|payment| payment.body["amount"].as_i64()).sum::<i64>();
        let recorded = while_it_dies(stage, part, &desk, &payments).await.with_context(|| part.to_string())?;
        for (payment, answer) in payments.iter().zip(recorded) {
            let answer = answer.expect(201)?;
            ensure!(answer.body["amount"] == payment.body["amount"], "another amount: {}", answer.body);
            ensure!(ids.insert(answer.text("/paymentId").to_owned()), "one payment for two requests: {}", answer.body);
        }
    }
    let of_patients = patients.iter().map(|patient| format!("'{patient}'")).collect::<Vec<_>>().join(", ");
    let held = format!(
        "select (select count(*) from projection.payments where patient_id in ({of_patients})) as payments,
           sum(amount) filter (where account = 'cash') as came,
           sum(amount) filter (where act = 'invoice-issued' and account = 'patient-receivable') as owed,
           coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as open,
           coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied
         from projection.postings join projection.journal using (journal_id) where postings.patient_id in ({of_patients})"
    );
    let held = stage.count(App::Billing, &held).await?;
    let number = |name: &str| held[name].as_i64().unwrap_or_default();
    ensure!(held["payments"] == ids.len() && number("came") == paid, "{} payments of {paid}: {held}", ids.len());
    // Whoever has money that is not used owes nothing.
    ensure!(number("owed") - number("open") == paid - number("unapplied"), "{held}");
    add_up(stage).await?;
    println!("    {} payments of {PATIENTS} patients came to {paid}, once each", ids.len());
    stage.settled().await
}

/// Everybody asks until they know, and a part dies while they do. Then they ask once more, and are told the same.
async fn while_it_dies(stage: &Stage, part: Part, door: &Door, wanted: &[Wanted]) -> Result<Vec<Answer>> {
    let begun = Instant::now();
    let everybody = async || {
        let clients = wanted.chunks(EACH).map(async |mine| {
            let mut answers = Vec::new();
            for wanted in mine {
                answers.push(decided(door, wanted).await?);
            }
            anyhow::Ok(answers)
        });
        anyhow::Ok(try_join_all(clients).await?.into_iter().flatten().collect::<Vec<_>>())
    };
    let (answers, ()) = tokio::try_join!(everybody(), async {
        tokio::time::sleep(UNDER_WAY).await;
        stage.kill(part).await?;
        // A single instance has to come back for anybody to know.
        stage.respawn(part)
    })?;
    println!("    {} were decided in {:.1?} around the death of {part}", answers.len(), begun.elapsed());
    stage.ready().await?;
    tokio::time::sleep(SETTLED).await;
    for (one, other) in answers.iter().zip(everybody().await?) {
        let is_same = one.status == other.status && one.body == other.body;
        ensure!(is_same, "who asked again was told {} {} after {} {}", other.status, other.body, one.status, one.body);
    }
    Ok(answers)
}

async fn decided(door: &Door, wanted: &Wanted) -> Result<Answer> {
    let begun = Instant::now();
    while begun.elapsed() < GIVE_UP {
        let mut request = door.request(Method::POST, &wanted.path).header("idempotency-key", &wanted.key);
        if let Some(seen) = wanted.seen {
            request = request.header("if-match", format!("\"{seen}\""));
        }
        match Answer::of(request.json(&wanted.body)).await {
            Ok(answer) if !UNDECIDED.contains(&answer.status) => return Ok(answer),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
    bail!("{} was not decided within {GIVE_UP:?}", wanted.path)
}

/// Something about invoices.
fn wanted(path: &str, seen: Option<u64>, body: &Value) -> Wanted {
    Wanted { path: format!("/api/billing/invoices{path}"), key: key(), seen, body: body.clone() }
}

fn draft(patient: &str, clinic: Uuid) -> Value {
    let line = json!({
        "system": "http://www.ama-assn.org/go/cpt", "code": "99213", "text": "Follow-up visit", "date": "2026-11-30",
        "units": 1, "unitPrice": PRICE,
    });
    json!({ "patientId": patient, "clinicId": clinic, "lines": [line] })
}

/// Of different amounts, so that none can stand for another.
fn payment(patient: &str, n: usize) -> Wanted {
    let body = json!({ "patientId": patient, "method": "cash", "amount": 100 + n, "currencyCode": "EUR" });
    Wanted { path: String::new(), key: key(), seen: None, body }
}

fn billing(stage: &Stage) -> Vec<Part> {
    stage.system.parts().filter(|part| part.app == App::Billing).collect()
}

async fn patients(stage: &Stage, desk: &Door) -> Result<Vec<String>> {
    let mut patients = Vec::new();
    for _ in 0..PATIENTS {
        patients.push(desk.registered(&person()).await?.id().to_owned());
    }
    stage.settled().await?;
    Ok(patients)
}

/// Acts and stored balances, by queries that know nothing of the service; and nobody waited in a circle.
async fn add_up(stage: &Stage) -> Result<()> {
    let wrong = "select
        (select count(*) from (select from projection.postings group by journal_id having sum(amount) <> 0) as odd) as acts,
        (select count(*) from projection.account_balances as held full join (select patient_id,
             coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as open,
             coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unused
           from projection.postings where patient_id is not null group by patient_id) as posted using (patient_id)
         where (held.receivable, held.unapplied) is distinct from (posted.open, posted.unused)) as accounts,
        (select count(*) from projection.invoices as held left join (select invoice_id, sum(amount) as open
           from projection.postings where account = 'patient-receivable' group by invoice_id) as posted using (invoice_id)
         where held.patient_open <> coalesce(posted.open, 0)) as invoices,
        (select deadlocks from pg_stat_database where datname = current_database()) as deadlocks";
    let wrong = stage.count(App::Billing, wrong).await?;
    let is_nothing = |name: &str| wrong[name] == 0;
    ensure!(["acts", "accounts", "invoices", "deadlocks"].into_iter().all(is_nothing), "{wrong}");
    Ok(())
}
