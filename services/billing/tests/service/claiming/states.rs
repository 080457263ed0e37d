//! Every state of a claim with everything that can be done to one: what the table has is done, and all else refused.

use std::collections::BTreeMap;

use access::Role;
use billing::domain::claim::{
    Status as State,
    transitions::{Action, TABLE},
};
use contracts::billing::v1::{self as wire, Acknowledgement, Claim, ClaimFrequency, ClaimPayment};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};
use tonic::Status;
use uuid::Uuid;

use super::{Visit, adjusted, answer, content, reversal};
use crate::{
    closing::today,
    desk::{Desk, Refused as _, There as _, does_not_add_up, keyed, slug},
};

/// What leads to each state from a draft.
fn way(to: State) -> &'static [Action] {
    use Action as A;
    match to {
        State::Draft => &[],
        State::Ready => &[A::Prepare],
        State::Submitted => &[A::Prepare, A::Submit],
        State::Accepted => &[A::Prepare, A::Submit, A::Accept],
        State::Rejected => &[A::Prepare, A::Submit, A::Reject],
        State::Pended => &[A::Prepare, A::Submit, A::Pend],
        State::Paid => &[A::Prepare, A::Submit, A::Pay],
        State::PartiallyPaid => &[A::Prepare, A::Submit, A::PayPartially],
        State::Denied => &[A::Prepare, A::Submit, A::Deny],
        State::Appealed => &[A::Prepare, A::Submit, A::Deny, A::Appeal],
        State::Corrected => &[A::Prepare, A::Submit, A::Pay, A::Correct],
        State::Voided => &[A::Prepare, A::Submit, A::Pay, A::Void],
        State::Closed => &[A::Prepare, A::Submit, A::Pay, A::Close],
    }
}

/// A claim on its way, with what was answered to it.
struct Walk {
    visit: Visit,
    claim: Claim,
    standing: Option<ClaimPayment>,
}

impl Walk {
    async fn to(parts: &Parts, state: State) -> Result<Self> {
        let visit = Visit::of(parts, 10_000).await?;
        let claim = visit.draft().await?;
        let mut walk = Self { visit, claim, standing: None };
        for action in way(state) {
            walk.take(*action).await?;
        }
        Ok(walk)
    }

    /// Does one thing; what is refused is told by its slug, a remittance that waits by its first finding.
    async fn take(&mut self, action: Action) -> Result<()> {
        match self.attempt(action).await? {
            None => {
                self.claim = self.visit.claim(&self.claim.claim_id).await?;
                Ok(())
            }
            Some(why) => anyhow::bail!("{} was refused: {why}", action.name()),
        }
    }

    async fn attempt(&mut self, action: Action) -> Result<Option<String>> {
        let (visit, claim) = (self.visit.clone(), self.claim.clone());
        let refused = |done: std::result::Result<Claim, Status>| done.err().map(|status| slug(&status));
        Ok(match action {
            Action::Create => None,
            Action::Prepare => refused(visit.prepare(&claim).await),
            Action::Submit => refused(visit.submit(&claim).await),
            Action::Accept => refused(visit.acknowledge(&claim, Acknowledgement::Accepted).await),
            Action::Reject => refused(visit.acknowledge(&claim, Acknowledgement::Rejected).await),
            Action::Pend => refused(visit.acknowledge(&claim, Acknowledgement::Pended).await),
            Action::Close => refused(visit.close(&claim).await),
            Action::Pay => self.answer(answer(&claim, 10_000, Vec::new())).await?,
            Action::PayPartially => self.answer(answer(&claim, 6_000, vec![adjusted("CO", "96", 4_000)])).await?,
            Action::Deny => self.answer(answer(&claim, 0, vec![adjusted("CO", "29", 10_000)])).await?,
            Action::Reverse => {
                let paid = self.standing.clone().unwrap_or_else(|| answer(&claim, 10_000, Vec::new()));
                let why = self.answer(reversal(&paid)).await?;
                if why.is_none() {
                    self.standing = None;
                }
                why
            }
            Action::Revise => {
                let asked =
                    wire::ReviseClaimRequest { claim_id: claim.claim_id.clone(), expected_version: claim.version };
                let done = visit.biller.claims().revise_claim(keyed(asked, Uuid::now_v7())).await;
                done.err().map(|status| slug(&status))
            }
            Action::Appeal => {
                let asked = wire::AppealClaimRequest {
                    claim_id: claim.claim_id.clone(),
                    expected_version: claim.version,
                    reason: "the record says otherwise".to_owned(),
                };
                let done = visit.biller.claims().appeal_claim(keyed(asked, Uuid::now_v7())).await;
                done.err().map(|status| slug(&status))
            }
            Action::Withdraw => {
                let asked = wire::WithdrawClaimRequest {
                    claim_id: claim.claim_id.clone(),
                    expected_version: claim.version,
                    reason: "not insured".to_owned(),
                };
                let done = visit.biller.claims().withdraw_claim(keyed(asked, Uuid::now_v7())).await;
                done.err().map(|status| slug(&status))
            }
            Action::Correct => self.successor(ClaimFrequency::Replacement).await?,
            Action::Void => self.successor(ClaimFrequency::Void).await?,
        })
    }

    async fn answer(&mut self, payment: ClaimPayment) -> Result<Option<String>> {
        let remittance = self.visit.receive(self.visit.remittance(vec![payment.clone()])).await?;
        if remittance.waiting > 0 {
            return Ok(Some(remittance.claims[0].findings.first().there()?.code.clone()));
        }
        self.standing = Some(payment);
        Ok(None)
    }

    /// Another claim takes the place of this one, or takes it back.
    async fn successor(&mut self, frequency: ClaimFrequency) -> Result<Option<String>> {
        let asked = wire::CreateClaimRequest {
            frequency: frequency.into(),
            prior_claim_id: Some(self.claim.claim_id.clone()),
            ..self.visit.create()
        };
        let steps = async {
            let written = self.visit.written(asked).await?;
            let sent = self.visit.submit(&self.visit.prepare(&written).await?).await?;
            self.visit.acknowledge(&sent, Acknowledgement::Accepted).await
        };
        Ok(steps.await.err().map(|status| slug(&status)))
    }
}

fn code(state: State) -> String {
    state.code().to_owned()
}

fn state_of(claim: &Claim) -> String {
    let name = claim.status().as_str_name().trim_start_matches("CLAIM_STATUS_");
    name.to_ascii_lowercase().replace('_', "-")
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("every_action_at_every_state_of_a_claim_is_as_the_table_says", parts, |parts| async move {
            let all: Vec<_> = State::ALL.iter().flat_map(|from| Action::ALL.map(|action| (*from, action))).collect();
            let rows: BTreeMap<_, _> = TABLE.iter().map(|row| ((row.from, row.action.name()), row.to)).collect();
            let tried =
                stream::iter(all.into_iter().filter(|(_, action)| *action != Action::Create)).map(|(from, action)| {
                    let (parts, to) = (parts.clone(), rows.get(&(Some(from), action.name())).copied());
                    async move {
                        // Money that stands is taken back before another claim can stand for a claim that is final.
                        let mut walk = Walk::to(&parts, from).await?;
                        anyhow::ensure!(
                            state_of(&walk.claim) == code(from),
                            "{from:?} was not reached: {:?}",
                            walk.claim
                        );
                        if from == State::Appealed
                            && [Action::Pay, Action::PayPartially, Action::Deny].contains(&action)
                        {
                            // The payer takes its denial back in the same remittance.
                            return again_after_appeal(walk, action, to).await;
                        }
                        let before = walk.claim.clone();
                        let why = walk.attempt(action).await?;
                        let after = walk.visit.claim(&before.claim_id).await?;
                        match to {
                            Some(to) => anyhow::ensure!(
                                why.is_none() && state_of(&after) == code(to),
                                "{from:?} {action:?}: {why:?}, {}",
                                state_of(&after)
                            ),
                            None => anyhow::ensure!(
                                why.is_some() && after == before,
                                "{from:?} {action:?} was not refused: {}",
                                state_of(&after)
                            ),
                        }
                        Ok(())
                    }
                });
            tried.buffer_unordered(8).try_collect::<Vec<()>>().await?;
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("an_appeal_has_to_be_in_time", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let denied = answer(&claim, 0, vec![adjusted("CO", "29", 10_000)]);
            let old =
                wire::ReceiveRemittanceRequest { paid_date: "2026-01-02".to_owned(), ..visit.remittance(vec![denied]) };
            visit.receive(old).await?;
            let claim = visit.claim(&claim.claim_id).await?;
            let deadline = claim.deadline.clone().there()?;
            assert_eq!((deadline.what.as_str(), deadline.due_date.as_str()), ("appeal", "2026-07-01"));
            let asked = wire::AppealClaimRequest {
                claim_id: claim.claim_id.clone(),
                expected_version: claim.version,
                reason: "the record says otherwise".to_owned(),
            };
            let late = visit.biller.claims().appeal_claim(keyed(asked, Uuid::now_v7())).await.refused()?;
            assert_eq!(slug(&late), "appeal-late");
            // It is in the list of what is due, and a fresh claim is not.
            let fresh = Visit::of(&parts, 10_000).await?.submitted().await?;
            let mut cursor = None;
            let mut due = Vec::new();
            loop {
                let asked = wire::ListClaimsRequest {
                    due: Some(today().to_string()),
                    limit: Some(1),
                    cursor: cursor.take(),
                    ..wire::ListClaimsRequest::default()
                };
                let page = visit.biller.claims().list_claims(asked).await?.into_inner();
                due.extend(page.items.into_iter().map(|claim| claim.claim_id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert!(due.contains(&claim.claim_id) && !due.contains(&fresh.claim_id), "{due:?}");
            Ok(())
        }),
        test("the_front_desk_reads_claims_and_changes_none", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.submitted().await?;
            let desk = Visit { biller: Desk::of(&parts, Role::FrontDesk).await?, ..visit.clone() };
            assert_eq!(desk.claim(&claim.claim_id).await?, claim);
            assert_eq!(desk.close(&claim).await.refused()?.code(), tonic::Code::PermissionDenied);
            let house = Visit { biller: Desk::of(&parts, Role::Service).await?, ..visit.clone() };
            house.acknowledge(&claim, Acknowledgement::Accepted).await?;
            assert_eq!(house.close(&claim).await.refused()?.code(), tonic::Code::PermissionDenied);
            let paid = answer(&claim, 10_000, Vec::new());
            assert_eq!(house.receive(visit.remittance(vec![paid])).await?.waiting, 0);
            let draft = wire::AmendClaimRequest {
                claim_id: claim.claim_id.clone(),
                expected_version: 6,
                content: Some(content()),
            };
            let sent = visit.biller.claims().amend_claim(keyed(draft, Uuid::now_v7())).await.refused()?;
            assert!(["claim-status", ""].contains(&slug(&sent).as_str()), "{sent:?}");
            Ok(())
        }),
    ]
}

async fn again_after_appeal(mut walk: Walk, action: Action, to: Option<State>) -> Result<()> {
    let denied = walk.standing.take().there()?;
    let claim = walk.claim.clone();
    let next = match action {
        Action::Pay => answer(&claim, 10_000, Vec::new()),
        Action::PayPartially => answer(&claim, 6_000, vec![adjusted("CO", "96", 4_000)]),
        _ => answer(&claim, 0, vec![adjusted("CO", "29", 10_000)]),
    };
    let both = walk.visit.remittance(vec![next, reversal(&denied)]);
    let booked = walk.visit.receive(both).await?;
    anyhow::ensure!(booked.waiting == 0, "{:?}", booked.claims);
    let after = walk.visit.claim(&claim.claim_id).await?;
    anyhow::ensure!(Some(state_of(&after)) == to.map(code), "{action:?}: {}", state_of(&after));
    Ok(())
}
