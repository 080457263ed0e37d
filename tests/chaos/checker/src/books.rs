//! Billing's books, asked by SQL: each query answers what offends, and another one how much there is to look at.
//!
//! Whatever is stored twice is computed anew from the postings, and the postings of the typed table are held against
//! those of the journal's documents.

use anyhow::Result;
use serde_json::Value;
use sqlx::PgConnection;

use crate::databases::{Rows, rows};

/// What a promise about the books was asked.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) checked: usize,
    pub(crate) offences: Rows,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) ledger: Audit,
    pub(crate) balances: Audit,
    pub(crate) allocations: Audit,
    pub(crate) numbers: Audit,
    pub(crate) drafts: Audit,
}

impl Books {
    pub(crate) async fn read(billing: &mut PgConnection) -> Result<Self> {
        Ok(Self {
            ledger: audit(billing, DOCUMENTS, "projection.journal", LEDGER).await?,
            balances: audit(billing, DOCUMENTS, OF_MONEY, BALANCES).await?,
            allocations: audit(billing, DOCUMENTS, OF_MONEY, ALLOCATIONS).await?,
            numbers: audit(billing, DOCUMENTS, "projection.numbers", NUMBERS).await?,
            drafts: audit(billing, DOCUMENTS, "invoices where d -> 'source' is not null", DRAFTS).await?,
        })
    }
}

/// Asks for what offends, and how much there is of `all`, in terms of `documents`.
pub(crate) async fn audit(billing: &mut PgConnection, documents: &str, all: &str, offences: &str) -> Result<Audit> {
    let count = rows(billing, &format!("{documents} select to_jsonb(count(*)) from {all}")).await?;
    let checked = count.first().and_then(Value::as_u64).unwrap_or_default();
    Ok(Audit { checked: usize::try_from(checked)?, offences: rows(billing, &format!("{documents} {offences}")).await? })
}

const OF_MONEY: &str = "(select from invoices union all select from payments) as held";

/// The current documents by kind, their parts, and the postings with their acts.
const DOCUMENTS: &str = "
    with held as (select split_part(key, '/', 1) as kind, split_part(key, '/', 2)::uuid as id,
        convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state
        where key like 'journal/%' or key like 'invoice/%' or key like 'payment/%' or key like 'series/%'),
      entries as (select id, d from held where kind = 'journal'),
      invoices as (select id, d from held where kind = 'invoice'),
      payments as (select id, d from held where kind = 'payment'),
      series as (select id, d from held where kind = 'series'),
      posted as (select postings.*, act from projection.postings join projection.journal using (journal_id)),
      uses as (select payments.id as payment, (used ->> 'invoiceId')::uuid as invoice, (used ->> 'amount')::bigint as amount
        from payments, jsonb_array_elements(coalesce(d -> 'allocations', '[]')) as used),
      given as (
        select id, d -> 'number' as number from invoices where d -> 'number' is not null
        union all
        select id, note -> 'number' from invoices, jsonb_array_elements(coalesce(d -> 'creditNotes', '[]')) as note),
      -- What postings say of each invoice. In a credit note, what was paid of it is a debit and what is taken back a credit.
      -- Between patient and payers money only changes sides: no answer here takes from what patients have paid.
      sides as (select *, account = 'patient-receivable' as of_patient from posted where invoice_id is not null),
      moved as (select invoice_id as id,
          coalesce(sum(amount) filter (where of_patient and act = 'invoice-issued'), 0) as total,
          coalesce(sum(amount) filter (where of_patient), 0) as open,
          coalesce(sum(amount) filter (where account = 'insurance-receivable'), 0) as insured,
          coalesce(-sum(amount) filter (where of_patient
            and (act like 'payment-%' or act = 'invoice-credited' and amount > 0)), 0) as paid,
          coalesce(sum(amount) filter (where account = 'insurance-unapplied'), 0) as insurance_paid,
          coalesce(sum(amount) filter (where account = 'contractual-adjustment'), 0) as adjusted,
          coalesce(-sum(amount) filter (where of_patient and act = 'invoice-credited' and amount < 0), 0) as credited,
          coalesce(-sum(amount) filter (where of_patient and act = 'invoice-written-off'), 0)
            + coalesce(sum(amount) filter (where account = 'denial-write-off'), 0) as written_off
        from sides group by invoice_id),
      -- And of each payment.
      money as (select payment_id as id,
          coalesce(sum(amount) filter (where account in ('cash', 'clearing', 'bank') and amount > 0), 0) as captured,
          coalesce(-sum(amount) filter (where account in ('cash', 'clearing', 'bank') and amount < 0), 0) as refunded,
          coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied
        from posted where payment_id is not null group by payment_id)";

const LEDGER: &str = "
    select jsonb_build_object('act', journal_id, 'postings add up to', sum(amount))
      from projection.postings group by journal_id having sum(amount) <> 0
    union all
    select jsonb_build_object('act', id, 'postings of its document add up to', sum((posting ->> 'amount')::bigint))
      from entries, jsonb_array_elements(d -> 'postings') as posting
      group by id having sum((posting ->> 'amount')::bigint) <> 0
    union all
    select jsonb_build_object('all postings in', currency, 'add up to', sum(amount))
      from projection.postings group by currency having sum(amount) <> 0
    union all
    select jsonb_build_object('act', journal_id, 'has moved nothing', act) from projection.journal as held
      where act in ('invoice-issued', 'invoice-credited', 'invoice-written-off', 'payment-captured', 'payment-refunded')
        and not exists (select from projection.postings where postings.journal_id = held.journal_id)";

const BALANCES: &str = "
    select jsonb_build_object('account of', patient_id, 'held', to_jsonb(held), 'posted', to_jsonb(posted))
      from projection.account_balances as held full join (
        select patient_id, currency,
          coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as receivable,
          coalesce(sum(amount) filter (where account = 'insurance-receivable'), 0) as insurance,
          coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied
        from posted group by patient_id, currency) as posted using (patient_id, currency)
      where (coalesce(held.receivable, 0), coalesce(held.insurance, 0), coalesce(held.unapplied, 0))
        <> (coalesce(posted.receivable, 0), coalesce(posted.insurance, 0), coalesce(posted.unapplied, 0))
    union all
    select jsonb_build_object('balance of invoice', coalesce(invoice_id, id), 'held', to_jsonb(held), 'posted', to_jsonb(moved))
      from projection.invoice_balances as held full join moved on invoice_id = id
      where (coalesce(patient_open, 0), coalesce(insurance_open, 0)) <> (coalesce(open, 0), coalesce(insured, 0))
    union all
    select jsonb_build_object('balance of payment', coalesce(payment_id, id), 'held', to_jsonb(held), 'posted', to_jsonb(money))
      from projection.payment_balances as held full join money on payment_id = id
      where (coalesce(held.captured, 0), coalesce(held.refunded, 0), coalesce(held.unapplied, 0))
        <> (coalesce(money.captured, 0), coalesce(money.refunded, 0), coalesce(money.unapplied, 0))
    union all
    select jsonb_build_object('document of invoice', id, 'balance', d -> 'balance', 'posted', to_jsonb(moved))
      from invoices left join moved using (id)
      where (d #>> '{balance,patientOpen}')::bigint <> coalesce(open, 0)
        or coalesce((d #>> '{balance,patientPaid}')::bigint, 0) <> coalesce(paid, 0)
        or coalesce((d #>> '{balance,insuranceOpen}')::bigint, 0) <> coalesce(insured, 0)
        or coalesce((d #>> '{balance,insurancePaid}')::bigint, 0) <> coalesce(insurance_paid, 0)
        or coalesce((d #>> '{balance,adjusted}')::bigint, 0) <> coalesce(adjusted, 0)
        or coalesce((d #>> '{balance,credited}')::bigint, 0) <> coalesce(credited, 0)
        or coalesce((d #>> '{balance,writtenOff}')::bigint, 0) <> coalesce(written_off, 0)
        or (d ->> 'status' not in ('void', 'draft', 'entered-in-error') and coalesce(total, 0) <>
          (select sum(part::bigint) from jsonb_each_text(d -> 'balance') as parts (name, part)))
    union all
    select jsonb_build_object('document of payment', id, 'unapplied', d -> 'unapplied', 'posted', to_jsonb(money))
      from payments left join money using (id)
      where (d ->> 'unapplied')::bigint <> coalesce(unapplied, 0)
        or coalesce((d ->> 'refunded')::bigint, 0) <> coalesce(refunded, 0)
        or (d ->> 'capturedAt' is not null and (d ->> 'amount')::bigint <> coalesce(captured, 0))";

/// The uses of a payment by its document, by the typed table and by the postings are one.
const ALLOCATIONS: &str = "
    select jsonb_build_object('payment', id, 'used', used, 'unapplied', unapplied, 'captured', captured, 'refunded', refunded)
      from payments left join money using (id)
        left join (select payment as id, sum(amount) as used from uses group by payment) as used using (id)
      where coalesce(used, 0) + coalesce(unapplied, 0) <> coalesce(captured - refunded, 0)
        or coalesce(used, 0) > coalesce(captured, 0) or coalesce(refunded, 0) > coalesce(captured, 0)
    union all
    select jsonb_build_object('payment', payment_id, 'used by the table', sum(amount), 'captured', min(captured))
      from projection.allocations left join money on payment_id = id
      group by payment_id having sum(amount) > coalesce(min(captured), 0)
    union all
    select jsonb_build_object('invoice', coalesce(used.id, moved.id), 'is used by payments', amount, 'paid by postings', paid)
      from (select invoice as id, sum(amount) as amount from uses group by invoice) as used full join moved using (id)
      where coalesce(amount, 0) <> coalesce(paid, 0)
    union all
    select jsonb_build_object('invoice', id, 'is', d ->> 'status', 'and by postings', to_jsonb(moved))
      from invoices left join moved using (id)
      where not coalesce(case d ->> 'status'
        when 'draft' then moved.id is null
        when 'issued' then open + insured > 0 and paid + insurance_paid = 0
        when 'partially-paid' then open + insured > 0 and paid + insurance_paid > 0
        when 'paid' then open + insured = 0 and paid + insurance_paid + adjusted + credited = total
        when 'written-off' then open + insured = 0 and written_off > 0
        when 'void' then open + insured = 0
        else moved.id is null end, false)";

/// By the typed tables and by the documents.
const NUMBERS: &str = "
    select jsonb_build_object('series', series_id, 'has', array_agg(place order by place), 'and ends at', held.last)
      from projection.numbers left join projection.series as held using (series_id) group by series_id, held.last
      having count(*) <> max(place) or count(distinct place) <> max(place) or min(place) <> 1
        or held.last is distinct from max(place)
    union all
    select jsonb_build_object('documents of series', number ->> 'seriesId', 'have', array_agg((number ->> 'place')::bigint),
        'and it ends at', series.d -> 'last')
      from given left join series on series.id = (number ->> 'seriesId')::uuid
      group by number ->> 'seriesId', series.d
      having count(*) <> max((number ->> 'place')::bigint) or count(distinct number -> 'place') <> count(*)
        or min((number ->> 'place')::bigint) <> 1
        or (series.d ->> 'last')::bigint is distinct from max((number ->> 'place')::bigint)
    union all
    select jsonb_build_object('number', number ->> 'text', 'is of', array_agg(id)) from given
      group by number ->> 'seriesId', number ->> 'text' having count(*) > 1
    union all
    select jsonb_build_object('invoice', id, 'is', d ->> 'status', 'with the number', d -> 'number') from invoices
      where (d ->> 'status' in ('draft', 'entered-in-error')) = (d -> 'number' is not null)";

const DRAFTS: &str = "
    select jsonb_build_object('encounter', d #>> '{source,encounterId}', 'has the invoices', array_agg(id)) from invoices
      where d -> 'source' is not null group by d #>> '{source,encounterId}' having count(*) > 1";
