// Package discretion keeps what a caller searched for, and any token that was
// shown, out of the sidecar's spans.
//
// Dapr records the whole address of a call over HTTP in the span attribute
// `url.full`, and the query of a search names a person. It also records every
// header that begins with `dapr-`, and takes the API token out only when it was
// the right one. No setting changes that: `obfuscateURLs` is for logs. So spans
// pass through here on their way to Dapr's own tracer provider; addresses lose
// their query, also where a failure repeats them, and the token everything.
//
// It rests on a promise of OpenTelemetry's: tracers that were made before any
// provider was set, as Dapr's is, belong to the first that is set.
package discretion

import (
	"context"
	"regexp"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

const (
	address = attribute.Key("url.full")
	token   = attribute.Key("dapr-api-token")
)

var query = regexp.MustCompile(`\?[^"\s]*`)

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
		switch one.Key {
		case address:
			attributes[i] = address.String(query.ReplaceAllString(one.Value.AsString(), ""))
		case token:
			attributes[i] = token.String("")
		}
	}
	s.Span.SetAttributes(attributes...)
}

func (s discreet) SetStatus(code codes.Code, description string) {
	s.Span.SetStatus(code, query.ReplaceAllString(description, ""))
}
