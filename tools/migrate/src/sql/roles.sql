-- Makes the three roles of a service, or sets them right. The settings `prepare.*` tell which service and
-- which passwords, so that no password stands in a statement that the server may log.
do $$
declare
  service text := current_setting('prepare.service');
  owner text := service || '-service-owner';
  part text;
  login text;
begin
  perform set_config('password_encryption', 'scram-sha-256', true);

  if not exists (select from pg_roles where rolname = owner) then
    -- It inherits, for a database's owner has schema `public`, where extensions go, by membership alone.
    execute format('create role %I nologin nosuperuser nocreatedb nocreaterole inherit', owner);
  end if;

  foreach part in array array['state', 'functions'] loop
    login := format('%s-service-%s', service, part);
    if not exists (select from pg_roles where rolname = login) then
      execute format('create role %I login nosuperuser nocreatedb nocreaterole noinherit', login);
    end if;
    execute format('alter role %I login nocreatedb nocreaterole noinherit password %L',
      login, current_setting(format('prepare.%s_password', part)));
    -- A call that waits longer than this has been given up by the sidecar already.
    execute format('alter role %I set statement_timeout = %L', login, '5s');
    execute format('alter role %I set lock_timeout = %L', login, '3s');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', login, '10s');
  end loop;

  -- An administrator who is no superuser must be a member to give the database to its owner.
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant %I to %I', owner, current_user);
  end if;
end
$$;
