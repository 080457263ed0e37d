//! W3C trace context: what leaves carries the current span, what arrives continues its sender's.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::origin::Sender;

/// The header and CloudEvents attribute, <https://www.w3.org/TR/trace-context/>.
pub const TRACEPARENT: &str = "traceparent";

/// The current span as a `traceparent`; none outside a trace.
pub fn current() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8()))
}

/// Makes a span the child of the sender's.
pub fn continue_from(span: &Span, traceparent: Option<&str>) {
    if let Some(parent) = traceparent.and_then(parse) {
        // A span that is filtered out has no context to set.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    (version.len() == 2 && version != "ff" && context.is_valid()).then_some(context)
}

/// What every gRPC call to the sidecar carries.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(crate) token: MetadataValue<Ascii>,
    /// The app that the sidecar shall pass the call to; none for the sidecar itself.
    pub(crate) app: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Outgoing {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert("dapr-api-token", self.token.clone());
        if let Some(app) = &self.app {
            metadata.insert("dapr-app-id", app.clone());
            for (name, value) in Sender::current().iter().flat_map(Sender::metadata) {
                metadata.insert(name, value);
            }
        }
        if let Some(traceparent) = current().and_then(|parent| parent.parse().ok()) {
            metadata.insert(TRACEPARENT, traceparent);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_traceparent_is_continued() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        assert!(parse(&format!("00-{trace}-b7ad6b7169203331-01")).is_some());
        for bad in ["", "00", "00-x-b7ad6b7169203331-01", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(parse("00-00000000000000000000000000000000-b7ad6b7169203331-01").is_none());
    }
}
