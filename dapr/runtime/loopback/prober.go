package loopback

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dapr/kit/logger"
)

const (
	probeInterval = 250 * time.Millisecond
	// probeTimeout bounds one round over an instance. A stopped process refuses
	// at once; only a hung one costs this much, and a busy machine must not
	// look like one.
	probeTimeout = time.Second
	// settledAfter is how many rounds in a row an instance that was away has to
	// answer before it is used again. Its sidecar looks at the application once
	// a second, and refuses calls until it has seen that it is back.
	settledAfter = 6
	// largestAnswer is against an answer that never ends.
	largestAnswer = 64 << 10
)

// prober asks instances how they are until it is closed.
type prober struct {
	log      logger.Logger
	interval time.Duration
	client   *http.Client
	ctx      context.Context
	cancel   context.CancelFunc

	// mu orders watch against close, so that no probing starts behind the
	// back of a wait.
	mu      sync.Mutex
	running sync.WaitGroup
}

func newProber(interval time.Duration, log logger.Logger) *prober {
	ctx, cancel := context.WithCancel(context.Background())
	return &prober{
		log:      log,
		interval: interval,
		client: &http.Client{
			// The environment's proxy is not asked: nothing here leaves the
			// loopback interface.
			Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true},
			Timeout:   probeTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		ctx:    ctx,
		cancel: cancel,
	}
}

// watch begins to probe the app's instances, each on its own so that a hung one
// does not delay the news about the others.
func (p *prober) watch(a *app) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return
	}
	refresh := serialised(a.refresh)
	for _, i := range a.instances {
		p.running.Go(func() { p.follow(i, refresh) })
	}
}

// serialised makes concurrent calls of f happen one after the other. The last
// refresh to run has to be one that saw the last change.
func serialised(f func()) func() {
	var mu sync.Mutex
	return func() {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
}

// follow asks an instance again and again, and at once when a connection to it
// ends: a process that is killed closes its connections before anything else
// can be known of it.
func (p *prober) follow(i *instance, changed func()) {
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	lost := make(chan struct{}, len(i.probes))
	for _, url := range i.probes {
		p.running.Go(func() { p.hold(url, lost) })
	}
	set := func(state int32) {
		if i.state.Swap(state) != state {
			changed()
		}
	}
	known, rounds := healthy, 0
	for {
		well := p.healthy(i)
		if p.ctx.Err() != nil {
			return
		}
		before := known
		switch {
		case !well:
			known, rounds = away, 0
		case known == healthy:
		case rounds+1 < settledAfter:
			known, rounds = returning, rounds+1
		default:
			known = healthy
		}
		set(known)
		if known != before {
			p.log.Infof("instance at %s: %s", i.address, [...]string{"healthy", "returning", "away"}[known])
		}
		select {
		case <-ticker.C:
		case <-lost:
			// Nobody is sent there until it has answered. Servers close idle
			// connections, too: what is known stays as it was if it answers.
			set(away)
		case <-p.ctx.Done():
			return
		}
	}
}

// hold keeps a connection open on which nothing more is said, and tells when
// it ends.
func (p *prober) hold(url string, lost chan<- struct{}) {
	for p.ctx.Err() == nil {
		if p.holdOne(url) {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
		select {
		case <-time.After(p.interval):
		case <-p.ctx.Done():
		}
	}
}

// holdOne returns when the connection has ended, and whether there was one. It
// asks once, because a server gives a connection that has asked nothing yet
// some seconds only, and one that has been served as long as it likes.
func (p *prober) holdOne(url string) bool {
	ctx, cancel := context.WithTimeout(p.ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", request.URL.Host)
	if err != nil {
		return false
	}
	defer connection.Close()
	defer context.AfterFunc(p.ctx, func() { _ = connection.Close() })()
	if err := connection.SetDeadline(time.Now().Add(probeTimeout)); err != nil {
		return false
	}
	if err := request.Write(connection); err != nil {
		return false
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, largestAnswer))
	_ = response.Body.Close()
	if err := connection.SetDeadline(time.Time{}); err != nil {
		return false
	}
	_, _ = reader.Peek(1)
	return true
}

func (p *prober) healthy(i *instance) bool {
	ctx, cancel := context.WithTimeout(p.ctx, probeTimeout)
	defer cancel()
	for _, url := range i.probes {
		if !p.answers(ctx, url) {
			return false
		}
	}
	return true
}

func (p *prober) answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := p.client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	// An unread body would cost the connection.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, largestAnswer))
	return response.StatusCode/100 == 2
}

// close ends all probing and returns when it has ended.
func (p *prober) close() {
	p.mu.Lock()
	p.cancel()
	p.mu.Unlock()
	p.running.Wait()
	p.client.CloseIdleConnections()
}
