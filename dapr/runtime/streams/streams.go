// Package streams is Dapr's component for Redis streams with bulk deliveries
// that let go of their messages.
//
// The component itself knows no bulk delivery, so the runtime gathers one from
// the component's workers, each of which hands over one message and waits until
// it has been dealt with. The runtime's way of gathering has two faults that
// this one does not have:
//
//   - A subscription that ends, as it does whenever the app is not healthy,
//     forgets the messages that it has not delivered yet, and the workers that
//     handed them over wait for ever. They are shared by all subscriptions and
//     are never replaced, so a sidecar whose app was killed under load a few
//     times reads events and delivers none.
//   - What a delivery is worth to the component is known by the time alone that
//     the component gives a message (`processingTimeout`): a message that fails
//     before that time is over counts as done and is gone.
//
// Here a worker waits for its own message's time at most, and a failure is told
// to the component when that time is over, so that it keeps the message and
// gives it out again.
package streams

import (
	"context"
	"strconv"
	"time"

	"github.com/dapr/components-contrib/pubsub"
	"github.com/dapr/components-contrib/pubsub/redis"
	"github.com/dapr/kit/logger"
)

// What the runtime takes when a subscription does not say.
const (
	defaultCount = 100
	defaultAwait = time.Second
)

// streams is the component, and nothing of it but the bulk subscription is
// different.
type streams struct {
	pubsub.PubSub
}

// New answers the component, to be registered in the place of Dapr's own.
func New(log logger.Logger) pubsub.PubSub {
	return &streams{redis.NewRedisStreams(log)}
}

// message is one that a worker has handed over.
type message struct {
	// Over when the worker, and with it the component, has let go of it.
	ctx     context.Context
	event   *pubsub.NewMessage
	outcome chan error
}

// BulkSubscribe hands what the workers bring to deliver, many at once.
func (s *streams) BulkSubscribe(ctx context.Context, request pubsub.SubscribeRequest, deliver pubsub.BulkHandler) error {
	arrivals := make(chan *message)
	go gather(ctx, request, arrivals, deliver)
	return s.Subscribe(ctx, request, func(ctx context.Context, event *pubsub.NewMessage) error {
		return handOver(ctx, arrivals, event)
	})
}

// handOver is what a worker does with a message. It answers when the message
// has been dealt with, or when the worker must let go of it.
func handOver(ctx context.Context, arrivals chan<- *message, event *pubsub.NewMessage) error {
	own := &message{ctx: ctx, event: event, outcome: make(chan error, 1)}
	select {
	case arrivals <- own:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-own.outcome:
		if err != nil {
			// Told earlier, the component would take the message for done.
			<-ctx.Done()
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gather makes deliveries, one after another, until the subscription ends.
func gather(ctx context.Context, request pubsub.SubscribeRequest, arrivals <-chan *message, deliver pubsub.BulkHandler) {
	count, await := request.BulkSubscribeConfig.MaxMessagesCount, time.Duration(request.BulkSubscribeConfig.MaxAwaitDurationMs)*time.Millisecond
	if count <= 0 {
		count = defaultCount
	}
	if await <= 0 {
		await = defaultAwait
	}
	for {
		batch := next(ctx, arrivals, count, await)
		if ctx.Err() != nil {
			return
		}
		deliverAll(ctx, request.Topic, batch, deliver)
	}
}

// next waits for a message, and for others a little longer.
func next(ctx context.Context, arrivals <-chan *message, count int, await time.Duration) []*message {
	var batch []*message
	var patience <-chan time.Time
	for len(batch) < count {
		select {
		case arrival := <-arrivals:
			batch = append(batch, arrival)
			if patience == nil {
				timer := time.NewTimer(await)
				defer timer.Stop()
				patience = timer.C
			}
		case <-patience:
			return batch
		case <-ctx.Done():
			return nil
		}
	}
	return batch
}

// deliverAll tries until the last of the messages has to be let go of, and tells
// each worker what came of its own.
func deliverAll(ctx context.Context, topic string, batch []*message, deliver pubsub.BulkHandler) {
	bulk := &pubsub.BulkMessage{Topic: topic, Metadata: map[string]string{}}
	waiting := make(map[string]*message, len(batch))
	var last time.Time
	endless := false
	for at, own := range batch {
		if own.ctx.Err() != nil {
			// It comes again.
			continue
		}
		deadline, bounded := own.ctx.Deadline()
		endless = endless || !bounded
		if deadline.After(last) {
			last = deadline
		}
		entry := pubsub.BulkMessageEntry{EntryId: strconv.Itoa(at), Event: own.event.Data, Metadata: own.event.Metadata}
		if own.event.ContentType != nil {
			entry.ContentType = *own.event.ContentType
		}
		bulk.Entries = append(bulk.Entries, entry)
		waiting[entry.EntryId] = own
	}
	if len(waiting) == 0 {
		return
	}
	if !endless {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, last)
		defer cancel()
	}
	responses, err := deliver(ctx, bulk)
	if err != nil {
		for _, response := range responses {
			if own, ok := waiting[response.EntryId]; ok {
				own.outcome <- response.Error
				delete(waiting, response.EntryId)
			}
		}
	}
	// All of them when it went well, and otherwise those of which nothing is known.
	for _, own := range waiting {
		own.outcome <- err
	}
}
