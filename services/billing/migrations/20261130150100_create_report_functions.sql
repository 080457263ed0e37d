-- Reports: each figure is a sum of postings up to a day, never of what stands open today.

-- For sums by invoice, without a look at the postings themselves.
create index postings_receivable_idx on projection.postings (invoice_id, date) include (account, currency, amount)
where account in ('patient-receivable', 'insurance-receivable');
-- For what was collected, in the order of its pages.
create index postings_collected_idx on projection.postings (date, journal_id, place)
where account in ('patient-receivable', 'insurance-receivable');

-- Debits and credits on the days from `first` to `last`, of every account or of one: of closed days their totals, then the
-- postings.
create function projection.account_sums(first date, last date, one text default null)
returns table (account text, currency text, debit bigint, credit bigint)
language plpgsql stable as $$
#variable_conflict use_column
declare
  closed date := coalesce((select date from projection.closed), '-infinity');
begin
  return query
  select account, currency, sum(debit)::bigint, sum(credit)::bigint
  from (
    select account, currency, debit, credit from projection.day_totals
    where date >= first and date <= last and date <= closed and (one is null or account = one)
    union all
    select account, currency, sum(greatest(amount, 0)), sum(greatest(-amount, 0)) from projection.postings
    where date >= first and date <= last and date > closed and (one is null or account = one)
    group by account, currency) as sums
  group by account, currency;
end
$$;

-- Debits and credits of every account up to the end of a day of the books, or from the beginning of another: {"from"?, "date"}.
create function api.trial_balance(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(sums) order by currency, account), '[]')
    from projection.account_sums(coalesce((p ->> 'from')::date, '-infinity'), (p ->> 'date')::date) as sums);
end
$$;

-- What was open of each invoice at the end of a day, for the patient and for payers; of one patient or of all. An invoice is
-- as old as its first posting, which is its issue.
create function projection.open_invoices(last date, patient uuid)
returns table (invoice_id uuid, currency text, issued date, patient_open bigint, payer_open bigint)
language plpgsql stable as $$
begin
  return query execute format($sql$
    select invoice_id, max(currency), min(date),
      coalesce(sum(amount) filter (where account = 'patient-receivable'), 0)::bigint,
      coalesce(sum(amount) filter (where account = 'insurance-receivable'), 0)::bigint
    from projection.postings
    where account in ('patient-receivable', 'insurance-receivable') and date <= $1 %s
    group by invoice_id
    having coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) <> 0
      or coalesce(sum(amount) filter (where account = 'insurance-receivable'), 0) <> 0
  $sql$, case when patient is not null then 'and patient_id = $2' end) using last, patient;
end
$$;

-- Open amounts by age: {"date", "patientId"?, "starts": the first day of each bucket} answers
-- {"open": [{"responsibility", "bucket", "currency", "open", "invoices"}], "credits": [{"currency", "amount"}]}. Buckets count
-- from 0. Credits are what was paid and not used.
create function api.aging(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  day date := (p ->> 'date')::date;
  patient uuid := (p ->> 'patientId')::uuid;
  starts int[] := array(select jsonb_array_elements_text(p -> 'starts')::int);
  credits jsonb;
begin
  if patient is null then
    credits := (
      select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'amount', credit - debit) order by currency), '[]')
      from projection.account_sums('-infinity', day, 'unapplied'));
  else
    credits := (
      select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'amount', amount) order by currency), '[]')
      from (select currency, -sum(amount) as amount from projection.postings
        where patient_id = patient and account = 'unapplied' and date <= day group by currency) as sums);
  end if;
  return jsonb_build_object('credits', credits, 'open', (
    select coalesce(jsonb_agg(to_jsonb(aged) order by currency, responsibility, bucket), '[]')
    from (
      select responsibility, width_bucket(day - issued, starts) - 1 as bucket, currency, sum(open)::bigint as open,
        count(*) as invoices
      from projection.open_invoices(day, patient)
      cross join lateral (values ('patient', patient_open), ('payer', payer_open)) as part(responsibility, open)
      where open <> 0
      group by 1, 2, 3) as aged));
end
$$;

-- A page of the invoices behind an aging, the oldest first: {"date", "patientId"?, "responsibility"?, "issuedFrom"?, "issuedTo"?,
-- "after"?: {"issued", "id", "responsibility"}, "limit"}. What payers owe is told by claim.
create function api.aging_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  day date := (p ->> 'date')::date;
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'invoiceId', page.invoice_id, 'responsibility', responsibility, 'currency', page.currency, 'issued', issued, 'open', open,
      'number', invoice.number,
      'patientId', (select patient_id from projection.postings as first where first.invoice_id = page.invoice_id limit 1),
      'claims', case when responsibility = 'payer' then (
        select jsonb_agg(jsonb_build_object('claimId', claim_id, 'payerId', payer_id, 'open', claim_open)
          order by claim_id, payer_id)
        from (select claim_id, payer_id, sum(amount) as claim_open from projection.postings as posted
          where posted.invoice_id = page.invoice_id and account = 'insurance-receivable' and date <= day
          group by claim_id, payer_id having sum(amount) <> 0) as claims) end)
      order by issued, page.invoice_id, responsibility), '[]')
    from (
      select invoice_id, responsibility, currency, issued, open
      from projection.open_invoices(day, (p ->> 'patientId')::uuid)
      cross join lateral (values ('patient', patient_open), ('payer', payer_open)) as part(responsibility, open)
      where open <> 0 and responsibility = coalesce(p ->> 'responsibility', responsibility)
        and issued >= coalesce((p ->> 'issuedFrom')::date, '-infinity')
        and issued <= coalesce((p ->> 'issuedTo')::date, 'infinity')
        and (not p ? 'after' or (issued, invoice_id, responsibility)
          > ((p #>> '{after,issued}')::date, (p #>> '{after,id}')::uuid, p #>> '{after,responsibility}'))
      order by issued, invoice_id, responsibility limit (p ->> 'limit')::int) as page
    left join projection.invoices as invoice using (invoice_id));
end
$$;

-- The lines of an invoice, as its document has them.
create function projection.invoice_lines(invoice uuid) returns jsonb
language plpgsql stable as $$
begin
  return coalesce(
    (select convert_from(value, 'UTF8')::jsonb #> '{data,lines}' from state.state where key = 'invoice/' || invoice::text), '[]');
end
$$;

-- A page of money that invoices got or gave back, in the order of the days: {"from", "to", "payer"?, "serviceCode"?,
-- "after"?: {"date", "id", "place"}, "limit"}; `payer` is the id of one, "payer" for any, or "patient". Postings come in pairs, a debit and
-- its credit one after the other: what stands against a receivable is money, or what was paid and not used.
create function api.collected_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_sort = off as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ->> 'payer' = 'patient' then 'payer_id is null'
      when p ->> 'payer' = 'payer' then 'payer_id is not null'
      when p ? 'payer' then 'payer_id = ($1 ->> ''payer'')::uuid' end,
    case when p ? 'serviceCode' then
      'projection.invoice_lines(invoice_id) @> jsonb_build_array(jsonb_build_object(''code'', $1 ->> ''serviceCode''))' end,
    case when p ? 'after' then '(date, journal_id, place) > (($1 #>> ''{after,date}'')::date, '
      '($1 #>> ''{after,id}'')::uuid, ($1 #>> ''{after,place}'')::smallint)' end);
  items jsonb;
begin
  -- A page is read in the order of its index, and what stands against a posting is looked up for each: the planner, who thinks
  -- that few pass, would look all of them up and sort.
  execute format($sql$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'journalId', page.journal_id, 'place', page.place, 'date', page.date, 'currency', page.currency, 'amount', -page.amount,
      'patientId', page.patient_id, 'invoiceId', page.invoice_id, 'paymentId', other.payment_id, 'claimId', page.claim_id,
      'payerId', page.payer_id, 'lines', projection.invoice_lines(page.invoice_id)))
      order by page.date, page.journal_id, page.place), '[]')
    from (
      select * from projection.postings as own
      where account in ('patient-receivable', 'insurance-receivable')
        and date >= ($1 ->> 'from')::date and date <= ($1 ->> 'to')::date
        and (
          select other.account from projection.postings as other
          where other.journal_id = own.journal_id and other.place = own.place + case own.place %% 2 when 1 then 1 else -1 end
        ) in ('unapplied', 'insurance-unapplied', 'cash', 'clearing', 'bank')
        and %s
      order by date, journal_id, place limit ($1 ->> 'limit')::int) as page
    join projection.postings as other on other.journal_id = page.journal_id
      and other.place = page.place + case page.place %% 2 when 1 then 1 else -1 end
  $sql$, wanted) using p into items;
  return items;
end
$$;

-- A page of postings, newest first: {"patientId"?, "invoiceId"?, "paymentId"?, "payerId"?, "serviceCode"?, "account"?, "act"?,
-- "from"?, "to"?, "after"?: {"at", "id", "place"}, "limit"}.
create function api.posting_page(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := concat_ws(' and ', 'true',
    case when p ? 'patientId' then 'patient_id = ($1 ->> ''patientId'')::uuid' end,
    case when p ? 'invoiceId' then 'invoice_id = ($1 ->> ''invoiceId'')::uuid' end,
    case when p ? 'paymentId' then 'payment_id = ($1 ->> ''paymentId'')::uuid' end,
    case when p ? 'payerId' then 'payer_id = ($1 ->> ''payerId'')::uuid' end,
    case when p ? 'serviceCode' then 'service_code = $1 ->> ''serviceCode''' end,
    case when p ? 'account' then 'account = $1 ->> ''account''' end,
    case when p ? 'act' then '(select act from projection.journal as act where act.journal_id = posted.journal_id) = $1 ->> ''act''' end,
    case when p ? 'from' then 'date >= ($1 ->> ''from'')::date' end,
    case when p ? 'to' then 'date <= ($1 ->> ''to'')::date' end,
    case when p ? 'after' then '(recorded_at, journal_id, place) < (($1 #>> ''{after,at}'')::timestamptz, '
      '($1 #>> ''{after,id}'')::uuid, ($1 #>> ''{after,place}'')::smallint)' end);
  items jsonb;
begin
  execute format($sql$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'journalId', page.journal_id, 'place', place, 'act', act, 'account', account, 'amount', amount,
      'currency', page.currency, 'date', page.date, 'recordedAt', page.recorded_at, 'patientId', page.patient_id,
      'invoiceId', invoice_id, 'paymentId', payment_id, 'claimId', claim_id, 'payerId', payer_id,
      'serviceCode', service_code, 'userId', user_id))
      order by page.recorded_at desc, page.journal_id desc, place desc), '[]')
    from (select * from projection.postings as posted where %s
      order by recorded_at desc, journal_id desc, place desc limit ($1 ->> 'limit')::int) as page
    join projection.journal using (journal_id)
  $sql$, wanted) using p into items;
  return items;
end
$$;
