//! From the first entry to the last.

use std::collections::BTreeMap;

use anyhow::Context as _;
use audit::{
    chain::{self, BEGINNING},
    checkpoint::{Checkpoint, PublicKey},
};
use futures::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection};

use crate::{
    Finding, Report, checkpoints,
    rows::{ENTRIES, Row},
};

/// Verifies a service's chain against its hashes, its checkpoints, and those that were kept elsewhere (`since`).
pub async fn verify(
    connection: &mut PgConnection,
    service: &str,
    keys: &[PublicKey],
    since: &[Checkpoint],
) -> anyhow::Result<Report> {
    // One moment of a chain that grows.
    let mut moment = connection.begin_with("begin isolation level repeatable read, read only").await?;
    let (signed, findings) =
        checkpoints::of_database(&mut moment, service, keys, since).await.context("read the checkpoints")?;
    let mut walk = Walk { findings, ..Walk::new(&signed) };
    {
        let mut rows = sqlx::query_as::<_, Row>(ENTRIES).fetch(&mut *moment);
        while let Some(row) = rows.try_next().await.context("read the entries")? {
            walk.step(&row);
        }
    }
    walk.beyond_the_end();
    let (head, hash): (i64, Vec<u8>) = sqlx::query_as("select position, hash from audit.head")
        .fetch_one(&mut *moment)
        .await
        .context("read the head")?;
    if head > walk.last {
        walk.truncated(head);
    } else if head < walk.last || hash != walk.previous {
        walk.findings.push(Finding::Head(walk.last));
    }
    let stray: Vec<i64> = sqlx::query_scalar(
        "select position from audit.details \
         where not exists (select from audit.entries where entries.position = details.position) order by position",
    )
    .fetch_all(&mut *moment)
    .await?;
    walk.stray(stray);
    let waiting: i64 = sqlx::query_scalar("select count(*) from audit.waiting").fetch_one(&mut *moment).await?;
    moment.rollback().await?;

    let Walk { mut findings, entries, details, purged, .. } = walk;
    findings.sort_by_key(Finding::position);
    let checkpoint = signed.into_values().next_back().and_then(|mut same| same.pop());
    Ok(Report { service: service.to_owned(), entries, details, purged, waiting, checkpoint, findings })
}

/// How far one has come.
struct Walk<'a> {
    signed: &'a BTreeMap<i64, Vec<Checkpoint>>,
    findings: Vec<Finding>,
    /// The hash of the entry before; of none after a gap.
    previous: Vec<u8>,
    last: i64,
    /// The last checkpoint that holds.
    held: i64,
    gaps: Vec<(i64, i64)>,
    entries: u64,
    details: u64,
    purged: u64,
}

impl<'a> Walk<'a> {
    fn new(signed: &'a BTreeMap<i64, Vec<Checkpoint>>) -> Self {
        Self {
            signed,
            findings: Vec::new(),
            previous: BEGINNING.to_vec(),
            last: 0,
            held: 0,
            gaps: Vec::new(),
            entries: 0,
            details: 0,
            purged: 0,
        }
    }

    fn step(&mut self, Row { sealed, hash, details }: &Row) {
        let position = sealed.position;
        self.entries += 1;
        if position <= self.last {
            self.findings.push(Finding::Twice(position));
        } else if position > self.last + 1 {
            // What this one follows is not there, so its link cannot be tried.
            self.findings.push(Finding::Missing { from: self.last + 1, to: position - 1 });
            self.gaps.push((self.last + 1, position - 1));
        } else if sealed.hash(&self.previous)[..] != hash[..] {
            self.findings.push(Finding::Changed(position));
        }
        match (&sealed.details_digest, details) {
            (Some(digest), Some((salt, text))) => {
                self.details += 1;
                if chain::digest(*salt, text)[..] != digest[..] {
                    self.findings.push(Finding::Details(position));
                }
            }
            (Some(_), None) => self.purged += 1,
            (None, Some(_)) => self.findings.push(Finding::StrayDetails(position)),
            (None, None) => {}
        }
        for checkpoint in self.signed.get(&position).into_iter().flatten() {
            if checkpoint.hash == chain::hex(hash) {
                self.held = position;
            } else {
                self.findings.push(Finding::Rewritten { after: self.held, position });
            }
        }
        self.last = position;
        self.previous.clone_from(hash);
    }

    /// Checkpoints of entries that are not there.
    fn beyond_the_end(&mut self) {
        if let Some((&position, _)) = self.signed.last_key_value()
            && position > self.last
        {
            self.truncated(position);
        }
    }

    fn truncated(&mut self, to: i64) {
        self.findings.retain(|finding| !matches!(finding, Finding::Truncated { .. }));
        self.findings.push(Finding::Truncated { from: self.last + 1, to });
    }

    /// Details without their entry; those of a gap are no news.
    fn stray(&mut self, positions: Vec<i64>) {
        let (last, gaps) = (self.last, &self.gaps);
        let stray = positions
            .into_iter()
            .filter(|position| *position <= last && !gaps.iter().any(|(from, to)| (from..=to).contains(&position)));
        self.findings.extend(stray.map(Finding::StrayDetails));
    }
}
