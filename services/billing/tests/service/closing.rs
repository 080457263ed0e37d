//! Closing days, beside who posts and after it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what is not there is a failed test, and how much was done is told"
)]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use access::Role;
use anyhow::Context as _;
use contracts::billing::v1::{
    CloseDayRequest, Day, DayStatus, GetDayRequest, GetTrialBalanceRequest, ListDaysRequest, ListPostingsRequest,
    PaymentMethod,
};
use futures::future::try_join_all;
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use libtest_mimic::Trial;
use serde_json::Value;
use testkit::{Parts, Result, test};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    desk::{Desk, does_not_add_up, fields, keyed, payment, slug},
    reporting::aging,
};

pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

pub(super) fn after(date: Date, days: i64) -> Date {
    date.saturating_add(Span::new().days(days))
}

fn count(date: Date, counted: i64, note: Option<&str>) -> CloseDayRequest {
    CloseDayRequest {
        date: date.to_string(),
        cash_counted: Some(counted),
        currency_code: "EUR".to_owned(),
        note: note.map(str::to_owned),
    }
}

async fn close(desk: &Desk, asked: CloseDayRequest, key: Uuid) -> std::result::Result<Day, Status> {
    let answer = desk.days().close_day(keyed(asked, key)).await?;
    answer.into_inner().day.ok_or_else(|| Status::internal("no day"))
}

async fn day(desk: &Desk, date: Date) -> Result<Day> {
    let answer = desk.days().get_day(GetDayRequest { date: date.to_string() }).await?;
    answer.into_inner().day.ok_or_else(|| anyhow::anyhow!("no day"))
}

/// The trial balance as the service answers it, and as the plain sum of the postings.
async fn balances(parts: &Parts, desk: &Desk, date: Date) -> Result<(Vec<Value>, Vec<Value>)> {
    let asked = format!(
        "select account, debit, credit from jsonb_to_recordset(api.trial_balance('{{\"date\": \"{date}\"}}')) \
         as sums(account text, debit bigint, credit bigint) order by account"
    );
    let plain = format!(
        "select account, sum(greatest(amount, 0))::bigint as debit, sum(greatest(-amount, 0))::bigint as credit \
         from projection.postings where date <= '{date}' group by account order by account"
    );
    let asked = parts.sql(&asked).await?;
    let told = desk.ledger().get_trial_balance(GetTrialBalanceRequest { date: Some(date.to_string()) }).await?;
    assert_eq!(told.into_inner().accounts.len(), asked.len());
    Ok((asked, parts.sql(&plain).await?))
}

/// Acts of random amounts on random days.
async fn random_acts(parts: &Parts, days: std::ops::RangeInclusive<i64>) -> Result<()> {
    let (from, to) = (days.start(), days.end());
    parts
        .execute(&format!(
            "with acts as (select gen_random_uuid() as id, gen_random_uuid() as patient, \
               current_date + ({from} + floor(random() * ({to} - {from} + 1)))::int as day, \
               (1 + floor(random() * 100000))::bigint as amount from generate_series(1, 300)) \
             insert into state.state (key, value) \
             select 'journal/' || id, convert_to(jsonb_build_object('schema', 1, 'version', 1, 'events', '[]'::jsonb, \
               'requests', '[]'::jsonb, 'data', jsonb_build_object('act', 'invoice-issued', 'patientId', patient, 'currency', 'EUR', \
               'recordedAt', (day + time '10:00') at time zone 'utc', 'date', day, 'postings', jsonb_build_array( \
                 jsonb_build_object('account', (array['patient-receivable', 'cash', 'bank'])[1 + (amount % 3)], 'amount', amount, \
                   'invoiceId', case amount % 3 when 0 then id end), \
                 jsonb_build_object('account', 'revenue', 'amount', -amount, 'invoiceId', id)), \
               'outcome', jsonb_build_object('kind', 'invoice', 'id', id, 'version', 1)))::text, 'UTF8') from acts"
        ))
        .await
}

async fn cash_until(parts: &Parts, date: Date) -> Result<i64> {
    let sum = format!(
        "select coalesce(sum(amount), 0)::bigint as sum from projection.postings where account = 'cash' and date <= '{date}'"
    );
    Ok(parts.sql(&sum).await?[0]["sum"].as_i64().unwrap_or_default())
}

/// A close that the service under test does not hear of.
async fn close_elsewhere(parts: &Parts, date: Date) -> Result {
    parts
        .execute(&format!(
            "insert into state.state (key, value) \
             select 'day/' || gen_random_uuid(), convert_to(jsonb_build_object('schema', 1, 'version', 1, 'events', '[]'::jsonb, \
               'requests', '[]'::jsonb, 'data', jsonb_build_object('date', '{date}', 'after', closed.date, 'currency', 'EUR', \
               'counted', 0, 'note', 'elsewhere', 'closedAt', now(), 'closedBy', gen_random_uuid(), 'expected', ( \
                 select coalesce(sum(amount), 0) from projection.postings as posted \
                 where posted.date > closed.date and posted.date <= '{date}' and account = 'cash')))::text, 'UTF8') \
             from projection.closed"
        ))
        .await
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_day_is_not_closed_by_whoever_or_with_whatever", parts, |parts| async move {
            let admin = Desk::of(&parts, Role::Admin).await?;
            let none = close(&admin, CloseDayRequest::default(), Uuid::now_v7()).await.unwrap_err();
            assert_eq!(fields(&none), ["date", "cash_counted", "currency_code"]);
            let dollars = CloseDayRequest { currency_code: "USD".to_owned(), ..count(today(), 0, None) };
            assert_eq!(fields(&close(&admin, dollars, Uuid::now_v7()).await.unwrap_err()), ["currency_code"]);
            let keyless = admin.days().close_day(count(today(), 0, None)).await.unwrap_err();
            assert_eq!(fields(&keyless), ["Idempotency-Key"]);
            let ahead = close(&admin, count(after(today(), 1), 0, Some("early")), Uuid::now_v7()).await.unwrap_err();
            assert_eq!((ahead.code(), slug(&ahead)), (Code::AlreadyExists, "day-ahead".to_owned()));
            let desk = Desk::of(&parts, Role::FrontDesk).await?;
            let refused = close(&desk, count(today(), 0, Some("mine")), Uuid::now_v7()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            assert_eq!(day(&desk, today()).await?.status(), DayStatus::Open);
            let nurse = Desk::of(&parts, Role::Nurse).await?;
            let refused = nurse.days().get_day(GetDayRequest { date: today().to_string() }).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            Ok(())
        }),
        test("days_are_closed_once_in_order_and_with_what_was_counted", parts, |parts| async move {
            random_acts(&parts, -40..=-1).await?;
            let desk = Desk::of(&parts, Role::Biller).await?;
            let (first, second) = (after(today(), -20), after(today(), -10));
            let expected = cash_until(&parts, first).await?;
            let open = day(&desk, first).await?;
            assert_eq!((open.status(), open.cash_expected, open.first_date), (DayStatus::Open, expected, None));

            let silent = close(&desk, count(first, expected + 5, None), Uuid::now_v7()).await.unwrap_err();
            assert_eq!((slug(&silent), fields(&silent)), ("day-difference".to_owned(), vec!["note".to_owned()]));
            let key = Uuid::now_v7();
            let closed = close(&desk, count(first, expected + 5, Some("a coin too many")), key).await?;
            assert_eq!((closed.status(), closed.cash_difference), (DayStatus::Closed, Some(5)));
            assert_eq!(close(&desk, count(first, expected + 5, Some("a coin too many")), key).await?, closed);
            let other = close(&desk, count(first, expected, None), key).await.unwrap_err();
            assert_eq!(slug(&other), "idempotency-key-reused");
            for date in [first, after(first, -3)] {
                let again = close(&desk, count(date, 0, Some("again")), Uuid::now_v7()).await.unwrap_err();
                assert_eq!((again.code(), slug(&again)), (Code::AlreadyExists, "day-closed".to_owned()));
                assert_eq!(day(&desk, date).await?, closed, "it was closed with what closed it");
            }

            let expected = cash_until(&parts, second).await? - expected;
            let then = close(&desk, count(second, expected, None), Uuid::now_v7()).await?;
            assert_eq!(then.first_date, Some(after(first, 1).to_string()), "all open days before it");
            let page = |cursor| ListDaysRequest { limit: Some(1), cursor };
            let newest = desk.days().list_days(page(None)).await?.into_inner();
            let oldest = desk.days().list_days(page(newest.next)).await?.into_inner();
            assert_eq!((newest.items, oldest.items), (vec![then], vec![closed]));

            for days in [-50, -20, -15, -10, -9, 0, 1] {
                let (asked, plain) = balances(&parts, &desk, after(today(), days)).await?;
                assert_eq!(asked, plain, "as of {days}");
            }
            assert_eq!(does_not_add_up(&parts).await?, Vec::<Value>::new());
            Ok(())
        }),
        test("nothing_is_posted_to_a_closed_day_by_whatever_way", parts, |parts| async move {
            let refused = random_acts(&parts, -12..=-10).await.unwrap_err();
            assert!(format!("{refused:?}").contains("journal_day_open_check"), "{refused:?}");
            random_acts(&parts, -9..=-1).await?;
            let changed = "update state.state set value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb, '{version}', '2')::text, 'UTF8') where key like 'day/%'";
            let refused = parts.execute(changed).await.unwrap_err();
            assert!(format!("{refused:?}").contains("days_append_only_check"), "{refused:?}");
            Ok(())
        }),
        test("who_pays_while_the_day_is_closed_is_on_one_side_of_it", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            let front = Desk::of(&parts, Role::FrontDesk).await?;
            let (clinic, closed) = (Uuid::now_v7(), Arc::new(AtomicBool::new(false)));
            let date = today();
            let clients = (0..8).map(|client| {
                let (front, biller, closed) = (front.clone(), biller.clone(), Arc::clone(&closed));
                async move {
                    let patient = Uuid::now_v7();
                    front.open(patient).await?;
                    let (mut paid, mut after) = (0, 0);
                    while after < 5 && paid < 400 {
                        after += usize::from(closed.load(Ordering::Relaxed));
                        if client == 0 {
                            biller.issued(patient, clinic, 70).await?;
                        }
                        front.pay(payment(patient, PaymentMethod::Cash, 70), Uuid::now_v7()).await?;
                        paid += 1;
                    }
                    anyhow::Ok(paid)
                }
            });
            let closing = async {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                let day = close(&biller, count(date, 1, Some("while they pay")), Uuid::now_v7()).await;
                closed.store(true, Ordering::Relaxed);
                anyhow::Ok(day?)
            };
            let (paid, day) = tokio::try_join!(try_join_all(clients), closing)?;
            println!("{} payments, {} in the drawer", paid.iter().sum::<i32>(), day.cash_expected);
            assert_eq!(does_not_add_up(&parts).await?, Vec::<Value>::new());
            let of_days = format!(
                "select count(*) filter (where date = '{date}') as before, count(*) filter (where date = '{}') as after \
                 from projection.journal where act = 'payment-captured'",
                after(date, 1)
            );
            let of_days = parts.sql(&of_days).await?;
            assert!(of_days[0]["before"].as_i64() > Some(0) && of_days[0]["after"].as_i64() >= Some(40), "{of_days:?}");
            Ok(())
        }),
        test("what_is_done_in_the_evening_is_of_the_next_day_and_changes_no_report", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let (before, _) = balances(&parts, &desk, today()).await?;
            let aged = aging(&desk, None, 0).await?;
            assert!(aged.r#final);
            let invoice = desk.issued(patient, clinic, 5_000).await?;
            desk.pay(payment(patient, PaymentMethod::Card, 5_000), Uuid::now_v7()).await?;
            let listed =
                ListPostingsRequest { patient_id: Some(patient.to_string()), ..ListPostingsRequest::default() };
            let postings = desk.ledger().list_postings(listed).await?.into_inner().items;
            assert_eq!(postings.len(), 6);
            assert!(postings.iter().all(|one| one.date == after(today(), 1).to_string()), "{postings:?}");
            let open = desk.issued(patient, clinic, 300).await?;
            assert_eq!(balances(&parts, &desk, today()).await?.0, before);
            assert_eq!(aging(&desk, None, 0).await?, aged, "the same for ever");
            assert_ne!(aging(&desk, None, 1).await?.open, aged.open, "{}", open.invoice_id);
            assert_eq!(invoice.due_date, Some(after(today(), 31).to_string()), "terms count from the day of the books");
            Ok(())
        }),
        test("a_day_that_another_instance_closed_is_learnt_of", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let dates = async || -> Result<Vec<String>> {
                let of_patient = Some(patient.to_string());
                let listed = ListPostingsRequest { patient_id: of_patient, ..ListPostingsRequest::default() };
                let mut items = desk.ledger().list_postings(listed).await?.into_inner().items;
                items.dedup_by(|a, b| a.journal_id == b.journal_id);
                Ok(items.into_iter().map(|one| one.date).collect())
            };
            close_elsewhere(&parts, after(today(), 1)).await?;
            desk.issued(patient, clinic, 100).await?;
            assert_eq!(dates().await?, [after(today(), 2).to_string()]);
            close_elsewhere(&parts, after(today(), 2)).await?;
            desk.pay(payment(patient, PaymentMethod::Card, 100), Uuid::now_v7()).await?;
            assert_eq!(dates().await?, [after(today(), 3).to_string(), after(today(), 2).to_string()]);
            assert_eq!(does_not_add_up(&parts).await?, Vec::<Value>::new());
            Ok(())
        }),
        test("a_rebuild_closes_the_same_days", parts, |parts| async move {
            let tables = ["days", "closed", "day_totals", "postings"];
            let state = |table: &str| format!("select * from projection.{table} as row order by row::text");
            let mut before = Vec::new();
            for table in tables {
                before.push(parts.sql(&state(table)).await?);
            }
            let rebuild = include_str!("../../../../tools/migrate/src/sql/rebuild.sql");
            let (settings, block) = rebuild.split_at(rebuild.find("do $$").context("a block")?);
            // An act that was inserted before a day is closed and came through after it stands behind it.
            let moved = "update state.state set row_id = row_id + 10000000 where key in \
                (select 'journal/' || max(journal_id::text) from projection.journal where date <= (select date from projection.closed) \
                 group by patient_id having count(*) = 1 limit 50)";
            parts.execute(moved).await?;
            let mut database = parts.database().await?;
            for statement in ["begin"].into_iter().chain(settings.trim().split(";\n")).chain([block, "commit"]) {
                database.change(statement, &[]).await?;
            }
            for (table, before) in tables.into_iter().zip(before) {
                assert_eq!(parts.sql(&state(table)).await?, before, "{table}");
            }
            assert_eq!(does_not_add_up(&parts).await?, Vec::<Value>::new());
            Ok(())
        }),
        test("totals_that_are_tampered_with_do_not_add_up", parts, |parts| async move {
            let change = |by: i64| {
                format!(
                    "update projection.day_totals set debit = debit + {by} where (date, account) = \
                     (select date, account from projection.day_totals order by date, account limit 1)"
                )
            };
            parts.execute(&change(1)).await?;
            let found = does_not_add_up(&parts).await?;
            parts.execute(&change(-1)).await?;
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
    ]
}
