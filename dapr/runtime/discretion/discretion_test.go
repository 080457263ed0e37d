package discretion

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Made before any provider is set, like Dapr's own.
var early = otel.Tracer("early")

func TestAddressesLoseTheirQueryAndTokensEverything(t *testing.T) {
	Impose()
	_, unheard := early.Start(context.Background(), "before there is a provider")
	unheard.SetAttributes(address.String("/a?b"))
	unheard.End()

	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(recorder)))
	ctx, parent := early.Start(context.Background(), "parent")
	_, child := early.Start(ctx, "child")
	child.SetAttributes(attribute.String("dapr.api", "GET /x"), address.String("/x?family=Okafor"), token.String("secret"))
	child.SetStatus(codes.Error, `Get "http://127.0.0.1:1/x?family=Okafor": connection refused`)
	child.End()
	parent.End()

	ended := recorder.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans were recorded", len(ended))
	}
	if ended[0].Parent().SpanID() != ended[1].SpanContext().SpanID() {
		t.Error("the child has lost its parent")
	}
	recorded := attribute.NewSet(ended[0].Attributes()...)
	if url, _ := recorded.Value(address); url.AsString() != "/x" {
		t.Errorf("url.full is %q", url.AsString())
	}
	if said := ended[0].Status().Description; said != `Get "http://127.0.0.1:1/x": connection refused` {
		t.Errorf("the status is %q", said)
	}
	if shown, _ := recorded.Value(token); shown.AsString() != "" {
		t.Errorf("the token is %q", shown.AsString())
	}
	if api, _ := recorded.Value("dapr.api"); api.AsString() != "GET /x" {
		t.Errorf("dapr.api is %q", api.AsString())
	}
}
