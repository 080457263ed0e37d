// Package dns is a name resolver for sidecars whose apps have names in DNS:
// app id -> one address of <app id>.<domain>, and the port of the sidecar's
// internal server.
//
// Of a name with several addresses each is answered in turn, so that calls are
// spread over an app's instances one by one. Dapr's own nameformat answers the
// name itself, and gRPC then asks for its addresses when it connects and not
// again while the connections hold: an instance that is added later is given
// no call for as long as none of the others goes away.
//
// Deliberately absent: probing. Who keeps the names takes out what has died.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/kit/logger"
)

// Name is how a Dapr Configuration asks for this resolver, in
// spec.nameResolution.component.
const Name = "dns"

// patience is how long a look-up may take. A caller waits for the first one of
// a name alone.
const patience = 2 * time.Second

// Resolver answers app ids with the addresses that DNS has for them.
type Resolver struct {
	log    logger.Logger
	lookup func(ctx context.Context, host string) ([]string, error)
	now    func() time.Time

	lock     sync.Mutex
	settings *settings
	names    map[string]*name
}

// name is what was last heard about an app.
type name struct {
	lock      sync.Mutex
	addresses []string
	turn      int
	heard     time.Time
	asking    bool
}

// New makes a resolver that knows no domain yet.
func New(log logger.Logger) nameresolution.Resolver {
	return &Resolver{log: log, lookup: net.DefaultResolver.LookupHost, now: time.Now, names: map[string]*name{}}
}

// Init reads the configuration.
func (r *Resolver) Init(_ context.Context, metadata nameresolution.Metadata) error {
	s, err := parse(metadata.Configuration)
	if err != nil {
		return fmt.Errorf("name resolution by %s: %w", Name, err)
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	r.settings, r.names = &s, map[string]*name{}
	return nil
}

// ResolveID answers the next address of the app.
//
// What was heard a while ago is answered still, and asked for again beside the
// call; when DNS is away, what was heard last goes on.
func (r *Resolver) ResolveID(ctx context.Context, request nameresolution.ResolveRequest) (string, error) {
	n, s, err := r.known(request.ID)
	if err != nil {
		return "", err
	}
	host := request.ID + "." + s.Domain
	n.lock.Lock()
	defer n.lock.Unlock()
	if len(n.addresses) == 0 {
		if err := r.ask(ctx, n, host); err != nil {
			return "", fmt.Errorf("name resolution by %s: %w", Name, err)
		}
	} else if !n.asking && r.now().Sub(n.heard) >= s.refresh {
		n.asking = true
		go r.askBeside(n, host)
	}
	address := n.addresses[n.turn%len(n.addresses)]
	n.turn++
	return net.JoinHostPort(address, strconv.Itoa(s.Port)), nil
}

// Close has nothing to end: a look-up under way ends by itself.
func (r *Resolver) Close() error { return nil }

func (r *Resolver) known(id string) (*name, settings, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.settings == nil {
		return nil, settings{}, errors.New("name resolution by " + Name + ": not configured; see the error at daprd's start")
	}
	if id == "" {
		return nil, settings{}, errors.New("name resolution by " + Name + ": no app id")
	}
	n, ok := r.names[id]
	if !ok {
		n = &name{}
		r.names[id] = n
	}
	return n, *r.settings, nil
}

// ask looks the name up; who calls holds its lock.
func (r *Resolver) ask(ctx context.Context, n *name, host string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addresses, err := r.lookup(ctx, host)
	if err == nil && len(addresses) == 0 {
		err = fmt.Errorf("%s has no address", host)
	}
	if err != nil {
		return err
	}
	n.take(addresses, r.now())
	return nil
}

func (r *Resolver) askBeside(n *name, host string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	addresses, err := r.lookup(ctx, host)
	n.lock.Lock()
	defer n.lock.Unlock()
	n.asking = false
	if err != nil || len(addresses) == 0 {
		// Asked again after the same pause, not by every call.
		n.heard = r.now()
		r.log.Warnf("no address of %s could be had, the last ones go on: %v", host, err)
		return
	}
	n.take(addresses, r.now())
}

// take keeps the addresses in an order that does not change with DNS's, so that
// each has its turn.
func (n *name) take(addresses []string, now time.Time) {
	addresses = slices.Clone(addresses)
	slices.Sort(addresses)
	n.addresses, n.heard = slices.Compact(addresses), now
}
