//! What payers are asked and answer, by who is asked.

use super::{Family, Kept};

pub(super) const FAMILIES: &[Family] = &[Family {
    names: ["claims", "claims told apart"],
    kept: &[Kept::daily(
        &[
            "claims-submitted",
            "claims-charged",
            "claims-allowed",
            "claims-paid",
            "claims-answered",
            "claims-denied",
            "claims-first-pass",
            "claims-billed",
            "denied-amount",
        ],
        &["clinic", "practitioner", "payer"],
    )],
    counted: CLAIMS,
}];

/// Answers are what remittances say: what stands by the last one, denials by the first one that was booked, on the day of its
/// act. Denied is what is neither paid, nor settled by a contract (45), a payer before (23) or a law (253), nor the patient's
/// share of what is covered (PR-1, 2, 3); what the patient has to bear of it is no amount that is denied to the clinic.
const CLAIMS: &str = "
    held as (
      select split_part(key, '/', 1) as kind, split_part(key, '/', 2) as id, convert_from(value, 'UTF8')::jsonb -> 'data' as d
        from state.state where key like 'claim/%' or key like 'remittance/%' or key like 'invoice/%' or key like 'journal/%'
    ), said as (
      select id as remittance, d #>> array['journalIds', (place - 1)::text] as act, told, told ->> 'claimId' as claim
        from held, jsonb_array_elements(d -> 'claims') with ordinality as items (told, place) where kind = 'remittance'
    ), told as (
      select said.*, (told ->> 'paid')::bigint as paid, (told ->> 'billed')::bigint as billed, of_patient, denials, denied
        from said, lateral (
          select coalesce(sum(amount) filter (where by = 'PR'), 0) as of_patient, count(*) filter (where denies) as denials,
              coalesce(sum(amount) filter (where denies and by <> 'PR'), 0) as denied
            from jsonb_path_query(told, 'strict $.**.adjustments[*]') as part, lateral (
              select part ->> 'group' as by, (part ->> 'amount')::bigint as amount) as parts, lateral (
              select amount <> 0 and part ->> 'reason' not in ('23', '45', '253')
                and not (by = 'PR' and part ->> 'reason' in ('1', '2', '3')) as denies) as denying
        ) as sums
    ), claims as (
      select claim.d, invoice.d ->> 'clinicId' as clinic, invoice.d #>> '{source,practitionerId}' as practitioner,
          ((claim.d ->> 'submittedAt')::timestamptz at time zone zone)::date as submitted,
          (select sum((line ->> 'charge')::bigint) from jsonb_array_elements(claim.d -> 'lines') as line) as charge,
          coalesce(standing.paid, 0) as paid, coalesce(standing.of_patient, 0) as of_patient,
          (act.d ->> 'date')::date as answered, first.billed, first.denied, first.denials,
          claim.d ->> 'frequency' = 'original' and claim.d ->> 'rejections' = '0' and first.denials = 0 as first_pass
        from here cross join held as claim join held as invoice on invoice.id = claim.d ->> 'invoiceId' and invoice.kind = 'invoice'
          left join told as standing on standing.claim = claim.id and standing.remittance = claim.d #>> '{standing,remittanceId}'
            and standing.told = claim.d #> '{standing,payment}'
          left join told as first on first.act = claim.d #>> '{answers,0,journalId}'
          left join held as act on act.id = first.act and act.kind = 'journal'
        where claim.kind = 'claim'
    ), counted as (
      select measure, null::timestamptz as hour, day, clinic, practitioner, null as service, d ->> 'payerId' as payer,
          case when money then d ->> 'currency' end as currency, 0 as bin, value
        from claims cross join lateral (
          select 'claims-submitted' as measure, submitted as day, false as money, 1::numeric as value
          union all select 'claims-charged', submitted, true, charge
          union all select 'claims-allowed', submitted, true, paid + of_patient
          union all select 'claims-paid', submitted, true, paid
          union all select 'claims-answered', answered, false, 1
          union all select 'claims-denied', answered, false, 1 where denials > 0
          union all select 'claims-first-pass', answered, false, 1 where first_pass
          union all select 'claims-billed', answered, true, billed
          union all select 'denied-amount', answered, true, denied where denials > 0
        ) as measures
        where day is not null
    )";
