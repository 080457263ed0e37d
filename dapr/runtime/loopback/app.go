package loopback

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

const host = "127.0.0.1"

// instance is one running copy of an application with its sidecar.
type instance struct {
	// address is where other sidecars reach this one.
	address string
	// probes are the URLs that all have to answer for the instance to count
	// as healthy.
	probes []string
	// down is written by the prober. Its zero value makes an instance that
	// nobody has asked yet healthy.
	down atomic.Bool
}

func newInstance(firstPort int) *instance {
	at := func(place int) string {
		return net.JoinHostPort(host, strconv.Itoa(firstPort+place))
	}
	return &instance{
		address: at(sidecarInternalPort),
		probes: []string{
			"http://" + at(sidecarHTTPPort) + "/v1.0/healthz",
			"http://" + at(appPort) + "/livez",
		},
	}
}

// app is an application with its instances. Every call through the sidecar asks
// it for an address, so that path takes no lock and allocates nothing.
type app struct {
	instances []*instance
	turn      atomic.Uint64
	// live is what the turn goes round: the healthy instances' addresses, or
	// all of them when none is. It is replaced, never changed.
	live atomic.Pointer[[]string]
	// watch starts the probing on first use.
	watch sync.Once
}

func newApp(instances ...*instance) *app {
	a := &app{instances: instances}
	a.refresh()
	return a
}

// address answers the next instance's.
func (a *app) address() string {
	live := *a.live.Load()
	if len(live) == 1 {
		return live[0]
	}
	turn := a.turn.Add(1) - 1
	return live[turn%uint64(len(live))]
}

// refresh takes the instances' health over into the addresses handed out.
func (a *app) refresh() {
	live := make([]string, 0, len(a.instances))
	all := make([]string, 0, len(a.instances))
	for _, i := range a.instances {
		all = append(all, i.address)
		if !i.down.Load() {
			live = append(live, i.address)
		}
	}
	if len(live) == 0 {
		// To refuse would only hide the real error, and a probe may be wrong.
		live = all
	}
	a.live.Store(&live)
}
