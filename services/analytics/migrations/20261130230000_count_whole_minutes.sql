-- Days of lead and minutes of waiting are whole ones: what lacked half a second or less of the next one was counted as that. What
-- it has counted for until now is taken away, and whoever looks at it is told that it was restated.
do $do$
declare
  mistaken fact.appointments[] := array(
    select known from fact.appointments as known
    where extract(epoch from start_at - booked_at)::bigint / 86400 <> floor(extract(epoch from start_at - booked_at) / 86400)
      or extract(epoch from started_at - arrived_at)::bigint / 60 <> floor(extract(epoch from started_at - arrived_at) / 60)
      or extract(epoch from finished_at - arrived_at)::bigint / 60 <> floor(extract(epoch from finished_at - arrived_at) / 60));
  removed fact.measured[] := array(select counted from fact.appointments_measures(mistaken) as counted);
begin
  create or replace function fact.appointments_measures(rows fact.appointments[]) returns setof fact.measured
  language plpgsql stable as $$
  #variable_conflict use_column
  begin
    return query
      select measure::fact.measure, case when hourly then date_trunc('hour', at, time_zone) end, (at at time zone time_zone)::date,
        clinic_id, practitioner_id, service_id::text, null::text, null::text, bin, value::bigint, 1::bigint, 1::bigint
      from unnest(rows) as fact
      cross join lateral (values
        ('bookings', booked_at, false, 0, 1),
        ('appointments', case when booked_at is not null then start_at end, false, 0, 1),
        ('kept', case when status = 'fulfilled' then start_at end, false, 0, 1),
        ('no-show', case when status = 'noshow' then start_at end, false, 0, 1),
        ('cancelled', case when status = 'cancelled' and booked_at is not null then start_at end, false, 0, 1),
        ('cancelled-late', case when status = 'cancelled' and cancelled_late then start_at end, false, 0, 1),
        ('rescheduled', case when reschedules > 0 then start_at end, false, 0, 1),
        ('lead-days', case when booked_at is not null then start_at end, false,
          greatest(floor(extract(epoch from start_at - booked_at) / 86400), 0)::int, 1),
        ('arrived', coalesce(arrived_at, started_at), true, 0, 1),
        ('wait-minutes', case when started_at is not null then arrived_at end, false,
          greatest(floor(extract(epoch from started_at - arrived_at) / 60), 0)::int, 1),
        ('cycle-minutes', case when finished_at is not null then arrived_at end, false,
          greatest(floor(extract(epoch from finished_at - arrived_at) / 60), 0)::int, 1),
        ('booked-minutes', case when booked_at is not null and status <> 'cancelled' then start_at end, false, 0,
          extract(epoch from end_at - start_at)::bigint / 60),
        ('kept-minutes', case when status = 'fulfilled' then start_at end, false, 0, extract(epoch from end_at - start_at)::bigint / 60),
        ('waited', case when waited then created_at end, false, 0, 1),
        ('waited-and-booked', case when waited and booked_at is not null then created_at end, false, 0, 1)
      ) as counted(measure, at, hourly, bin, value)
      where at is not null and status <> 'entered-in-error';
  end
  $$;

  perform fact.apply(removed, array(select counted from fact.appointments_measures(mistaken) as counted));
end
$do$;
