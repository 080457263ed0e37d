package queues

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/dapr/components-contrib/pubsub"
	amqp "github.com/rabbitmq/amqp091-go"
)

func TestTheAddressIsTheComponents(t *testing.T) {
	for _, one := range []struct {
		settings map[string]string
		wanted   string
	}{
		{map[string]string{"connectionString": "amqps://b/x", "hostname": "ignored"}, "amqps://b/x"},
		{map[string]string{"hostname": "b:5672"}, "amqp://b:5672"},
		{map[string]string{"hostname": "b:1", "protocol": "amqps", "username": "u", "password": "p@/"}, "amqps://u:p%40%2F@b:1"},
	} {
		if got, err := address(one.settings); err != nil || got != one.wanted {
			t.Errorf("%v: %q, %v", one.settings, got, err)
		}
	}
	if _, err := address(map[string]string{"username": "u"}); err == nil {
		t.Error("nowhere is an address")
	}
}

func TestAQueueIsCalledAsTheComponentCallsIt(t *testing.T) {
	request := pubsub.SubscribeRequest{Topic: "a.made", Metadata: map[string]string{"queueType": "quorum"}}
	s := newSubscription(nil, "billing", request, nil)
	if s.queue != "billing-a.made" || s.kind != "quorum" || s.count != defaultCount || s.await != defaultAwait {
		t.Errorf("%+v", s)
	}
	request.Metadata = map[string]string{"queueName": "own"}
	if s := newSubscription(nil, "billing", request, nil); s.queue != "own" || s.kind != "classic" {
		t.Errorf("%+v", s)
	}
}

func TestMessagesComeTogether(t *testing.T) {
	deliveries := make(chan amqp.Delivery, 9)
	for range 4 {
		deliveries <- amqp.Delivery{}
	}
	if first := next(t.Context(), deliveries, 3, time.Hour); len(first) != 3 {
		t.Errorf("%d at first", len(first))
	}
	begun := time.Now()
	if second := next(t.Context(), deliveries, 3, 50*time.Millisecond); len(second) != 1 || time.Since(begun) < 50*time.Millisecond {
		t.Errorf("%d at last, after %v", len(second), time.Since(begun))
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if none := next(ended, deliveries, 3, time.Hour); none != nil {
		t.Errorf("%v after the end", none)
	}
	close(deliveries)
	if none := next(t.Context(), deliveries, 3, time.Hour); none != nil {
		t.Errorf("%v of a channel that is closed", none)
	}
}

// told keeps what a broker is told.
type told struct{ acked, nacked []uint64 }

func (b *told) Ack(tag uint64, multiple bool) error {
	if multiple {
		tag += 100
	}
	b.acked = append(b.acked, tag)
	return nil
}

func (b *told) Nack(tag uint64, _ bool, requeue bool) error {
	if !requeue {
		return errors.New("a message is dropped")
	}
	b.nacked = append(b.nacked, tag)
	return nil
}

func (b *told) Reject(uint64, bool) error { return errors.New("a message is dropped") }

func TestWhatIsNotDoneIsTheQueuesAgain(t *testing.T) {
	for name, one := range map[string]struct {
		responses     []pubsub.BulkSubscribeResponseEntry
		failure       error
		acked, nacked []uint64
	}{
		"all":  {nil, nil, []uint64{103}, nil},
		"none": {nil, errors.New("x"), nil, []uint64{1, 2, 3}},
		"some": {
			[]pubsub.BulkSubscribeResponseEntry{{EntryId: "0"}, {EntryId: "2", Error: errors.New("x")}},
			errors.New("x"),
			[]uint64{1},
			[]uint64{2, 3},
		},
	} {
		broker := &told{}
		var batch []amqp.Delivery
		for tag := range uint64(3) {
			batch = append(batch, amqp.Delivery{Acknowledger: broker, DeliveryTag: tag + 1})
		}
		if err := settle(batch, one.responses, one.failure); err != nil {
			t.Error(err)
		}
		if !slices.Equal(broker.acked, one.acked) || !slices.Equal(broker.nacked, one.nacked) {
			t.Errorf("%s: %+v", name, broker)
		}
	}
}
