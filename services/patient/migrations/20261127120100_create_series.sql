-- What is asked for rather than booked: series, whose appointments have rows of their own, and the waiting list.
create function projection.project_request(kind text, id uuid, old_document jsonb, new_document jsonb) returns void
language plpgsql as $$
begin
  if kind = 'waitlist-entry' then
    perform projection.project_waitlist_entry(id, old_document, new_document);
  end if;
end
$$;
