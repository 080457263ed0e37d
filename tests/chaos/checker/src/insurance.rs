//! What payers are asked and answer, asked by SQL as the books are: each query answers what offends.

use anyhow::Result;
use sqlx::PgConnection;

use crate::{
    books::{Audit, audit},
    databases::{Pair, pair},
};

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Insurance {
    pub(crate) claims: Audit,
    pub(crate) answers: Audit,
    pub(crate) accumulators: Audit,
    pub(crate) remittances: Audit,
}

impl Insurance {
    pub(crate) async fn read(billing: &mut PgConnection) -> Result<Self> {
        let told = "(select from remittances union all select from entries) as told";
        Ok(Self {
            claims: audit(billing, DOCUMENTS, "claims", CLAIMS).await?,
            answers: audit(billing, DOCUMENTS, "standing", ANSWERS).await?,
            accumulators: audit(billing, DOCUMENTS, "projection.accumulators", ACCUMULATORS).await?,
            remittances: audit(billing, DOCUMENTS, told, REMITTANCES).await?,
        })
    }
}

/// The typed tables, and the same made of the documents. Accumulators are held against what payers have answered instead.
pub(crate) async fn projections(billing: &mut PgConnection) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (name, is, should_be) in PAIRS {
        pairs.push(pair(name, billing, is, &format!("{DOCUMENTS} {should_be}")).await?);
    }
    Ok(pairs)
}

const PAIRS: [(&str, &str, &str); 6] = [
    (
        "payers",
        "select jsonb_build_object('id', payer_id, 'name', name, 'electronic', electronic_id) from projection.payers",
        "select jsonb_build_object('id', id, 'name', d -> 'name', 'electronic', d -> 'electronicId') from held
          where kind = 'payer'",
    ),
    (
        "coverages",
        "select jsonb_build_object('id', coverage_id, 'patient', patient_id, 'payer', payer_id, 'active', active,
            'rank', rank) from projection.coverages",
        "select jsonb_build_object('id', id, 'patient', d -> 'patientId', 'payer', d -> 'payerId',
            'active', d ->> 'status' = 'active', 'rank', d -> 'order') from held where kind = 'coverage'",
    ),
    (
        "claims",
        "select jsonb_build_object('id', claim_id, 'patient', patient_id, 'invoice', invoice_id, 'coverage', coverage_id,
            'payer', payer_id, 'status', status, 'live', live, 'total', total, 'expected', expected)
          from projection.claims",
        "select jsonb_build_object('id', id, 'patient', d -> 'patientId', 'invoice', d -> 'invoiceId',
            'coverage', d -> 'coverageId', 'payer', d -> 'payerId', 'status', d -> 'status', 'live', d -> 'live',
            'total', charge, 'expected', d -> 'expected') from claims",
    ),
    (
        "claim_answers",
        "select jsonb_build_object('act', journal_id, 'claim', claim_id, 'date', date, 'outcome', outcome,
            'first', first, 'first pass', first_pass, 'billed', billed, 'paid', paid) from projection.claim_answers",
        "select jsonb_build_object('act', answer -> 'journalId', 'claim', id, 'date', answer -> 'date',
            'outcome', answer -> 'outcome', 'first', answer -> 'first', 'first pass', answer -> 'firstPass',
            'billed', answer -> 'billed', 'paid', answer -> 'paid')
          from claims, jsonb_array_elements(coalesce(d -> 'answers', '[]')) as answer",
    ),
    (
        "remittances",
        "select jsonb_build_object('id', remittance_id, 'payer', payer_id, 'payment', payment) from projection.remittances",
        "select jsonb_build_object('id', id, 'payer', d -> 'payerId', 'payment', d -> 'payment') from remittances",
    ),
    (
        "remittance_claims",
        "select jsonb_build_object('remittance', remittance_id, 'place', place, 'claim', claim_id, 'paid', paid,
            'act', journal_id) from projection.remittance_claims",
        "select jsonb_build_object('remittance', remittance, 'place', place, 'claim', claim_id, 'paid', told -> 'paid',
            'act', journal_id) from entries",
    ),
];

/// The current documents, what remittances say claim by claim, the answers that stand, and the adjustments of these, each
/// of a line or of the whole.
const DOCUMENTS: &str = "
    with held as (select split_part(key, '/', 1) as kind, split_part(key, '/', 2)::uuid as id,
        convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state
        where key like 'payer/%' or key like 'coverage/%' or key like 'claim/%' or key like 'remittance/%'),
      claims as (select id, d, (select coalesce(sum((line ->> 'charge')::bigint), 0)
          from jsonb_array_elements(d -> 'lines') as line) as charge
        from held where kind = 'claim'),
      remittances as (select id, d from held where kind = 'remittance'),
      entries as (select id as remittance, place - 1 as place, told, (told ->> 'claimId')::uuid as claim_id,
          (d #>> array['journalIds', (place - 1)::text])::uuid as journal_id,
          case told ->> 'status' when 'reversal' then 'claim-reversed' else 'claim-answered' end as becomes
        from remittances, jsonb_array_elements(d -> 'claims') with ordinality as item (told, place)),
      posted as (select postings.*, act from projection.postings join projection.journal using (journal_id)),
      standing as (select id, d, charge, d #> '{standing,payment}' as said from claims where d -> 'standing' is not null),
      adjusted as (
        select id, null::int as line, part ->> 'group' as by, part ->> 'reason' as reason, (part ->> 'amount')::bigint as amount
          from standing, jsonb_array_elements(said -> 'adjustments') as part
        union all
        select id, (line ->> 'line')::int, part ->> 'group', part ->> 'reason', (part ->> 'amount')::bigint
          from standing, jsonb_array_elements(said -> 'lines') as line, jsonb_array_elements(line -> 'adjustments') as part)";

const CLAIMS: &str = "
    select jsonb_build_object('claim', coalesce(claim_id, id), 'is expected to bring', expected, 'by its document',
        d -> 'expected', 'by postings', owed)
      from projection.claims as held full join claims on id = held.claim_id
        full join (select claim_id, sum(amount) as owed from posted where account = 'insurance-receivable' group by claim_id)
          as owing using (claim_id)
      where expected is distinct from (d ->> 'expected')::bigint or expected is distinct from coalesce(owed, 0)
    union all
    select jsonb_build_object('invoice', invoice_id, 'and payer', payer_id, 'have the live claims', array_agg(claim_id))
      from projection.claims where live group by invoice_id, payer_id having count(*) > 1
    union all
    select jsonb_build_object('invoice', d -> 'invoiceId', 'and payer', d -> 'payerId', 'have the live claims', array_agg(id))
      from claims where (d ->> 'live')::boolean group by d -> 'invoiceId', d -> 'payerId' having count(*) > 1";

/// X12 835 balancing, line by line, by claim, and against what was asked for. What a payer denies it is still expected to
/// pay.
const ANSWERS: &str = "
    select jsonb_build_object('claim', id, 'asks for', charge, 'and the answer is', said)
      from standing left join (select id, sum(amount) as adjusted, sum(amount) filter (where line is null) as of_whole,
          sum(amount) filter (where by <> 'PR' and reason <> '45') as denied from adjusted group by id) as sums using (id)
        left join (select id, sum((line ->> 'billed')::bigint) as billed, sum((line ->> 'paid')::bigint) as paid
          from standing, jsonb_array_elements(said -> 'lines') as line group by id) as lines using (id)
      where (said ->> 'billed')::bigint <> (said ->> 'paid')::bigint + coalesce(adjusted, 0)
        or (said ->> 'billed')::bigint <> charge
        or (said ->> 'billed')::bigint <> coalesce(billed, charge)
        or (said ->> 'paid')::bigint <> coalesce(paid - coalesce(of_whole, 0), (said ->> 'paid')::bigint)
        or (d ->> 'expected')::bigint <> coalesce(denied, 0)
    union all
    select jsonb_build_object('claim', id, 'has the uneven line', line)
      from standing, jsonb_array_elements(said -> 'lines') as line
      where (line ->> 'billed')::bigint <> (line ->> 'paid')::bigint
        + (select coalesce(sum((part ->> 'amount')::bigint), 0) from jsonb_array_elements(line -> 'adjustments') as part)
    union all
    select jsonb_build_object('claim', id, 'has an answer that no remittance has', said) from standing
      where not exists (select from entries where remittance = (d #>> '{standing,remittanceId}')::uuid and told = said)
    union all
    select jsonb_build_object('claim', id, 'is', d -> 'status', 'and has the answer', d -> 'standing') from claims
      where (d ->> 'status' in ('adjudicated-paid', 'partially-paid', 'denied')) <> (d -> 'standing' is not null)";

/// The patient's shares of a line count on its day, those of the whole on the first day; plan years are the calendar's
/// here.
const ACCUMULATORS: &str = "
    select jsonb_build_object('coverage', coverage_id, 'in', plan_year, 'has', to_jsonb(used), 'by answers', to_jsonb(shared))
      from projection.accumulators as used full join (
        select (d ->> 'coverageId')::uuid as coverage_id, date_trunc('year', day)::date as plan_year,
          coalesce(sum(amount) filter (where reason = '1'), 0) as deductible, sum(amount) as out_of_pocket
        from standing join adjusted using (id), lateral (select min((of_line ->> 'date')::timestamp) as day
            from jsonb_array_elements(d -> 'lines') with ordinality as item (of_line, place)
            where line is null or place = line) as days
        where by = 'PR' and reason in ('1', '2', '3') group by 1, 2) as shared using (coverage_id, plan_year)
      where (coalesce(used.deductible, 0), coalesce(used.out_of_pocket, 0))
        <> (coalesce(shared.deductible, 0), coalesce(shared.out_of_pocket, 0))";

/// The acts of an answer come to what it says: what is paid leaves the payer's money that has no claim, and what the
/// contract leaves unpaid is an expense.
const REMITTANCES: &str = "
    select jsonb_build_object('remittance', id, 'says', d -> 'payment', 'and the bank has', banked, 'by the act', act)
      from remittances left join projection.journal on journal_id = id
        left join (select journal_id, sum(amount) as banked from posted where account = 'bank' group by journal_id)
          as money using (journal_id)
      where act is distinct from 'remittance-received' or (d ->> 'payment')::bigint <> coalesce(banked, 0)
    union all
    select jsonb_build_object('act', journal_id, 'is of a remittance that is gone', act) from projection.journal
      where act = 'remittance-received' and journal_id not in (select id from remittances)
        or act in ('claim-answered', 'claim-reversed') and journal_id not in (select journal_id from entries)
    union all
    select jsonb_build_object('act', journal_id, 'books', count(*)) from entries group by journal_id having count(*) > 1
    union all
    select jsonb_build_object('remittance', remittance, 'says', told, 'and is booked by', act, 'with', to_jsonb(sums))
      from entries join projection.journal using (journal_id), lateral (
        select coalesce(sum(amount) filter (where account = 'insurance-unapplied'), 0) as paid,
          coalesce(sum(amount) filter (where account = 'contractual-adjustment'), 0) as contract,
          count(*) filter (where account in ('insurance-unapplied', 'insurance-receivable', 'contractual-adjustment')
            and posted.claim_id is distinct from entries.claim_id) as foreigners
        from posted where posted.journal_id = entries.journal_id) as sums
      where act <> becomes or foreigners > 0 or paid <> (told ->> 'paid')::bigint
        or contract <> (select coalesce(sum((part ->> 'amount')::bigint), 0)
          from jsonb_path_query(told, 'strict $.**.adjustments[*]') as part where part ->> 'reason' = '45')
    union all
    select jsonb_build_object('claim', id, 'has an answer', d -> 'standing', 'and is booked', booked)
      from claims left join (select claim_id as id, sum(case act when 'claim-answered' then 1 else -1 end) as booked
        from entries join projection.journal using (journal_id) group by claim_id) as acts using (id)
      where coalesce(booked, 0) <> (d -> 'standing' is not null)::int
    union all
    select jsonb_build_object('of the claims in remittances wait', count(*), 'of remittances', count(distinct remittance))
      from entries where journal_id not in (select journal_id from projection.journal) having count(*) > 0";
