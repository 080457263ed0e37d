//! What has changed, as soon as it does: the figures of the present day, for whoever watches.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use problem::Problem;
use tokio::{
    sync::{Mutex, Notify, broadcast},
    time,
};

use super::{
    Figures,
    overview::{Found, Item, PARTS, Periods, beside, without_what_is_small},
};
use crate::{
    domain::{
        metric::{Measure, Metric, catalogue::METRICS},
        zone::Group,
    },
    outbound::rollups::{Filters, Progress},
};

/// What changes within it is told at once.
const PAUSE: Duration = Duration::from_millis(250);
/// What another instance has taken in is found out so soon.
const LOOK: Duration = Duration::from_secs(1);
/// How long figures of earlier periods are taken to be what they were.
const EARLIER: Duration = Duration::from_mins(1);
/// So many changes may wait for a watcher before it is told everything anew.
const BEHIND: usize = 16;

/// Who tells the watchers.
#[derive(Debug)]
pub struct Live {
    news: Notify,
    watchers: broadcast::Sender<Arc<Update>>,
    /// The earliest change that a watcher who has just come was told everything up to.
    begun: AtomicI64,
    /// Kept for whoever tells and whoever comes.
    earlier: Mutex<Option<Earlier>>,
}

/// Nobody has just come.
const NOBODY: i64 = i64::MAX;

impl Default for Live {
    fn default() -> Self {
        Self {
            news: Notify::new(),
            watchers: broadcast::Sender::new(BEHIND),
            begun: AtomicI64::new(NOBODY),
            earlier: Mutex::default(),
        }
    }
}

/// What is another now.
#[derive(Clone, Debug)]
pub struct Update {
    /// The change that it goes up to.
    pub change: i64,
    /// The figures of the day, of the metrics that have changed.
    pub items: Vec<Item>,
    /// The same for those who see no person.
    pub suppressed: Vec<Item>,
    /// Metrics of which days that were over have changed.
    pub restated: Vec<&'static str>,
    /// When something was taken in last.
    pub taken_at: Option<Timestamp>,
}

impl Live {
    /// Something was taken in.
    pub fn changed(&self) {
        self.news.notify_one();
    }
}

/// The figures of earlier periods, for the day that they are beside.
#[derive(Debug)]
struct Earlier {
    day: jiff::civil::Date,
    asked: time::Instant,
    period: Found,
    year: Found,
}

impl Figures {
    /// Hears of every change from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Update>> {
        self.live.watchers.subscribe()
    }

    /// All that has changed after a change; everything without one.
    pub async fn since(&self, change: Option<i64>, now: Timestamp) -> Result<Update, Problem> {
        // Asked first: what changes afterwards is told once more.
        let progress = self.rollups.progress(change).await?;
        self.live.begun.fetch_min(progress.change, Ordering::Relaxed);
        let items = self.today(now).await?;
        let known = change.filter(|change| *change <= progress.change);
        Ok(self.update(&progress, items, known.is_none(), now))
    }

    /// Tells the watchers, for as long as the process runs.
    pub async fn tell(self) {
        let mut told = None;
        loop {
            let _ = time::timeout(LOOK, self.live.news.notified()).await;
            if self.live.watchers.receiver_count() == 0 {
                // Whoever comes is told everything first.
                told = None;
                continue;
            }
            // What has changed since then has been told to nobody.
            let begun = self.live.begun.swap(NOBODY, Ordering::Relaxed);
            let Some(after) = told.or((begun != NOBODY).then_some(begun)) else { continue };
            match self.news(after).await {
                Ok((change, update)) => {
                    told = Some(change);
                    if let Some(update) = update {
                        drop(self.live.watchers.send(Arc::new(update)));
                    }
                }
                Err(problem) => {
                    told = Some(after);
                    tracing::warn!(%problem, "watchers are not told what has changed");
                }
            }
            time::sleep(PAUSE).await;
        }
    }

    async fn news(&self, told: i64) -> Result<(i64, Option<Update>), Problem> {
        let now = Timestamp::now();
        let progress = self.rollups.progress(Some(told)).await?;
        if told == progress.change {
            return Ok((progress.change, None));
        }
        let items = self.today(now).await?;
        Ok((progress.change, Some(self.update(&progress, items, false, now))))
    }

    fn update(&self, progress: &Progress, items: Vec<Item>, everything: bool, now: Timestamp) -> Update {
        let changed: BTreeSet<Measure> = progress.changed.iter().map(|(measure, _)| *measure).collect();
        let today = self.zone.label(Group::Day, self.zone.start(Group::Day, now));
        let old: BTreeSet<Measure> =
            progress.changed.iter().filter(|(_, first)| *first < today).map(|(measure, _)| *measure).collect();
        let touches = |metric: &Metric, measures: &BTreeSet<Measure>| {
            metric.measures().iter().any(|measure| measures.contains(measure))
        };
        let restated = METRICS.iter().filter(|metric| touches(metric, &old) && !everything).map(|metric| metric.name);
        let is_another = |item: &Item| everything || touches(item.metric, &changed);
        let mut suppressed = items.clone();
        without_what_is_small(&mut suppressed);
        // A part that is what it was may have to be hidden when the whole is another.
        let part_of_another = |item: &Item| changed.contains(&Measure::Encounters) && PARTS.contains(&item.metric.name);
        suppressed.retain(|item| is_another(item) || part_of_another(item));
        Update {
            change: progress.change,
            items: items.into_iter().filter(is_another).collect(),
            suppressed,
            restated: restated.collect(),
            taken_at: progress.taken_at,
        }
    }

    /// The overview of the day; the figures of earlier ones are asked for every now and then.
    async fn today(&self, now: Timestamp) -> Result<Vec<Item>, Problem> {
        let (periods, filters) = (Periods::of(Group::Day, &self.zone, now)?, Filters::default());
        let day = self.zone.day(now);
        let current = self.each(&periods.current, &filters, now).await?;
        let mut kept = self.live.earlier.lock().await;
        let earlier = match &mut *kept {
            Some(held) if held.day == day && held.asked.elapsed() < EARLIER => held,
            _ => {
                let period = self.each(&periods.previous_period, &filters, now).await?;
                let year = self.each(&periods.previous_year, &filters, now).await?;
                kept.insert(Earlier { day, asked: time::Instant::now(), period, year })
            }
        };
        Ok(beside(current, &earlier.period, &earlier.year))
    }
}
