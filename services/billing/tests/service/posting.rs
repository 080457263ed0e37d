//! What the books tell of each act: every move of it, once, with all that a figure is made of.

use std::collections::BTreeMap;

use access::Role;
use contracts::{
    billing::v1::{
        self as wire, CreditInvoiceRequest, CreditedLine, Discount, Invoice, InvoiceLine, JournalEntrySnapshot,
        JournalPosted, LedgerAccount, ListCollectionsRequest, PaymentMethod, PostedMove, Tax, TaxCategory,
        VoidInvoiceRequest, WriteOffInvoiceRequest, WriteOffReason,
    },
    patient::v1::EncounterSnapshot,
    topic,
};
use libtest_mimic::Trial;
use serde_json::Value;
use testkit::{App, Parts, Result, test};
use uuid::Uuid;

use super::{
    closing::today,
    desk::{Desk, There as _, does_not_add_up, keyed, line, payment},
    drafting::{event, fee, finished, invoices_of, put_up, schedule},
    refunding::refund,
};

/// What was told of the acts that are meant, in the order of their days; each is held against its postings.
pub(super) async fn told(parts: &Parts, meant: &str) -> Result<Vec<JournalEntrySnapshot>> {
    let acts = format!(
        "select journal_id, act, convert_from(value, 'UTF8')::jsonb -> 'events' as events, \
         (select coalesce(jsonb_agg(posted order by place), '[]') from projection.postings as posted \
           where posted.journal_id = act.journal_id) as postings \
         from projection.journal as act join state.state on key = 'journal/' || journal_id \
         where {meant} order by recorded_at, journal_id"
    );
    let mut told = Vec::new();
    for act in parts.sql(&acts).await? {
        let (events, postings) = (act["events"].as_array().there()?, act["postings"].as_array().there()?);
        assert_eq!(events.len(), usize::from(!postings.is_empty()), "{act}");
        let Some(sent) = events.first() else { continue };
        assert_eq!(
            (&sent["topic"], &sent["partitionKey"]),
            (&topic::BILLING_JOURNAL_POSTED.into(), &act["journal_id"])
        );
        assert_eq!(
            (&sent["event"]["type"], &sent["event"]["subject"]),
            (&"billing.v1.JournalPosted".into(), &act["journal_id"])
        );
        let entry = serde_json::from_value::<JournalPosted>(sent["event"]["data"].clone())?.entry.there()?;
        assert_eq!(
            (entry.journal_id.as_str().into(), entry.act.as_str().into()),
            (act["journal_id"].clone(), act["act"].clone())
        );
        assert_eq!((entry.version, 2 * entry.moves.len()), (1, postings.len()), "{entry:?}");
        for (one, sides) in entry.moves.iter().zip(postings.chunks(2)) {
            is_posted(one, sides);
        }
        told.push(entry);
    }
    Ok(told)
}

/// A move is its two postings and says all that they say; its parts are all of it.
fn is_posted(one: &PostedMove, sides: &[Value]) {
    for side in sides {
        let debits = side["amount"].as_i64().unwrap_or_default() > 0;
        let account = if debits { one.debit() } else { one.credit() };
        assert_eq!(side["account"], account_name(account), "{one:?} {side}");
        assert_eq!(side["amount"], if debits { one.amount } else { -one.amount }, "{one:?} {side}");
        let takes_over = !debits && !one.credit_claim_id.is_empty();
        for (name, told) in [
            ("invoice_id", &one.invoice_id),
            ("payment_id", &one.payment_id),
            ("claim_id", if takes_over { &one.credit_claim_id } else { &one.claim_id }),
            ("payer_id", &one.payer_id),
            ("service_code", &one.service_code),
        ] {
            assert!(side[name].is_null() || side[name] == told.as_str(), "{name} of {one:?} {side}");
        }
    }
    let receivable = |account| matches!(account, LedgerAccount::PatientReceivable | LedgerAccount::InsuranceReceivable);
    let is_of_services = !one.service_code.is_empty() || receivable(one.debit()) || receivable(one.credit());
    let parts: i64 = one.services.iter().map(|share| share.amount).sum();
    assert_eq!(parts, if is_of_services { one.amount } else { 0 }, "{one:?}");
}

fn account_name(account: LedgerAccount) -> String {
    account.as_str_name().trim_start_matches("LEDGER_ACCOUNT_").to_lowercase().replace('_', "-")
}

/// A move that is expected, with the parts of its services.
type Expected<'a> = (&'a str, &'a str, i64, &'a [(&'a str, i64)]);

/// The moves of an act: from where to where, how much, and of which services.
type Moves = Vec<(String, String, i64, Vec<(String, i64)>)>;

fn moves(entry: &JournalEntrySnapshot) -> Moves {
    let shares =
        |one: &PostedMove| one.services.iter().map(|share| (share.service_code.clone(), share.amount)).collect();
    let told = |one: &PostedMove| (account_name(one.debit()), account_name(one.credit()), one.amount, shares(one));
    entry.moves.iter().map(told).collect()
}

fn expected(moves: &[Expected<'_>]) -> Moves {
    let shares = |shares: &[(&str, i64)]| shares.iter().map(|(code, amount)| ((*code).to_owned(), *amount)).collect();
    moves
        .iter()
        .map(|(debit, credit, amount, of)| ((*debit).to_owned(), (*credit).to_owned(), *amount, shares(of)))
        .collect()
}

/// Money that a receivable got or gave back by these acts, by service.
fn collected(told: &[JournalEntrySnapshot]) -> BTreeMap<String, i64> {
    const MONEY: [LedgerAccount; 5] = [
        LedgerAccount::Cash,
        LedgerAccount::Clearing,
        LedgerAccount::Bank,
        LedgerAccount::Unapplied,
        LedgerAccount::InsuranceUnapplied,
    ];
    let receivable = |account| matches!(account, LedgerAccount::PatientReceivable | LedgerAccount::InsuranceReceivable);
    let mut sums = BTreeMap::new();
    for one in told.iter().flat_map(|entry| &entry.moves) {
        let sign = match (one.debit(), one.credit()) {
            (debit, credit) if MONEY.contains(&debit) && receivable(credit) => 1,
            (debit, credit) if receivable(debit) && MONEY.contains(&credit) => -1,
            _ => continue,
        };
        for share in &one.services {
            *sums.entry(share.service_code.clone()).or_default() += sign * share.amount;
        }
    }
    sums
}

/// The same by the report, of one invoice.
async fn reported(desk: &Desk, invoice: &Invoice, service_code: &str) -> Result<BTreeMap<String, i64>> {
    let asked = ListCollectionsRequest {
        from: today().to_string(),
        to: today().to_string(),
        service_code: Some(service_code.to_owned()),
        limit: Some(200),
        ..ListCollectionsRequest::default()
    };
    let mut sums = BTreeMap::new();
    for item in desk.reports().list_collections(asked).await?.into_inner().items {
        if item.invoice_id == invoice.invoice_id {
            for share in item.services {
                *sums.entry(share.service_code).or_default() += share.amount;
            }
        }
    }
    Ok(sums)
}

/// Has an encounter charged at the same prices, and issued: two services, of which one has a discount and one a tax.
async fn charged(parts: &Parts, desk: &Desk, encounter: &EncounterSnapshot) -> Result<Invoice> {
    let patient = encounter.patient_id.parse()?;
    desk.open(patient).await?;
    parts.publish(App::Patient, topic::ENCOUNTER_FINISHED, &[event(encounter)?]).await?;
    let draft = invoices_of(parts, patient, 1, 1).await?.remove(0);
    let discount = Discount { amount: 1_000, reason: "staff".to_owned() };
    let tax = Tax { category: TaxCategory::Standard.into(), rate_millionths: 200_000 };
    let lines = vec![
        InvoiceLine { discount: Some(discount), ..line(&draft.lines[0].code, 1, Some(10_000)) },
        InvoiceLine { tax: Some(tax), ..line(&draft.lines[1].code, 1, Some(5_000)) },
    ];
    let amend = wire::AmendInvoiceRequest {
        invoice_id: draft.invoice_id.clone(),
        expected_version: draft.version,
        lines: lines.into_iter().map(|line| InvoiceLine { diagnoses: Vec::new(), ..line }).collect(),
        ..wire::AmendInvoiceRequest::default()
    };
    let amended = desk.invoices().amend_invoice(amend).await?.into_inner().invoice.there()?;
    Ok(desk.issue(&amended).await?)
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("every_act_that_moves_something_is_told_once_with_all_of_its_moves", parts, |parts| async move {
            let (patient, desk) = (Uuid::now_v7(), Desk::of(&parts, Role::Biller).await?);
            let code = |of: &str| format!("{of}-{}", &patient.simple().to_string()[20..]);
            let (a, b) = (code("A"), code("B"));
            let (a, b) = (a.as_str(), b.as_str());
            put_up(&parts, schedule("2020-01-01", vec![fee(a, None, 10_000), fee(b, None, 5_000)])).await?;
            let encounter = finished(Uuid::now_v7(), patient, 3, &[(a, 1), (b, 1)]);
            let invoice = charged(&parts, &desk, &encounter).await?;
            assert_eq!(invoice.total, 15_000);

            let announced = wire::RecordPaymentRequest { pending: true, ..payment(patient, PaymentMethod::Card, 400) };
            desk.pay(announced, Uuid::now_v7()).await?;
            let paid = desk.pay(payment(patient, PaymentMethod::Card, 6_001), Uuid::now_v7()).await?;
            desk.payments().refund_payment(keyed(refund(&paid, 1_001), Uuid::now_v7())).await?;
            let credit = CreditInvoiceRequest {
                invoice_id: invoice.invoice_id.clone(),
                expected_version: desk.invoice(&invoice.invoice_id).await?.version,
                lines: vec![CreditedLine { sequence: 2, amount: 1_200 }],
                reason: "half of it".to_owned(),
            };
            desk.invoices().credit_invoice(keyed(credit, Uuid::now_v7())).await?;
            let off = WriteOffInvoiceRequest {
                invoice_id: invoice.invoice_id.clone(),
                expected_version: desk.invoice(&invoice.invoice_id).await?.version,
                reason: WriteOffReason::BadDebt.into(),
                amount: None,
            };
            desk.invoices().write_off_invoice(keyed(off, Uuid::now_v7())).await?;

            let told = told(&parts, &format!("patient_id = '{patient}'")).await?;
            let acts: Vec<_> = told.iter().map(|entry| entry.act.as_str()).collect();
            let done =
                ["invoice-issued", "payment-captured", "payment-refunded", "invoice-credited", "invoice-written-off"];
            assert_eq!(acts, done, "what moves nothing is not told");
            let (receivable, unapplied) = ("patient-receivable", "unapplied");
            assert_eq!(
                moves(&told[0]),
                expected(&[
                    (receivable, "revenue", 9_000, &[(a, 9_000)]),
                    ("discount", "revenue", 1_000, &[(a, 1_000)]),
                    (receivable, "revenue", 5_000, &[(b, 5_000)]),
                    (receivable, "tax-payable", 1_000, &[(a, 600), (b, 400)]),
                ])
            );
            assert_eq!(
                moves(&told[1]),
                expected(&[
                    ("clearing", unapplied, 6_001, &[]),
                    (unapplied, receivable, 6_001, &[(a, 3_601), (b, 2_400)]),
                ])
            );
            assert_eq!(
                moves(&told[2]),
                expected(
                    &[(receivable, unapplied, 1_001, &[(a, 601), (b, 400)]), (unapplied, "clearing", 1_001, &[]),]
                )
            );
            assert_eq!(
                moves(&told[3]),
                expected(&[
                    ("revenue", receivable, 1_000, &[(b, 1_000)]),
                    ("tax-payable", receivable, 200, &[(a, 120), (b, 80)]),
                ])
            );
            assert_eq!(moves(&told[4]), expected(&[("bad-debt", receivable, 8_800, &[(a, 5_280), (b, 3_520)])]));
            for entry in &told {
                assert_eq!((&entry.patient_id, &entry.clinic_id), (&encounter.patient_id, &encounter.clinic_id));
                assert_eq!((entry.date.as_str(), entry.currency_code.as_str()), (&*today().to_string(), "EUR"));
                assert!(entry.recorded_time.is_some() && entry.reverses.is_empty());
                for one in &entry.moves {
                    let seen_by = if one.invoice_id.is_empty() { "" } else { encounter.practitioner_id.as_str() };
                    assert_eq!(
                        (one.clinic_id.as_str(), one.practitioner_id.as_str()),
                        (&*encounter.clinic_id, seen_by)
                    );
                }
            }
            let sums = collected(&told);
            assert_eq!(sums, BTreeMap::from([(a.to_owned(), 3_000), (b.to_owned(), 2_000)]));
            assert_eq!(sums, reported(&desk, &invoice, a).await?, "what was told is what the report says");
            assert!(does_not_add_up(&parts).await?.is_empty());
            parts
                .eventually("all of it leaves", || async {
                    let waiting = "select count(*) from document.outbox where topic = 'billing.journal.posted'";
                    Ok(parts.sql(waiting).await?[0]["count"] == 0)
                })
                .await
        }),
        test("an_act_that_takes_another_back_names_it", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let invoice = desk.issued(patient, clinic, 700).await?;
            let void = VoidInvoiceRequest {
                invoice_id: invoice.invoice_id.clone(),
                expected_version: invoice.version,
                reason: "wrong patient".to_owned(),
            };
            desk.invoices().void_invoice(keyed(void, Uuid::now_v7())).await?;
            let told = told(&parts, &format!("patient_id = '{patient}'")).await?;
            assert_eq!(told.len(), 2);
            assert_eq!((told[1].act.as_str(), &told[1].reverses), ("invoice-voided", &told[0].journal_id));
            assert_eq!(moves(&told[0]), expected(&[("patient-receivable", "revenue", 700, &[("99213", 700)])]));
            assert_eq!(moves(&told[1]), expected(&[("revenue", "patient-receivable", 700, &[("99213", 700)])]));
            assert_eq!(told[1].moves[0].practitioner_id, "", "nobody has seen the patient");
            Ok(())
        }),
    ]
}
