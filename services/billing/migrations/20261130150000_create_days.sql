-- Days of the books that are closed: what was counted in the drawer, and the totals of each account. Nothing is posted to
-- a closed day any more. All of it stands beside the journal and changes nothing of how the journal is written.

-- Typed table of `day/<id>` documents. One closes all days after `after` up to `date`; the first of all everything before.
create table projection.days (
  day_id uuid not null primary key,
  date date not null constraint days_date_key unique,
  after date,
  currency text not null,
  counted bigint not null,
  expected bigint not null
);

-- The last closed day; no row before the first.
create table projection.closed (
  one boolean not null primary key default true constraint closed_one_check check (one),
  date date not null
);

-- Debits and credits of closed days.
create table projection.day_totals (
  date date not null,
  account text not null,
  currency text not null,
  debit bigint not null,
  credit bigint not null,
  constraint day_totals_pkey primary key (date, account, currency)
);

-- Who posts and who closes: many may post at a time, and who closes waits for them and has the books alone. A rebuild has
-- no other writer. Held until the transaction ends, so that what is read after it is all there.
create function projection.take_days(alone boolean) returns void
language plpgsql as $$
begin
  if current_setting('document.rebuilding', true) is distinct from 'on' then
    if alone then
      perform pg_advisory_xact_lock(hashtextextended('days', 0));
    else
      perform pg_advisory_xact_lock_shared(hashtextextended('days', 0));
    end if;
  end if;
end
$$;

-- A rebuild meets acts in the order in which they were inserted, which a close can be in the midst of: they are in order.
create function projection.refuse_closed_day() returns trigger
language plpgsql as $$
begin
  perform projection.take_days(false);
  if current_setting('document.rebuilding', true) is distinct from 'on'
    and new.date <= (select closed.date from projection.closed) then
    raise exception 'journal entry violates check constraint "journal_day_open_check"'
      using errcode = 'check_violation', constraint = 'journal_day_open_check', schema = 'projection', table = 'journal';
  end if;
  return new;
end
$$;
create trigger refuse_closed_day before insert on projection.journal
for each row execute function projection.refuse_closed_day();

create function projection.add_to_closed_day() returns trigger
language plpgsql as $$
begin
  if new.date <= (select closed.date from projection.closed) then
    insert into projection.day_totals as held (date, account, currency, debit, credit)
    values (new.date, new.account, new.currency, greatest(new.amount, 0), greatest(-new.amount, 0))
    on conflict (date, account, currency) do update set debit = held.debit + excluded.debit,
      credit = held.credit + excluded.credit;
  end if;
  return null;
end
$$;
create trigger add_to_closed_day after insert on projection.postings
for each row when (current_setting('document.rebuilding', true) = 'on')
execute function projection.add_to_closed_day();

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

create or replace function projection.project(kind text, id text, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  case kind
    when 'account' then
      perform projection.project_account(id::uuid, new_document -> 'data');
    when 'journal' then
      perform projection.project_journal(id::uuid, old_document, new_document);
    when 'invoice' then
      perform projection.project_invoice(id::uuid, new_document);
    when 'payment' then
      perform projection.project_payment(id::uuid, new_document);
    when 'series' then
      insert into projection.series (series_id, clinic_id, kind, last)
      values (id::uuid, (new_document #>> '{data,clinicId}')::uuid, new_document #>> '{data,kind}',
        (new_document #>> '{data,last}')::bigint)
      on conflict (series_id) do update set last = excluded.last;
    when 'fee-schedule' then
      perform projection.project_fee_schedule(id::uuid, new_document);
    when 'day' then
      perform projection.project_day(id::uuid, old_document, new_document);
    when 'invoice-recipient' then
      -- Read by its key alone.
      null;
    else
      raise exception 'no projection for documents of kind %', kind using errcode = 'feature_not_supported';
  end case;
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
