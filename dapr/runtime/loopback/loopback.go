// Package loopback is a name resolver for Dapr applications that all run on one
// machine: app id -> 127.0.0.1:<port of the sidecar's internal server>.
//
// The ports come from the configuration, so that resolving costs a map look-up,
// needs no multicast, no file and no service, and names nothing but loopback.
// Of an application with several instances the healthy ones are answered in
// turn.
//
// Deliberately absent: the resolver's optional many-addresses call. Dapr keeps
// such an answer for 20 seconds and would go on sending calls to an instance
// that has stopped.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/kit/logger"
)

// Name is how a Dapr Configuration asks for this resolver, in
// spec.nameResolution.component.
const Name = "loopback"

// Resolver answers app ids from its configuration.
type Resolver struct {
	log      logger.Logger
	interval time.Duration
	// table is nil until Init succeeds. Dapr goes on after a failed Init and
	// still resolves.
	table atomic.Pointer[table]
}

// table is what Init makes of the configuration.
type table struct {
	apps   map[string]*app
	known  string
	prober *prober
}

// New makes a resolver that knows nobody yet.
func New(log logger.Logger) nameresolution.Resolver {
	return &Resolver{log: log, interval: probeInterval}
}

// Init reads the configuration.
func (r *Resolver) Init(_ context.Context, metadata nameresolution.Metadata) error {
	blocks, err := parse(metadata.Configuration)
	if err != nil {
		return fmt.Errorf("name resolution by %s: %w", Name, err)
	}
	apps := make(map[string]*app, len(blocks))
	for id, firstPorts := range blocks {
		instances := make([]*instance, 0, len(firstPorts))
		for _, first := range firstPorts {
			instances = append(instances, newInstance(first))
		}
		apps[id] = newApp(instances...)
	}
	if old := r.table.Swap(newTable(apps, newProber(r.interval, r.log))); old != nil {
		old.prober.close()
	}
	return nil
}

func newTable(apps map[string]*app, p *prober) *table {
	return &table{
		apps:   apps,
		known:  strings.Join(slices.Sorted(maps.Keys(apps)), ", "),
		prober: p,
	}
}

// ResolveID answers where the app's sidecar takes calls from other sidecars.
//
// A sole instance is answered whatever its health: the caller's connection
// error is the truth, and sooner. Several are probed from the first call on,
// because most sidecars never call most applications.
func (r *Resolver) ResolveID(_ context.Context, request nameresolution.ResolveRequest) (string, error) {
	t := r.table.Load()
	if t == nil {
		return "", errors.New("name resolution by " + Name + ": not configured; see the error at daprd's start")
	}
	a, ok := t.apps[request.ID]
	if !ok {
		return "", fmt.Errorf("name resolution by %s: no app %q, there are: %s", Name, request.ID, t.known)
	}
	if len(a.instances) > 1 {
		a.watch.Do(func() { t.prober.watch(a) })
	}
	return a.address(), nil
}

// Close ends the probing.
func (r *Resolver) Close() error {
	if t := r.table.Load(); t != nil {
		t.prober.close()
	}
	return nil
}
