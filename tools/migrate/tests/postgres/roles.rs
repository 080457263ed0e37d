//! What each role may do, and that it may do nothing else.

use anyhow::{Context, ensure};
use migrate::Service;
use sqlx::postgres::PgConnection;

use crate::cluster::{Cluster, execute, refusal};

const INSUFFICIENT_PRIVILEGE: &str = "42501";

pub(crate) async fn roles_sign_in_by_scram_and_have_no_powers(cluster: &'static Cluster) -> anyhow::Result<()> {
    let mut server = cluster.superuser("postgres").await?;
    for service in Service::ALL {
        let logins = [(service.owner(), false), (service.state_role(), true), (service.functions_role(), true)];
        for (role, signs_in) in logins {
            let (login, powerful, scram): (bool, bool, bool) = sqlx::query_as(
                "select rolcanlogin, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls or (rolinherit and rolcanlogin), \
                 coalesce(rolpassword like 'SCRAM-SHA-256$%', false) from pg_authid where rolname = $1",
            )
            .bind(&role)
            .fetch_one(&mut server)
            .await?;
            ensure!((login, powerful, scram) == (signs_in, false, signs_in), "{role}: {login} {powerful} {scram}");
            let member_of: i64 = sqlx::query_scalar(
                "select count(*) from pg_auth_members where member = (select oid from pg_roles where rolname = $1)",
            )
            .bind(&role)
            .fetch_one(&mut server)
            .await?;
            ensure!(member_of == 0, "{role} is a member of another role");
        }
        for mut connection in [cluster.state(service).await?, cluster.functions(service).await?] {
            let limits: (String, String) =
                sqlx::query_as("select current_setting('statement_timeout'), current_setting('lock_timeout')")
                    .fetch_one(&mut connection)
                    .await?;
            ensure!(limits == ("5s".to_owned(), "3s".to_owned()), "{limits:?}");
        }
    }
    Ok(())
}

pub(crate) async fn the_functions_role_may_execute_api_and_nothing_else(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    for service in Service::ALL {
        let mut connection = cluster.functions(service).await?;
        let pong: String =
            sqlx::query_scalar("select api.ping($1::jsonb)::text").bind("{}").fetch_one(&mut connection).await?;
        ensure!(pong == r#""pong""#, "{pong}");
        all_refused(
            &mut connection,
            &[
                "select * from document.outbox",
                "select * from document.inbox",
                "select * from document.history",
                "select * from document.dead_letters",
                "select * from state.state",
                "select * from state.dapr_metadata",
                "insert into state.state (key, value) values ('probe/1', '{}')",
                "select * from audit.waiting",
                "select * from audit.entries",
                "select * from audit.details",
                "select * from audit.checkpoints",
                "update audit.entries set outcome = 0",
                "delete from audit.entries",
                "truncate audit.entries",
                "update audit.head set position = 0",
                "delete from audit.waiting",
                "delete from audit.details",
                "update audit.checkpoints set checkpoint = '{}'",
                "alter table audit.entries disable trigger refuse_change",
                "select audit.add('[]', null, null, null)",
                "select projection.project('probe', '1', null, '{}')",
                "select document.project_dead_letter('1', '{}')",
                "select document.keep()",
                "select * from public._sqlx_migrations",
                "create function api.mine() returns int language sql as 'select 1'",
                "create table state.mine (id int)",
                "create table public.mine (id int)",
                "create temporary table mine (id int)",
                "create schema mine",
                "set role \"patient-service-owner\"",
            ],
        )
        .await?;

        // And of everything that will ever be added: functions of `api` yes, all else no.
        let wrong: Vec<String> = sqlx::query_scalar(
            "select routine.oid::regprocedure::text from pg_proc as routine \
             join pg_namespace as namespace on namespace.oid = routine.pronamespace \
             where nspname in ('api', 'audit', 'document', 'projection', 'state') \
               and has_function_privilege(routine.oid, 'execute') <> (nspname = 'api')",
        )
        .fetch_all(&mut connection)
        .await?;
        ensure!(wrong.is_empty(), "{service}: {wrong:?}");
        let unfixed: Vec<String> = sqlx::query_scalar(
            "select oid::regprocedure::text from pg_proc where pronamespace = 'api'::regnamespace and not \
             (prosecdef and coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false))",
        )
        .fetch_all(&mut connection)
        .await?;
        ensure!(unfixed.is_empty(), "{service}: not SECURITY DEFINER with a fixed search path: {unfixed:?}");
        let readable: Vec<String> = sqlx::query_scalar(
            "select relation.oid::regclass::text from pg_class as relation \
             join pg_namespace as namespace on namespace.oid = relation.relnamespace \
             where relkind in ('r', 'p', 'v', 'm', 'f') and nspname in ('api', 'audit', 'document', 'projection', 'state', 'public') \
               and has_table_privilege(relation.oid, 'select, insert, update, delete, truncate, references, trigger')",
        )
        .fetch_all(&mut connection)
        .await?;
        ensure!(readable.is_empty(), "{service}: {readable:?}");
    }
    Ok(())
}

pub(crate) async fn the_state_role_may_keep_documents_and_nothing_else(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let mut connection = cluster.state(Service::Billing).await?;
    let key = "dead-letter/of-the-state-role";
    let value = r#"{"version": 1, "data": {"topic": "t", "reason": "r", "receivedAt": "2026-11-01T00:00:00Z"}}"#;
    sqlx::query("insert into state.state (key, value) values ($1, $2)")
        .bind(key)
        .bind(value.as_bytes())
        .execute(&mut connection)
        .await?;
    let changed = sqlx::query("update state.state set value = $2 where key = $1")
        .bind(key)
        .bind(value.replace("1,", "2,").as_bytes())
        .execute(&mut connection)
        .await?;
    ensure!(changed.rows_affected() == 1, "nothing was changed");
    let kept: i64 = sqlx::query_scalar("select count(*) from state.state where key = $1")
        .bind(key)
        .fetch_one(&mut connection)
        .await?;
    ensure!(kept == 1, "the document cannot be read");

    // In one transaction: other tests compare this schema meanwhile.
    execute(&mut connection, "create table state.of_dapr (key text); drop table state.of_dapr")
        .await
        .context("daprd must be able to create")?;

    all_refused(
        &mut connection,
        &[
            "delete from state.state",
            "truncate state.state",
            "select * from document.outbox",
            "select * from document.inbox",
            "select * from document.history",
            "select * from document.dead_letters",
            "delete from document.outbox",
            "select * from audit.waiting",
            "insert into audit.waiting (entry_id, recorded, action, subtype, outcome) \
             values (gen_random_uuid(), now(), 'E', 'login', 0)",
            "delete from audit.waiting",
            "select * from audit.entries",
            "update audit.entries set outcome = 0",
            "delete from audit.entries",
            "delete from audit.details",
            "drop trigger refuse_change on audit.entries",
            "select api.audit_append('{\"entries\": []}')",
            "drop trigger keep on state.state",
            "alter table state.state disable trigger keep",
            "create trigger mine after insert on state.state for each row execute function document.keep()",
            "alter table state.state add column mine int",
            "create index on state.state (key)",
            "drop table state.state",
            "alter function document.keep() rename to kept",
            "create or replace function document.keep() returns trigger language plpgsql as 'begin return null; end'",
            "set session_replication_role = replica",
            "select api.ping('{}')",
            "select document.keep()",
            "select projection.project('probe', '1', null, '{}')",
            "create table api.mine (id int)",
            "create table document.mine (id int)",
            "create table projection.mine (id int)",
            "create table public.mine (id int)",
            "create temporary table mine (id int)",
            "create schema mine",
            "drop schema state",
            "set role \"billing-service-owner\"",
        ],
    )
    .await
}

pub(crate) async fn only_a_service_connects_to_its_database(cluster: &'static Cluster) -> anyhow::Result<()> {
    let mut server = cluster.superuser("postgres").await?;
    execute(&mut server, "create role stranger login password 'stranger'").await?;
    let mut logins = vec![("stranger".to_owned(), "stranger".to_owned(), None)];
    for service in Service::ALL {
        logins.push((service.state_role(), crate::cluster::state_password(service), Some(service)));
        logins.push((service.functions_role(), crate::cluster::functions_password(service), Some(service)));
    }
    // Analytics is left out as a caller: another test changes its password for a moment.
    for (role, password, own) in logins.iter().filter(|(_, _, own)| *own != Some(Service::Analytics)) {
        for service in Service::ALL {
            let connected = cluster.connect(role, password, &service.database()).await;
            if *own == Some(service) {
                connected.with_context(|| format!("{role} to {service}"))?;
            } else {
                let code = refusal(connected).with_context(|| format!("{role} to {service}"))?;
                ensure!(code == INSUFFICIENT_PRIVILEGE, "{role} to {service}: {code}");
            }
        }
    }
    Ok(())
}

async fn all_refused(connection: &mut PgConnection, statements: &[&str]) -> anyhow::Result<()> {
    for statement in statements {
        let code = refusal(execute(connection, *statement).await).with_context(|| (*statement).to_owned())?;
        ensure!(code == INSUFFICIENT_PRIVILEGE, "{statement}: {code}");
    }
    Ok(())
}
