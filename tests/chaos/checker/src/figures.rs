//! Figures of analytics beside what the producers' own databases come to.

use anyhow::Result;
use sqlx::PgConnection;

use crate::databases::{Pair, rows};

/// Totals by day, as analytics has them.
const KEPT: &str =
    "select jsonb_build_object('measure', measure, 'start', start::date, 'currency', currency, 'value', value)
    from fact.totals where unit = 'day' and value <> 0 and measure = any (array[";

/// Registrations by the calendar of the clinic.
fn registered(time_zone: &str) -> String {
    format!(
        "select jsonb_build_object('measure', 'registered', 'currency', '', 'value', count(*),
           'start', ((convert_from(value, 'UTF8')::jsonb #>> '{{data,registeredAt}}')::timestamptz at time zone '{time_zone}')::date)
         from state.state where key like 'patient/%'
         group by ((convert_from(value, 'UTF8')::jsonb #>> '{{data,registeredAt}}')::timestamptz at time zone '{time_zone}')::date"
    )
}

/// Appointments by their start, by the calendar of their clinic.
const APPOINTMENTS: &str = "
    with appointments as (
      select convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state where key like 'appointment/%'
    ), dated as (
      select d ->> 'status' as status, d #>> '{stamps,booked}' is not null as booked,
        ((d #>> '{time,start}')::timestamptz at time zone (d ->> 'timeZone'))::date as start
      from appointments where d ->> 'status' <> 'entered-in-error' and d #>> '{time,start}' is not null
    )
    select jsonb_build_object('measure', measure, 'start', start, 'currency', '', 'value', count(*))
    from dated cross join lateral (
      select 'appointments' as measure where booked
      union all select 'kept' where status = 'fulfilled'
      union all select 'no-show' where status = 'noshow'
      union all select 'cancelled' where status = 'cancelled' and booked) as counted
    group by measure, start";

/// Money by the day of the books, of the journal's own postings: what was charged, what invoices got, and what is owed.
/// Postings come in pairs.
const MONEY: &str = "
    with postings as (
      select key, d #>> '{data,date}' as date, d #>> '{data,currency}' as currency, place, posting ->> 'account' as account,
        (posting ->> 'amount')::bigint as amount
      from (select key, convert_from(value, 'UTF8')::jsonb as d from state.state where key like 'journal/%') as journal,
        jsonb_array_elements(d #> '{data,postings}') with ordinality as posted (posting, place)
    ), paired as (
      select own.*, other.account as other from postings as own join postings as other
        on other.key = own.key and other.place = own.place + case own.place % 2 when 1 then 1 else -1 end
    )
    select jsonb_build_object('measure', measure, 'start', date::date, 'currency', currency, 'value', sum(value))
    from paired cross join lateral (
      select 'charged' as measure, -amount as value where account = 'revenue'
      union all select 'adjusted', amount where account = 'contractual-adjustment'
      union all select 'receivable', amount where account in ('patient-receivable', 'insurance-receivable')
      union all select 'collected', -amount where account in ('patient-receivable', 'insurance-receivable')
        and other in ('unapplied', 'insurance-unapplied', 'cash', 'clearing', 'bank')) as counted
    group by measure, date, currency having sum(value) <> 0";

/// Each figure, and what it should be.
pub(crate) async fn pairs(
    patient: &mut PgConnection,
    billing: &mut PgConnection,
    analytics: &mut PgConnection,
    time_zone: &str,
) -> Result<Vec<Pair>> {
    let kept = |measures: &str| format!("{KEPT}{measures}]::fact.measure[])");
    Ok(vec![
        Pair {
            name: "registrations by day",
            is: rows(analytics, &kept("'registered'")).await?,
            should_be: rows(patient, &registered(time_zone)).await?,
        },
        Pair {
            name: "appointments by day",
            is: rows(analytics, &kept("'appointments', 'kept', 'no-show', 'cancelled'")).await?,
            should_be: rows(patient, APPOINTMENTS).await?,
        },
        Pair {
            name: "money by day",
            is: rows(analytics, &kept("'charged', 'adjusted', 'receivable', 'collected'")).await?,
            should_be: rows(billing, MONEY).await?,
        },
    ])
}
