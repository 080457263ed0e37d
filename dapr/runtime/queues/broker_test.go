package queues

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/pubsub"
	"github.com/dapr/kit/logger"
)

const script = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// broker is a real one, which can be killed and started again.
type broker struct {
	t      *testing.T
	folder string
	port   string
	server *exec.Cmd
}

// newBroker skips the test where the server is not installed.
func newBroker(t *testing.T) *broker {
	t.Helper()
	if _, err := os.Stat(script); err != nil {
		t.Skip("RabbitMQ is not installed")
	}
	b := &broker{t: t, folder: t.TempDir(), port: freePort(t)}
	nodes, names := freePort(t), freePort(t)
	b.write(".erlang.cookie", "secret")
	b.write("rabbitmq.conf", "listeners.tcp.1 = 127.0.0.1:"+b.port+"\nlog.file = false\n")
	for name, value := range map[string]string{
		"HOME": b.folder, "RABBITMQ_NODENAME": "rabbit" + b.port + "@localhost", "RABBITMQ_CONF_ENV_FILE": "/dev/null",
		"RABBITMQ_CONFIG_FILE": filepath.Join(b.folder, "rabbitmq.conf"), "RABBITMQ_MNESIA_BASE": filepath.Join(b.folder, "data"),
		"RABBITMQ_LOG_BASE": filepath.Join(b.folder, "log"), "RABBITMQ_ENABLED_PLUGINS_FILE": filepath.Join(b.folder, "plugins"),
		"RABBITMQ_DIST_PORT": nodes, "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": names, "RUNNING_UNDER_SYSTEMD": "true",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
	} {
		t.Setenv(name, value)
	}
	b.start()
	t.Cleanup(func() {
		b.end(syscall.SIGKILL)
		_ = exec.Command("epmd", "-kill").Run()
	})
	return b
}

func (b *broker) write(name, text string) {
	if err := os.WriteFile(filepath.Join(b.folder, name), []byte(text), 0o400); err != nil {
		b.t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// start waits until the broker greets.
func (b *broker) start() {
	var said bytes.Buffer
	b.server = exec.Command(script)
	b.server.Stdout, b.server.Stderr = &said, &said
	b.server.WaitDelay = time.Second
	if err := b.server.Start(); err != nil {
		b.t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		connection, err := net.Dial("tcp", "127.0.0.1:"+b.port)
		if err != nil {
			continue
		}
		_ = connection.SetDeadline(time.Now().Add(time.Second))
		_, _ = connection.Write([]byte("AMQP\x00\x00\x09\x01"))
		answer := make([]byte, 1)
		_, err = connection.Read(answer)
		_ = connection.Close()
		if err == nil {
			return
		}
	}
	b.t.Fatalf("the broker does not greet: %s", said.String())
}

func (b *broker) end(how syscall.Signal) {
	_ = b.server.Process.Signal(how)
	_ = b.server.Wait()
}

// keepNames stops the broker as it wants to be stopped. One that is killed
// within minutes of a queue's declaration has forgotten whose its files are, and
// with them what it has confirmed (docs/brokers.md).
func (b *broker) keepNames() {
	b.end(syscall.SIGTERM)
	b.start()
}

func (b *broker) component(t *testing.T) *queues {
	t.Helper()
	q := New(logger.NewLogger("test")).(*queues)
	settings := map[string]string{
		"hostname": "127.0.0.1:" + b.port, "username": "guest", "password": "guest", "consumerID": "billing",
		"durable": "true", "deletedWhenUnused": "false", "publisherConfirm": "true",
	}
	if err := q.Init(t.Context(), pubsub.Metadata{Base: metadata.Base{Properties: settings}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

func subscribe(ctx context.Context, t *testing.T, q *queues, deliver func(body string) error) {
	t.Helper()
	request := pubsub.SubscribeRequest{
		Topic: "a.made", Metadata: map[string]string{"queueType": "quorum"},
		BulkSubscribeConfig: pubsub.BulkSubscribeConfig{MaxMessagesCount: 50, MaxAwaitDurationMs: 20},
	}
	err := q.BulkSubscribe(ctx, request, func(_ context.Context, bulk *pubsub.BulkMessage) ([]pubsub.BulkSubscribeResponseEntry, error) {
		for _, entry := range bulk.Entries {
			if err := deliver(string(entry.Event)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

// Publishers go on while the broker is killed again and again: whatever was
// told to be published is read, from a broker that was killed.
func TestWhatIsConfirmedSurvivesAKill(t *testing.T) {
	b := newBroker(t)
	q := b.component(t)
	var read sync.Map
	subscribe(t.Context(), t, q, func(body string) error {
		read.Store(body, true)
		return nil
	})
	b.keepNames()
	var confirmed sync.Map
	var count, failed atomic.Int64
	publishing, stop := context.WithCancel(t.Context())
	var publishers sync.WaitGroup
	for publisher := range 8 {
		publishers.Go(func() {
			for n := 0; publishing.Err() == nil; n++ {
				var entries []pubsub.BulkMessageEntry
				for at := range 5 {
					body := fmt.Sprintf("%d %d %d", publisher, n, at)
					entries = append(entries, pubsub.BulkMessageEntry{EntryId: strconv.Itoa(at), Event: []byte(body)})
				}
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				response, err := q.BulkPublish(ctx, &pubsub.BulkPublishRequest{Topic: "a.made", Entries: entries})
				cancel()
				refused := map[string]bool{}
				for _, entry := range response.FailedEntries {
					refused[entry.EntryId] = true
				}
				for _, entry := range entries {
					if refused[entry.EntryId] {
						failed.Add(1)
					} else {
						confirmed.Store(string(entry.Event), true)
						count.Add(1)
					}
				}
				if err != nil {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	for range 3 {
		before := count.Load()
		eventually(t, "messages are confirmed", func() bool { return count.Load() > before+500 })
		b.end(syscall.SIGKILL)
		b.start()
	}
	stop()
	publishers.Wait()
	if failed.Load() == 0 {
		t.Error("no publication was under way when the broker was killed")
	}
	eventually(t, "every confirmed message is read", func() bool {
		missing := 0
		confirmed.Range(func(body, _ any) bool {
			if _, ok := read.Load(body); !ok {
				missing++
			}
			return true
		})
		return missing == 0
	})
	t.Logf("%d confirmed, %d not", count.Load(), failed.Load())
}

// The app is away while messages are in its hands: they are delivered to the
// subscription that comes after.
func TestASubscriptionThatEndsGivesBackWhatItHeld(t *testing.T) {
	q := newBroker(t).component(t)
	first, end := context.WithCancel(t.Context())
	held := make(chan string, 100)
	subscribe(first, t, q, func(body string) error {
		held <- body
		<-first.Done()
		return first.Err()
	})
	var entries []pubsub.BulkMessageEntry
	for at := range 80 {
		entries = append(entries, pubsub.BulkMessageEntry{EntryId: strconv.Itoa(at), Event: []byte(strconv.Itoa(at))})
	}
	if _, err := q.BulkPublish(t.Context(), &pubsub.BulkPublishRequest{Topic: "a.made", Entries: entries}); err != nil {
		t.Fatal(err)
	}
	<-held
	end()
	var read sync.Map
	subscribe(t.Context(), t, q, func(body string) error {
		read.Store(body, true)
		return nil
	})
	eventually(t, "all 80 are delivered again", func() bool {
		count := 0
		read.Range(func(any, any) bool { count++; return true })
		return count == 80
	})
}

// The app comes while the broker is away, and is given what comes after.
func TestASubscriptionWaitsForTheBroker(t *testing.T) {
	b := newBroker(t)
	q := b.component(t)
	b.end(syscall.SIGTERM)
	read := make(chan string, 1)
	subscribe(t.Context(), t, q, func(body string) error {
		read <- body
		return nil
	})
	b.start()
	eventually(t, "a message is delivered", func() bool {
		if err := q.Publish(t.Context(), &pubsub.PublishRequest{Topic: "a.made", Data: []byte("x")}); err != nil {
			return false
		}
		select {
		case body := <-read:
			return body == "x"
		case <-time.After(200 * time.Millisecond):
			return false
		}
	})
}
