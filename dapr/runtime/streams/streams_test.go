package streams

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dapr/components-contrib/pubsub"
)

// within fails the test when a worker does not come back.
func within(t *testing.T, limit time.Duration, answer <-chan error) error {
	t.Helper()
	select {
	case err := <-answer:
		return err
	case <-time.After(limit):
		t.Fatalf("a worker was not back after %v", limit)
		return nil
	}
}

// work hands a message over as a worker of the component does.
func work(ctx context.Context, arrivals chan<- *message, data string) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- handOver(ctx, arrivals, &pubsub.NewMessage{Data: []byte(data)}) }()
	return answer
}

func request(count, await int) pubsub.SubscribeRequest {
	return pubsub.SubscribeRequest{
		Topic:               "t",
		BulkSubscribeConfig: pubsub.BulkSubscribeConfig{MaxMessagesCount: count, MaxAwaitDurationMs: await},
	}
}

func TestMessagesComeTogether(t *testing.T) {
	arrivals, sizes := make(chan *message), make(chan int, 9)
	go gather(t.Context(), request(3, 50), arrivals, func(_ context.Context, bulk *pubsub.BulkMessage) ([]pubsub.BulkSubscribeResponseEntry, error) {
		sizes <- len(bulk.Entries)
		return nil, nil
	})
	for range 4 {
		defer func(answer <-chan error) {
			if err := within(t, time.Second, answer); err != nil {
				t.Error(err)
			}
		}(work(t.Context(), arrivals, "x"))
	}
	if first, second := <-sizes, <-sizes; first != 3 || second != 1 {
		t.Errorf("deliveries of %d and %d", first, second)
	}
}

func TestEveryWorkerIsBackWhenTheSubscriptionEnds(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	arrivals, delivering := make(chan *message), make(chan struct{})
	go gather(ctx, request(1, 1), arrivals, func(ctx context.Context, _ *pubsub.BulkMessage) ([]pubsub.BulkSubscribeResponseEntry, error) {
		close(delivering)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	delivered := work(ctx, arrivals, "under way")
	<-delivering
	waiting := work(ctx, arrivals, "not begun")
	end()
	for _, answer := range []<-chan error{delivered, waiting, work(ctx, arrivals, "late")} {
		if err := within(t, time.Second, answer); !errors.Is(err, context.Canceled) {
			t.Errorf("answered %v, and would be taken for done", err)
		}
	}
}

func TestAFailureIsToldWhenTheTimeIsOver(t *testing.T) {
	arrivals := make(chan *message)
	go gather(t.Context(), request(2, 20), arrivals, func(_ context.Context, bulk *pubsub.BulkMessage) ([]pubsub.BulkSubscribeResponseEntry, error) {
		var responses []pubsub.BulkSubscribeResponseEntry
		err := errors.New("some failed")
		for _, entry := range bulk.Entries {
			response := pubsub.BulkSubscribeResponseEntry{EntryId: entry.EntryId}
			if string(entry.Event) == "bad" {
				response.Error = err
			}
			responses = append(responses, response)
		}
		return responses, err
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	bad, good := work(ctx, arrivals, "bad"), work(ctx, arrivals, "good")
	if err := within(t, 200*time.Millisecond, good); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if err := within(t, time.Second, bad); err == nil || ctx.Err() == nil {
		t.Errorf("the bad one was answered %v while the component would have taken it for done", err)
	}
}

func TestADeliveryEndsWithItsMessages(t *testing.T) {
	arrivals := make(chan *message)
	var attempts atomic.Int32
	go gather(t.Context(), request(1, 1), arrivals, func(ctx context.Context, bulk *pubsub.BulkMessage) ([]pubsub.BulkSubscribeResponseEntry, error) {
		if attempts.Add(1) == 1 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := within(t, time.Second, work(ctx, arrivals, "never")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("answered %v", err)
	}
	if err := within(t, time.Second, work(t.Context(), arrivals, "next")); err != nil {
		t.Errorf("what came after it: %v", err)
	}
}

func TestWhatWasLetGoOfIsNotDelivered(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var delivered []string
	batch := []*message{
		{ctx: over, event: &pubsub.NewMessage{Data: []byte("old")}, outcome: make(chan error, 1)},
		{ctx: t.Context(), event: &pubsub.NewMessage{Data: []byte("new")}, outcome: make(chan error, 1)},
	}
	deliverAll(t.Context(), "t", batch, func(_ context.Context, bulk *pubsub.BulkMessage) ([]pubsub.BulkSubscribeResponseEntry, error) {
		for _, entry := range bulk.Entries {
			delivered = append(delivered, string(entry.Event))
		}
		return nil, nil
	})
	if got := strings.Join(delivered, " "); got != "new" {
		t.Errorf("delivered %q", got)
	}
}
