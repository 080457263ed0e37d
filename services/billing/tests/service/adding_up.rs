//! Whatever is done at once, the books add up.

use std::time::{Duration, Instant};

use access::Role;
use contracts::billing::v1::PaymentMethod;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use testkit::{Parts, test};
use uuid::Uuid;

use super::desk::{Desk, does_not_add_up, payment};

/// Clients that pay at the same time.
const CLIENTS: usize = 16;
const PAYMENTS_OF_EACH: usize = 40;
/// Far more than they take; who waits for a lock waits longer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("sixteen_who_pay_one_account_at_once_lose_nothing", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::FrontDesk).await?;
            let biller = Desk::of(&parts, Role::Biller).await?;
            for price in [1_000, 2_500, 40_000] {
                biller.issued(patient, clinic, price).await?;
            }
            let began = Instant::now();
            let clients = (0..CLIENTS).map(|_| {
                let desk = desk.clone();
                async move {
                    for _ in 0..PAYMENTS_OF_EACH {
                        let key = Uuid::now_v7();
                        let asked = payment(patient, PaymentMethod::Cash, 70);
                        let first = desk.pay(asked.clone(), key).await?;
                        anyhow::ensure!(first.amount == 70);
                    }
                    anyhow::Ok(())
                }
            });
            try_join_all(clients).await?;
            let count = CLIENTS * PAYMENTS_OF_EACH;
            assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
            let sums = format!(
                "select count(*), sum(amount)::bigint as amount, sum(unapplied)::bigint as unapplied from projection.payments where patient_id = '{patient}'"
            );
            let sums = parts.sql(&sums).await?;
            let total = i64::try_from(count)? * 70;
            assert_eq!(
                (sums[0]["count"].as_u64(), sums[0]["amount"].as_i64()),
                (u64::try_from(count).ok(), Some(total))
            );
            assert_eq!(sums[0]["unapplied"].as_i64(), Some(total - 43_500));
            assert_eq!(does_not_add_up(&parts).await?, Vec::<serde_json::Value>::new());
            Ok(())
        }),
        test("what_was_posted_is_never_written_again", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            biller.issued(Uuid::now_v7(), Uuid::now_v7(), 100).await?;
            let again = "update state.state set value = convert_to(jsonb_set(jsonb_set(convert_from(value, 'UTF8')::jsonb, \
                 '{version}', '2'), '{data,postings}', '[]')::text, 'UTF8') \
                 where key = (select key from state.state where key like 'journal/%' limit 1)";
            let refused = parts.execute(again).await.err().map(|error| format!("{error:?}")).unwrap_or_default();
            assert!(refused.contains("journal_append_only_check"), "{refused}");
            let uneven = "insert into state.state (key, value) select 'journal/' || gen_random_uuid(), convert_to(jsonb_set(\
                 convert_from(value, 'UTF8')::jsonb, '{data,postings,0,amount}', '1')::text, 'UTF8') from state.state \
                 where key like 'journal/%' and convert_from(value, 'UTF8')::jsonb #>> '{data,postings,0,amount}' = '100' limit 1";
            let refused = parts.execute(uneven).await.err().map(|error| format!("{error:?}")).unwrap_or_default();
            assert!(refused.contains("journal_balanced_check"), "{refused}");
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_posting_that_is_tampered_with_does_not_add_up", parts, |parts| async move {
            assert!(does_not_add_up(&parts).await?.is_empty());
            let change = |by: i64| {
                format!(
                    "update projection.postings set amount = amount + {by} where (journal_id, place) = (select journal_id, place from projection.postings where account = 'patient-receivable' order by journal_id limit 1)"
                )
            };
            parts.execute(&change(1)).await?;
            let found = does_not_add_up(&parts).await?;
            parts.execute(&change(-1)).await?;
            let found: Vec<_> = found.iter().filter_map(|row| row["what"].as_str()?.split(' ').next()).collect();
            for what in ["journal", "invoice", "account"] {
                assert!(found.contains(&what), "{found:?}");
            }
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
    ]
}
