//! Invoices and statements on paper, and who looked at them.

use access::Role;
use contracts::billing::v1::{
    CreditInvoiceRequest, CreditedLine, Invoice, PaymentMethod, VoidInvoiceRequest, WriteOffInvoiceRequest,
    WriteOffReason,
};
use libtest_mimic::Trial;
use reqwest::{Method, Response};
use serde_json::Value;
use testkit::{Parts, Result, test};
use uuid::Uuid;

use super::{
    desk::{Desk, keyed, payment},
    people::STRANGER,
};

async fn get(parts: &Parts, role: Role, path: &str, accept: &str) -> Result<Response> {
    let request = parts.request(Method::GET, path).bearer_auth(parts.token(role)?);
    Ok(request.header("accept", accept).send().await?)
}

fn print_of(invoice: &Invoice) -> String {
    format!("/api/billing/invoices/{}/print", invoice.invoice_id)
}

/// The page at a path.
async fn page(parts: &Parts, path: &str) -> Result<String> {
    let answer = get(parts, Role::FrontDesk, path, "text/html").await?;
    anyhow::ensure!(answer.status() == 200, "{path}: {} {}", answer.status(), answer.text().await?);
    Ok(answer.text().await?)
}

/// How many pages a file has, and its text.
async fn file(parts: &Parts, path: &str) -> Result<(usize, String, Vec<u8>)> {
    let answer = get(parts, Role::Biller, path, "application/pdf").await?;
    anyhow::ensure!(answer.status() == 200, "{path}: {} {}", answer.status(), answer.text().await?);
    let bytes = answer.bytes().await?.to_vec();
    let read = lopdf::Document::load_mem(&bytes)?;
    let pages: Vec<_> = read.get_pages().into_keys().collect();
    Ok((pages.len(), read.extract_text(&pages)?, bytes))
}

/// The cells of the rows that have `word` in them, as a person sees them.
fn rows<'a>(page: &'a str, word: &str) -> Vec<Vec<&'a str>> {
    let all = page.split("<tr>").skip(1).filter_map(|row| row.split("</tr>").next());
    let found = all.filter(|row| row.contains(word));
    let text = |part: &'a str| part.split_once('>').map_or("", |(_, rest)| rest.split('<').next().unwrap_or(""));
    found.map(|row| row.split("<t").skip(1).map(text).collect()).collect()
}

async fn refused(answer: Response, status: u16) -> Result<Value> {
    assert_eq!(answer.status(), status);
    Ok(answer.json().await?)
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_issued_invoice_is_printed_as_it_was_sent", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let draft = desk.draft(patient, clinic, 12_345).await?;
            let none = refused(get(&parts, Role::Biller, &print_of(&draft), "*/*").await?, 409).await?;
            assert!(none["type"].as_str().unwrap_or_default().ends_with("invoice-status"), "{none}");
            let invoice = desk.issue(&draft).await?;
            desk.pay(payment(patient, PaymentMethod::Cash, 10_000), Uuid::now_v7()).await?;

            let answer = get(&parts, Role::FrontDesk, &print_of(&invoice), "*/*").await?;
            let header = |name: &str| answer.headers()[name].to_str().unwrap_or_default().to_owned();
            assert_eq!(header("content-type"), "text/html; charset=utf-8");
            assert_eq!(header("cache-control"), "no-store");
            let number = invoice.number.clone().unwrap_or_default();
            assert_eq!(header("content-disposition"), format!("inline; filename=\"{number}.html\""));
            assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
            let page = answer.text().await?;
            let due = invoice.due_date.clone().unwrap_or_default();
            for told in [&number, &due, "Dr Ada Okafor", "1 Bank Row", "1984-02-11", "00000000018", &clinic.to_string()]
            {
                assert!(page.contains(told), "{told} is not in {page}");
            }
            assert_eq!(rows(&page, "Paid by the patient"), [["Paid by the patient", "-100.00"]]);
            assert_eq!(rows(&page, "Open for the patient"), [["Open for the patient", "23.45"]]);

            let answer = get(&parts, Role::FrontDesk, &print_of(&invoice), "application/pdf").await?;
            assert_eq!(answer.headers()["content-type"], "application/pdf");
            assert_eq!(answer.headers()["content-disposition"], format!("inline; filename=\"{number}.pdf\""));
            let (pages, text, bytes) = file(&parts, &print_of(&invoice)).await?;
            assert_eq!((pages, file(&parts, &print_of(&invoice)).await?.2), (1, bytes), "the same is the same file");
            for told in [number.as_str(), "Dr Ada Okafor", "123.45", "23.45"] {
                assert!(text.contains(told), "{told} is not in {text}");
            }
            Ok(())
        }),
        test("an_invoice_that_was_taken_back_says_so", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::Biller).await?;
            let invoice = desk.issued(Uuid::now_v7(), Uuid::now_v7(), 700).await?;
            assert!(!page(&parts, &print_of(&invoice)).await?.contains("VOID"));
            let (invoice_id, reason) = (invoice.invoice_id.clone(), "wrong patient".to_owned());
            let void = VoidInvoiceRequest { invoice_id, expected_version: 2, reason };
            desk.invoices().void_invoice(keyed(void, Uuid::now_v7())).await?;
            assert!(page(&parts, &print_of(&invoice)).await?.contains("<p class=\"stamp\">VOID</p>"));
            assert!(file(&parts, &print_of(&invoice)).await?.1.contains("VOID"));
            Ok(())
        }),
        test("an_invoice_whose_recipient_was_erased_is_printed_without", parts, |parts| async move {
            let invoice = Desk::of(&parts, Role::Biller).await?.issued(Uuid::now_v7(), Uuid::now_v7(), 700).await?;
            parts
                .execute(&format!("delete from state.state where key = 'invoice-recipient/{}'", invoice.invoice_id))
                .await?;
            let page = page(&parts, &print_of(&invoice)).await?;
            assert!(page.contains("The recipient was erased.") && !page.contains("Okafor"), "{page}");
            Ok(())
        }),
        test("a_statement_is_what_was_posted", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let path = format!("/api/billing/accounts/{patient}/statement");
            let empty = page(&parts, &path).await?;
            assert_eq!(rows(&empty, "Closing balance")[0].last(), Some(&"0.00"));

            let desk = Desk::of(&parts, Role::Biller).await?;
            let first = desk.issued(patient, clinic, 10_000).await?;
            let second = desk.issued(patient, clinic, 5_000).await?;
            desk.pay(payment(patient, PaymentMethod::Card, 4_000), Uuid::now_v7()).await?;
            let credit = CreditInvoiceRequest {
                invoice_id: second.invoice_id.clone(),
                expected_version: 2,
                lines: vec![CreditedLine { sequence: 1, amount: 1_000 }],
                reason: "not done".to_owned(),
            };
            desk.invoices().credit_invoice(keyed(credit, Uuid::now_v7())).await?;
            let off = WriteOffInvoiceRequest {
                invoice_id: second.invoice_id.clone(),
                expected_version: 3,
                reason: WriteOffReason::Courtesy.into(),
                amount: Some(500),
            };
            desk.invoices().write_off_invoice(keyed(off, Uuid::now_v7())).await?;

            let told = page(&parts, &path).await?;
            assert!(told.contains("Dr Ada Okafor"), "{told}");
            let amounts = |word: &str| -> Vec<Vec<String>> {
                let cells = |row: Vec<&str>| row[2..].iter().map(ToString::to_string).collect();
                rows(&told, word).into_iter().map(cells).collect()
            };
            let number = |invoice: &Invoice| invoice.number.clone().unwrap_or_default();
            let (one, two) = (number(&first), number(&second));
            let strings = |row: [&str; 4]| row.map(str::to_owned).to_vec();
            assert_eq!(
                amounts("Invoice issued"),
                [strings([&one, "100.00", "", "100.00"]), strings([&two, "50.00", "", "150.00"])]
            );
            assert_eq!(amounts("Payment captured, card"), [strings([&one, "", "40.00", "110.00"])]);
            assert_eq!(amounts("Invoice credited"), [strings([&format!("CN-000001, {two}"), "", "10.00", "100.00"])]);
            assert_eq!(amounts("Invoice written off"), [strings([&two, "", "5.00", "95.00"])]);
            assert_eq!(rows(&told, "Closing balance")[0].last(), Some(&"95.00"));
            assert_eq!(rows(&told, ">To be paid<")[0].last(), Some(&"95.00"));
            let open: Vec<_> =
                rows(&told, "-12-").into_iter().chain(rows(&told, &one)).filter(|row| row.len() == 4).collect();
            assert!(open.iter().any(|row| row[0] == one && row[3] == "60.00"), "{open:?}");

            // Before anybody was treated there was nothing; afterwards all of it comes before.
            let old = page(&parts, &format!("{path}?from=2001-01-01&to=2001-12-31")).await?;
            assert_eq!(rows(&old, "Closing balance")[0].last(), Some(&"0.00"));
            let later = page(&parts, &format!("{path}?from=2101-01-01&to=2101-12-31")).await?;
            assert_eq!(rows(&later, "Opening balance")[0].last(), Some(&"95.00"));
            assert!(rows(&later, "Invoice issued").is_empty());
            // What was paid too much is told apart.
            desk.pay(payment(patient, PaymentMethod::Cash, 10_000), Uuid::now_v7()).await?;
            let (pages, text, _) = file(&parts, &path).await?;
            assert_eq!(pages, 1);
            assert!(text.contains("-5.00") && text.contains("Unapplied credit"), "{text}");
            let last = page(&parts, &path).await?;
            assert_eq!(rows(&last, "Unapplied credit")[0].last(), Some(&"-5.00"));
            assert_eq!(rows(&last, "Closing balance")[0].last(), Some(&"-5.00"));
            Ok(())
        }),
        test("what_cannot_be_printed_is_refused", parts, |parts| async move {
            let of = |patient: Uuid, query: &str| format!("/api/billing/accounts/{patient}/statement{query}");
            let unknown = format!("/api/billing/invoices/{}/print", Uuid::now_v7());
            for path in [of(STRANGER, ""), unknown, "/api/billing/invoices/nothing/print".to_owned()] {
                refused(get(&parts, Role::Biller, &path, "*/*").await?, 404).await?;
            }
            for query in ["?from=2026-12-01&to=2026-11-30", "?from=x", "?since=2026-11-30"] {
                refused(get(&parts, Role::Biller, &of(Uuid::now_v7(), query), "*/*").await?, 422).await?;
            }
            for role in [Role::Nurse, Role::Physician, Role::Admin, Role::PrivacyOfficer, Role::Analyst] {
                refused(get(&parts, role, &of(Uuid::now_v7(), ""), "*/*").await?, 403).await?;
            }
            let nobody = parts.request(Method::GET, &of(Uuid::now_v7(), "")).send().await?;
            refused(nobody, 401).await?;
            refused(get(&parts, Role::Biller, "/api/billing/audit", "*/*").await?, 403).await?;
            Ok(())
        }),
        test("who_printed_is_on_the_page_of_the_audit", parts, |parts| async move {
            let patient = Uuid::now_v7();
            let invoice = Desk::of(&parts, Role::Biller).await?.issued(patient, Uuid::now_v7(), 700).await?;
            page(&parts, &print_of(&invoice)).await?;
            page(&parts, &format!("/api/billing/accounts/{patient}/statement")).await?;
            let asked = format!("/api/billing/audit?patient={patient}&limit=100");
            let found = async || -> Result<Vec<(Value, Value)>> {
                let answer = get(&parts, Role::PrivacyOfficer, &asked, "application/json").await?;
                anyhow::ensure!(answer.status() == 200, "{}", answer.status());
                let audit: Value = answer.json().await?;
                let items = audit["items"].as_array().cloned().unwrap_or_default();
                Ok(items.into_iter().map(|item| (item["subtype"].clone(), item["entity"]["id"].clone())).collect())
            };
            let printed = (Value::from("print"), Value::from(invoice.invoice_id.clone()));
            let told = (Value::from("statement"), Value::from(patient.to_string()));
            let all = async || {
                let found = found().await?;
                Ok(found.contains(&printed) && found.contains(&told))
            };
            parts.eventually("both are on the page", all).await
        }),
    ]
}
