-- What every service's database has, whatever the service.
-- Runs as the service's owner role, in a database of its own.

-- Dapr's state table; the sidecar's role may create in this schema and in no other.
create schema state;
-- Outbox, inbox, history and the trigger that keeps them.
create schema document;
-- Typed tables, one `project_<kind>` function per kind of document.
create schema projection;
-- The only functions that the sidecar's `functions` component may execute.
create schema api;

-- Functions are closed unless they are in `api`.
alter default privileges revoke execute on functions from public;

do $$
declare
  state_role text := replace(current_database(), '-db', '-state');
  functions_role text := replace(current_database(), '-db', '-functions');
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to %I, %I', current_database(), state_role, functions_role);
  -- daprd runs CREATE TABLE IF NOT EXISTS at every start, which PostgreSQL refuses without CREATE.
  execute format('grant usage, create on schema state to %I', state_role);
  execute format('grant usage on schema api to %I', functions_role);
  execute format('alter default privileges in schema api grant execute on functions to %I', functions_role);
end
$$;
