//! Reports as the contract tells them.

use std::collections::BTreeSet;

use contracts::billing::v1 as wire;
use jiff::civil::Date;

use crate::{
    domain::{
        collections::{Collected, Sums},
        ledger::LedgerAccount,
        money::Amount,
        receivables::{Bucket, Responsibility, net_collection_rate},
    },
    outbound::{
        lists::AccountSum,
        messages,
        reports::{AgedInvoice, AgedSum},
    },
};

/// Accounts that money comes in on.
const MONEY: [LedgerAccount; 3] = [LedgerAccount::Cash, LedgerAccount::Clearing, LedgerAccount::Bank];

pub(super) fn responsibility(one: Responsibility) -> wire::Responsibility {
    match one {
        Responsibility::Patient => wire::Responsibility::Patient,
        Responsibility::Payer => wire::Responsibility::Payer,
    }
}

pub(super) fn bucket(bucket: Bucket) -> wire::AgingBucket {
    match bucket {
        Bucket::UpTo30 => wire::AgingBucket::UpTo30,
        Bucket::UpTo60 => wire::AgingBucket::UpTo60,
        Bucket::UpTo90 => wire::AgingBucket::UpTo90,
        Bucket::UpTo120 => wire::AgingBucket::UpTo120,
        Bucket::Above120 => wire::AgingBucket::Above120,
    }
}

/// Every bucket of a currency in which something is open.
pub(super) fn aged_sums(sums: &[AgedSum]) -> Vec<wire::AgedAmount> {
    let currencies: BTreeSet<_> = sums.iter().map(|sum| sum.currency.code()).collect();
    let mut told = Vec::new();
    for currency in currencies {
        for one in Responsibility::ALL {
            for (place, aged) in Bucket::ALL.into_iter().enumerate() {
                let found = sums
                    .iter()
                    .find(|sum| (sum.currency.code(), sum.responsibility, sum.bucket) == (currency, one, place));
                told.push(wire::AgedAmount {
                    responsibility: responsibility(one).into(),
                    bucket: bucket(aged).into(),
                    currency_code: currency.to_owned(),
                    open: found.map_or(0, |sum| sum.open.0),
                    invoices: found.map_or(0, |sum| sum.invoices),
                });
            }
        }
    }
    told
}

pub(super) fn aged_invoice(found: &AgedInvoice, on: Date) -> wire::AgedInvoice {
    let age = (on - found.issued).get_days();
    let is_in = |bucket: &Bucket| age >= i32::from(bucket.first());
    let aged = Bucket::ALL.into_iter().rev().find(is_in).unwrap_or(Bucket::UpTo30);
    wire::AgedInvoice {
        invoice_id: found.invoice_id.to_string(),
        number: found.number.clone(),
        patient_id: found.patient_id.to_string(),
        responsibility: responsibility(found.responsibility).into(),
        issue_date: found.issued.to_string(),
        age,
        bucket: bucket(aged).into(),
        currency_code: found.currency.code().to_owned(),
        open: found.open.0,
        claims: found
            .claims
            .iter()
            .flatten()
            .map(|claim| wire::OpenClaim {
                claim_id: claim.claim_id.map(|id| id.to_string()),
                payer_id: claim.payer_id.map(|id| id.to_string()),
                open: claim.open.0,
            })
            .collect(),
    }
}

pub(super) fn collections(currency: &str, sums: &[&AccountSum], collected: Sums) -> wire::Collections {
    let credited = |account| -> Amount {
        sums.iter().filter(|sum| sum.account == account).map(|sum| sum.credit - sum.debit).sum()
    };
    let money = |account| sums.iter().find(|sum| sum.account == account);
    let payments = -MONEY.into_iter().map(credited).sum::<Amount>();
    let charges = credited(LedgerAccount::Revenue);
    let contractual = -credited(LedgerAccount::ContractualAdjustment);
    wire::Collections {
        currency_code: currency.to_owned(),
        accounts: MONEY
            .into_iter()
            .filter_map(money)
            .map(|sum| wire::CollectedByAccount {
                account: messages::ledger_account(sum.account).into(),
                received: sum.debit.0,
                returned: sum.credit.0,
            })
            .collect(),
        payers: collected
            .by_payer
            .into_iter()
            .map(|(payer, amount)| wire::CollectedByPayer {
                payer_id: payer.map(|id| id.to_string()),
                amount: amount.0,
            })
            .collect(),
        services: by_service(collected.by_service),
        payments: payments.0,
        charges: charges.0,
        contractual_adjustments: contractual.0,
        net_collection_rate_millionths: net_collection_rate(payments, charges, contractual),
    }
}

pub(super) fn collected(found: &Collected) -> wire::Collected {
    wire::Collected {
        journal_id: found.journal_id.to_string(),
        date: found.date.to_string(),
        patient_id: found.patient_id.to_string(),
        invoice_id: found.invoice_id.to_string(),
        payment_id: found.payment_id.map(|id| id.to_string()),
        claim_id: found.claim_id.map(|id| id.to_string()),
        payer_id: found.payer_id.map(|id| id.to_string()),
        currency_code: found.currency.code().to_owned(),
        amount: found.amount.0,
        services: by_service(found.services.clone()),
    }
}

fn by_service(services: impl IntoIterator<Item = (String, Amount)>) -> Vec<wire::CollectedByService> {
    services
        .into_iter()
        .map(|(service_code, amount)| wire::CollectedByService { service_code, amount: amount.0 })
        .collect()
}
