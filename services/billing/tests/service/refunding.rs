use access::Role;
use contracts::billing::v1::{
    ApproveRefundRequest, ChargeBackPaymentRequest, ListPaymentsRequest, Payment, PaymentMethod, PaymentStatus,
    RefundPaymentRequest, RefundStatus, RejectRefundRequest,
};
use libtest_mimic::Trial;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::desk::{Desk, Refused as _, There as _, does_not_add_up, fields, keyed, payment, slug};

pub(super) fn refund(paid: &Payment, amount: i64) -> RefundPaymentRequest {
    RefundPaymentRequest {
        payment_id: paid.payment_id.clone(),
        expected_version: paid.version,
        amount,
        reason: "paid twice".to_owned(),
    }
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![test("a_refund_above_the_limit_takes_two_people", parts, |parts| async move {
        let (patient, clinic) = (Uuid::now_v7(), Uuid::now_v7());
        let desk = Desk::of(&parts, Role::Biller).await?;
        let invoice = desk.issued(patient, clinic, 50_000).await?;
        let paid = desk.pay(payment(patient, PaymentMethod::Card, 50_000), Uuid::now_v7()).await?;
        let asked = desk
            .payments()
            .refund_payment(keyed(refund(&paid, 20_001), Uuid::now_v7()))
            .await?
            .into_inner()
            .payment
            .there()?;
        assert_eq!((asked.refunds[0].status(), asked.refunded), (RefundStatus::AwaitingApproval, 0));
        let waiting = ListPaymentsRequest { awaiting_approval: true, ..ListPaymentsRequest::default() };
        let waiting = desk.payments().list_payments(waiting).await?.into_inner().items;
        assert!(waiting.iter().any(|one| one.payment_id == paid.payment_id));
        let approve = |version| ApproveRefundRequest {
            payment_id: paid.payment_id.clone(),
            refund_id: asked.refunds[0].refund_id.clone(),
            expected_version: version,
        };
        let same = desk.payments().approve_refund(keyed(approve(2), Uuid::now_v7())).await.refused()?;
        assert_eq!((same.code(), slug(&same)), (Code::PermissionDenied, "refund-same-person".to_owned()));
        let second = Desk::with(&parts, Some(parts.token_of("another", Role::Biller)?)).await?;
        let approved =
            second.payments().approve_refund(keyed(approve(2), Uuid::now_v7())).await?.into_inner().payment.there()?;
        assert_eq!((approved.status(), approved.refunded), (PaymentStatus::PartiallyRefunded, 20_001));
        let open = desk.invoice(&invoice.invoice_id).await?.balance.there()?.patient_open;
        assert_eq!(open, 20_001);
        let decided = second.payments().approve_refund(keyed(approve(3), Uuid::now_v7())).await.refused()?;
        assert_eq!(slug(&decided), "refund-decided");

        let asked = desk
            .payments()
            .refund_payment(keyed(refund(&approved, 25_000), Uuid::now_v7()))
            .await?
            .into_inner()
            .payment
            .there()?;
        let above = desk.payments().refund_payment(keyed(refund(&asked, 5_000), Uuid::now_v7())).await.refused()?;
        assert_eq!((slug(&above), fields(&above)), ("above-captured".to_owned(), vec!["amount".to_owned()]));
        let reject = RejectRefundRequest {
            payment_id: paid.payment_id.clone(),
            refund_id: asked.refunds[1].refund_id.clone(),
            expected_version: asked.version,
            reason: "it was paid once".to_owned(),
        };
        let rejected =
            second.payments().reject_refund(keyed(reject, Uuid::now_v7())).await?.into_inner().payment.there()?;
        assert_eq!(rejected.refunds[1].status(), RefundStatus::Rejected);
        let back = ChargeBackPaymentRequest {
            payment_id: paid.payment_id.clone(),
            expected_version: rejected.version,
            reason: "disputed".to_owned(),
        };
        let back =
            desk.payments().charge_back_payment(keyed(back, Uuid::now_v7())).await?.into_inner().payment.there()?;
        assert_eq!(back.status(), PaymentStatus::ChargedBack);
        assert_eq!(desk.invoice(&invoice.invoice_id).await?.balance.there()?.patient_open, 50_000);
        let more = desk.payments().refund_payment(keyed(refund(&back, 1), Uuid::now_v7())).await.refused()?;
        assert_eq!(slug(&more), "payment-status");
        assert!(does_not_add_up(&parts).await?.is_empty());
        Ok(())
    })]
}
