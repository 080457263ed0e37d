//! What somebody who has the database's password does to the books, one thing after another, and undoes: the checker has
//! to see each.

use anyhow::Result;
use local::App;

use crate::{stage::Stage, verdict::Line};

/// A forgery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tampering {
    pub(crate) name: &'static str,
    /// In whose database.
    app: App,
    /// What is put back afterwards.
    table: &'static str,
    tamper: &'static str,
    /// The lines that have to break.
    breaks: &'static [&'static str],
    /// Those that may break in consequence; no other one may.
    may_break: &'static [&'static str],
}

/// All of them.
pub(crate) const ALL: [Tampering; 24] = [
    Tampering {
        name: "a posting is of another amount",
        app: App::Billing,
        table: "projection.postings",
        tamper: "update projection.postings set amount = amount + 1 where (journal_id, place) =
            (select journal_id, place from projection.postings where account = 'revenue' limit 1)",
        breaks: &["ledger", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "more money came in, and every act still adds up",
        app: App::Billing,
        table: "projection.postings",
        tamper: "update projection.postings set amount = amount + sign(amount) where place <= 2 and journal_id =
            (select journal_id from projection.journal where act = 'payment-captured' limit 1)",
        breaks: &["balances", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "an account owes more than was posted",
        app: App::Billing,
        table: "projection.account_balances",
        tamper: "update projection.account_balances set receivable = receivable + 1
            where patient_id = (select patient_id from projection.account_balances limit 1)",
        breaks: &["balances"],
        may_break: &[],
    },
    Tampering {
        name: "an invoice says that more of it was paid",
        app: App::Billing,
        table: "state.state",
        tamper: "update state.state set value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb,
            '{data,balance,patientPaid}', to_jsonb(1000001))::text, 'UTF8')
            where key = (select key from state.state where key like 'invoice/%' limit 1)",
        breaks: &["balances"],
        may_break: &[],
    },
    Tampering {
        name: "a payment is used for more than it is",
        app: App::Billing,
        table: "projection.allocations",
        tamper: "update projection.allocations set amount = amount + 1000000 where (payment_id, invoice_id) =
            (select payment_id, invoice_id from projection.allocations limit 1)",
        breaks: &["allocations", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "a number is left out",
        app: App::Billing,
        table: "projection.numbers",
        tamper: "update projection.numbers set place = place + 1000 where (series_id, place) =
            (select series_id, place from projection.numbers order by place desc limit 1)",
        breaks: &["numbers"],
        may_break: &[],
    },
    Tampering {
        name: "a payment is gone",
        app: App::Billing,
        table: "state.state",
        tamper: "delete from state.state where key = (select key from state.state where key like 'payment/%' limit 1)",
        breaks: &["payments", "projections"],
        // What it has paid is paid by nothing then, its history has no end, and unless all of it went back it was counted.
        may_break: &["allocations", "versions", "figures"],
    },
    Tampering {
        name: "an entry of the journal is gone",
        app: App::Billing,
        table: "state.state",
        // One that a client was told of.
        tamper: "delete from state.state where key = (select key from state.state where key like 'journal/%'
            and convert_from(value, 'UTF8')::jsonb #>> '{data,act}' = 'invoice-issued' limit 1)",
        breaks: &["acts", "figures", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "a claim is expected to bring more",
        app: App::Billing,
        table: "projection.claims",
        tamper: "update projection.claims set expected = expected + 1
            where claim_id = (select claim_id from projection.claims limit 1)",
        breaks: &["claims", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "two live claims are for one invoice and payer",
        app: App::Billing,
        table: "state.state",
        tamper: "update state.state set value = convert_to((convert_from(value, 'UTF8')::jsonb
            || jsonb_build_object('data', convert_from(value, 'UTF8')::jsonb -> 'data' || (
              select jsonb_build_object('invoiceId', invoice_id, 'payerId', payer_id) from projection.claims
              where live order by claim_id limit 1)))::text, 'UTF8')
            where key = (select 'claim/' || claim_id from projection.claims where live order by claim_id desc limit 1)",
        breaks: &["claims", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "an answer that stands does not add up",
        app: App::Billing,
        table: "state.state",
        tamper: "update state.state set value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb,
            '{data,standing,payment,paid}', to_jsonb(1000001))::text, 'UTF8')
            where key = (select key from state.state where key like 'claim/%'
              and convert_from(value, 'UTF8')::jsonb #> '{data,standing}' is not null limit 1)",
        breaks: &["answers"],
        // It is no remittance's any more, so that it counts for nothing, as it may have done before.
        may_break: &["figures"],
    },
    Tampering {
        name: "a booked answer paid more, and its act still adds up",
        app: App::Billing,
        table: "projection.postings",
        tamper: "update projection.postings as held set amount = held.amount + sign(held.amount)
            from (select journal_id, place from projection.postings join projection.journal using (journal_id)
              where act = 'claim-answered' and account = 'insurance-unapplied' limit 1) as paid
            where held.journal_id = paid.journal_id and held.place in (paid.place, paid.place + 1)",
        breaks: &["remittances", "claims", "balances", "projections"],
        // It may have been all that its invoice was waiting for.
        may_break: &["allocations"],
    },
    Tampering {
        name: "a member has used more of the plan",
        app: App::Billing,
        table: "projection.accumulators",
        tamper: "update projection.accumulators set out_of_pocket = out_of_pocket + 1 where (coverage_id, plan_year) =
            (select coverage_id, plan_year from projection.accumulators limit 1)",
        breaks: &["accumulators"],
        may_break: &[],
    },
    Tampering {
        name: "the money of a remittance is on the bank twice",
        app: App::Billing,
        table: "projection.postings",
        tamper: "update projection.postings set amount = amount * 2 where journal_id =
            (select journal_id from projection.postings join projection.journal using (journal_id)
              where act = 'remittance-received' and account = 'bank' limit 1)",
        breaks: &["remittances", "projections"],
        may_break: &[],
    },
    Tampering {
        name: "a day has collected more than it has",
        app: App::Analytics,
        table: "fact.totals",
        tamper: "update fact.totals set value = value + 1 where measure = 'collected' and unit = 'day' and value <> 0",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "somebody more was registered in an hour",
        app: App::Analytics,
        table: "fact.totals",
        tamper: "update fact.totals set value = value + 1 where measure = 'registered' and unit = 'hour' and value <> 0",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "a practitioner had an appointment more",
        app: App::Analytics,
        table: "fact.rollups",
        tamper: "update fact.rollups set value = value + 1 where measure = 'appointments' and dimension_id =
            (select dimension_id from fact.dimensions where axis = 'practitioner' and dimension_id in
              (select dimension_id from fact.rollups where measure = 'appointments' and value <> 0) limit 1)",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "somebody was booked a day earlier than they were",
        app: App::Analytics,
        table: "fact.totals",
        tamper: "update fact.totals set bin = bin + 1 where (unit, start, bin) = (select unit, start, bin from fact.totals
            where measure = 'lead-days' and value <> 0 order by unit, start, bin desc limit 1) and measure = 'lead-days'",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "somebody was booked a day earlier with one practitioner",
        app: App::Analytics,
        table: "fact.distributions",
        tamper: "update fact.distributions set bins[1] = bins[1] + 1 where measure = 'lead-days' and unit = 'day' and dimension_id =
            (select dimension_id from fact.dimensions where axis = 'practitioner' and dimension_id in
              (select dimension_id from fact.distributions where measure = 'lead-days' and bins <> '{}') limit 1)",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "more was done in an encounter than was told",
        app: App::Patient,
        table: "state.state",
        tamper: "update state.state set value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb,
            '{data,resource,services,0,units}', '7')::text, 'UTF8')
            where key = (select key from state.state where key like 'encounter/%'
              and convert_from(value, 'UTF8')::jsonb #>> '{data,resource,status}' = 'finished' limit 1)",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "a service has charged more than it has",
        app: App::Analytics,
        table: "fact.rollups",
        tamper: "update fact.rollups set value = value + 1 where measure = 'charged' and dimension_id =
            (select dimension_id from fact.dimensions where axis = 'service' and dimension_id in
              (select dimension_id from fact.rollups where measure = 'charged' and value <> 0) limit 1)",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "an invoice of the week is open that was paid",
        app: App::Analytics,
        table: "fact.totals",
        tamper: "update fact.totals set value = value + 1 where measure = 'open' and unit = 'week' and value <> 0",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "more money came from patients in an hour",
        app: App::Analytics,
        table: "fact.rollups",
        tamper: "update fact.rollups set value = value + 1 where measure = 'paid-in' and unit = 'hour' and value <> 0",
        breaks: &["figures"],
        may_break: &[],
    },
    Tampering {
        name: "a payer pays more of claims than it does",
        app: App::Analytics,
        table: "fact.rollups",
        tamper: "update fact.rollups set value = value + 1 where measure = 'claims-paid' and dimension_id =
            (select dimension_id from fact.dimensions where axis = 'payer' and dimension_id in
              (select dimension_id from fact.rollups where measure = 'claims-paid' and value <> 0) limit 1)",
        breaks: &["figures"],
        may_break: &[],
    },
];

/// No trigger is asked, as where a file is changed.
const UNASKED: &str = "set local session_replication_role = replica";

impl Tampering {
    pub(crate) async fn apply(&self, stage: &Stage) -> Result<()> {
        let Self { table, tamper, .. } = self;
        let keep = format!("create schema if not exists chaos; create table chaos.kept as table {table}");
        stage.execute(self.app, &format!("{UNASKED}; {keep}; {tamper}")).await
    }

    pub(crate) async fn mend(&self, stage: &Stage) -> Result<()> {
        let table = self.table;
        let put_back = format!("delete from {table}; insert into {table} table chaos.kept; drop table chaos.kept");
        stage.execute(self.app, &format!("{UNASKED}; {put_back}")).await
    }

    /// Why it was not seen as it should have been; none when it was.
    pub(crate) fn unseen(&self, lines: &[Line]) -> Option<String> {
        let broken: Vec<_> = lines.iter().filter(|line| !line.holds()).map(|line| line.name.as_str()).collect();
        let is_seen = self.breaks.iter().all(|name| broken.contains(name));
        let is_its_own = |name: &&str| self.breaks.contains(name) || self.may_break.contains(name);
        (!is_seen || !broken.iter().all(is_its_own))
            .then(|| format!("{:?} have to break, and {broken:?} do", self.breaks))
    }
}
