//! A year of appointments, made by the database and taken by `api.ingest` as those that are told by events are.

use anyhow::{Result, ensure};
use local::App;
use serde::Serialize;
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use super::events::{CLINICS, PRACTITIONERS, SERVICES, nth};
use crate::{
    rig::Rig,
    tally::{micros, quotient},
};

/// So many are taken in one call while the year is loaded: nobody waits for it.
const TOGETHER: i64 = 20_000;
/// So many are taken in one call where that is measured: about what waits when deliveries are full, and one delivery.
const BATCHES: [i64; 2] = [2_048, 256];
/// How many calls are measured of each.
const CALLS: u32 = 12;

/// The appointments from the `first` on, `count` of them, `total` of which fill the year until yesterday: nine in ten kept, the
/// others missed or cancelled, booked up to sixty days before, with up to forty minutes of waiting.
const MADE: &str = "create or replace function pg_temp.made(first bigint, count bigint, total bigint, clinics uuid[],
    practitioners uuid[], services uuid[]) returns jsonb language sql as $$
  select jsonb_agg(jsonb_build_object('id', md5('loaded ' || n)::uuid, 'version', 1, 'time_zone', 'America/New_York',
    'clinic_id', clinics[1 + n % cardinality(clinics)], 'practitioner_id', practitioners[1 + n % cardinality(practitioners)],
    'service_id', services[1 + mixed % cardinality(services)],
    'status', case when n % 20 = 0 then 'noshow' when n % 20 = 1 then 'cancelled' else 'fulfilled' end,
    'created_at', start_at - lead, 'booked_at', start_at - lead, 'start_at', start_at,
    'end_at', start_at + interval '20 minutes',
    'arrived_at', case when n % 20 > 1 then start_at - mixed % 20 * interval '1 minute' end,
    'started_at', case when n % 20 > 1 then start_at + mixed / 20 % 20 * interval '1 minute' end,
    'finished_at', case when n % 20 > 1 then start_at + (20 + mixed / 400 % 20) * interval '1 minute' end,
    'cancelled_late', n % 40 = 1, 'reschedules', (n % 11 = 0)::int, 'waited', n % 13 = 0))
  from generate_series(first, first + count - 1) as n
  cross join lateral (select ('x' || left(md5('mixed ' || n), 8))::bit(32)::bigint as mixed) as numbers
  cross join lateral (select date_trunc('day', now()) - interval '365 days' + n * (interval '365 days' / total) as start_at,
    mixed / 8000 % 60 * interval '1 day' as lead) as times
$$";

/// `api.ingest` without anything around it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ingest {
    /// New appointments of one call.
    pub batch: i64,
    /// Appointments a second.
    pub per_second: f64,
}

/// Who makes them.
pub(super) struct History {
    connection: PgConnection,
    places: [Vec<Uuid>; 3],
    total: i64,
}

impl History {
    /// Makes `total` of them a year.
    pub(super) async fn open(rig: &Rig, total: u64) -> Result<Self> {
        let mut connection = rig.database(App::Analytics).await?;
        sqlx::raw_sql(MADE).execute(&mut connection).await?;
        let places = [("clinic", CLINICS), ("practitioner", PRACTITIONERS), ("service", SERVICES)]
            .map(|(kind, count)| (0..count).map(|n| nth(kind, n)).collect());
        Ok(Self { connection, places, total: i64::try_from(total)? })
    }

    /// Takes all of the year.
    pub(super) async fn load(&mut self) -> Result<()> {
        for first in (0..self.total).step_by(usize::try_from(TOGETHER)?) {
            let count = TOGETHER.min(self.total - first);
            let query =
                "select api.ingest(jsonb_build_object('appointments', pg_temp.made($1, $2, $3, $4, $5, $6)))::text";
            self.bound(query, first, count).await?;
        }
        for statement in ["vacuum (analyze)", "checkpoint"] {
            sqlx::raw_sql(statement).execute(&mut self.connection).await?;
        }
        let known: i64 =
            sqlx::query_scalar("select count(*) from fact.appointments").fetch_one(&mut self.connection).await?;
        ensure!(known == self.total, "{known} of {} appointments are there", self.total);
        Ok(())
    }

    async fn bound(&mut self, query: &'static str, first: i64, count: i64) -> Result<()> {
        let [clinics, practitioners, services] = &self.places;
        let query = sqlx::query(query).bind(first).bind(count).bind(self.total);
        query.bind(clinics).bind(practitioners).bind(services).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Takes appointments of all over the year, which nobody knew, in batches as the service makes them.
    pub(super) async fn ingest(&mut self) -> Result<Vec<Ingest>> {
        sqlx::raw_sql("create temp table if not exists batches (told jsonb not null)")
            .execute(&mut self.connection)
            .await?;
        let (mut measured, mut next) = (Vec::new(), self.total);
        for batch in BATCHES {
            let mut taken = std::time::Duration::ZERO;
            for _ in 0..CALLS {
                sqlx::raw_sql("truncate batches").execute(&mut self.connection).await?;
                let made = "insert into batches
                    select jsonb_build_object('appointments', pg_temp.made($1, $2, $3, $4, $5, $6))";
                self.bound(made, next, batch).await?;
                next += batch;
                let begun = Instant::now();
                sqlx::query("select api.ingest(told)::text from batches").execute(&mut self.connection).await?;
                taken += begun.elapsed();
            }
            let appointments = u64::try_from(batch)? * u64::from(CALLS);
            measured.push(Ingest { batch, per_second: quotient(appointments * 1_000_000, micros(taken)) });
        }
        Ok(measured)
    }
}
