// Package discretion keeps what a caller searched for out of the sidecar's spans.
//
// Dapr records the whole address of a call over HTTP in the span attribute
// `url.full`, and the query of a search names a person. No setting leaves it
// out: `obfuscateURLs` is for logs. So spans pass through here on their way to
// Dapr's own tracer provider, and the address loses its query.
//
// It rests on a promise of OpenTelemetry's: tracers that were made before any
// provider was set, as Dapr's is, belong to the first that is set.
package discretion

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

const address = attribute.Key("url.full")

// Impose must be called before the runtime begins.
func Impose() {
	otel.SetTracerProvider(provider{})
}

// provider stands before whichever provider the runtime sets later.
type provider struct {
	embedded.TracerProvider
}

func (provider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return tracer{name: name, options: options}
}

type tracer struct {
	embedded.Tracer
	name    string
	options []trace.TracerOption
}

func (t tracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	behind := otel.GetTracerProvider()
	if _, none := behind.(provider); none {
		// The runtime sets one only when there is somebody to export to.
		behind = noop.NewTracerProvider()
	}
	ctx, span := behind.Tracer(t.name, t.options...).Start(ctx, name, options...)
	span = discreet{span}
	return trace.ContextWithSpan(ctx, span), span
}

type discreet struct {
	trace.Span
}

func (s discreet) SetAttributes(attributes ...attribute.KeyValue) {
	for i, one := range attributes {
		if one.Key == address {
			path, _, _ := strings.Cut(one.Value.AsString(), "?")
			attributes[i] = address.String(path)
		}
	}
	s.Span.SetAttributes(attributes...)
}
