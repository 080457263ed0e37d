package queues

import (
	"context"
	"errors"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// errUnconfirmed is what becomes of a message that the broker refuses, or that
// was under way when it went: the broker has it, or not.
var errUnconfirmed = errors.New("rabbitmq: the broker did not confirm the message")

// publisher is a channel on which messages are confirmed, made anew when it has
// broken.
type publisher struct {
	link *link

	lock     sync.Mutex
	channel  *amqp.Channel
	declared map[string]bool
}

// publish tells of each body what became of it.
func (p *publisher) publish(ctx context.Context, topic string, bodies [][]byte) []error {
	outcomes := make([]error, len(bodies))
	confirmations, err := p.send(ctx, topic, bodies)
	for at := range bodies {
		if at >= len(confirmations) {
			outcomes[at] = err
			continue
		}
		confirmed, waited := confirmations[at].WaitContext(ctx)
		switch {
		case waited != nil:
			outcomes[at] = waited
		case !confirmed:
			outcomes[at] = errUnconfirmed
		}
	}
	return outcomes
}

// send answers a confirmation for each body that went out, in their order.
func (p *publisher) send(ctx context.Context, topic string, bodies [][]byte) ([]*amqp.DeferredConfirmation, error) {
	channel, err := p.open(ctx, topic)
	if err != nil {
		return nil, err
	}
	confirmations := make([]*amqp.DeferredConfirmation, 0, len(bodies))
	for _, body := range bodies {
		message := amqp.Publishing{ContentType: "application/octet-stream", DeliveryMode: amqp.Persistent, Body: body}
		confirmation, err := channel.PublishWithDeferredConfirmWithContext(ctx, topic, "", false, false, message)
		if err != nil {
			return confirmations, err
		}
		confirmations = append(confirmations, confirmation)
	}
	return confirmations, nil
}

// open answers the channel, on which the topic is known to be there.
func (p *publisher) open(ctx context.Context, topic string) (*amqp.Channel, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.channel == nil || p.channel.IsClosed() {
		channel, err := p.link.channel(ctx)
		if err != nil {
			return nil, err
		}
		if err := channel.Confirm(false); err != nil {
			return nil, err
		}
		p.channel, p.declared = channel, map[string]bool{}
	}
	if !p.declared[topic] {
		if err := declareExchange(p.channel, topic); err != nil {
			return nil, err
		}
		p.declared[topic] = true
	}
	return p.channel, nil
}
