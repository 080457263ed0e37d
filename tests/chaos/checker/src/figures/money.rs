//! What `billing` has in its books: the journal by the day of the books, invoices and payments by the clock of all clinics.

use super::{Family, Kept};

const DONE: &[&str] = &["clinic", "practitioner", "service"];
const PAID: &[&str] = &["clinic", "practitioner", "service", "payer"];

pub(super) const FAMILIES: &[Family] = &[
    Family {
        names: ["money", "money told apart"],
        kept: &[
            Kept::daily(&["charged", "discounted"], DONE),
            Kept::daily(&["adjusted", "written-off", "collected"], PAID),
            Kept::monthly(&["receivable"], PAID),
        ],
        counted: JOURNAL,
    },
    Family {
        names: ["open invoices", "open invoices told apart"],
        kept: &[Kept::daily(&["open"], &["clinic", "practitioner"])],
        counted: INVOICES,
    },
    Family { names: ["payments", "payments told apart"], kept: &[Kept::hourly(&["paid-in"], &[])], counted: PAYMENTS },
];

/// Postings come in pairs, a side and the other side. What is not posted by service is, where it is owed, divided among the
/// lines of the invoice in proportion to their totals: what whole units leave goes to the largest remainders, the first of
/// equal ones.
const JOURNAL: &str = "
    held as (
      select split_part(key, '/', 1) as kind, split_part(key, '/', 2) as id, convert_from(value, 'UTF8')::jsonb -> 'data' as d
        from state.state where key like 'journal/%' or key like 'invoice/%'
    ), lines as (
      select id as invoice, line ->> 'code' as code, place, price + round(price * (line #>> '{tax,rate}')::numeric / 1000000) as total
        from held, jsonb_array_elements(d -> 'lines') with ordinality as items (line, place), lateral (
          select coalesce((line ->> 'units')::numeric * (line ->> 'unitPrice')::numeric, 0)
            - coalesce((line #>> '{discount,amount}')::numeric, 0) as price) as priced
        where kind = 'invoice'
    ), postings as (
      select id, d, place, posting, posting ->> 'account' as account, (posting ->> 'amount')::bigint as amount
        from held, jsonb_array_elements(d -> 'postings') with ordinality as posted (posting, place) where kind = 'journal'
    ), sides as (
      select own.id, own.place, own.account, own.amount, own.d, other.account as other,
          coalesce(own.posting ->> 'invoiceId', other.posting ->> 'invoiceId') as invoice,
          coalesce(own.posting ->> 'payerId', other.posting ->> 'payerId', 'patient') as payer,
          coalesce(own.posting ->> 'serviceCode', other.posting ->> 'serviceCode') as code
        from postings as own join postings as other
          on other.id = own.id and other.place = own.place + case own.place % 2 when 1 then 1 else -1 end
    ), weighed as (
      select sides.*, lines.code as of_line, lines.place as line, abs(sides.amount)::numeric * total as share,
          sum(total) over (partition by sides.id, sides.place) as whole
        from sides left join lines on lines.invoice = sides.invoice and sides.code is null
          and 'receivable' = any (array[split_part(account, '-', 2), split_part(other, '-', 2)])
    ), divided as (
      select weighed.*, div(share, whole) as least,
          row_number() over (partition by id, place order by mod(share, whole) desc, line) as by_remainder,
          abs(amount) - sum(div(share, whole)) over (partition by id, place) as left_over
        from weighed
    ), parts as (
      select divided.*, coalesce(code, of_line) as service, case when of_line is null then amount
          else sign(amount) * (least + (by_remainder <= left_over)::int) end as part
        from divided
    ), counted as (
      select measure, null::timestamptz as hour, (parts.d ->> 'date')::date as day,
          coalesce(invoices.d ->> 'clinicId', parts.d ->> 'clinicId') as clinic,
          invoices.d #>> '{source,practitionerId}' as practitioner, service, measures.payer, parts.d ->> 'currency' as currency,
          0 as bin, value
        from parts left join held as invoices on invoices.kind = 'invoice' and invoices.id = invoice cross join lateral (
          select 'charged' as measure, null as payer, -part as value where account = 'revenue'
          union all select 'discounted', null, part where account = 'discount'
          union all select 'adjusted', parts.payer, part where account = 'contractual-adjustment'
          union all select 'written-off', parts.payer, part
            where account in ('small-balance-write-off', 'bad-debt', 'courtesy', 'denial-write-off')
          union all select measure, case account when 'patient-receivable' then 'patient' else parts.payer end, value
            from (values ('receivable', part), ('collected', -part)) as owed (measure, value)
            where account in ('patient-receivable', 'insurance-receivable') and (measure = 'receivable'
              or other in ('unapplied', 'insurance-unapplied', 'cash', 'clearing', 'bank'))
        ) as measures
    )";

/// As they stand, on the day on which they were issued, by who is to pay.
const INVOICES: &str = "
    invoices as (
      select convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state where key like 'invoice/%'
    ), counted as (
      select 'open' as measure, null::timestamptz as hour, ((d ->> 'issuedAt')::timestamptz at time zone zone)::date as day,
          d ->> 'clinicId' as clinic, d #>> '{source,practitionerId}' as practitioner, null as service, payer,
          d ->> 'currency' as currency, 0 as bin, (d #>> array['balance', payer || 'Open'])::bigint as value
        from invoices, here, (values ('patient'), ('insurance')) as payers (payer) where d -> 'issuedAt' is not null
    )";

/// What was captured and is still there: nothing of what the bank took back.
const PAYMENTS: &str = "
    payments as (
      select convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state where key like 'payment/%'
    ), counted as (
      select 'paid-in' as measure, date_trunc('hour', at, zone) as hour, (at at time zone zone)::date as day, null as clinic,
          null as practitioner, null as service, null as payer, d ->> 'currency' as currency, 0 as bin,
          (d ->> 'amount')::bigint - coalesce((d ->> 'refunded')::bigint, 0) as value
        from payments, here, lateral (select (d ->> 'capturedAt')::timestamptz as at) as captured
        where at is not null and d ->> 'status' <> 'charged-back'
    )";
