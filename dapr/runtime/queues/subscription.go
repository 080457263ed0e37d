package queues

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dapr/components-contrib/pubsub"
	amqp "github.com/rabbitmq/amqp091-go"
)

// What the runtime takes when a subscription does not say.
const (
	defaultCount = 100
	defaultAwait = time.Second
)

// subscription is what an app reads of a topic: a queue of its own, which keeps
// what comes while the app is away.
type subscription struct {
	link    *link
	topic   string
	queue   string
	kind    string
	count   int
	await   time.Duration
	deliver pubsub.BulkHandler
}

func newSubscription(link *link, app string, request pubsub.SubscribeRequest, deliver pubsub.BulkHandler) *subscription {
	s := &subscription{
		link:    link,
		topic:   request.Topic,
		queue:   request.Metadata["queueName"],
		kind:    request.Metadata["queueType"],
		count:   request.BulkSubscribeConfig.MaxMessagesCount,
		await:   time.Duration(request.BulkSubscribeConfig.MaxAwaitDurationMs) * time.Millisecond,
		deliver: deliver,
	}
	if s.queue == "" {
		s.queue = app + "-" + s.topic
	}
	if s.kind == "" {
		s.kind = amqp.QueueTypeClassic
	}
	if s.count <= 0 {
		s.count = defaultCount
	}
	if s.await <= 0 {
		s.await = defaultAwait
	}
	return s
}

// consumer is a subscription on a channel of its own.
type consumer struct {
	*subscription
	channel    *amqp.Channel
	deliveries <-chan amqp.Delivery
}

// open begins to consume, of a queue that is made if it is not there.
func (s *subscription) open(ctx context.Context) (*consumer, error) {
	channel, err := s.link.channel(ctx)
	if err != nil {
		return nil, err
	}
	deliveries, err := s.consume(ctx, channel)
	if err != nil {
		return nil, errors.Join(err, channel.Close())
	}
	return &consumer{s, channel, deliveries}, nil
}

func (s *subscription) consume(ctx context.Context, channel *amqp.Channel) (<-chan amqp.Delivery, error) {
	if err := declareExchange(channel, s.topic); err != nil {
		return nil, err
	}
	if _, err := channel.QueueDeclare(s.queue, true, false, false, false, amqp.Table{amqp.QueueTypeArg: s.kind}); err != nil {
		return nil, err
	}
	if err := channel.QueueBind(s.queue, "", s.topic, false, nil); err != nil {
		return nil, err
	}
	// The next delivery is gathered while one is dealt with.
	if err := channel.Qos(2*s.count, 0, false); err != nil {
		return nil, err
	}
	return channel.ConsumeWithContext(ctx, s.queue, "", false, false, false, false, nil)
}

// run makes deliveries, one after another, until the context or the channel
// ends. What is not dealt with then is the queue's again.
func (c *consumer) run(ctx context.Context) error {
	stopped := make(chan error, 1)
	go func() { stopped <- c.deliverAll(ctx) }()
	var err error
	select {
	case err = <-stopped:
	case <-ctx.Done():
	}
	return errors.Join(err, c.channel.Close())
}

func (c *consumer) deliverAll(ctx context.Context) error {
	for {
		batch := next(ctx, c.deliveries, c.count, c.await)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(batch) == 0 {
			return amqp.ErrClosed
		}
		bulk := &pubsub.BulkMessage{Topic: c.topic, Metadata: map[string]string{}}
		for at, delivery := range batch {
			bulk.Entries = append(bulk.Entries, pubsub.BulkMessageEntry{
				EntryId: strconv.Itoa(at), Event: delivery.Body, ContentType: delivery.ContentType, Metadata: map[string]string{},
			})
		}
		responses, err := c.deliver(ctx, bulk)
		if err := settle(batch, responses, err); err != nil {
			return err
		}
	}
}

// next waits for a message, and for others a little longer; none is there when
// the channel or the context has ended.
func next(ctx context.Context, deliveries <-chan amqp.Delivery, count int, await time.Duration) []amqp.Delivery {
	var batch []amqp.Delivery
	var patience <-chan time.Time
	for len(batch) < count {
		select {
		case delivery, more := <-deliveries:
			if !more {
				return nil
			}
			batch = append(batch, delivery)
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

// settle tells the broker what came of each message: all is done when it went
// well, and otherwise what is said to be done.
func settle(batch []amqp.Delivery, responses []pubsub.BulkSubscribeResponseEntry, failure error) error {
	if failure == nil {
		return batch[len(batch)-1].Ack(true)
	}
	done := make(map[string]bool, len(responses))
	for _, response := range responses {
		done[response.EntryId] = response.Error == nil
	}
	for at, delivery := range batch {
		var err error
		if done[strconv.Itoa(at)] {
			err = delivery.Ack(false)
		} else {
			err = delivery.Nack(false, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
