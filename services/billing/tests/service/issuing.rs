use std::collections::BTreeSet;

use access::Role;
use contracts::billing::v1::{
    CreditInvoiceRequest, CreditedLine, GetInvoiceRequest, GetTrialBalanceRequest, InvoiceStatus, IssueInvoiceRequest,
    LedgerAccount, ListPostingsRequest, PaymentMethod, VoidInvoiceRequest, WriteOffInvoiceRequest, WriteOffReason,
};
use futures::future::{join_all, try_join_all};
use libtest_mimic::Trial;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::{
    desk::{Desk, Refused as _, There as _, does_not_add_up, fields, keyed, payment, slug},
    people::STRANGER,
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_issued_invoice_has_a_number_a_recipient_and_postings", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let draft = desk.draft(patient, clinic, 10_000).await?;
            let key = Uuid::now_v7();
            let asked = IssueInvoiceRequest { invoice_id: draft.invoice_id.clone(), expected_version: 1 };
            let issued = desk.invoices().issue_invoice(keyed(asked.clone(), key)).await?.into_inner();
            let invoice = issued.invoice.clone().there()?;
            assert_eq!((invoice.number.as_deref(), invoice.status()), (Some("INV-000001"), InvoiceStatus::Issued));
            assert_eq!((invoice.version, invoice.balance.there()?.patient_open), (2, 10_000));
            assert!(invoice.due_date.is_some() && invoice.issued_time.is_some());
            let again = desk.invoices().issue_invoice(keyed(asked.clone(), key)).await?.into_inner();
            assert_eq!(again, issued, "the same request is answered the same");
            let stale = desk.invoices().issue_invoice(keyed(asked.clone(), Uuid::now_v7())).await.refused()?;
            assert_eq!(stale.code(), Code::Aborted);
            let twice = IssueInvoiceRequest { expected_version: 2, ..asked };
            let twice = desk.invoices().issue_invoice(keyed(twice, Uuid::now_v7())).await.refused()?;
            assert_eq!((twice.code(), slug(&twice)), (Code::AlreadyExists, "invoice-status".to_owned()));

            let recipient = format!(
                "select convert_from(value, 'UTF8')::jsonb -> 'data' as data from state.state where key = 'invoice-recipient/{}'",
                invoice.invoice_id
            );
            assert_eq!(parts.sql(&recipient).await?[0]["data"]["name"], "Dr Ada Okafor");
            let listed = ListPostingsRequest { invoice_id: Some(invoice.invoice_id), ..ListPostingsRequest::default() };
            let postings = desk.ledger().list_postings(listed).await?.into_inner().items;
            let amounts: Vec<_> = postings.iter().map(|one| (one.account(), one.debit, one.credit)).collect();
            assert!(amounts.contains(&(LedgerAccount::PatientReceivable, 10_000, 0)), "{amounts:?}");
            assert!(amounts.contains(&(LedgerAccount::Revenue, 0, 10_000)), "{amounts:?}");
            Ok(())
        }),
        test("an_invoice_of_nobody_is_not_issued", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            let draft = desk.draft(STRANGER, Uuid::now_v7(), 100).await?;
            assert_eq!(desk.issue(&draft).await.refused()?.code(), Code::NotFound);
            assert_eq!(desk.invoice(&draft.invoice_id).await?.status(), InvoiceStatus::Draft);
            Ok(())
        }),
        test("numbers_have_no_gap_whoever_issues_at_once", parts, |parts| async move {
            let clinic = Uuid::now_v7();
            let desk = Desk::of(&parts, Role::Biller).await?;
            let drafts = try_join_all((0..60).map(|n| desk.draft(Uuid::now_v7(), clinic, 100 + n))).await?;
            // Each twice: one of the two is refused and takes no number.
            let asked = drafts.iter().chain(&drafts);
            let answers = join_all(asked.map(|draft| desk.issue(draft))).await;
            let numbers: BTreeSet<_> = answers.iter().flatten().filter_map(|invoice| invoice.number.clone()).collect();
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 60);
            let expected: BTreeSet<_> = (1..=60).map(|place| format!("INV-{place:06}")).collect();
            assert_eq!(numbers, expected);
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("what_is_issued_is_taken_back_and_never_changed", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let invoice = desk.issued(patient, clinic, 5_000).await?;
            let void = |version| VoidInvoiceRequest {
                invoice_id: invoice.invoice_id.clone(),
                expected_version: version,
                reason: "wrong patient".to_owned(),
            };
            let write_off = |version, amount| WriteOffInvoiceRequest {
                invoice_id: invoice.invoice_id.clone(),
                expected_version: version,
                reason: WriteOffReason::SmallBalance.into(),
                amount,
            };
            let above =
                desk.invoices().write_off_invoice(keyed(write_off(2, Some(5_001)), Uuid::now_v7())).await.refused()?;
            assert_eq!((slug(&above), fields(&above)), ("above-open".to_owned(), vec!["amount".to_owned()]));
            let key = Uuid::now_v7();
            let off = desk.invoices().write_off_invoice(keyed(write_off(2, Some(100)), key)).await?.into_inner();
            assert_eq!(off.invoice.as_ref().there()?.balance.there()?.written_off, 100);
            assert_eq!(desk.invoices().write_off_invoice(keyed(write_off(2, Some(100)), key)).await?.into_inner(), off);
            let moved = desk.invoices().void_invoice(keyed(void(3), Uuid::now_v7())).await.refused()?;
            assert_eq!(slug(&moved), "invoice-moved");

            let other = desk.issued(patient, clinic, 700).await?;
            let void = VoidInvoiceRequest { invoice_id: other.invoice_id.clone(), ..void(2) };
            let done = desk.invoices().void_invoice(keyed(void.clone(), Uuid::now_v7())).await?.into_inner();
            assert_eq!(done.invoice.as_ref().there()?.status(), InvoiceStatus::Void);
            assert_eq!(done.invoice.there()?.number, other.number, "its number stays its own");
            let again = VoidInvoiceRequest { expected_version: 3, ..void };
            let again = desk.invoices().void_invoice(keyed(again, Uuid::now_v7())).await.refused()?;
            assert_eq!(slug(&again), "invoice-status");
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_credit_note_has_a_number_of_its_own_and_gives_back_what_was_paid", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let invoice = desk.issued(patient, clinic, 5_000).await?;
            let paid = desk.pay(payment(patient, PaymentMethod::Cash, 4_000), Uuid::now_v7()).await?;
            assert_eq!(paid.unapplied, 0);
            let credit = |version, amount| CreditInvoiceRequest {
                invoice_id: invoice.invoice_id.clone(),
                expected_version: version,
                lines: vec![CreditedLine { sequence: 1, amount }],
                reason: "not done".to_owned(),
            };
            let credited = desk
                .invoices()
                .credit_invoice(keyed(credit(3, 3_000), Uuid::now_v7()))
                .await?
                .into_inner()
                .invoice
                .there()?;
            assert_eq!(credited.credit_notes[0].number, "CN-000001");
            let balance = credited.balance.there()?;
            assert_eq!((balance.patient_open, balance.patient_paid, balance.credited), (0, 2_000, 3_000));
            let above = desk.invoices().credit_invoice(keyed(credit(4, 2_001), Uuid::now_v7())).await.refused()?;
            assert_eq!((slug(&above), fields(&above)), ("above-line".to_owned(), vec!["lines[0].amount".to_owned()]));
            let none = CreditInvoiceRequest { lines: vec![CreditedLine { sequence: 2, amount: 1 }], ..credit(4, 1) };
            let none = desk.invoices().credit_invoice(keyed(none, Uuid::now_v7())).await.refused()?;
            assert_eq!(slug(&none), "unknown-line");
            let rest = desk
                .invoices()
                .credit_invoice(keyed(credit(4, 2_000), Uuid::now_v7()))
                .await?
                .into_inner()
                .invoice
                .there()?;
            assert_eq!(rest.credit_notes[1].number, "CN-000002");
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("the_trial_balance_is_balanced", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            // What is done after the end of a day is of the next.
            let asked = GetTrialBalanceRequest { date: Some("2999-12-31".to_owned()) };
            let balance = desk.ledger().get_trial_balance(asked).await?.into_inner();
            assert!(!balance.totals.is_empty());
            for total in &balance.totals {
                assert_eq!(total.debit, total.credit);
            }
            let asked = GetTrialBalanceRequest { date: Some("2001-01-01".to_owned()) };
            assert!(desk.ledger().get_trial_balance(asked).await?.into_inner().accounts.is_empty());
            let asked = GetTrialBalanceRequest { date: Some("tomorrow".to_owned()) };
            assert_eq!(fields(&desk.ledger().get_trial_balance(asked).await.refused()?), ["date"]);

            let mut found = Vec::new();
            let mut asked = ListPostingsRequest { limit: Some(7), ..ListPostingsRequest::default() };
            loop {
                let page = desk.ledger().list_postings(asked.clone()).await?.into_inner();
                found.extend(page.items);
                match page.next {
                    Some(next) => asked.cursor = Some(next),
                    None => break,
                }
            }
            let posted = parts.sql("select count(*) from projection.postings").await?[0]["count"].clone();
            assert_eq!(u64::try_from(found.len()).ok(), posted.as_u64());
            let debits: i64 = found.iter().map(|one| one.debit).sum();
            assert_eq!(debits, balance.totals.iter().map(|total| total.debit).sum::<i64>(), "a figure is its entries");
            Ok(())
        }),
        test("only_who_may_sees_money_and_each_look_is_in_the_audit", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let invoice = Desk::of(&parts, Role::Biller).await?.issued(patient, clinic, 300).await?;
            let asked = GetInvoiceRequest { invoice_id: invoice.invoice_id.clone() };
            for (token, code) in [
                (Some(parts.token(Role::Nurse)?), Code::PermissionDenied),
                (Some("forged".to_owned()), Code::Unauthenticated),
                (None, Code::Unauthenticated),
            ] {
                let refused = Desk::with(&parts, token).await?.invoices().get_invoice(asked.clone()).await.refused()?;
                assert_eq!(refused.code(), code);
            }
            Desk::of(&parts, Role::FrontDesk).await?.invoices().get_invoice(asked).await?;
            let unknown = GetInvoiceRequest { invoice_id: "nothing".to_owned() };
            let missed = Desk::of(&parts, Role::FrontDesk).await?.invoices().get_invoice(unknown).await.refused()?;
            assert_eq!(missed.code(), Code::NotFound);
            let entries = format!(
                "select subtype, outcome, agent_role from (select subtype, outcome, agent_role, patient, details from audit.waiting \
                 union all select subtype, outcome, agent_role, patient, null from audit.entries) as entries \
                 where patient = '{patient}'"
            );
            parts
                .eventually("the look is recorded", || async {
                    let entries = parts.sql(&entries).await?;
                    Ok(entries.iter().any(|entry| entry["subtype"] == "read" && entry["agent_role"] == "front-desk"))
                })
                .await?;
            let refusals = "select count(*) from (select subtype from audit.waiting union all select subtype from audit.entries) as e where subtype = 'refused'";
            parts
                .eventually("the refusal is recorded", || async { Ok(parts.sql(refusals).await?[0]["count"] != 0) })
                .await?;
            Ok(())
        }),
    ]
}
