//! `analytics.v1.Figures`

use std::{collections::BTreeMap, mem, sync::Arc, time::Duration};

use access::{
    AccessTokens, Allowed, Caller, Role,
    matrix::{MatrixError, allowed_to},
};
use contracts::analytics::v1::{
    GetMetricRequest, GetMetricResponse, GetOverviewRequest, GetOverviewResponse, ListMetricsRequest,
    ListMetricsResponse, RebuildFiguresRequest, RebuildFiguresResponse, WatchOverviewRequest, WatchOverviewResponse,
    figures_server,
};
use jiff::Timestamp;
use problem::{Problem, input::Findings};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::{read, told};
use crate::{
    APP_ID,
    domain::metric::catalogue::METRICS,
    inbound::reconciliation::Reconciler,
    outbound::rollups::Filters,
    service::{Figures, live::Update, overview::Periods},
};

const METHODS: [&str; 5] = [
    "analytics.v1.Figures/ListMetrics",
    "analytics.v1.Figures/GetMetric",
    "analytics.v1.Figures/GetOverview",
    "analytics.v1.Figures/WatchOverview",
    "analytics.v1.Figures/RebuildFigures",
];
/// Who has signed out hears nothing any more after so long.
const LOOK: Duration = Duration::from_secs(2);
/// Something is said after so many looks, so that a watcher knows that it would hear of a change.
const HEARTBEAT: u32 = 5;
/// What a watcher that does not read is behind by before it is let go.
const BEHIND: usize = 4;

/// The service `analytics.v1.Figures`.
#[derive(Debug)]
pub(super) struct FiguresService {
    figures: Figures,
    reconciler: Reconciler,
    tokens: Arc<AccessTokens>,
    rules: BTreeMap<&'static str, &'static Allowed>,
}

impl FiguresService {
    /// The service on these figures; each method has its rule in the matrix of roles.
    pub(super) fn new(
        figures: Figures,
        reconciler: Reconciler,
        tokens: Arc<AccessTokens>,
    ) -> Result<Self, MatrixError> {
        let rules = METHODS.into_iter().map(|method| Ok((method, allowed_to(APP_ID, method)?)));
        Ok(Self { figures, reconciler, tokens, rules: rules.collect::<Result<_, MatrixError>>()? })
    }

    fn admit(&self, metadata: &MetadataMap, method: &'static str) -> Result<Caller, Problem> {
        let caller = Caller::of_metadata(&self.tokens, metadata)?;
        let rule = self.rules.get(method).ok_or_else(|| Problem::internal(format!("{method} has no rule")))?;
        rule.admit(&caller)?;
        Ok(caller)
    }
}

/// Analysts see no person, and so no figure that few stand behind.
pub(crate) fn sees_no_person(caller: &Caller) -> bool {
    caller.role == Role::Analyst
}

#[tonic::async_trait]
impl figures_server::Figures for FiguresService {
    async fn list_metrics(
        &self,
        request: Request<ListMetricsRequest>,
    ) -> Result<Response<ListMetricsResponse>, Status> {
        self.admit(request.metadata(), METHODS[0])?;
        Ok(Response::new(ListMetricsResponse { items: METRICS.iter().map(told::metric).collect() }))
    }

    async fn get_metric(&self, request: Request<GetMetricRequest>) -> Result<Response<GetMetricResponse>, Status> {
        let caller = self.admit(request.metadata(), METHODS[1])?;
        let now = Timestamp::now();
        let asked = read::asked(&self.figures, request.get_ref(), sees_no_person(&caller), now)?;
        let (series, taken_at) = self.figures.metric(&asked, now).await?;
        let (zone, range) = (self.figures.zone(), &asked.range);
        let starts: Vec<_> = range.starts().iter().map(|start| zone.write(*start)).collect();
        Ok(Response::new(GetMetricResponse {
            metric: Some(told::metric(asked.metric)),
            time_zone: zone.name().to_owned(),
            group: told::group(range.group()).into(),
            from: zone.write(range.start()),
            to: zone.write(range.end()),
            series: series.into_iter().map(|series| told::series(series, &starts)).collect(),
            as_of: taken_at.map(told::time),
        }))
    }

    async fn get_overview(
        &self,
        request: Request<GetOverviewRequest>,
    ) -> Result<Response<GetOverviewResponse>, Status> {
        let caller = self.admit(request.metadata(), METHODS[2])?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let period = read::period(asked.period.map(|_| asked.period()), &mut findings);
        let clinic_id = read::clinic(asked.clinic_id.as_deref(), &mut findings);
        let period = findings.into_result(period)?;
        let now = Timestamp::now();
        let periods = Periods::of(period, self.figures.zone(), now)?;
        let filters = Filters { clinic_id, ..Filters::default() };
        // Asked first: what changes afterwards is told once more by the stream.
        let progress = self.figures.progress().await.map_err(Problem::from)?;
        let suppress = sees_no_person(&caller);
        let items = Box::pin(self.figures.overview(&periods, &filters, suppress, now)).await?;
        let zone = self.figures.zone();
        Ok(Response::new(GetOverviewResponse {
            time_zone: zone.name().to_owned(),
            period: told::group(period).into(),
            from: zone.write(periods.current.start()),
            to: zone.write(periods.current.end()),
            items: items.iter().map(told::item).collect(),
            as_of: progress.taken_at.map(told::time),
            change: progress.change.to_string(),
        }))
    }

    async fn rebuild_figures(
        &self,
        request: Request<RebuildFiguresRequest>,
    ) -> Result<Response<RebuildFiguresResponse>, Status> {
        self.admit(request.metadata(), METHODS[4])?;
        self.reconciler.clone().rebuild().await?;
        Ok(Response::new(RebuildFiguresResponse {}))
    }

    type WatchOverviewStream = ReceiverStream<Result<WatchOverviewResponse, Status>>;

    async fn watch_overview(
        &self,
        request: Request<WatchOverviewRequest>,
    ) -> Result<Response<Self::WatchOverviewStream>, Status> {
        let caller = self.admit(request.metadata(), METHODS[3])?;
        let asked = request.into_inner();
        let known = asked.last_event_id.as_deref().map(str::parse::<i64>).transpose();
        let known = known.ok().filter(|known| known.is_none_or(|known| known >= 0));
        let known =
            known.ok_or_else(|| Problem::invalid_field("last_event_id", "is not the id of an event of this stream"))?;
        let (sender, receiver) = mpsc::channel(BEHIND);
        let (figures, tokens) = (self.figures.clone(), Arc::clone(&self.tokens));
        let watcher = Watcher { figures, tokens, caller, sender };
        // Subscribed before it is answered, so that nothing is missed in between.
        let news = watcher.figures.watch();
        let first = watcher.figures.since(known, Timestamp::now()).await?;
        tokio::spawn(watcher.tell(first, news));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// One who watches.
struct Watcher {
    figures: Figures,
    tokens: Arc<AccessTokens>,
    caller: Caller,
    sender: mpsc::Sender<Result<WatchOverviewResponse, Status>>,
}

impl Watcher {
    /// Tells everything that changes until the watcher goes, or their token ends: a browser comes back with another.
    async fn tell(self, first: Update, mut news: tokio::sync::broadcast::Receiver<Arc<Update>>) {
        let suppress = sees_no_person(&self.caller);
        let (mut change, mut taken_at) = (first.change, first.taken_at);
        if self.send(first, suppress).await.is_err() {
            return;
        }
        let end = time::sleep(self.caller.remaining(Timestamp::now()));
        tokio::pin!(end);
        let mut looks = time::interval(LOOK);
        let mut silent = 0;
        loop {
            let update = tokio::select! {
                () = self.sender.closed() => return,
                () = &mut end => return,
                heard = news.recv() => match heard {
                    // What the first answer had already.
                    Ok(update) if update.change <= change => continue,
                    Ok(update) => Update::clone(&update),
                    Err(RecvError::Lagged(_)) => match self.figures.since(Some(change), Timestamp::now()).await {
                        Ok(update) => update,
                        Err(problem) => return drop(self.sender.send(Err(problem.into())).await),
                    },
                    Err(RecvError::Closed) => return,
                },
                _ = looks.tick() => {
                    if self.tokens.has_ended(self.caller.session) {
                        return;
                    }
                    silent += 1;
                    if silent < HEARTBEAT {
                        continue;
                    }
                    Update { change, items: Vec::new(), suppressed: Vec::new(), restated: Vec::new(), taken_at }
                }
            };
            silent = 0;
            (change, taken_at) = (update.change, update.taken_at);
            if self.send(update, suppress).await.is_err() {
                return;
            }
        }
    }

    async fn send(&self, mut update: Update, suppress: bool) -> Result<(), ()> {
        if suppress {
            update.items = mem::take(&mut update.suppressed);
        }
        self.sender.send(Ok(told::update(&update, Timestamp::now()))).await.map_err(|_| ())
    }
}
