//! `bench billing`: what a payment costs beside the transaction that it comes down to, many payments of one patient at
//! once, and an invoice by id among many.
//!
//! The services and the floor are two systems that run side by side here, and what is compared is asked in turns, so that
//! both meet the machine in the same moods.

mod books;
mod loading;
mod requests;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use access::Role;
use anyhow::{Context as _, Result, ensure};
use local::App;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use self::{
    books::{Billed, Found},
    requests::{FloorPayments, Invoices, Payments},
};
use crate::{
    client::Client,
    goals::Goal,
    load::{Numbered, Source, closed},
    options::Billing,
    report::progress,
    rig::Rig,
    scenarios::floor_programs,
    tally::{Latency, Tally},
};

/// Those who pay in turns; far more than connections, so that hardly two pay for one patient at once.
const PATIENTS: usize = 256;
const CONNECTIONS: [u32; 2] = [1, 16];
/// How long one way is taken until it is another's turn.
const TURN: Duration = Duration::from_millis(250);
/// Invoices that the floor has ready before its turn: one for each of its payments.
const READY: usize = 400;
/// How long what was written for its turn may take to be over.
const PAUSE: Duration = Duration::from_millis(50);
const CLIENTS: u32 = 16;
const PAYMENTS: u64 = 2000;
const SIZES: [u64; 2] = [1_000, 100_000];
const READERS: u32 = 8;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Payments and the floor's transactions, for each number of connections.
    pub payments: Vec<Compared>,
    /// Many payments of one patient at once.
    pub rush: Rush,
    /// Reads of an invoice, for each number of invoices that are there.
    pub reads: Vec<Read>,
}

/// A payment beside the floor.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// At how many connections.
    pub connections: u32,
    /// A payment that is recorded and used.
    pub payment: Latency,
    /// A transaction of as many documents of the same size, through the same sidecars.
    pub transaction: Latency,
    /// The same after one question.
    pub asked: Latency,
    /// Requests that were not answered as they should.
    pub errors: u64,
}

/// Many payments of one patient.
#[derive(Debug, Serialize)]
pub struct Rush {
    /// How many were sent.
    pub sent: u64,
    /// How long all of them took, in seconds.
    pub seconds: f64,
    /// How long each took.
    pub latency: Latency,
    /// Requests that were not answered as they should.
    pub errors: u64,
    /// What the books have of it.
    pub found: Found,
}

/// Reads of invoices by id.
#[derive(Debug, Serialize)]
pub struct Read {
    /// How many invoices are there.
    pub invoices: u64,
    /// How long a read took.
    pub latency: Latency,
    /// Requests that were not answered as they should.
    pub errors: u64,
}

/// Starts both systems and measures.
pub async fn run(options: &Billing, seed: u64) -> Result<Measured> {
    let programs = floor_programs()?;
    let rig = Rig::start(&options.setup, "billing", &options.setup.programs()?).await?;
    let floor = Rig::start(&options.setup, "floor", programs.path()).await;
    let measured = match &floor {
        Ok(floor) => measured(&rig, floor, options, seed).await,
        Err(_) => Err(anyhow::anyhow!("the floor did not start")),
    };
    if let Ok(floor) = floor {
        floor.end().await?;
    }
    rig.end().await?;
    measured
}

async fn measured(rig: &Rig, floor: &Rig, options: &Billing, seed: u64) -> Result<Measured> {
    progress("registering patients and sending each an invoice");
    let billed = books::billed(rig, seed, PATIENTS).await?;
    let mut payments = Vec::new();
    for connections in CONNECTIONS {
        progress(&format!("payments and the floor's transactions in turns, {connections} connections"));
        payments.push(compared(rig, floor, &billed, connections, options.turns).await?);
    }
    progress(&format!("{PAYMENTS} payments of one patient by {CLIENTS} clients"));
    let rush = rush(rig, &billed[0]).await?;
    let mut reads = Vec::new();
    for size in SIZES {
        progress(&format!("reads among {size} invoices"));
        let ids = loading::load(rig, &billed[1], size).await?;
        let (client, source) = (rig.client_of(Role::Biller)?, Numbered::new(Invoices { ids }));
        closed(&client, &source, READERS, Duration::from_secs(2)).await?;
        let tally = closed(&client, &source, READERS, Duration::from_secs(options.seconds)).await?.tally;
        reads.push(Read { invoices: size, latency: tally.latency(), errors: errors(&tally) });
    }
    Ok(Measured { payments, rush, reads })
}

async fn compared(rig: &Rig, floor: &Rig, billed: &[Billed], connections: u32, turns: u32) -> Result<Compared> {
    let client = rig.client_of(Role::FrontDesk)?;
    let payments = Numbered::new(Payments::of(billed));
    closed(&client, &payments, connections, TURN).await?;
    let templates = books::templates(rig).await?;
    floor_without_projections(floor).await?;
    let at_floor = AtFloor { client: floor.client()?, desk: floor.app_client(App::Billing)?, templates, connections };
    let transactions = Numbered::new(FloorPayments { asks: false });
    let asked = Numbered::new(FloorPayments { asks: true });
    // Whatever is slower the first time is not measured.
    at_floor.turn(&transactions).await?;
    at_floor.turn(&asked).await?;
    let [mut of_payments, mut of_transactions, mut of_asked] = [Tally::new()?, Tally::new()?, Tally::new()?];
    for _ in 0..turns {
        of_payments.add(&closed(&client, &payments, connections, TURN).await?.tally)?;
        of_transactions.add(&at_floor.turn(&transactions).await?)?;
        of_asked.add(&at_floor.turn(&asked).await?)?;
    }
    let errors = [&of_payments, &of_transactions, &of_asked].into_iter().map(errors).sum();
    let [payment, transaction, asked] = [&of_payments, &of_transactions, &of_asked].map(Tally::latency);
    Ok(Compared { connections, payment, transaction, asked, errors })
}

/// The floor, whose invoices are made before each of its turns.
struct AtFloor {
    client: Client,
    /// Its billing, past all sidecars.
    desk: Client,
    templates: Value,
    connections: u32,
}

impl AtFloor {
    async fn turn(&self, source: &Arc<Numbered<FloorPayments>>) -> Result<Tally> {
        let mut wanted = self.templates.clone();
        wanted["count"] = READY.into();
        let answer = self.desk.send(self.desk.post("/floor/invoices", wanted.to_string().into_bytes())?).await?;
        ensure!(answer.status.is_success(), "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        tokio::time::sleep(PAUSE).await;
        Ok(closed(&self.client, source, self.connections, TURN).await?.tally)
    }
}

/// What is compared is what any document costs: its history, its events and its entry of the audit.
async fn floor_without_projections(floor: &Rig) -> Result<()> {
    let nothing =
        "create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb)
        returns void language plpgsql as $$ begin end $$";
    sqlx::raw_sql(nothing).execute(&mut floor.database(App::Billing).await?).await?;
    Ok(())
}

/// All at once, each once: what fails is not asked again.
async fn rush(rig: &Rig, patient: &Billed) -> Result<Rush> {
    let before = books::found(rig, patient).await?;
    let client = rig.client_of(Role::FrontDesk)?;
    let source = Arc::new(Payments::of(std::slice::from_ref(patient)));
    let (mut clients, begun) = (tokio::task::JoinSet::new(), Instant::now());
    for first in 0..u64::from(CLIENTS) {
        let (client, source, mut tally) = (client.clone(), Arc::clone(&source), Tally::new()?);
        clients.spawn(async move {
            for n in (first..PAYMENTS).step_by(CLIENTS as usize) {
                let sent = Instant::now();
                match client.send(source.request(&client, n)?).await {
                    Ok(answer) if answer.status == source.expected() => tally.success(sent.elapsed(), begun.elapsed()),
                    Ok(answer) => tally.error(answer.status.as_u16().to_string()),
                    Err(error) => tally.error(error.root_cause().to_string()),
                }
            }
            anyhow::Ok(tally)
        });
    }
    let mut tally = Tally::new()?;
    while let Some(ended) = clients.join_next().await {
        tally.add(&ended.context("a client")??)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (error, count) in tally.errors() {
        progress(&format!("{count} payments were answered {error}"));
    }
    let found = books::found(rig, patient).await?.since(before);
    Ok(Rush { sent: PAYMENTS, seconds, latency: tally.latency(), errors: errors(&tally), found })
}

fn errors(tally: &Tally) -> u64 {
    tally.errors().values().sum()
}

impl Rush {
    /// Payments that were sent and are not in the books with their amount, by any count of them.
    fn lost(&self) -> u64 {
        let Found { payments, posted, open, .. } = self.found;
        let sent = i64::try_from(self.sent).unwrap_or(i64::MAX);
        let amount = sent * requests::AMOUNT;
        (payments - sent).unsigned_abs() + (posted - amount).unsigned_abs() + (open + amount).unsigned_abs()
    }
}

impl Measured {
    /// A table of it all.
    pub fn table(&self) -> String {
        let mut text = format!("{:<52}{:>9}{:>9}{:>9}\n", "ms", "p50", "p95", "p99");
        let mut row = |name: String, latency: Latency| {
            let _ = writeln!(text, "{name:<52}{:>9.2}{:>9.2}{:>9.2}", latency.p50, latency.p95, latency.p99);
        };
        for compared in &self.payments {
            let at = format!("{} connections", compared.connections);
            row(format!("a payment, {at}"), compared.payment);
            row(format!("a transaction of three documents, {at}"), compared.transaction);
            row(format!("a question and the same transaction, {at}"), compared.asked);
        }
        row(format!("a payment, {CLIENTS} clients for one patient"), self.rush.latency);
        for read in &self.reads {
            row(format!("an invoice by id among {}", read.invoices), read.latency);
        }
        let Rush { sent, seconds, found, .. } = &self.rush;
        let _ = writeln!(
            text,
            "\n{sent} payments of one patient in {seconds:.1} s; {} are there, {} lost, {} deadlocks\n{} errors in all",
            found.payments,
            self.rush.lost(),
            found.deadlocks,
            self.errors()
        );
        text
    }

    /// What is wanted of it.
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    pub fn goals(&self) -> Vec<Goal> {
        let ratio = |connections, other: fn(&Compared) -> f64| {
            let compared = self.payments.iter().find(|compared| compared.connections == connections);
            compared.map(|compared| compared.payment.p50 / other(compared))
        };
        let read = |nth: usize| self.reads.get(nth).map(|read| read.latency.p50);
        vec![
            Goal::at_most("payment by its transaction, 1 connection, p50", 1.3, ratio(1, |of| of.transaction.p50)),
            Goal::at_most("payment by its transaction, 16 connections, p50", 1.3, ratio(16, |of| of.transaction.p50)),
            Goal::at_most(
                "invoice by id, among 100,000 by 1,000, p50",
                1.3,
                read(1).zip(read(0)).map(|(many, few)| many / few),
            ),
            Goal::at_most("lost or counted twice, of one patient", 0.0, Some(self.rush.lost() as f64)),
            Goal::at_most("deadlocks", 0.0, Some(self.rush.found.deadlocks as f64)),
            Goal::at_most("errors", 0.0, Some(self.errors() as f64)),
        ]
    }

    /// Requests that were not answered as they should.
    pub fn errors(&self) -> u64 {
        let payments = self.payments.iter().map(|compared| compared.errors);
        let reads = self.reads.iter().map(|read| read.errors);
        payments.chain(reads).sum::<u64>() + self.rush.errors
    }
}
