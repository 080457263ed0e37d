//! Reports over a million postings.
#![expect(clippy::print_stdout, reason = "how long it took is told")]

use std::time::{Duration, Instant};

use access::Role;
use contracts::billing::v1::{
    CloseDayRequest, GetAgingRequest, GetCollectionsRequest, GetDaysInReceivablesRequest, GetTrialBalanceRequest,
    ListAgingRequest,
};
use jiff::civil::Date;
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};
use uuid::Uuid;

use super::{
    closing::{after, today},
    desk::{Desk, keyed},
};

const LIMIT: Duration = Duration::from_secs(2);

/// 200,000 invoices of the last 330 days, of which three in four are paid: 1,000,000 postings.
const ACTS: [&str; 3] = [
    "insert into projection.journal (journal_id, act, patient_id, currency, date, recorded_at) \
     select md5('issue' || n)::uuid, 'invoice-issued', md5('patient' || n / 10)::uuid, 'EUR', current_date - n % 330, \
       (current_date - n % 330 + time '09:00') at time zone 'utc' from generate_series(1, 200000) as n \
     union all \
     select md5('pay' || n)::uuid, 'payment-captured', md5('patient' || n / 10)::uuid, 'EUR', current_date - n % 330, \
       (current_date - n % 330 + time '15:00') at time zone 'utc' from generate_series(1, 150000) as n",
    "insert into projection.postings (journal_id, place, account, amount, currency, date, recorded_at, patient_id, invoice_id, \
       payment_id, service_code) \
     select journal_id, place, account, amount, 'EUR', date, recorded_at, patient_id, invoice_id, payment_id, service_code \
     from projection.journal \
     join (select n, md5('issue' || n)::uuid as journal_id, md5('invoice' || n)::uuid as invoice, 'invoice-issued' as act \
       from generate_series(1, 200000) as n \
       union all select n, md5('pay' || n)::uuid, md5('invoice' || n)::uuid, 'payment-captured' \
       from generate_series(1, 150000) as n) as acts using (journal_id, act) \
     cross join lateral (values \
       ('invoice-issued', 1, 'patient-receivable', 5000 + n % 7, invoice, null::uuid, null), \
       ('invoice-issued', 2, 'revenue', -5000 - n % 7, invoice, null, '99213'), \
       ('payment-captured', 1, (array['cash', 'clearing', 'bank'])[1 + n % 3], 5000 + n % 7, null, journal_id, null), \
       ('payment-captured', 2, 'unapplied', -5000 - n % 7, null, journal_id, null), \
       ('payment-captured', 3, 'unapplied', 5000 + n % 7, null, journal_id, null), \
       ('payment-captured', 4, 'patient-receivable', -5000 - n % 7, invoice, null, null)) \
       as posting(of, place, account, amount, invoice_id, payment_id, service_code) \
     where posting.of = acts.act",
    "vacuum analyze projection.postings",
];

async fn timed<T>(what: &str, asked: impl Future<Output = std::result::Result<T, tonic::Status>>) -> Result<T> {
    let began = Instant::now();
    let answer = asked.await?;
    let took = began.elapsed();
    println!("{what}: {took:?}");
    anyhow::ensure!(took < LIMIT, "{what} took {took:?}");
    Ok(answer)
}

async fn all(parts: &Parts, desk: &Desk, when: &str) -> Result {
    let rows = parts.sql("select count(*) from projection.postings").await?;
    println!("{} postings, {when}", rows[0]["count"]);
    let dates: [Date; 3] = [today(), after(today(), -1), after(today(), -200)];
    for date in dates.map(|date| date.to_string()) {
        let (ledger, reports) = (desk.ledger(), desk.reports());
        let asked = GetTrialBalanceRequest { date: Some(date.clone()) };
        let balance = timed("trial balance", async { ledger.clone().get_trial_balance(asked).await }).await?;
        let total = balance.into_inner().totals[0].clone();
        assert_eq!(total.debit, total.credit);
        let asked = GetAgingRequest { date: Some(date.clone()), patient_id: None };
        let aging = timed("aging", async { reports.clone().get_aging(asked).await }).await?.into_inner();
        assert!(aging.open.iter().map(|one| one.open).sum::<i64>() > 0);
        let asked = ListAgingRequest { date: Some(date.clone()), ..ListAgingRequest::default() };
        let page = timed("a page of its invoices", async { reports.clone().list_aging(asked).await }).await?;
        assert_eq!(page.into_inner().items.len(), 50);
        let asked = GetDaysInReceivablesRequest { date: Some(date), days: None };
        timed("days in receivables", async { reports.clone().get_days_in_receivables(asked).await }).await?;
    }
    let (from, to) = (after(today(), -30).to_string(), today().to_string());
    let asked = GetCollectionsRequest { from, to };
    let began = Instant::now();
    desk.reports().get_collections(asked).await?;
    println!("collections of 31 days: {:?}", began.elapsed());
    Ok(())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    // Alone, since nothing of it is in a document: `--ignored`.
    let volume = test("a_million_postings_are_summed_and_aged_within_two_seconds", parts, |parts| async move {
        for statement in ACTS {
            parts.execute(statement).await?;
        }
        let desk = Desk::of(&parts, Role::Biller).await?;
        all(&parts, &desk, "no day closed").await?;
        let close = async |date: Date| {
            let asked = CloseDayRequest {
                date: date.to_string(),
                cash_counted: Some(0),
                currency_code: "EUR".to_owned(),
                note: Some("all that was".to_owned()),
            };
            desk.days().close_day(keyed(asked, Uuid::now_v7())).await
        };
        // What has piled up is closed in two steps: the store does not wait for a million at once.
        timed("a close of 130 days", close(after(today(), -200))).await?;
        timed("a close of 199 days", close(after(today(), -1))).await?;
        timed("a close of one day", close(today())).await?;
        all(&parts, &desk, "all of them of closed days").await
    });
    vec![volume.with_ignored_flag(true)]
}
