use access::Role;
use contracts::billing::v1::{
    AllocatePaymentRequest, Allocation, AuthorisePaymentRequest, CapturePaymentRequest, FailPaymentRequest,
    GetBalanceRequest, InvoiceStatus, Payment, PaymentMethod, PaymentStatus, RecordPaymentRequest, VoidPaymentRequest,
};
use libtest_mimic::Trial;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::{
    client,
    desk::{Desk, Refused as _, There as _, does_not_add_up, fields, keyed, payment, slug},
    open,
    refunding::refund,
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_payment_is_used_for_what_is_due_first", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            open(&parts, &[patient]).await?;
            let desk = Desk::of(&parts, Role::FrontDesk).await?;
            let biller = Desk::of(&parts, Role::Biller).await?;
            let first = biller.issued(patient, clinic, 3_000).await?;
            let second = biller.issued(patient, clinic, 2_000).await?;
            let (asked, key) = (payment(patient, PaymentMethod::Card, 4_000), Uuid::now_v7());
            let paid = desk.pay(asked.clone(), key).await?;
            assert_eq!((paid.status(), paid.version, paid.unapplied), (PaymentStatus::Captured, 1, 0));
            let used: Vec<_> = paid.allocations.iter().map(|used| (used.invoice_id.clone(), used.amount)).collect();
            assert_eq!(used, [(first.invoice_id.clone(), 3_000), (second.invoice_id.clone(), 1_000)]);
            assert_eq!(desk.invoice(&first.invoice_id).await?.status(), InvoiceStatus::Paid);
            assert_eq!(desk.invoice(&second.invoice_id).await?.status(), InvoiceStatus::PartiallyPaid);

            desk.payments().refund_payment(keyed(refund(&paid, 500), Uuid::now_v7())).await?;
            assert_eq!(
                desk.pay(asked.clone(), key).await?,
                paid,
                "the same request is answered the same, whatever came after"
            );
            let other = desk.pay(RecordPaymentRequest { amount: 1, ..asked }, key).await.refused()?;
            assert_eq!((other.code(), slug(&other)), (Code::InvalidArgument, "idempotency-key-reused".to_owned()));

            let asked = GetBalanceRequest { patient_id: patient.to_string() };
            let balance =
                client(&parts, Some(parts.token(Role::FrontDesk)?)).await?.get_balance(asked).await?.into_inner();
            assert_eq!((balance.open[0].minor_units, balance.unapplied.len()), (1_500, 0));
            Ok(())
        }),
        test("what_is_directed_goes_there_or_nowhere", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let biller = Desk::of(&parts, Role::Biller).await?;
            biller.issued(patient, clinic, 3_000).await?;
            let second = biller.issued(patient, clinic, 2_000).await?;
            let foreign = biller.issued(Uuid::now_v7(), clinic, 2_000).await?;
            let direct = |amount, to: &[(&str, i64)]| RecordPaymentRequest {
                allocations: to
                    .iter()
                    .map(|(id, amount)| Allocation { invoice_id: (*id).to_owned(), amount: *amount })
                    .collect(),
                ..payment(patient, PaymentMethod::Transfer, amount)
            };
            for (asked, name, field) in [
                (direct(2_500, &[(&second.invoice_id, 2_001)]), "above-open", "allocations[0].amount"),
                (direct(1_000, &[(&second.invoice_id, 1_001)]), "above-unapplied", "allocations"),
                (direct(1_000, &[(&foreign.invoice_id, 1)]), "unknown-invoice", "allocations[0].invoice_id"),
            ] {
                let refused = biller.pay(asked, Uuid::now_v7()).await.refused()?;
                assert_eq!((refused.code(), slug(&refused)), (Code::AlreadyExists, name.to_owned()));
                assert_eq!(fields(&refused), [field]);
            }
            let paid = biller.pay(direct(2_500, &[(&second.invoice_id, 2_000)]), Uuid::now_v7()).await?;
            assert_eq!(paid.unapplied, 500);
            let allocate =
                AllocatePaymentRequest { payment_id: paid.payment_id, expected_version: 1, allocations: Vec::new() };
            let used = biller
                .payments()
                .allocate_payment(keyed(allocate, Uuid::now_v7()))
                .await?
                .into_inner()
                .payment
                .there()?;
            assert_eq!((used.version, used.unapplied, used.allocations.len()), (2, 0, 2));
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_payment_that_cannot_be_is_told_where", parts, |parts| async move {
            let desk = Desk::of(&parts, Role::FrontDesk).await?;
            let none = desk.pay(RecordPaymentRequest::default(), Uuid::now_v7()).await.refused()?;
            assert_eq!(fields(&none), ["patient_id", "method", "amount", "currency_code"]);
            let wrong = RecordPaymentRequest {
                reference: Some("4111 1111 1111 1111".to_owned()),
                card_last4: Some("11".to_owned()),
                ..payment(Uuid::now_v7(), PaymentMethod::Cash, -5)
            };
            let wrong = desk.pay(wrong, Uuid::now_v7()).await.refused()?;
            assert_eq!(fields(&wrong), ["amount", "reference", "card_last4", "card_last4"]);
            let dollars = RecordPaymentRequest {
                currency_code: "USD".to_owned(),
                ..payment(Uuid::now_v7(), PaymentMethod::Cash, 5)
            };
            assert_eq!(fields(&desk.pay(dollars, Uuid::now_v7()).await.refused()?), ["currency_code"]);
            let nobody = desk.pay(payment(Uuid::now_v7(), PaymentMethod::Cash, 5), Uuid::now_v7()).await.refused()?;
            assert_eq!((slug(&nobody), fields(&nobody)), ("no-account".to_owned(), vec!["patient_id".to_owned()]));
            let keyless = desk.payments().record_payment(payment(Uuid::now_v7(), PaymentMethod::Cash, 5)).await;
            assert_eq!(fields(&keyless.refused()?), ["Idempotency-Key"]);
            Ok(())
        }),
        test("a_card_is_authorised_and_captured_or_fails", parts, |parts| async move {
            let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
            let desk = Desk::of(&parts, Role::Biller).await?;
            let invoice = desk.issued(patient, clinic, 3_000).await?;
            let announce = |method| RecordPaymentRequest { pending: true, ..payment(patient, method, 3_000) };
            let card = desk.pay(announce(PaymentMethod::Card), Uuid::now_v7()).await?;
            assert_eq!((card.status(), card.unapplied), (PaymentStatus::Pending, 0));
            let authorise = |paid: &Payment| {
                keyed(
                    AuthorisePaymentRequest { payment_id: paid.payment_id.clone(), expected_version: paid.version },
                    Uuid::now_v7(),
                )
            };
            let capture = |paid: &Payment| {
                let (payment_id, expected_version) = (paid.payment_id.clone(), paid.version);
                keyed(CapturePaymentRequest { payment_id, expected_version, allocations: Vec::new() }, Uuid::now_v7())
            };
            let held = desk.payments().authorise_payment(authorise(&card)).await?.into_inner().payment.there()?;
            assert_eq!(held.status(), PaymentStatus::Authorised);
            assert_eq!(desk.invoice(&invoice.invoice_id).await?.status(), InvoiceStatus::Issued);
            let there = desk.payments().capture_payment(capture(&held)).await?.into_inner().payment.there()?;
            assert_eq!((there.status(), there.version), (PaymentStatus::Captured, 3));
            assert_eq!(desk.invoice(&invoice.invoice_id).await?.status(), InvoiceStatus::Paid);
            let again = desk.payments().capture_payment(capture(&there)).await.refused()?;
            assert_eq!(slug(&again), "payment-status");

            let cash = desk.pay(announce(PaymentMethod::Cash), Uuid::now_v7()).await.refused()?;
            assert_eq!(fields(&cash), ["pending"]);
            let card = desk.pay(announce(PaymentMethod::Card), Uuid::now_v7()).await?;
            let fail = FailPaymentRequest {
                payment_id: card.payment_id.clone(),
                expected_version: 1,
                reason: "left".to_owned(),
            };
            let failed =
                desk.payments().fail_payment(keyed(fail, Uuid::now_v7())).await?.into_inner().payment.there()?;
            assert_eq!(failed.status(), PaymentStatus::Failed);
            let card = desk.pay(announce(PaymentMethod::Card), Uuid::now_v7()).await?;
            let void = VoidPaymentRequest {
                payment_id: card.payment_id,
                expected_version: 1,
                reason: "changed their mind".to_owned(),
            };
            let voided = desk
                .payments()
                .void_payment(keyed(void.clone(), Uuid::now_v7()))
                .await?
                .into_inner()
                .payment
                .there()?;
            assert_eq!(voided.status(), PaymentStatus::Voided);
            let again = desk
                .payments()
                .void_payment(keyed(VoidPaymentRequest { expected_version: 2, ..void }, Uuid::now_v7()))
                .await;
            assert_eq!(slug(&again.refused()?), "payment-status");
            Ok(())
        }),
    ]
}
