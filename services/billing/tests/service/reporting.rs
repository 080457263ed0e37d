//! Reports, and what each figure is made of.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use access::Role;
use contracts::billing::v1::{
    AgedAmount, AgedInvoice, AgingBucket, CreditInvoiceRequest, CreditedLine, GetAgingRequest, GetAgingResponse,
    GetCollectionsRequest, GetDaysInReceivablesRequest, GetTrialBalanceRequest, LedgerAccount, ListAgingRequest,
    ListCollectionsRequest, ListPostingsRequest, PaymentMethod, RefundPaymentRequest, Responsibility,
};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};
use tonic::Code;
use uuid::Uuid;

use super::{
    closing::{after, today},
    desk::{Desk, does_not_add_up, fields, keyed, line, payment},
};

pub(super) async fn aging(desk: &Desk, patient: Option<Uuid>, days: i64) -> Result<GetAgingResponse> {
    let asked = GetAgingRequest {
        date: Some(after(today(), days).to_string()),
        patient_id: patient.map(|patient| patient.to_string()),
    };
    Ok(desk.reports().get_aging(asked).await?.into_inner())
}

fn open(aging: &GetAgingResponse) -> Vec<(Responsibility, AgingBucket, i64)> {
    let open = aging.open.iter().filter(|aged| aged.open != 0);
    open.map(|aged| (aged.responsibility(), aged.bucket(), aged.open)).collect()
}

async fn aged(desk: &Desk, asked: ListAgingRequest) -> Result<Vec<AgedInvoice>> {
    let (mut found, mut asked) = (Vec::new(), ListAgingRequest { limit: Some(3), ..asked });
    loop {
        let page = desk.reports().list_aging(asked.clone()).await?.into_inner();
        found.extend(page.items);
        match page.next {
            Some(next) => asked.cursor = Some(next),
            None => return Ok(found),
        }
    }
}

fn of_patient(patient: Uuid, days: i64) -> ListAgingRequest {
    ListAgingRequest {
        date: Some(after(today(), days).to_string()),
        patient_id: Some(patient.to_string()),
        ..ListAgingRequest::default()
    }
}

/// An act as a claim would post it: of one invoice, from one account to another.
async fn post(
    parts: &Parts,
    patient: Uuid,
    act: &str,
    about: &[(&str, &str)],
    debit: &str,
    credit: &str,
    amount: i64,
) -> Result {
    let id = Uuid::now_v7();
    let about: serde_json::Map<_, _> =
        about.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let posting = |account: &str, amount: i64| {
        let mut posting = about.clone();
        posting.insert("account".to_owned(), account.into());
        posting.insert("amount".to_owned(), amount.into());
        posting
    };
    let document = serde_json::json!({
        "schema": 1, "version": 1, "events": [], "requests": [],
        "data": {
            "act": act, "patientId": patient, "currency": "EUR", "recordedAt": jiff::Timestamp::now(), "date": today(),
            "postings": [posting(debit, amount), posting(credit, -amount)],
            "outcome": {"kind": "invoice", "id": id, "version": 1},
        },
    });
    let insert =
        format!("insert into state.state (key, value) values ('journal/{id}', convert_to('{document}', 'UTF8'))");
    parts.execute(&insert).await
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = agings(parts);
    trials.extend(figures(parts));
    trials
}

fn agings(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_invoice_grows_older_from_bucket_to_bucket", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let invoice = desk.issued(patient, clinic, 700).await?;
            for (days, bucket) in [
                (0, AgingBucket::UpTo30),
                (30, AgingBucket::UpTo30),
                (31, AgingBucket::UpTo60),
                (60, AgingBucket::UpTo60),
                (61, AgingBucket::UpTo90),
                (90, AgingBucket::UpTo90),
                (91, AgingBucket::UpTo120),
                (120, AgingBucket::UpTo120),
                (121, AgingBucket::Above120),
                (1_000, AgingBucket::Above120),
            ] {
                let told = aging(&desk, Some(patient), days).await?;
                assert_eq!(open(&told), [(Responsibility::Patient, bucket, 700)], "after {days} days");
                assert_eq!(told.open.len(), 10, "every bucket is there");
                let behind =
                    aged(&desk, ListAgingRequest { bucket: Some(bucket.into()), ..of_patient(patient, days) }).await?;
                assert_eq!(behind.len(), 1, "after {days} days");
                assert_eq!((behind[0].bucket(), i64::from(behind[0].age)), (bucket, days));
                assert_eq!(
                    (&behind[0].invoice_id, behind[0].number.as_ref()),
                    (&invoice.invoice_id, invoice.number.as_ref())
                );
                for other in [
                    AgingBucket::UpTo30,
                    AgingBucket::UpTo60,
                    AgingBucket::UpTo90,
                    AgingBucket::UpTo120,
                    AgingBucket::Above120,
                ] {
                    let asked = ListAgingRequest { bucket: Some(other.into()), ..of_patient(patient, days) };
                    assert_eq!(aged(&desk, asked).await?.len(), usize::from(other == bucket));
                }
            }
            assert!(open(&aging(&desk, Some(patient), -1).await?).is_empty(), "it was not there yet");
            Ok(())
        }),
        test("an_aging_is_the_books_and_its_invoices", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            desk.open(patient).await?;
            desk.pay(payment(patient, PaymentMethod::Cash, 5_000), Uuid::now_v7()).await?;
            let invoice = desk.issued(patient, clinic, 3_000).await?;
            let own = aging(&desk, Some(patient), 0).await?;
            assert_eq!(
                (open(&own), own.credit_balances[0].minor_units),
                (vec![(Responsibility::Patient, AgingBucket::UpTo30, 3_000)], 5_000),
                "nothing is netted"
            );
            assert!(!own.r#final);

            let all = aging(&desk, None, 0).await?;
            let balance = desk.ledger().get_trial_balance(GetTrialBalanceRequest { date: None }).await?.into_inner();
            let of = |account: LedgerAccount| -> i64 {
                balance.accounts.iter().filter(|one| one.account() == account).map(|one| one.balance).sum()
            };
            let sum = |of: Responsibility| -> i64 {
                all.open.iter().filter(|one| one.responsibility() == of).map(|one| one.open).sum()
            };
            assert_eq!(sum(Responsibility::Patient), of(LedgerAccount::PatientReceivable));
            assert_eq!(sum(Responsibility::Payer), of(LedgerAccount::InsuranceReceivable));
            assert_eq!(all.credit_balances[0].minor_units, -of(LedgerAccount::Unapplied));
            let behind = aged(&desk, ListAgingRequest::default()).await?;
            assert_eq!(
                behind.iter().map(|one| one.open).sum::<i64>(),
                sum(Responsibility::Patient) + sum(Responsibility::Payer)
            );
            let counted: i64 = all.open.iter().map(|one: &AgedAmount| one.invoices).sum();
            assert_eq!(i64::try_from(behind.len())?, counted);
            let listed = ListPostingsRequest {
                invoice_id: Some(invoice.invoice_id.clone()),
                account: Some(LedgerAccount::PatientReceivable.into()),
                ..ListPostingsRequest::default()
            };
            let postings = desk.ledger().list_postings(listed).await?.into_inner().items;
            assert_eq!(postings.iter().map(|one| one.debit - one.credit).sum::<i64>(), 3_000);
            Ok(())
        }),
        test("what_payers_owe_stands_beside_what_patients_owe", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            let patient = Uuid::now_v7();
            let (claim, payer) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
            // Issued on paper alone: what the service does not know of, a claim does.
            let invoice = Uuid::now_v7().to_string();
            let of_invoice = [("invoiceId", invoice.as_str())];
            let of_claim = [("invoiceId", invoice.as_str()), ("claimId", claim.as_str()), ("payerId", payer.as_str())];
            post(&parts, patient, "invoice-issued", &of_invoice, "patient-receivable", "revenue", 10_000).await?;
            post(&parts, patient, "invoice-issued", &of_claim, "insurance-receivable", "revenue", 8_000).await?;
            post(&parts, patient, "payment-captured", &of_claim, "bank", "insurance-receivable", 5_000).await?;
            post(
                &parts,
                patient,
                "invoice-written-off",
                &of_claim,
                "contractual-adjustment",
                "insurance-receivable",
                1_000,
            )
            .await?;
            let told = aging(&desk, Some(patient), 45).await?;
            assert_eq!(
                open(&told),
                [
                    (Responsibility::Patient, AgingBucket::UpTo60, 10_000),
                    (Responsibility::Payer, AgingBucket::UpTo60, 2_000)
                ]
            );
            let asked =
                ListAgingRequest { responsibility: Some(Responsibility::Payer.into()), ..of_patient(patient, 45) };
            let behind = aged(&desk, asked).await?;
            assert_eq!((behind.len(), behind[0].open, behind[0].claims.len()), (1, 2_000, 1));
            let open_claim = &behind[0].claims[0];
            assert_eq!(
                (open_claim.claim_id.as_ref(), open_claim.payer_id.as_ref(), open_claim.open),
                (Some(&claim), Some(&payer), 2_000)
            );
            assert_eq!(aged(&desk, of_patient(patient, 45)).await?.len(), 2);

            let day = today().to_string();
            let listed = ListCollectionsRequest {
                from: day.clone(),
                to: day.clone(),
                payer_id: Some(payer.clone()),
                ..ListCollectionsRequest::default()
            };
            let got = desk.reports().list_collections(listed).await?.into_inner().items;
            assert_eq!((got.len(), got[0].amount, got[0].claim_id.as_ref()), (1, 5_000, Some(&claim)));
            let sums = desk
                .reports()
                .get_collections(GetCollectionsRequest { from: day.clone(), to: day.clone() })
                .await?
                .into_inner();
            let of_payer = sums.currencies[0].payers.iter().find(|one| one.payer_id.as_ref() == Some(&payer));
            assert_eq!(of_payer.map(|one| one.amount), Some(5_000), "an adjustment is no money");
            for (listed, count) in [
                (ListPostingsRequest { payer_id: Some(payer), ..ListPostingsRequest::default() }, 6),
                (
                    ListPostingsRequest {
                        patient_id: Some(patient.to_string()),
                        act: Some("invoice-issued".to_owned()),
                        ..ListPostingsRequest::default()
                    },
                    4,
                ),
            ] {
                assert_eq!(desk.ledger().list_postings(listed).await?.into_inner().items.len(), count);
            }
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
    ]
}

fn figures(parts: &Parts) -> Vec<Trial> {
    vec![
        test("what_came_in_is_divided_over_what_was_done", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let code = |n: u8| format!("{n}-{}", &patient.simple().to_string()[20..]);
            let lines = (0..3).map(|n| line(&code(n), 1, Some(100))).collect();
            let invoice = desk.issue(&desk.draft_of(patient, clinic, lines).await?).await?;
            let days = || ListCollectionsRequest {
                from: today().to_string(),
                to: today().to_string(),
                service_code: Some(code(0)),
                limit: Some(1),
                ..ListCollectionsRequest::default()
            };
            let paid = desk.pay(payment(patient, PaymentMethod::Card, 100), Uuid::now_v7()).await?;
            desk.pay(payment(patient, PaymentMethod::Cash, 150), Uuid::now_v7()).await?;
            let refund = RefundPaymentRequest {
                payment_id: paid.payment_id.clone(),
                expected_version: paid.version,
                amount: 40,
                reason: "too much".to_owned(),
            };
            desk.payments().refund_payment(keyed(refund, Uuid::now_v7())).await?;
            // 210 of 300 are paid; 120 are taken back, so that 30 of what was paid are the patient's again.
            let now = desk.invoice(&invoice.invoice_id).await?;
            let credit = CreditInvoiceRequest {
                invoice_id: now.invoice_id.clone(),
                expected_version: now.version,
                lines: vec![CreditedLine { sequence: 1, amount: 100 }, CreditedLine { sequence: 2, amount: 20 }],
                reason: "not done".to_owned(),
            };
            desk.invoices().credit_invoice(keyed(credit, Uuid::now_v7())).await?;

            let asked = GetCollectionsRequest { from: today().to_string(), to: today().to_string() };
            let told = desk.reports().get_collections(asked).await?.into_inner();
            let services: Vec<i64> = (0..3)
                .filter_map(|n| told.currencies[0].services.iter().find(|one| one.service_code == code(n)))
                .map(|one| one.amount)
                .collect();
            // 100 is 34 + 33 + 33, 150 is 3 x 50, -40 is -14 - 13 - 13, -30 is 3 x -10.
            assert_eq!(services, [34 + 50 - 14 - 10, 33 + 50 - 13 - 10, 33 + 50 - 13 - 10]);
            let (mut found, mut wanted) = (Vec::new(), days());
            loop {
                let page = desk.reports().list_collections(wanted.clone()).await?.into_inner();
                found.extend(page.items);
                match page.next {
                    Some(next) => wanted.cursor = Some(next),
                    None => break,
                }
            }
            let mut amounts: Vec<_> = found.iter().map(|one| one.amount).collect();
            amounts.sort_unstable();
            assert_eq!(amounts, [-40, -30, 100, 150], "what the figures are made of");
            for (n, service) in (0..3).zip(&services) {
                let parts = found.iter().flat_map(|one| &one.services).filter(|one| one.service_code == code(n));
                assert_eq!(parts.map(|one| one.amount).sum::<i64>(), *service);
            }
            assert!(found.iter().all(|one| one.payer_id.is_none() && one.payment_id.is_some()));

            let currency = &told.currencies[0];
            let money = parts.sql(
                "select coalesce(sum(amount) filter (where account in ('cash', 'clearing', 'bank')), 0)::bigint as money, \
                 coalesce(-sum(amount) filter (where account = 'revenue'), 0)::bigint as charges, \
                 coalesce(sum(amount) filter (where account = 'contractual-adjustment'), 0)::bigint as adjusted \
                 from projection.postings where date = current_date",
            ).await?;
            let of = |name: &str| money[0][name].as_i64().unwrap_or_default();
            assert_eq!(
                (currency.payments, currency.charges, currency.contractual_adjustments),
                (of("money"), of("charges"), of("adjusted"))
            );
            assert_eq!(currency.accounts.iter().map(|one| one.received - one.returned).sum::<i64>(), of("money"));
            let rate = currency.net_collection_rate_millionths.unwrap_or_default();
            let error =
                i128::from(rate) * i128::from(of("charges") - of("adjusted")) - i128::from(of("money")) * 1_000_000;
            assert!(error.abs() * 2 <= i128::from(of("charges") - of("adjusted")), "{rate}");
            Ok(())
        }),
        test("days_in_receivables_are_made_of_the_books", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            let asked = GetDaysInReceivablesRequest { date: None, days: Some(30) };
            let told = desk.reports().get_days_in_receivables(asked).await?.into_inner();
            assert_eq!((told.from, told.days), (after(today(), -29).to_string(), 30));
            let one = &told.currencies[0];
            let balance = desk.ledger().get_trial_balance(GetTrialBalanceRequest { date: None }).await?.into_inner();
            let of = |account: LedgerAccount| -> i64 {
                balance.accounts.iter().filter(|one| one.account() == account).map(|one| one.balance).sum()
            };
            assert_eq!(
                (one.patient_receivable, one.insurance_receivable, one.credit_balances, one.gross_charges),
                (
                    of(LedgerAccount::PatientReceivable),
                    of(LedgerAccount::InsuranceReceivable),
                    -of(LedgerAccount::Unapplied),
                    -of(LedgerAccount::Revenue)
                )
            );
            let net = one.patient_receivable + one.insurance_receivable - one.credit_balances;
            let tenths = one.tenths_of_days.unwrap_or_default();
            assert!((tenths * one.gross_charges - net * 300).abs() * 2 <= one.gross_charges, "{one:?}");
            let later = GetDaysInReceivablesRequest { date: Some(after(today(), 30).to_string()), days: Some(30) };
            let later = desk.reports().get_days_in_receivables(later).await?.into_inner();
            assert_eq!((later.currencies[0].gross_charges, later.currencies[0].tenths_of_days), (0, None));
            Ok(())
        }),
        test("reports_are_for_who_may_and_say_what_is_wrong", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            let asked = GetAgingRequest { date: Some("soon".to_owned()), patient_id: Some("x".to_owned()) };
            assert_eq!(fields(&biller.reports().get_aging(asked).await.unwrap_err()), ["date", "patient_id"]);
            let asked = ListAgingRequest {
                bucket: Some(99),
                responsibility: Some(99),
                limit: Some(0),
                cursor: Some("?".to_owned()),
                ..ListAgingRequest::default()
            };
            let wrong = biller.reports().list_aging(asked).await.unwrap_err();
            assert_eq!(fields(&wrong), ["bucket", "limit", "responsibility", "cursor"]);
            let asked = GetDaysInReceivablesRequest { date: None, days: Some(367) };
            assert_eq!(fields(&biller.reports().get_days_in_receivables(asked).await.unwrap_err()), ["days"]);
            for to in [after(today(), -1), after(today(), 366)] {
                let asked = GetCollectionsRequest { from: today().to_string(), to: to.to_string() };
                assert_eq!(fields(&biller.reports().get_collections(asked).await.unwrap_err()), ["to"], "{to}");
            }
            let asked = ListPostingsRequest { act: Some("theft".to_owned()), ..ListPostingsRequest::default() };
            assert_eq!(fields(&biller.ledger().list_postings(asked).await.unwrap_err()), ["act"]);
            let front = Desk::of(&parts, Role::FrontDesk).await?;
            let refused = front.reports().get_aging(GetAgingRequest::default()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            let admin = Desk::of(&parts, Role::Admin).await?;
            admin.reports().get_aging(GetAgingRequest::default()).await?;
            let refused = admin.reports().list_aging(ListAgingRequest::default()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            Ok(())
        }),
    ]
}
