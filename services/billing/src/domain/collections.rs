//! Money that came in: through which account, from whom, and for what.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    ids::{ClaimId, InvoiceId, JournalId, PatientId, PayerId, PaymentId},
    invoice::Line,
    money::{Amount, Currency},
};

/// What an invoice got of a payment, or gave back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collected {
    /// The act.
    pub journal_id: JournalId,
    /// Which of its postings.
    pub place: u32,
    /// The day of the books.
    pub date: Date,
    /// Whose invoice.
    pub patient_id: PatientId,
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// Of which payment.
    pub payment_id: Option<PaymentId>,
    /// For which claim.
    pub claim_id: Option<ClaimId>,
    /// From which payer; from the patient without one.
    pub payer_id: Option<PayerId>,
    /// The currency.
    pub currency: Currency,
    /// Below nothing where it was given back.
    pub amount: Amount,
    /// The part of each service, by its code.
    pub services: BTreeMap<String, Amount>,
}

/// The part of each service in what an invoice got: in proportion to the totals of its lines, exact in all. What is given
/// back is divided as it was when it came, so that both together are nothing.
pub fn by_service(amount: Amount, lines: &[Line]) -> BTreeMap<String, Amount> {
    let totals: Vec<_> = lines.iter().map(|line| line.amounts().total).collect();
    let mut services = BTreeMap::new();
    for (line, part) in lines.iter().zip(amount.split(&totals)) {
        *services.entry(line.code.code.clone()).or_default() += part;
    }
    services
}

/// Sums of what was collected in one currency.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sums {
    /// By payer; the patients' own under none.
    pub by_payer: BTreeMap<Option<PayerId>, Amount>,
    /// By the code of the service.
    pub by_service: BTreeMap<String, Amount>,
}

impl Sums {
    /// Counts it in.
    pub fn add(&mut self, collected: &Collected) {
        *self.by_payer.entry(collected.payer_id).or_default() += collected.amount;
        for (service, part) in &collected.services {
            *self.by_service.entry(service.clone()).or_default() += *part;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::{
        fees::{Code, Tax},
        invoice::Discount,
        money::Rate,
    };

    fn line(code: &str, units: u32, price: i64, off: i64, tax: u32) -> Line {
        Line {
            code: Code { system: "s".to_owned(), code: code.to_owned() },
            modifiers: Vec::new(),
            text: None,
            date: date(2026, 11, 30),
            units,
            unit_price: Some(Amount(price)),
            discount: (off > 0).then(|| Discount { amount: Amount(off), reason: "r".to_owned() }),
            tax: Tax { rate: Rate::from_millionths(tax).unwrap(), ..Tax::default() },
            diagnoses: Vec::new(),
            credited: Amount::ZERO,
        }
    }

    fn parts(amount: i64, lines: &[Line]) -> Vec<(String, i64)> {
        by_service(Amount(amount), lines).into_iter().map(|(code, part)| (code, part.0)).collect()
    }

    #[test]
    fn what_an_invoice_got_is_divided_by_the_totals_of_its_lines() {
        let thirds = ["a", "b", "c"].map(|code| line(code, 1, 100, 0, 0));
        let expected = [("a".to_owned(), 34), ("b".to_owned(), 33), ("c".to_owned(), 33)];
        assert_eq!(parts(100, &thirds), expected);
        let back: i64 = parts(-100, &thirds).iter().zip(&expected).map(|(back, there)| (back.1 + there.1).abs()).sum();
        assert_eq!(back, 0, "what is given back is what came");
        // 2 x 100 - 50 = 150, and 100 with 50 % of tax: as much.
        let taxed = [line("a", 2, 100, 50, 0), line("b", 1, 100, 0, 500_000)];
        assert_eq!(parts(101, &taxed), [("a".to_owned(), 51), ("b".to_owned(), 50)]);
        let twice = [line("a", 1, 100, 0, 0), line("b", 1, 100, 0, 0), line("a", 1, 200, 0, 0)];
        assert_eq!(parts(100, &twice), [("a".to_owned(), 75), ("b".to_owned(), 25)]);
        assert!(parts(100, &[]).is_empty());
    }

    #[test]
    fn sums_are_what_is_in_them() {
        let payer = PayerId(uuid::Uuid::from_u128(1));
        let lines = ["a", "b", "c"].map(|code| line(code, 1, 100, 0, 0));
        let collected = |payer_id, amount| Collected {
            journal_id: JournalId(uuid::Uuid::nil()),
            place: 1,
            date: date(2026, 11, 30),
            patient_id: PatientId(uuid::Uuid::nil()),
            invoice_id: InvoiceId(uuid::Uuid::nil()),
            payment_id: None,
            claim_id: None,
            payer_id,
            currency: Currency::from_code("EUR").unwrap(),
            amount: Amount(amount),
            services: by_service(Amount(amount), &lines),
        };
        let mut sums = Sums::default();
        for (payer_id, amount) in [(None, 100), (Some(payer), 200), (None, -100), (None, 31)] {
            sums.add(&collected(payer_id, amount));
        }
        assert_eq!(sums.by_payer, BTreeMap::from([(None, Amount(31)), (Some(payer), Amount(200))]));
        assert_eq!(sums.by_service.values().copied().sum::<Amount>(), Amount(231));
    }
}
