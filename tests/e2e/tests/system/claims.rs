//! Claims, from the invoice to the books, with payers that answer in every way in which they do: what the books show
//! afterwards is written here for each, in figures, and not derived from anything.
#![expect(clippy::print_stdout, reason = "which cases held is to be known also when others did not")]

mod expected;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use access::Role;
use anyhow::{Context as _, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use local::{App, clearinghouse};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use self::expected::{Expected, Next};
use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

const CPT: &str = "http://www.ama-assn.org/go/cpt";
const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const CURRENCY: &str = "EUR";
/// The two services of each invoice, and what they cost: 15,000 in all.
const SERVICES: [(&str, i64); 2] = [("99214", 10_000), ("99215", 5_000)];
/// A number that a provider can have.
const NPI: &str = "1234567893";
/// A claim may have to be sent twice before it is taken, and the rounds that do so pause.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);
/// What waits for something else is tried again every ten seconds.
const BOOKED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Accounts and their balances, debit less credit.
type Balances = BTreeMap<String, i64>;

/// The clinic and the clearing house, for whoever bills.
struct Billing<'a> {
    stage: &'a Stage,
    biller: Door,
    house: Door,
    /// The day of every service: over everywhere.
    date: String,
}

/// What a claim is made of.
struct Case {
    patient: String,
    payer: String,
    coverage: String,
    invoice: String,
    claim: String,
}

/// What `billing` sends by its sidecar is answered at the public door, by somebody who signed in there: of a claim that
/// nobody has, the clinic says so.
pub(crate) async fn are_answered_at_the_door(stage: &Stage) -> Result<()> {
    let billing = Billing::open(stage).await?;
    let base = format!("{}/v1.0/invoke/clearinghouse/method", stage.sidecar_url(App::Billing));
    let sidecar = Door::new(&stage.client, base, Some(&stage.tokens.dapr_api_token));
    let id = Uuid::now_v7();
    let line = json!({ "line": 1, "date": billing.date, "charge": 100 });
    let claim = json!({
        "claimId": id, "submission": 1, "frequencyCode": "1",
        "payer": { "id": Uuid::now_v7(), "name": "Payer", "electronicId": "60054", "filingIndicator": "CI" },
        "subscriber": { "memberId": "REJECT-1", "relationship": "18" },
        "patient": { "name": "Nobody", "birthDate": "1970-01-01" },
        "billingProvider": NPI, "renderingProvider": NPI, "currency": CURRENCY, "total": 100, "diagnoses": ["I10"],
        "lines": [line],
    });
    for _ in 0..2 {
        Answer::of(sidecar.request(Method::POST, "/claims").json(&claim)).await?.expect(202)?;
    }
    billing.is_answered(&id.to_string(), &[("rejected", expected::REFUSED)]).await?;
    let case = billing.house.get(&format!("/cases/{id}")).await?.expect(200)?;
    let submission = &case.body["submissions"][0];
    ensure!(submission["deliveries"] == 2 && submission["steps"][0]["status"] == 404, "{}", case.body);
    Ok(())
}

/// Every answer of a payer leaves the books as they should be.
pub(crate) async fn are_answered(stage: &Stage) -> Result<()> {
    let billing = Billing::open(stage).await?;
    billing.put_up_fees().await?;
    let mut wrong = Vec::new();
    for expected in expected::ALL {
        let begun = Instant::now();
        match billing.plays(expected).await {
            Ok(()) => println!("    {:<12} as expected after {:.1?}", expected.case, begun.elapsed()),
            // The others are tried all the same: one that is wrong says little without them.
            Err(error) => wrong.push(format!("{}: {error:#}", expected.case)),
        }
    }
    ensure!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// Whether somebody is insured is asked of the payer.
pub(crate) async fn are_insured(stage: &Stage) -> Result<()> {
    let billing = Billing::open(stage).await?;
    for (member, active) in [("PAY", true), ("INACTIVE", false)] {
        let (patient, payer) = (billing.patient().await?, billing.payer().await?);
        let coverage = billing.coverage(&patient, &payer, member, 1).await?;
        let path = format!("/api/billing/coverages/{coverage}/eligibility");
        let told = billing.post(&path, None, &json!({ "date": billing.date })).await?.expect(200)?;
        ensure!(told.body["active"] == active, "{member}: {}", told.body);
        // For the same day it is known, and nobody is asked.
        let again = billing.post(&path, None, &json!({ "date": billing.date })).await?.expect(200)?;
        ensure!(again.body["checkedTime"] == told.body["checkedTime"], "{} after {}", again.body, told.body);
    }
    Ok(())
}

impl<'a> Billing<'a> {
    async fn open(stage: &'a Stage) -> Result<Self> {
        clearinghouse::introduce(&stage.system, &stage.secrets).await?;
        let own = format!("http://127.0.0.1:{}", stage.ports().app(App::Clearinghouse).app);
        let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
        Ok(Self {
            stage,
            biller: stage.public(Role::Biller)?,
            house: Door::new(&stage.client, own, Some(&stage.tokens.app_api_token)),
            date: yesterday.to_zoned(TimeZone::UTC).date().to_string(),
        })
    }

    /// One case from the beginning to the end, and what comes after it.
    async fn plays(&self, expected: &Expected) -> Result<()> {
        let before = self.balances().await?;
        let case = self.submitted(expected.member).await?;
        self.is_answered(&case.claim, expected.steps).await?;
        self.has_status(&case.claim, expected.status).await?;
        self.has_moved(&before, expected.ledger).await?;
        let Some((next, ledger)) = &expected.next else { return Ok(()) };
        self.plays_on(&case, next).await.with_context(|| format!("{next:?}"))?;
        self.has_moved(&before, ledger).await.with_context(|| format!("{next:?}"))
    }

    async fn plays_on(&self, case: &Case, next: &Next) -> Result<()> {
        match *next {
            Next::Close => {
                self.act(&case.claim, "close", &json!({ "reason": "too late for an appeal" })).await?;
                self.has_status(&case.claim, "closed").await
            }
            Next::Resubmit { steps, status } => {
                self.act(&case.claim, "revise", &json!({})).await?;
                self.send(&case.claim).await?;
                self.is_answered(&case.claim, steps).await?;
                self.has_status(&case.claim, status).await
            }
            Next::OfPayer { member, steps, status } => {
                let patient = self.patient().await?;
                let coverage = self.coverage(&patient, &case.payer, member, 1).await?;
                let invoice = self.invoice(&patient).await?;
                let claim = self.claim(&invoice, &coverage, &json!({})).await?;
                self.send(&claim).await?;
                self.is_answered(&claim, steps).await?;
                self.has_status(&claim, status).await
            }
            Next::Frequency { frequency, steps, status, prior } => {
                let other = json!({ "frequency": frequency, "priorClaimId": case.claim });
                let claim = self.claim(&case.invoice, &case.coverage, &other).await?;
                self.send(&claim).await?;
                self.is_answered(&claim, steps).await?;
                self.has_status(&claim, status).await?;
                self.has_status(&case.claim, prior).await
            }
            Next::SecondPayer { steps, status } => {
                let coverage = self.coverage(&case.patient, &self.payer().await?, "SECOND", 2).await?;
                let claim = self.claim(&case.invoice, &coverage, &json!({})).await?;
                self.send(&claim).await?;
                self.is_answered(&claim, steps).await?;
                self.has_status(&claim, status).await
            }
        }
    }

    /// A claim of a new patient with a new payer, for a member that asks for a case; sent.
    async fn submitted(&self, member: &str) -> Result<Case> {
        let (patient, payer) = (self.patient().await?, self.payer().await?);
        let coverage = self.coverage(&patient, &payer, member, 1).await?;
        let invoice = self.invoice(&patient).await?;
        let claim = self.claim(&invoice, &coverage, &json!({})).await?;
        self.send(&claim).await?;
        Ok(Case { patient, payer, coverage, invoice, claim })
    }

    async fn patient(&self) -> Result<String> {
        let patient = self.stage.public(Role::FrontDesk)?.registered(&person()).await?;
        self.stage.settled().await?;
        Ok(patient.id().to_owned())
    }

    /// A payer of its own for each case: what it is owed is told apart.
    async fn payer(&self) -> Result<String> {
        let id = Uuid::now_v7();
        let payer = json!({
            "name": format!("Payer {id}"), "electronicId": id, "filing": "commercial",
            "filingDays": 365, "appealDays": 180, "alertDays": 14,
        });
        Ok(self.make("/api/billing/payers", &payer).await?.text("/payerId").to_owned())
    }

    async fn coverage(&self, patient: &str, payer: &str, member: &str, order: i32) -> Result<String> {
        let coverage = json!({
            "patientId": patient, "payerId": payer, "plan": "Gold", "memberId": format!("{member}-{}", Uuid::now_v7()),
            "relationship": "self", "start": "2020-01-01", "order": order,
            "terms": { "currencyCode": CURRENCY, "deductible": 0, "coinsuranceMillionths": 0 },
        });
        Ok(self.make("/api/billing/coverages", &coverage).await?.text("/coverageId").to_owned())
    }

    async fn put_up_fees(&self) -> Result<()> {
        let fee = |(code, price)| json!({ "system": CPT, "code": code, "text": "Visit", "unitPrice": price });
        let schedule = json!({
            "name": "Claims", "effectiveFrom": "2020-01-01", "currencyCode": CURRENCY, "fees": SERVICES.map(fee),
        });
        self.make("/api/billing/fee-schedules", &schedule).await.map(drop)
    }

    /// An invoice that is issued, at the prices of the fee schedule.
    async fn invoice(&self, patient: &str) -> Result<String> {
        let line = |(code, _)| json!({ "system": CPT, "code": code, "date": self.date, "units": 1, "diagnoses": [1] });
        let draft = json!({
            "patientId": patient, "clinicId": Uuid::now_v7(), "lines": SERVICES.map(line),
            "diagnoses": [{ "system": ICD_10_CM, "code": "I10" }],
        });
        let draft = self.make("/api/billing/invoices", &draft).await?;
        ensure!(draft.body["total"] == 15_000, "the invoice comes to something else: {}", draft.body);
        let id = draft.text("/invoiceId").to_owned();
        let seen = draft.body["version"].as_u64();
        self.post(&format!("/api/billing/invoices/{id}/issue"), seen, &json!({})).await?.expect(200)?;
        Ok(id)
    }

    async fn claim(&self, invoice: &str, coverage: &str, other: &Value) -> Result<String> {
        let mut claim = json!({
            "invoiceId": invoice, "coverageId": coverage,
            "content": { "billingProvider": NPI, "renderingProvider": NPI },
        });
        for (field, value) in other.as_object().into_iter().flatten() {
            claim[field] = value.clone();
        }
        Ok(self.make("/api/billing/claims", &claim).await?.text("/claimId").to_owned())
    }

    async fn send(&self, claim: &str) -> Result<()> {
        self.act(claim, "prepare", &json!({})).await?;
        self.act(claim, "submit", &json!({})).await
    }

    /// Does something with a claim at whatever version it is.
    async fn act(&self, claim: &str, action: &str, body: &Value) -> Result<()> {
        let path = format!("/api/billing/claims/{claim}");
        let seen = self.biller.get(&path).await?.expect(200)?.body["version"].as_u64();
        let done = self.post(&format!("{path}/{action}"), seen, body).await?;
        done.expect(200).context(action.to_owned()).map(drop)
    }

    async fn make(&self, path: &str, body: &Value) -> Result<Answer> {
        self.post(path, None, body).await?.expect(201).with_context(|| path.to_owned())
    }

    async fn post(&self, path: &str, seen: Option<u64>, body: &Value) -> Result<Answer> {
        let mut request = self.biller.request(Method::POST, path).header("idempotency-key", key());
        if let Some(seen) = seen {
            request = request.header("if-match", format!("\"{seen}\""));
        }
        Answer::of(request.json(body)).await
    }

    /// The clearing house has told everything, and the clinic has answered each as it should.
    async fn is_answered(&self, claim: &str, steps: &[(&str, &str)]) -> Result<()> {
        let begun = Instant::now();
        loop {
            let case = self.house.get(&format!("/cases/{claim}")).await?;
            let last = case.body["submissions"].as_array().and_then(|all| all.last());
            // Of a claim that is sent again, the submission before is done already.
            if let Some(last) = last.filter(|last| last["done"] == true && tells(last) == names(steps)) {
                let answers: Vec<_> = last["steps"].as_array().into_iter().flatten().map(outcome).collect();
                let wanted: Vec<_> = steps.iter().map(|(_, answer)| *answer).collect();
                ensure!(answers == wanted, "the clinic answered {answers:?} instead of {wanted:?}: {last}");
                return Ok(());
            }
            ensure!(begun.elapsed() < ANSWERED_WITHIN, "the clearing house has not told all of it: {}", case.body);
            tokio::time::sleep(POLL).await;
        }
    }

    async fn has_status(&self, claim: &str, status: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let found = self.biller.get(&format!("/api/billing/claims/{claim}")).await?.expect(200)?;
            if found.text("/status") == status {
                return Ok(());
            }
            ensure!(begun.elapsed() < BOOKED_WITHIN, "the claim is not {status}: {}", found.body);
            tokio::time::sleep(POLL).await;
        }
    }

    /// The books differ by these balances from what they were, and balance.
    async fn has_moved(&self, before: &Balances, ledger: &[(&str, i64)]) -> Result<()> {
        let ledger: Balances = ledger.iter().map(|(account, balance)| ((*account).to_owned(), *balance)).collect();
        ensure!(ledger.values().sum::<i64>() == 0, "what is expected does not balance: {ledger:?}");
        let begun = Instant::now();
        loop {
            let mut moved = self.balances().await?;
            for (account, balance) in before {
                *moved.entry(account.clone()).or_default() -= balance;
            }
            moved.retain(|_, balance| *balance != 0);
            if moved == ledger {
                return Ok(());
            }
            if begun.elapsed() > BOOKED_WITHIN {
                bail!("the books moved by {moved:?} instead of {ledger:?}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn balances(&self) -> Result<Balances> {
        let trial = self.biller.get("/api/billing/reports/trial-balance").await?.expect(200)?;
        for total in trial.body["totals"].as_array().context("totals")? {
            ensure!(total["debit"] == total["credit"], "the books do not balance: {total}");
        }
        let accounts = trial.body["accounts"].as_array().context("accounts")?;
        let own = accounts.iter().filter(|account| account["currencyCode"] == CURRENCY);
        let balance = |account: &Value| Some((account["account"].as_str()?.to_owned(), account["balance"].as_i64()?));
        own.map(|account| balance(account).with_context(|| format!("what is {account}?"))).collect()
    }
}

/// What the clearing house tells of a submission, in its order.
fn tells(submission: &Value) -> Vec<&str> {
    submission["steps"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str()).collect()
}

fn names<'a>(steps: &[(&'a str, &str)]) -> Vec<&'a str> {
    steps.iter().map(|(name, _)| *name).collect()
}

/// How the clinic answered a step: which refusal it is, its own tests know.
fn outcome(step: &Value) -> &'static str {
    match step["status"].as_u64() {
        Some(200 | 201) => expected::TAKEN,
        Some(400..500) => expected::REFUSED,
        _ => "otherwise",
    }
}
