//! Asking the service as its sidecar would.

use access::Role;
use contracts::analytics::v1::{GetMetricRequest, GetMetricResponse, figures_client::FiguresClient};
use testkit::{Parts, Result};
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

/// Calls the service as its sidecar would.
#[derive(Clone)]
pub(crate) struct AsSidecar {
    app_api_token: String,
    access_token: Option<String>,
}

impl Interceptor for AsSidecar {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        let value = |text: &str| text.parse().map_err(|_| Status::internal("no metadata value"));
        request.metadata_mut().insert("dapr-api-token", value(&self.app_api_token)?);
        if let Some(token) = &self.access_token {
            request.metadata_mut().insert("authorization", value(&format!("Bearer {token}"))?);
        }
        Ok(request)
    }
}

pub(crate) type Figures = FiguresClient<InterceptedService<Channel, AsSidecar>>;

/// Whoever has this token.
pub(crate) async fn with(parts: &Parts, access_token: Option<String>) -> Result<Figures> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let caller = AsSidecar { app_api_token: parts.app_api_token().to_owned(), access_token };
    Ok(FiguresClient::with_interceptor(channel, caller))
}

/// Somebody in a role.
pub(crate) async fn figures(parts: &Parts, role: Role) -> Result<Figures> {
    with(parts, Some(parts.token(role)?)).await
}

/// A metric as an administrator sees it: nothing is suppressed.
pub(crate) async fn metric(parts: &Parts, asked: GetMetricRequest) -> Result<GetMetricResponse> {
    Ok(figures(parts, Role::Admin).await?.get_metric(asked).await?.into_inner())
}

/// The request for a metric over days.
pub(crate) fn over(metric: &str, from: &str, to: &str) -> GetMetricRequest {
    GetMetricRequest {
        metric: metric.to_owned(),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        ..GetMetricRequest::default()
    }
}

/// The values of each group of the one series.
pub(crate) fn values(answer: &GetMetricResponse) -> Vec<Option<f64>> {
    let items = answer.series.iter().flat_map(|series| &series.items);
    items.map(|item| item.value).collect()
}
