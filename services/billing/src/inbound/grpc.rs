//! The gRPC services.

pub mod accounts;
pub mod admission;
pub mod claims;
pub mod coverages;
pub mod days;
pub mod fees;
pub mod invoices;
pub mod ledger;
mod lines;
pub mod payers;
pub mod payments;
mod read;
mod refusals;
pub mod remittances;
pub mod replay;
pub mod reports;

use std::sync::Arc;

use access::AccessTokens;
use audit::Recorder;
use contracts::{
    DESCRIPTORS,
    billing::v1::{
        accounts_server::AccountsServer, claims_server::ClaimsServer, coverages_server::CoveragesServer,
        days_server::DaysServer, fee_schedules_server::FeeSchedulesServer, invoices_server::InvoicesServer,
        ledger_server::LedgerServer, payers_server::PayersServer, payments_server::PaymentsServer,
        remittances_server::RemittancesServer, replay_server::ReplayServer, reports_server::ReportsServer,
    },
};
use runtime::grpc::{Served, Services};
use sidecar::replay::Told;

use self::admission::Admission;
use crate::service::Books;

/// Every method of the service.
pub fn routes(books: &Books, told: Told, tokens: &Arc<AccessTokens>, recorder: &Recorder) -> anyhow::Result<Served> {
    let admission = |methods: &[&'static str]| Admission::of(Arc::clone(tokens), recorder.clone(), methods);
    let accounts = accounts::Accounts::new(books.clone(), Arc::clone(tokens), admission(&accounts::METHODS)?)?;
    let fees = fees::FeeSchedules::new(books.clone(), admission(&fees::METHODS)?);
    let invoices = invoices::Invoices::new(books.clone(), admission(&invoices::METHODS)?);
    let payments = payments::Payments::new(books.clone(), admission(&payments::METHODS)?);
    let ledger = ledger::Ledger::new(books.clone(), admission(&ledger::METHODS)?);
    let days = days::Days::new(books.clone(), admission(&days::METHODS)?);
    let reports = reports::Reports::new(books.clone(), admission(&reports::METHODS)?);
    let payers = payers::Payers::new(books.clone(), admission(&payers::METHODS)?);
    let coverages = coverages::Coverages::new(books.clone(), admission(&coverages::METHODS)?);
    let claims = claims::Claims::new(books.clone(), admission(&claims::METHODS)?);
    let remittances = remittances::Remittances::new(books.clone(), admission(&remittances::METHODS)?);
    let services = Services::described_by(DESCRIPTORS)
        .serve(AccountsServer::new(accounts))
        .serve(FeeSchedulesServer::new(fees))
        .serve(InvoicesServer::new(invoices))
        .serve(PaymentsServer::new(payments))
        .serve(LedgerServer::new(ledger))
        .serve(DaysServer::new(days))
        .serve(ReportsServer::new(reports))
        .serve(PayersServer::new(payers))
        .serve(CoveragesServer::new(coverages))
        .serve(ClaimsServer::new(claims))
        .serve(RemittancesServer::new(remittances))
        .serve(ReplayServer::new(replay::Replay::new(told)));
    Ok(services.finish()?)
}
