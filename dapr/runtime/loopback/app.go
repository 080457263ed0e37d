package loopback

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

const host = "127.0.0.1"

// What the prober knows of an instance. The zero value makes one that nobody
// has asked yet healthy.
const (
	healthy int32 = iota
	// returning is one that was away and answers again, though not for long.
	returning
	away
)

// instance is one running copy of an application with its sidecar.
type instance struct {
	// address is where other sidecars reach this one.
	address string
	// probes are the URLs that all have to answer for the instance to count
	// as healthy.
	probes []string
	// state is written by the prober.
	state atomic.Int32
}

func newInstance(firstPort int) *instance {
	at := func(place int) string {
		return net.JoinHostPort(host, strconv.Itoa(firstPort+place))
	}
	return &instance{
		address: at(sidecarInternalPort),
		// Ready and not only alive: an instance that has just started has no
		// keys yet to verify its callers' tokens with.
		probes: []string{
			"http://" + at(sidecarHTTPPort) + "/v1.0/healthz",
			"http://" + at(appPort) + "/readyz",
		},
	}
}

// app is an application with its instances. Every call through the sidecar asks
// it for an address, so that path takes no lock and allocates nothing.
type app struct {
	instances []*instance
	turn      atomic.Uint64
	// live is what the turn goes round: the addresses of the instances that are
	// healthy, or when none is of those that are returning, or of all. It is
	// replaced, never changed.
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

// refresh takes what is known of the instances over into the addresses handed
// out. With none to prefer all are: to refuse would only hide the real error,
// and a probe may be wrong.
func (a *app) refresh() {
	for worst := healthy; ; worst++ {
		live := make([]string, 0, len(a.instances))
		for _, i := range a.instances {
			if i.state.Load() <= worst {
				live = append(live, i.address)
			}
		}
		if len(live) > 0 || worst == away {
			a.live.Store(&live)
			return
		}
	}
}
