package loopback

import (
	"context"
	"io"
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
	probeTimeout = 500 * time.Millisecond
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

func (p *prober) follow(i *instance, changed func()) {
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	for {
		down := !p.healthy(i)
		if p.ctx.Err() != nil {
			return
		}
		if i.down.Swap(down) != down {
			p.log.Infof("instance at %s: healthy %t", i.address, !down)
			changed()
		}
		select {
		case <-ticker.C:
		case <-p.ctx.Done():
			return
		}
	}
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
	// An unread body would cost the connection. The limit is against an
	// answer that never ends.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
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
