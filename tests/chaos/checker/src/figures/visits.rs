//! What `patient` knows of: registrations, appointments and encounters, by the clock of their clinic.

use super::{Family, Kept};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        names: ["patients", "patients told apart"],
        kept: &[Kept::hourly(&["registered"], &[]), Kept::monthly(&["active"], &[])],
        counted: PATIENTS,
    },
    Family {
        names: ["appointments", "appointments told apart"],
        kept: &[
            Kept::daily(
                &[
                    "bookings",
                    "appointments",
                    "kept",
                    "no-show",
                    "cancelled",
                    "cancelled-late",
                    "rescheduled",
                    "waited",
                    "waited-and-booked",
                ],
                &["clinic", "practitioner", "service"],
            ),
            Kept::hourly(&["arrived"], &["clinic", "practitioner"]),
            Kept::daily(&["booked-minutes", "kept-minutes"], &["clinic", "practitioner"]),
            Kept::monthly(
                &["lead-days", "wait-minutes", "cycle-minutes"],
                &["clinic", "practitioner", "service", "clinic-practitioner", "clinic-service"],
            ),
        ],
        counted: APPOINTMENTS,
    },
    Family {
        names: ["encounters", "encounters told apart"],
        kept: &[
            Kept::hourly(&["encounters", "walk-ins"], &["clinic", "practitioner"]),
            Kept::daily(&["new-patients", "returning-patients"], &["clinic", "practitioner"]),
            Kept::daily(&["service-units"], &["clinic", "practitioner", "service"]),
        ],
        counted: ENCOUNTERS,
    },
];

/// Patients are of no clinic, and so by the clock of all.
const PATIENTS: &str = "
    registered as (
      select zone, (d ->> 'registeredAt')::timestamptz as at, (d ->> 'active')::boolean as active
        from here, (select convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state where key like 'patient/%') as held
    ), counted as (
      select measure, date_trunc('hour', at, zone) as hour, (at at time zone zone)::date as day, null as clinic,
          null as practitioner, null as service, null as payer, null as currency, 0 as bin, 1 as value
        from registered cross join lateral (select 'registered' as measure union all select 'active' where active) as measures
    )";

/// Whole days and minutes: of what has begun only what is over. Who was not seen to come was there when they were checked
/// in, or at the latest when their appointment began.
const APPOINTMENTS: &str = "
    held as (
      select convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state where key like 'appointment/%'
    ), appointments as (
      select d ->> 'timeZone' as zone, d ->> 'status' as status, d ->> 'clinicId' as clinic, d ->> 'serviceId' as service,
          coalesce(d ->> 'practitionerId', d #>> '{waiting,practitionerId}') as practitioner,
          (d #>> '{time,start}')::timestamptz as starts, (d #>> '{time,end}')::timestamptz as ends,
          (d ->> 'reschedules')::int as moves, d -> 'waiting' is not null as waited,
          (d #>> '{stamps,created}')::timestamptz as created, (d #>> '{stamps,booked}')::timestamptz as booked,
          (d #>> '{stamps,cancelled}')::timestamptz as cancelled,
          (coalesce(d #>> '{stamps,arrived}', d #>> '{stamps,checkedIn}'))::timestamptz as arrived,
          (d #>> '{stamps,started}')::timestamptz as started, (d #>> '{stamps,finished}')::timestamptz as finished
        from held where d ->> 'status' <> 'entered-in-error'
    ), counted as (
      select measure, date_trunc('hour', at, zone) as hour, (at at time zone zone)::date as day, clinic, practitioner, service,
          null as payer, null as currency, greatest(bin, 0)::int as bin, value
        from appointments cross join lateral (
          select 'bookings' as measure, booked as at, 0 as bin, 1 as value
          union all select 'appointments', starts, 0, 1 where booked is not null
          union all select 'kept', starts, 0, 1 where status = 'fulfilled'
          union all select 'no-show', starts, 0, 1 where status = 'noshow'
          union all select 'cancelled', starts, 0, 1 where status = 'cancelled' and booked is not null
          union all select 'cancelled-late', starts, 0, 1
            where status = 'cancelled' and booked is not null and cancelled > starts - interval '24 hours'
          union all select 'rescheduled', starts, 0, 1 where moves > 0
          union all select 'lead-days', starts, floor(extract(epoch from starts - booked) / 86400), 1 where booked is not null
          union all select 'arrived', coalesce(arrived, started), 0, 1
          union all select 'wait-minutes', arrived, floor(extract(epoch from started - arrived) / 60), 1 where started is not null
          union all select 'cycle-minutes', arrived, floor(extract(epoch from finished - arrived) / 60), 1
            where finished is not null
          union all select 'booked-minutes', starts, 0, extract(epoch from ends - starts) / 60
            where booked is not null and status <> 'cancelled'
          union all select 'kept-minutes', starts, 0, extract(epoch from ends - starts) / 60 where status = 'fulfilled'
          union all select 'waited', created, 0, 1 where waited
          union all select 'waited-and-booked', created, 0, 1 where waited and booked is not null
        ) as measures
        where at is not null
    )";

/// New is whose last encounter before, wherever it was, began more than 36 months earlier, or who had none.
const ENCOUNTERS: &str = "
    held as (
      select key, convert_from(value, 'UTF8')::jsonb -> 'data' as d from state.state
        where key like 'encounter/%' or key like 'clinic/%'
    ), finished as (
      select key, d ->> 'patientId' as patient, (d #>> '{resource,period,start}')::timestamptz as at,
          d #>> '{resource,clinicId}' as clinic, d #>> '{resource,practitionerId}' as practitioner,
          d #>> '{resource,appointmentId}' as appointment, d #> '{resource,services}' as services
        from held where key like 'encounter/%' and d #>> '{resource,status}' = 'finished'
    ), encounters as (
      select finished.*, coalesce(clinics.d ->> 'timeZone', zone) as zone,
          at - interval '36 months' <= lag(at) over (partition by patient order by at, finished.key) as returns
        from finished cross join here left join held as clinics on clinics.key = 'clinic/' || clinic
    ), counted as (
      select measure, date_trunc('hour', at, zone) as hour, (at at time zone zone)::date as day, clinic, practitioner, service,
          null as payer, null as currency, 0 as bin, value
        from encounters cross join lateral (
          select 'encounters' as measure, null as service, 1 as value
          union all select 'walk-ins', null, 1 where appointment is null
          union all select case when returns then 'returning-patients' else 'new-patients' end, null, 1
          union all select 'service-units', done #>> '{code,code}', (done ->> 'units')::int
            from jsonb_array_elements(services) as done
        ) as measures
    )";
