// Package queues is Dapr's component for RabbitMQ with bulk deliveries and a
// publication that tells the truth.
//
// The component itself has three faults that this one does not have:
//
//   - A message that the broker does not confirm counts as published. A broker
//     that is killed leaves each publication that is under way so.
//   - A publication whose time is over while the component waits to connect
//     again counts as done, too.
//   - A subscription that ends, as it does whenever the app is not healthy,
//     leaves what it had fetched and not handed over unacknowledged on a channel
//     that stays open, so that nobody else is given it.
//
// It also publishes one message at a time, each of which waits for the disk, and
// knows no bulk delivery. Here messages of one call are confirmed together, and
// each subscription has a channel of its own, whose end gives back to the queue
// what was not dealt with.
//
// What is read of the component's settings is where the broker is. Exchanges and
// queues are called as the component calls them and are durable, so that a stock
// daprd finds them.
package queues

import (
	"context"
	"errors"
	"time"

	"github.com/dapr/components-contrib/pubsub"
	"github.com/dapr/components-contrib/pubsub/rabbitmq"
	"github.com/dapr/kit/logger"
	amqp "github.com/rabbitmq/amqp091-go"
)

// queues is the component; what is no bulk subscription is left to it.
type queues struct {
	pubsub.PubSub
	log logger.Logger
	app string
	// Apart, so that a broker that holds back who publishes too much does not hold back who consumes.
	publisher publisher
	consuming *link
}

// New answers the component, to be registered in the place of Dapr's own.
func New(log logger.Logger) pubsub.PubSub {
	return &queues{PubSub: rabbitmq.NewRabbitMQ(log), log: log}
}

// Init fails where the broker is away, as the component does: the runtime ends,
// and is started again.
func (q *queues) Init(ctx context.Context, metadata pubsub.Metadata) error {
	address, err := address(metadata.Properties)
	if err != nil {
		return err
	}
	q.app = metadata.Properties["consumerID"]
	q.publisher.link, q.consuming = newLink(address, q.app), newLink(address, q.app)
	return q.PubSub.Init(ctx, metadata)
}

// Close ends the connections, and with them the subscriptions.
func (q *queues) Close() error {
	return errors.Join(q.publisher.link.close(), q.consuming.close(), q.PubSub.Close())
}

// Publish is done when the broker has confirmed that it keeps the message.
func (q *queues) Publish(ctx context.Context, request *pubsub.PublishRequest) error {
	return q.publisher.publish(ctx, request.Topic, [][]byte{request.Data})[0]
}

// BulkPublish names those messages that the broker may not have.
func (q *queues) BulkPublish(ctx context.Context, request *pubsub.BulkPublishRequest) (pubsub.BulkPublishResponse, error) {
	bodies := make([][]byte, len(request.Entries))
	for at, entry := range request.Entries {
		bodies[at] = entry.Event
	}
	var failed []pubsub.BulkPublishResponseFailedEntry
	var all []error
	for at, err := range q.publisher.publish(ctx, request.Topic, bodies) {
		if err != nil {
			failed = append(failed, pubsub.BulkPublishResponseFailedEntry{EntryId: request.Entries[at].EntryId, Error: err})
			all = append(all, err)
		}
	}
	return pubsub.BulkPublishResponse{FailedEntries: failed}, errors.Join(all...)
}

// BulkSubscribe hands over what comes, many at once, until the context ends. A
// broker that is away is no error: the runtime would not ask again.
func (q *queues) BulkSubscribe(ctx context.Context, request pubsub.SubscribeRequest, deliver pubsub.BulkHandler) error {
	subscription := newSubscription(q.consuming, q.app, request, deliver)
	consumer, err := subscription.open(ctx)
	go func() {
		for {
			if err == nil {
				err = consumer.run(ctx)
			}
			if ctx.Err() != nil {
				return
			}
			q.log.Warnf("rabbitmq: the subscription of %s begins again: %v", request.Topic, err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			consumer, err = subscription.open(ctx)
		}
	}()
	return nil
}

// declareExchange makes sure that a topic is there.
func declareExchange(channel *amqp.Channel, topic string) error {
	return channel.ExchangeDeclare(topic, amqp.ExchangeFanout, true, false, false, false, nil)
}
