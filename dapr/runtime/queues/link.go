package queues

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// A broker that does not answer is found out by two missed ones.
	heartbeat = 5 * time.Second
	// Nobody waits longer for a broker that may be away.
	dialTimeout = 3 * time.Second
	// Between one attempt to subscribe and the next.
	pause = time.Second
)

// address is where the broker is, from the settings that the component has for it.
func address(settings map[string]string) (string, error) {
	if whole := settings["connectionString"]; whole != "" {
		return whole, nil
	}
	if settings["hostname"] == "" {
		return "", errors.New("rabbitmq: neither connectionString nor hostname is set")
	}
	address := url.URL{Scheme: settings["protocol"], Host: settings["hostname"]}
	if address.Scheme == "" {
		address.Scheme = "amqp"
	}
	if user := settings["username"]; user != "" {
		address.User = url.UserPassword(user, settings["password"])
	}
	return address.String(), nil
}

// link is a connection that is made anew when it is needed and has broken.
type link struct {
	address string
	name    string

	lock       sync.Mutex
	connection *amqp.Connection
	closed     bool
}

func newLink(address, name string) *link {
	return &link{address: address, name: name}
}

// channel opens one of the caller's own.
func (l *link) channel(ctx context.Context) (*amqp.Channel, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.closed {
		return nil, errors.New("rabbitmq: the component is closed")
	}
	if l.connection == nil || l.connection.IsClosed() {
		connection, err := amqp.DialConfig(l.address, amqp.Config{
			Heartbeat:  heartbeat,
			Locale:     "en_US",
			Properties: amqp.Table{"connection_name": l.name},
			Dial: func(network, host string) (net.Conn, error) {
				dialer := net.Dialer{Timeout: dialTimeout}
				connection, err := dialer.DialContext(ctx, network, host)
				if err != nil {
					return nil, err
				}
				// Until the broker has let us in; the client takes it away then.
				return connection, connection.SetDeadline(time.Now().Add(dialTimeout))
			},
		})
		if err != nil {
			return nil, err
		}
		l.connection = connection
	}
	return l.connection.Channel()
}

// close has nothing to do where there never was a link.
func (l *link) close() error {
	if l == nil {
		return nil
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	l.closed = true
	if l.connection == nil || l.connection.IsClosed() {
		return nil
	}
	return l.connection.Close()
}
