-- Days of the books: what closes them and what was counted in the drawer. That nothing is posted to a closed day any more
-- is seen to where the journal is written.

-- Typed table of `day/<id>` documents. One closes all days after `after` up to `date`; the first of all everything before.
create table projection.days (
  day_id uuid not null primary key,
  date date not null constraint days_date_key unique,
  after date,
  currency text not null,
  counted bigint not null,
  expected bigint not null
);

create function projection.project_day(id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
declare
  data jsonb := new_document -> 'data';
  day date := (data ->> 'date')::date;
  previous date := (data ->> 'after')::date;
  broken text;
begin
  perform projection.take_days(true);
  if current_setting('document.rebuilding', true) is distinct from 'on' then
    broken := case
      when old_document is not null then 'days_append_only_check'
      when day <= previous or previous is distinct from (select closed.date from projection.closed) then 'days_order_check'
      when (data ->> 'expected')::bigint <> (
        select coalesce(sum(amount), 0) from projection.postings
        where date > coalesce(previous, '-infinity') and date <= day
          and account = 'cash' and currency = data ->> 'currency') then 'days_expected_check'
    end;
    if broken is not null then
      raise exception 'day violates check constraint "%"', broken
        using errcode = 'check_violation', constraint = broken, schema = 'projection', table = 'days';
    end if;
  end if;
  insert into projection.days (day_id, date, after, currency, counted, expected)
  values (id, day, previous, data ->> 'currency', (data ->> 'counted')::bigint, (data ->> 'expected')::bigint);
  insert into projection.day_totals (date, account, currency, debit, credit)
  select date, account, currency, sum(greatest(amount, 0)), sum(greatest(-amount, 0))
  from projection.postings where date > coalesce(previous, '-infinity') and date <= day
  group by date, account, currency;
  insert into projection.closed as held (date) values (day)
  on conflict (one) do update set date = greatest(held.date, excluded.date);
end
$$;

-- The last closed day; null before the first.
create function api.closed_day(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((select to_jsonb(date) from projection.closed), 'null');
end
$$;

-- How a day stands: {"date", "currency"} answers {"closed": the last closed day, "closing": what closed this one,
-- "expected": the cash that has moved after the last closed day, up to this one}.
create function api.day(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  day date := (p ->> 'date')::date;
  last date := (select date from projection.closed);
  closing uuid;
begin
  if day <= last then
    closing := (select day_id from projection.days where date >= day order by date limit 1);
    return jsonb_build_object('closed', last, 'closing', document.stored('day', closing), 'expected', 0);
  end if;
  return jsonb_build_object('closed', last, 'expected', (
    select coalesce(sum(amount), 0) from projection.postings
    where date > coalesce(last, '-infinity') and date <= day and account = 'cash' and currency = p ->> 'currency'));
end
$$;

-- A page of what closed days, the latest first: {"before"?, "limit"}.
create function api.day_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(document.stored('day', day_id) order by date desc), '[]')
    from (select day_id, date from projection.days where date < coalesce((p ->> 'before')::date, 'infinity')
      order by date desc limit (p ->> 'limit')::int) as page);
end
$$;
