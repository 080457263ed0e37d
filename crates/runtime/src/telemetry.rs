//! Logs, spans and metrics.
//!
//! Spans exist whether or not they are exported, since their ids join the logs of all services.

use std::fmt;

use opentelemetry::{
    Context, KeyValue, global,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    trace::{Sampler, SdkTracerProvider},
};
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::AppConfig;

/// Keeps the exporters until they have sent what they hold.
#[derive(Debug)]
pub struct Telemetry {
    spans: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
}

/// Starts logs, spans and, with a collector, their export and that of metrics.
pub fn start(app_id: &'static str, config: &AppConfig) -> anyhow::Result<Telemetry> {
    let resource = Resource::builder().with_attribute(KeyValue::new("service.name", app_id)).build();
    let mut spans = SdkTracerProvider::builder().with_resource(resource.clone());
    let mut metrics = None;
    if config.export {
        spans = spans.with_batch_exporter(SpanExporter::builder().with_tonic().build()?);
        let exporter = MetricExporter::builder().with_tonic().build()?;
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).with_resource(resource).build();
        global::set_meter_provider(provider.clone());
        metrics = Some(provider);
    } else {
        // Ids without recording, and sidecars that are told not to record either.
        spans = spans.with_sampler(Sampler::AlwaysOff);
    }
    let spans = spans.build();
    let filter = EnvFilter::try_new(&config.log_level)?;
    // Where in the code, on which thread and when at rest: nobody asked, and each costs something at every turn.
    let tracing = tracing_opentelemetry::layer()
        .with_tracer(spans.tracer(app_id))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing)
        .with(tracing_subscriber::fmt::layer().event_format(JsonLines { app_id }).fmt_fields(NotOfSpans))
        .try_init()?;
    Ok(Telemetry { spans, metrics })
}

impl Telemetry {
    /// Sends what is held; a collector that is away cannot hold up the end.
    pub fn stop(self) {
        if let Some(metrics) = self.metrics {
            let _ = metrics.shutdown();
        }
        let _ = self.spans.shutdown();
    }
}

/// One JSON object a line.
struct JsonLines {
    app_id: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line(Map::new());
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        line.0.insert("timestamp".to_owned(), time.into());
        line.0.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.0.insert("service".to_owned(), self.app_id.into());
        line.0.insert("target".to_owned(), event.metadata().target().into());
        let context = Context::current();
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            line.0.insert("trace_id".to_owned(), span.trace_id().to_string().into());
            line.0.insert("span_id".to_owned(), span.span_id().to_string().into());
        }
        if let Some(id) = sidecar::origin::current_request_id() {
            line.0.insert("request_id".to_owned(), id.as_str().into());
        }
        event.record(&mut line);
        writeln!(writer, "{}", Value::Object(line.0))
    }
}

/// No line shows the fields of its spans, so they are not made text.
struct NotOfSpans;

impl<'writer> FormatFields<'writer> for NotOfSpans {
    fn format_fields<R: RecordFields>(&self, _: Writer<'writer>, _: R) -> fmt::Result {
        Ok(())
    }
}

struct Line(Map<String, Value>);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
