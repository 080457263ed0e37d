//! Acts on claims, decided as a part of a round.

use sidecar::failure::Failure;

use super::Round;
use crate::{
    domain::{
        books::{
            Moved, Refusal,
            claims::{Answer, Facts},
        },
        claim::{Change, Claim, Prior, content::Standing, deadlines::Windows, file::ClaimFile, scrub},
        coverage::PlanYear,
        ids::ClaimId,
        invoice::Invoice,
        payer::Payer,
    },
    service::{
        act::{ActError, Asked},
        claim_act::{Booked, ClaimAct, NewClaim, PriorClaim},
    },
};

impl Round<'_> {
    pub(super) fn decide_claim(&mut self, asked: &Asked, id: ClaimId, act: &ClaimAct) -> Result<Moved, ActError> {
        if let ClaimAct::Create(new) = act {
            return self.write(id, new);
        }
        let claim = self.loaded.books.claim(id)?.claim.clone();
        let windows = self.payer(&claim)?.windows;
        let (today, now) = (self.settings.day(self.now), self.now);
        let moved = match act.clone() {
            ClaimAct::Amend(content) => {
                let invoice = self.claimed(&claim)?;
                content.must_be_within(invoice)?;
                let rewritten = claim.rewritten(invoice, &content);
                self.loaded.books.change_claim(id, windows, |file| {
                    file.must_be_draft()?;
                    file.claim = rewritten;
                    Ok(())
                })
            }
            ClaimAct::Prepare => {
                let others: Vec<_> = self.loaded.books.claims.values().map(|file| file.claim.clone()).collect();
                let coverage = self.loaded.coverages.get(&claim.coverage_id);
                let facts = scrub::Facts { today, coverage, windows: &windows, others: &others };
                self.loaded.books.change_claim(id, windows, |file| file.apply(Change::Prepare(&facts)))
            }
            ClaimAct::Revise => self.loaded.books.change_claim(id, windows, |file| file.apply(Change::Revise)),
            ClaimAct::Submit(patient) => {
                let moved = self.loaded.books.submit_claim(id, windows, now)?;
                let submission = self.loaded.books.claim(id)?.submissions;
                self.beside.push(patient.write(id, submission)?);
                Ok(moved)
            }
            ClaimAct::Sent(submission) => self.loaded.books.change_claim(id, windows, |file| {
                // What was sent meanwhile is another submission's.
                if file.submissions == submission {
                    file.sent_at = file.sent_at.or(Some(now));
                }
                Ok(())
            }),
            ClaimAct::Acknowledge { said, control_number, reasons } => {
                self.loaded.books.acknowledge_claim(id, said, control_number, reasons, windows)
            }
            ClaimAct::Appeal(reason) => self.loaded.books.change_claim(id, windows, |file| {
                file.apply(Change::Appeal(today, &windows))?;
                file.reason = Some(reason);
                Ok(())
            }),
            ClaimAct::Withdraw(reason) => self.loaded.books.withdraw_claim(id, reason, windows),
            ClaimAct::Close(reason) => self.loaded.books.close_claim(id, reason, windows),
            ClaimAct::Book(booked) => return self.book(asked, &claim, windows, *booked),
            ClaimAct::Create(_) => Err(Refusal::NoClaim),
        };
        Ok(moved?)
    }

    fn write(&mut self, id: ClaimId, new: &NewClaim) -> Result<Moved, ActError> {
        let invoice = self.loaded.books.invoices.get(&new.invoice).ok_or(Refusal::NoInvoice { at: 0 })?;
        new.content.must_be_within(invoice)?;
        let coverage = self.loaded.coverages.get(&new.coverage);
        let coverage = coverage.filter(|found| found.patient_id == invoice.patient_id).ok_or(Refusal::NoCoverage)?;
        let payer = self.loaded.payers.get(&coverage.payer_id).ok_or(Refusal::NoCoverage)?;
        let named = |prior: ClaimId| -> Result<Prior, Refusal> {
            let file = self.loaded.books.claim(prior).map_err(|_| Refusal::NotPrior)?;
            Ok(Prior { claim_id: prior, control_number: file.control_number.clone() })
        };
        let standing = match new.prior {
            None => Standing::Original,
            Some(PriorClaim::Replaced(prior)) => Standing::Replacement(named(prior)?),
            Some(PriorClaim::Voided(prior)) => Standing::Void(named(prior)?),
        };
        let claim = Claim::of_invoice(id, invoice, (coverage, payer), standing, &new.content, self.now);
        let windows = payer.windows;
        Ok(self.loaded.books.write_claim(claim, windows)?)
    }

    fn book(&mut self, asked: &Asked, claim: &Claim, windows: Windows, booked: Booked) -> Result<Moved, ActError> {
        let plan_year = self.loaded.coverages.get(&claim.coverage_id).map(|coverage| coverage.terms.plan_year);
        let facts = Facts { windows, plan_year: plan_year.unwrap_or(PlanYear::CALENDAR) };
        let Booked { remittance_id, at, payer_id, currency, paid_on, payment } = booked;
        let (journal_id, date) = (asked.journal_id(), self.date);
        let answer = Answer { journal_id, remittance_id, at, payer_id, currency, paid_on, date, payment };
        Ok(self.loaded.books.book_answer(&answer, facts)?)
    }

    fn payer(&self, claim: &Claim) -> Result<&Payer, Failure> {
        let found = self.loaded.payers.get(&claim.payer_id);
        found.ok_or_else(|| Failure::Bug(format!("claim {} has lost its payer", claim.id)))
    }

    fn claimed(&self, claim: &Claim) -> Result<&Invoice, Refusal> {
        self.loaded.books.invoices.get(&claim.invoice_id).ok_or(Refusal::NoInvoice { at: 0 })
    }
}

impl ClaimFile {
    fn apply(&mut self, change: Change<'_>) -> Result<(), Refusal> {
        self.claim = self.claim.change(change)?;
        Ok(())
    }
}
