//! An OTLP collector inside the test: everything that services and sidecars export ends here.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::any_value,
    metrics::v1::ResourceMetrics,
    resource::v1::Resource,
    trace::v1::ResourceSpans,
};
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, service::Routes};

/// By which a span of daprd is told from one of the service beside it: both carry the app id as `service.name`.
const SIDECAR_SCOPE: &str = "dapr-diagnostics";

/// What has arrived so far; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Arrived>>);

#[derive(Default)]
struct Arrived {
    spans: Vec<ResourceSpans>,
    metrics: Vec<ResourceMetrics>,
}

/// A span, as far as a trial asks.
#[derive(Clone)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) by_sidecar: bool,
    pub(crate) name: String,
    pub(crate) id: Vec<u8>,
    pub(crate) parent: Vec<u8>,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.service, if self.by_sidecar { "'s sidecar" } else { "" }, self.name)
    }
}

impl Collector {
    /// Starts it; answers it with its port on loopback.
    pub(crate) async fn start() -> Result<(Self, u16)> {
        let collector = Self::default();
        let routes = Routes::new(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move { axum::serve(listener, routes.prepare().into_axum_router()).await });
        Ok((collector, port))
    }

    /// The spans of a trace.
    pub(crate) fn trace(&self, id: &str) -> Vec<Span> {
        let mut found = Vec::new();
        for resource in &self.arrived().spans {
            let service = service_name(resource.resource.as_ref());
            for scope in &resource.scope_spans {
                let by_sidecar = scope.scope.as_ref().is_some_and(|scope| scope.name == SIDECAR_SCOPE);
                found.extend(scope.spans.iter().filter(|span| hex(&span.trace_id) == id).map(|span| Span {
                    service: service.clone(),
                    by_sidecar,
                    name: span.name.clone(),
                    id: span.span_id.clone(),
                    parent: span.parent_span_id.clone(),
                }));
            }
        }
        found
    }

    /// Whether a service has sent a metric of this name.
    pub(crate) fn has_metric(&self, service: &str, name: &str) -> bool {
        let arrived = self.arrived();
        let mut of_service =
            arrived.metrics.iter().filter(|resource| service_name(resource.resource.as_ref()) == service);
        of_service.any(|resource| {
            resource.scope_metrics.iter().flat_map(|scope| &scope.metrics).any(|metric| metric.name == name)
        })
    }

    /// How many spans there are.
    pub(crate) fn spans(&self) -> usize {
        self.arrived().spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum()
    }

    /// Everything that holds one of these texts, whatever the case, shown whole.
    ///
    /// Protobuf leaves texts as they are, so none can hide in a field that nobody thought of.
    pub(crate) fn holding(&self, texts: &[String]) -> Vec<String> {
        let arrived = self.arrived();
        let mut found = Vec::new();
        for resource in &arrived.spans {
            for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                found.extend(
                    held(&span.encode_to_vec(), texts).map(|text| {
                        format!("{text} in a span of {}: {span:?}", service_name(resource.resource.as_ref()))
                    }),
                );
            }
            let attributes = resource.resource.as_ref().map(prost::Message::encode_to_vec).unwrap_or_default();
            found.extend(held(&attributes, texts).map(|text| format!("{text} in a resource")));
        }
        for resource in &arrived.metrics {
            let service = service_name(resource.resource.as_ref());
            found.extend(
                held(&resource.encode_to_vec(), texts)
                    .map(|text| format!("{text} in a metric of {service}: {resource:?}")),
            );
        }
        found
    }

    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of the texts, in lower case, that these bytes hold in any case.
pub(crate) fn held<'a>(bytes: &[u8], texts: &'a [String]) -> impl Iterator<Item = &'a String> {
    let bytes = bytes.to_ascii_lowercase();
    let lossy = String::from_utf8_lossy(&bytes).into_owned();
    texts.iter().filter(move |text| lossy.contains(text.as_str()))
}

fn service_name(resource: Option<&Resource>) -> String {
    let attribute = resource.and_then(|resource| resource.attributes.iter().find(|pair| pair.key == "service.name"));
    match attribute.and_then(|pair| pair.value.as_ref()?.value.as_ref()) {
        Some(any_value::Value::StringValue(name)) => name.clone(),
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.arrived().spans.extend(request.into_inner().resource_spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.arrived().metrics.extend(request.into_inner().resource_metrics);
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
