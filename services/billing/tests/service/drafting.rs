use access::Role;
use contracts::{
    billing::v1::{
        self as wire, AmendInvoiceRequest, CreateFeeScheduleRequest, CreateInvoiceRequest, EnterInvoiceInErrorRequest,
        Fee, FeeSchedule, FindFeeRequest, Invoice, InvoiceReview, InvoiceStatus, ListInvoicesRequest,
        ReplaceFeeScheduleRequest, ReviewInvoiceRequest, Tax, TaxCategory,
    },
    patient::v1::{Code as ToldCode, EncounterFinished, EncounterSnapshot, EncounterStatus, ServiceLine},
    topic,
};
use libtest_mimic::Trial;
use serde_json::json;
use testkit::{App, Parts, Result, test};
use tonic::Code;
use uuid::Uuid;

use super::desk::{Desk, HCPCS, Refused as _, There as _, fields, keyed, line, slug};

/// An encounter that is over, as `patient` tells it.
pub(super) fn finished(encounter: Uuid, patient: Uuid, version: i64, codes: &[(&str, i32)]) -> EncounterSnapshot {
    let service = |(code, units): &(&str, i32)| ServiceLine {
        code: Some(ToldCode { system: HCPCS.to_owned(), code: (*code).to_owned() }),
        modifiers: Vec::new(),
        units: *units,
        diagnoses: vec![1],
    };
    EncounterSnapshot {
        encounter_id: encounter.to_string(),
        version,
        patient_id: patient.to_string(),
        clinic_id: Uuid::from_u128(77).to_string(),
        practitioner_id: Uuid::from_u128(78).to_string(),
        status: EncounterStatus::Finished.into(),
        period_start: Some(contracts::Timestamp { seconds: 1_796_000_000, nanos: 0 }),
        diagnoses: vec![ToldCode { system: "http://hl7.org/fhir/sid/icd-10-cm".to_owned(), code: "J06.9".to_owned() }],
        services: codes.iter().map(service).collect(),
        ..EncounterSnapshot::default()
    }
}

pub(super) fn event(encounter: &EncounterSnapshot) -> Result<(String, Vec<u8>)> {
    let event = json!({
        "specversion": "1.0", "id": Uuid::now_v7(), "source": "patient", "type": "patient.v1.EncounterFinished",
        "subject": encounter.encounter_id, "time": "2026-11-30T00:00:00Z", "datacontenttype": "application/json",
        "data": serde_json::to_value(EncounterFinished { encounter: Some(encounter.clone()) })?,
    });
    Ok((encounter.encounter_id.clone(), event.to_string().into_bytes()))
}

async fn tell(parts: &Parts, told: &[EncounterSnapshot]) -> Result<()> {
    let events = told.iter().map(event).collect::<Result<Vec<_>>>()?;
    parts.publish(App::Patient, topic::ENCOUNTER_FINISHED, &events).await
}

/// The invoices of a patient, once there are so many and the newest is of that version.
pub(super) async fn invoices_of(parts: &Parts, patient: Uuid, count: usize, version: i64) -> Result<Vec<Invoice>> {
    let biller = Desk::of(parts, Role::Biller).await?;
    let ask = || async {
        let asked = ListInvoicesRequest { patient_id: Some(patient.to_string()), ..ListInvoicesRequest::default() };
        anyhow::Ok(biller.invoices().list_invoices(asked).await?.into_inner().items)
    };
    let is_so = |found: &[Invoice]| found.len() == count && found.first().is_some_and(|one| one.version >= version);
    parts.eventually("the invoices are there", || async { Ok(is_so(&ask().await?)) }).await?;
    ask().await
}

pub(super) fn fee(code: &str, modifier: Option<&str>, unit_price: i64) -> Fee {
    Fee {
        system: HCPCS.to_owned(),
        code: code.to_owned(),
        modifier: modifier.map(str::to_owned),
        text: Some(format!("Service {code}")),
        unit_price,
        tax: None,
    }
}

pub(super) fn schedule(from: &str, fees: Vec<Fee>) -> FeeSchedule {
    FeeSchedule {
        name: format!("From {from}"),
        effective_from: from.to_owned(),
        currency_code: "EUR".to_owned(),
        fees,
        ..FeeSchedule::default()
    }
}

pub(super) async fn put_up(parts: &Parts, schedule: FeeSchedule) -> Result<FeeSchedule> {
    let biller = Desk::of(parts, Role::Biller).await?;
    let asked = CreateFeeScheduleRequest { fee_schedule: Some(schedule) };
    biller.fees().create_fee_schedule(keyed(asked, Uuid::now_v7())).await?.into_inner().fee_schedule.there()
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_fee_is_that_of_the_payer_the_modifier_and_the_day", parts, |parts| async move {
            let payer = Uuid::now_v7();
            put_up(&parts, schedule("2020-01-01", vec![fee("F1", None, 100), fee("F1", Some("25"), 150)])).await?;
            put_up(&parts, schedule("2026-01-01", vec![fee("F1", None, 200)])).await?;
            let own =
                FeeSchedule { payer_id: Some(payer.to_string()), ..schedule("2021-01-01", vec![fee("F1", None, 80)]) };
            let own = put_up(&parts, own).await?;
            let desk = Desk::of(&parts, Role::FrontDesk).await?;
            let price = async |date: &str, modifier: Option<&str>, payer: Option<Uuid>| {
                let asked = FindFeeRequest {
                    system: HCPCS.to_owned(),
                    code: "F1".to_owned(),
                    modifiers: modifier.map(str::to_owned).into_iter().collect(),
                    payer_id: payer.map(|payer| payer.to_string()),
                    date: Some(date.to_owned()),
                };
                let found = desk.fees().find_fee(asked).await;
                found.map(|found| found.into_inner().fee.unwrap_or_default().unit_price).map_err(|status| status.code())
            };
            assert_eq!(price("2019-12-31", None, None).await, Err(Code::NotFound));
            assert_eq!(price("2020-01-01", None, None).await, Ok(100));
            assert_eq!(price("2025-12-31", Some("59"), None).await, Ok(100));
            assert_eq!(price("2026-06-01", None, None).await, Ok(200));
            assert_eq!(
                price("2026-06-01", Some("25"), None).await,
                Ok(150),
                "a fee for the modifier goes before a later one"
            );
            assert_eq!(price("2026-06-01", Some("25"), Some(payer)).await, Ok(80));
            assert_eq!(price("2026-06-01", None, Some(Uuid::now_v7())).await, Ok(200));

            let biller = Desk::of(&parts, Role::Biller).await?;
            let replace = async |version| {
                let next = FeeSchedule {
                    payer_id: Some(payer.to_string()),
                    effective_to: Some("2026-05-31".to_owned()),
                    ..schedule("2021-01-01", vec![fee("F1", None, 90)])
                };
                let asked = ReplaceFeeScheduleRequest {
                    fee_schedule_id: own.fee_schedule_id.clone(),
                    fee_schedule: Some(next),
                    expected_version: version,
                };
                biller.fees().replace_fee_schedule(asked).await.map_err(|status| status.code())
            };
            assert_eq!(replace(1).await.map(|done| done.into_inner().fee_schedule.unwrap_or_default().version), Ok(2));
            assert_eq!(replace(1).await.map(drop), Err(Code::Aborted));
            assert_eq!(price("2026-05-31", None, Some(payer)).await, Ok(90));
            assert_eq!(price("2026-06-01", None, Some(payer)).await, Ok(200));
            Ok(())
        }),
        test("everything_that_is_wrong_in_a_schedule_is_named", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            let ask = async |schedule: FeeSchedule| {
                let asked = CreateFeeScheduleRequest { fee_schedule: Some(schedule) };
                biller.fees().create_fee_schedule(keyed(asked, Uuid::now_v7())).await.refused()
            };
            let none = ask(FeeSchedule::default()).await?;
            assert_eq!(
                fields(&none),
                ["fee_schedule.name", "fee_schedule.effective_from", "fee_schedule.currency_code"]
            );
            let mut bad = schedule("2026-01-01", vec![fee("A", Some("2"), 1), fee("", None, 1)]);
            bad.fees[0].tax = Some(Tax { category: TaxCategory::Standard.into(), rate_millionths: 0 });
            let wrong = [
                "fee_schedule.fees[0].modifiers[0]",
                "fee_schedule.fees[0].tax.rate_millionths",
                "fee_schedule.fees[1].code",
            ];
            assert_eq!(fields(&ask(bad).await?), wrong);
            let twice = schedule("2026-01-01", vec![fee("A", None, 1), fee("A", None, -1)]);
            assert_eq!(fields(&ask(twice).await?), ["fee_schedule.fees[1].unit_price", "fee_schedule.fees[1].code"]);
            let dollars = FeeSchedule { currency_code: "USD".to_owned(), ..schedule("2026-01-01", Vec::new()) };
            assert_eq!(fields(&ask(dollars).await?), ["fee_schedule.currency_code"]);
            Ok(())
        }),
        test("an_encounter_is_drafted_once_however_often_it_is_told", parts, |parts| async move {
            let taxed = Tax { category: TaxCategory::Standard.into(), rate_millionths: 190_000 };
            put_up(
                &parts,
                schedule("2026-01-01", vec![Fee { tax: Some(taxed), ..fee("D1", None, 5_000) }, fee("D2", None, 333)]),
            )
            .await?;
            let (patient, encounter) = (Uuid::now_v7(), Uuid::now_v7());
            let told = finished(encounter, patient, 4, &[("D1", 2), ("D2", 1)]);
            let older = finished(encounter, patient, 3, &[("D1", 9)]);
            tell(&parts, &[told.clone(), told.clone(), older.clone()]).await?;
            tell(&parts, &[older, told]).await?;
            let invoices = invoices_of(&parts, patient, 1, 1).await?;
            let invoice = &invoices[0];
            assert_eq!(
                (invoice.status(), invoice.encounter_id.clone()),
                (InvoiceStatus::Draft, Some(encounter.to_string()))
            );
            assert_eq!((invoice.gross, invoice.tax, invoice.total), (10_333, 1_900, 12_233));
            assert_eq!(invoice.lines[0].text.as_deref(), Some("Service D1"));
            assert_eq!(invoice.lines[0].date, "2026-11-30", "1796000000 is that day in UTC");
            assert!(invoice.review.is_empty() && invoice.number.is_none() && invoice.balance.is_none());
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            assert_eq!(invoices_of(&parts, patient, 1, 1).await?[0].version, 1, "nothing new was told");
            let versions =
                format!("select count(*) from document.history where key = 'invoice/{}'", invoice.invoice_id);
            assert_eq!(parts.sql(&versions).await?[0]["count"], 0);
            Ok(())
        }),
        test("a_draft_follows_its_encounter_until_a_person_has_it", parts, |parts| async move {
            let (patient, encounter) = (Uuid::now_v7(), Uuid::now_v7());
            tell(&parts, &[finished(encounter, patient, 1, &[])]).await?;
            let empty = invoices_of(&parts, patient, 1, 1).await?.remove(0);
            assert_eq!(empty.review, [i32::from(InvoiceReview::NoServices)]);
            tell(&parts, &[finished(encounter, patient, 2, &[("nobody-knows", 1)])]).await?;
            let unpriced = invoices_of(&parts, patient, 1, 2).await?.remove(0);
            assert_eq!(unpriced.review, [i32::from(InvoiceReview::NoPrice)]);
            let biller = Desk::of(&parts, Role::Biller).await?;
            let refused = biller.issue(&unpriced).await.refused()?;
            assert_eq!((slug(&refused), fields(&refused)), ("invoice-without-price".to_owned(), Vec::new()));
            let amend = AmendInvoiceRequest {
                invoice_id: unpriced.invoice_id.clone(),
                expected_version: 2,
                lines: vec![line("nobody-knows", 1, Some(700))],
                diagnoses: Vec::new(),
            };
            let nothing = AmendInvoiceRequest { lines: Vec::new(), ..amend.clone() };
            assert_eq!(fields(&biller.invoices().amend_invoice(nothing).await.refused()?), ["lines"]);
            let amended = biller.invoices().amend_invoice(amend.clone()).await?.into_inner().invoice.there()?;
            assert_eq!((amended.version, amended.total, amended.review.len()), (3, 700, 0));
            let stale = biller.invoices().amend_invoice(amend).await.refused()?;
            assert_eq!(stale.code(), Code::Aborted);
            tell(&parts, &[finished(encounter, patient, 3, &[("nobody-knows", 2)])]).await?;
            let kept = invoices_of(&parts, patient, 1, 4).await?.remove(0);
            assert_eq!((kept.total, kept.review), (700, vec![i32::from(InvoiceReview::EncounterAmended)]));
            let review = ReviewInvoiceRequest { invoice_id: kept.invoice_id, expected_version: kept.version };
            let reviewed = biller.invoices().review_invoice(review).await?.into_inner().invoice.there()?;
            assert_eq!((reviewed.version, reviewed.review.len()), (5, 0));
            let mut wrong = finished(encounter, patient, 4, &[]);
            wrong.status = EncounterStatus::EnteredInError.into();
            tell(&parts, &[wrong]).await?;
            let over = invoices_of(&parts, patient, 1, 6).await?.remove(0);
            assert_eq!(over.status(), InvoiceStatus::EnteredInError);
            Ok(())
        }),
        test("an_encounter_that_was_an_error_from_the_start_is_not_charged", parts, |parts| async move {
            let (patient, encounter) = (Uuid::now_v7(), Uuid::now_v7());
            let mut wrong = finished(encounter, patient, 2, &[("D1", 1)]);
            wrong.status = EncounterStatus::EnteredInError.into();
            tell(&parts, &[wrong, finished(Uuid::now_v7(), patient, 1, &[])]).await?;
            assert_eq!(invoices_of(&parts, patient, 1, 1).await?.len(), 1);
            Ok(())
        }),
        test("a_draft_by_hand_says_what_is_wrong_with_it", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7().to_string());
            let stranger = CreateInvoiceRequest {
                patient_id: patient.to_string(),
                clinic_id: clinic.clone(),
                lines: vec![line("A", 1, Some(5))],
                diagnoses: Vec::new(),
            };
            let stranger = biller.invoices().create_invoice(keyed(stranger, Uuid::now_v7())).await.refused()?;
            assert_eq!((slug(&stranger), fields(&stranger)), ("no-account".to_owned(), vec!["patient_id".to_owned()]));
            biller.open(patient).await?;
            let patient = patient.to_string();
            let ask = async |lines, diagnoses, key| {
                let asked =
                    CreateInvoiceRequest { patient_id: patient.clone(), clinic_id: clinic.clone(), lines, diagnoses };
                biller.invoices().create_invoice(keyed(asked, key)).await
            };
            let mut bad = line("", 0, Some(-1));
            bad.date = "yesterday".to_owned();
            bad.total = 5;
            let bad = ask(vec![bad], Vec::new(), Uuid::now_v7()).await.refused()?;
            assert_eq!(fields(&bad), ["lines[0].total", "lines[0].code", "lines[0].date"]);
            let mut bad = line("A", 0, Some(-1));
            bad.diagnoses = vec![1];
            bad.discount = Some(wire::Discount { amount: 5, reason: "staff".to_owned() });
            let bad = ask(vec![bad], Vec::new(), Uuid::now_v7()).await.refused()?;
            let wrong = ["lines[0].units", "lines[0].unit_price", "lines[0].discount.amount", "lines[0].diagnoses"];
            assert_eq!((bad.code(), fields(&bad)), (Code::InvalidArgument, wrong.map(str::to_owned).to_vec()));

            let key = Uuid::now_v7();
            let first = ask(vec![line("A", 1, Some(5))], Vec::new(), key).await?.into_inner();
            assert_eq!(ask(vec![line("A", 1, Some(5))], Vec::new(), key).await?.into_inner(), first);
            let reused = ask(vec![line("A", 1, Some(6))], Vec::new(), key).await.refused()?;
            assert_eq!(slug(&reused), "idempotency-key-reused");
            let draft = first.invoice.there()?;
            let enter =
                EnterInvoiceInErrorRequest { invoice_id: draft.invoice_id, expected_version: 1, reason: String::new() };
            assert_eq!(fields(&biller.invoices().enter_invoice_in_error(enter.clone()).await.refused()?), ["reason"]);
            let enter = EnterInvoiceInErrorRequest { reason: "twice".to_owned(), ..enter };
            let entered =
                biller.invoices().enter_invoice_in_error(enter.clone()).await?.into_inner().invoice.there()?;
            assert_eq!(entered.status(), InvoiceStatus::EnteredInError);
            let again = EnterInvoiceInErrorRequest { expected_version: 2, ..enter };
            assert_eq!(slug(&biller.invoices().enter_invoice_in_error(again).await.refused()?), "invoice-status");
            Ok(())
        }),
    ]
}
