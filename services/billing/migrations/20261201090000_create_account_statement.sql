-- What a statement of a patient's account has: {"patientId", "from", "to", "limit"}, both days included.
-- `opening` is how the account stood before the first day, by currency; `acts` what changed it since, in order and with
-- the signs of `Standing`; `open` the invoices of which something was open after the last day.
create function api.account_statement(p jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  patient uuid := (p ->> 'patientId')::uuid;
  first_day date := (p ->> 'from')::date;
  last_day date := (p ->> 'to')::date;
begin
  return jsonb_build_object(
    'opening', (
      select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'receivable', receivable, 'unapplied', unapplied)
        order by currency), '[]')
      from (
        select currency, coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as receivable,
          coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied
        from projection.postings
        where patient_id = patient and account in ('patient-receivable', 'unapplied') and date < first_day
        group by currency) as sums),
    'acts', (
      select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'act', act.act, 'date', moved.date, 'currency', moved.currency, 'receivable', receivable, 'unapplied', unapplied,
        'invoices', (
          select coalesce(jsonb_agg(number order by number), '[]') from projection.invoices
          where invoice_id = any (moved.invoices) and number is not null),
        'creditNote', case when act.act = 'invoice-credited' then (
          select note #>> '{number,text}'
          from jsonb_array_elements(document.stored('invoice', moved.invoices[1]) #> '{document,data,creditNotes}') as note
          where note ->> 'id' = moved.journal_id::text) end,
        'method', case when act.act like 'payment-%' then (
          select method from projection.payments where payment_id = moved.payment) end))
        order by moved.date, moved.recorded_at, moved.journal_id), '[]')
      from (
        select journal_id, date, recorded_at, currency,
          coalesce(sum(amount) filter (where account = 'patient-receivable'), 0) as receivable,
          coalesce(-sum(amount) filter (where account = 'unapplied'), 0) as unapplied,
          array_agg(distinct invoice_id) filter (where invoice_id is not null) as invoices,
          (array_agg(payment_id) filter (where payment_id is not null))[1] as payment
        from projection.postings
        where patient_id = patient and account in ('patient-receivable', 'unapplied')
          and date between first_day and last_day
        group by journal_id, date, recorded_at, currency
        order by date, recorded_at, journal_id limit (p ->> 'limit')::int) as moved
      join projection.journal as act using (journal_id)),
    'open', (
      select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', invoice_id, 'number', coalesce(held.number, ''),
        'issuedAt', held.issued_at, 'due', held.due, 'currency', sums.currency, 'open', sums.open))), '[]')
      from (
        select invoice_id, currency, sum(amount) as open
        from projection.postings
        where patient_id = patient and account = 'patient-receivable' and date <= last_day
        group by invoice_id, currency having sum(amount) <> 0) as sums
      join projection.invoices as held using (invoice_id)));
end
$$;
