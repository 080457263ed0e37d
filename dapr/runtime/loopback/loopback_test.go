package loopback

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/kit/logger"
)

var quiet = logger.NewLogger("test")

// copyOf is an instance whose two health answers a test decides.
type copyOf struct {
	sidecar, app atomic.Int32
	asked        atomic.Int32
	server       *httptest.Server
	instance     *instance
}

func startCopy(t *testing.T, address string) *copyOf {
	t.Helper()
	c := &copyOf{}
	c.sidecar.Store(http.StatusNoContent)
	c.app.Store(http.StatusOK)
	mux := http.NewServeMux()
	answer := func(status *atomic.Int32) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			c.asked.Add(1)
			w.WriteHeader(int(status.Load()))
		}
	}
	mux.HandleFunc("GET /v1.0/healthz", answer(&c.sidecar))
	mux.HandleFunc("GET /readyz", answer(&c.app))
	c.server = httptest.NewServer(mux)
	t.Cleanup(c.server.Close)
	c.instance = &instance{
		address: address,
		probes:  []string{c.server.URL + "/v1.0/healthz", c.server.URL + "/readyz"},
	}
	return c
}

const testInterval = 5 * time.Millisecond

func resolverOf(t *testing.T, apps map[string]*app) *Resolver {
	t.Helper()
	return probingEvery(t, apps, testInterval)
}

func probingEvery(t *testing.T, apps map[string]*app, interval time.Duration) *Resolver {
	t.Helper()
	r := &Resolver{log: quiet}
	r.table.Store(newTable(apps, newProber(interval, quiet)))
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func resolve(t *testing.T, r nameresolution.Resolver, id string) string {
	t.Helper()
	address, err := r.ResolveID(context.Background(), nameresolution.ResolveRequest{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// round is what a number of calls reach, in no order and without repetition.
func round(t *testing.T, r nameresolution.Resolver, id string) []string {
	t.Helper()
	seen := map[string]bool{}
	var addresses []string
	for range 6 {
		if a := resolve(t, r, id); !seen[a] {
			seen[a] = true
			addresses = append(addresses, a)
		}
	}
	slices.Sort(addresses)
	return addresses
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestOnlyHealthyInstancesAreAnswered(t *testing.T) {
	const ok, bad = http.StatusOK, http.StatusServiceUnavailable
	for name, c := range map[string]struct {
		sidecars, apps [3]int32
		want           []string
	}{
		"all are well":                        {[3]int32{ok, ok, ok}, [3]int32{ok, ok, ok}, []string{"a", "b", "c"}},
		"a sidecar is not":                    {[3]int32{bad, ok, ok}, [3]int32{ok, ok, ok}, []string{"b", "c"}},
		"an application is not":               {[3]int32{ok, ok, ok}, [3]int32{ok, bad, ok}, []string{"a", "c"}},
		"one is left":                         {[3]int32{ok, bad, ok}, [3]int32{bad, ok, ok}, []string{"c"}},
		"none is well, so all are":            {[3]int32{bad, bad, bad}, [3]int32{ok, ok, ok}, []string{"a", "b", "c"}},
		"a redirection is not a healthy word": {[3]int32{http.StatusFound, ok, ok}, [3]int32{ok, ok, ok}, []string{"b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			copies := []*copyOf{startCopy(t, "a"), startCopy(t, "b"), startCopy(t, "c")}
			var instances []*instance
			for n, copied := range copies {
				copied.sidecar.Store(c.sidecars[n])
				copied.app.Store(c.apps[n])
				instances = append(instances, copied.instance)
			}
			r := resolverOf(t, map[string]*app{"patient": newApp(instances...)})
			resolve(t, r, "patient")
			// Twice, because the first request may be under way with an older answer.
			eventually(t, "every instance was asked", func() bool {
				return !slices.ContainsFunc(copies, func(c *copyOf) bool { return c.asked.Load() < 3 })
			})
			eventually(t, fmt.Sprintf("the round is %v", c.want), func() bool {
				return slices.Equal(round(t, r, "patient"), c.want)
			})
		})
	}
}

func TestAnInstanceLeavesAndReturns(t *testing.T) {
	a, b := startCopy(t, "a"), startCopy(t, "b")
	r := resolverOf(t, map[string]*app{"patient": newApp(a.instance, b.instance)})
	is := func(want ...string) func() bool {
		return func() bool { return slices.Equal(round(t, r, "patient"), want) }
	}
	eventually(t, "both", is("a", "b"))
	b.app.Store(http.StatusInternalServerError)
	eventually(t, "only a", is("a"))
	b.app.Store(http.StatusOK)
	eventually(t, "both again", is("a", "b"))
}

// only tells whether the answers are these and no others.
func only(t *testing.T, r *Resolver, want ...string) func() bool {
	return func() bool { return slices.Equal(round(t, r, "patient"), want) }
}

// held waits until nobody asks any more: each probe has been answered and each
// connection is held.
func held(t *testing.T, copies ...*copyOf) {
	t.Helper()
	eventually(t, "the connections are held", func() bool {
		return !slices.ContainsFunc(copies, func(c *copyOf) bool { return c.asked.Load() < 4 })
	})
	time.Sleep(20 * time.Millisecond)
}

func TestADeadInstanceIsLeftOutBeforeAnybodyAsksIt(t *testing.T) {
	a, b := startCopy(t, "a"), startCopy(t, "b")
	r := probingEvery(t, map[string]*app{"patient": newApp(a.instance, b.instance)}, time.Hour)
	resolve(t, r, "patient")
	held(t, a, b)
	if !only(t, r, "a", "b")() {
		t.Fatal("not both are answered")
	}
	// The dead answer nothing. This server closes its connections one after
	// another, and would still say that it is well on one that is left.
	b.app.Store(http.StatusServiceUnavailable)
	b.server.Listener.Close()
	b.server.CloseClientConnections()
	eventually(t, "only a", only(t, r, "a"))
}

func TestAConnectionThatIsClosedForIdlenessIsNoDeath(t *testing.T) {
	a, b := startCopy(t, "a"), startCopy(t, "b")
	r := probingEvery(t, map[string]*app{"patient": newApp(a.instance, b.instance)}, time.Hour)
	resolve(t, r, "patient")
	held(t, a, b)
	before := b.asked.Load()
	b.server.CloseClientConnections()
	eventually(t, "it is asked at once", func() bool { return b.asked.Load() >= before+2 })
	// Without having to settle, for which there will be no round within the hour.
	eventually(t, "both", only(t, r, "a", "b"))
}

func TestAnInstanceThatComesBackHasToSettle(t *testing.T) {
	a, b := startCopy(t, "a"), startCopy(t, "b")
	r := resolverOf(t, map[string]*app{"patient": newApp(a.instance, b.instance)})
	b.app.Store(http.StatusServiceUnavailable)
	eventually(t, "only a", only(t, r, "a"))
	began := time.Now()
	b.app.Store(http.StatusOK)
	eventually(t, "both again", only(t, r, "a", "b"))
	if took := time.Since(began); took < (settledAfter-2)*testInterval {
		t.Errorf("it was used again after %v", took)
	}
}

func TestOneThatReturnsIsBetterThanNone(t *testing.T) {
	instances := []*instance{{address: "a"}, {address: "b"}, {address: "c"}}
	instances[0].state.Store(away)
	instances[1].state.Store(returning)
	instances[2].state.Store(away)
	r := resolverOf(t, map[string]*app{"auth": newApp(instances...)})
	r.table.Load().apps["auth"].watch.Do(func() {})
	if got := round(t, r, "auth"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("answered %v", got)
	}
}

func TestCallsAreSharedEvenly(t *testing.T) {
	instances := make([]*instance, 3)
	for n := range instances {
		instances[n] = &instance{address: fmt.Sprint(n)}
	}
	a := newApp(instances...)
	counts := map[string]int{}
	for range 300 {
		counts[a.address()]++
	}
	instances[0].state.Store(away)
	a.refresh()
	for range 300 {
		counts[a.address()]++
	}
	if counts["0"] != 100 || counts["1"] != 250 || counts["2"] != 250 {
		t.Errorf("calls: %v", counts)
	}
}

func TestASoleInstanceIsNeverProbed(t *testing.T) {
	sick := startCopy(t, "a")
	sick.sidecar.Store(http.StatusInternalServerError)
	r := resolverOf(t, map[string]*app{"auth": newApp(sick.instance)})
	for range 3 {
		if got := resolve(t, r, "auth"); got != "a" {
			t.Fatalf("got %q", got)
		}
	}
	time.Sleep(50 * time.Millisecond)
	if asked := sick.asked.Load(); asked != 0 {
		t.Errorf("probed %d times", asked)
	}
}

func TestAHungInstanceIsLeftOut(t *testing.T) {
	well := startCopy(t, "a")
	release := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hung.Close)
	t.Cleanup(func() { close(release) })
	r := resolverOf(t, map[string]*app{
		"patient": newApp(well.instance, &instance{address: "b", probes: []string{hung.URL}}),
	})
	eventually(t, "only a", func() bool { return slices.Equal(round(t, r, "patient"), []string{"a"}) })
}

func TestResolveFromConfiguration(t *testing.T) {
	r := New(quiet)
	t.Cleanup(func() { _ = r.Close() })
	request := nameresolution.ResolveRequest{ID: "auth"}
	if _, err := r.ResolveID(context.Background(), request); err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("before Init: %v", err)
	}
	if err := r.Init(context.Background(), nameresolution.Metadata{}); err == nil {
		t.Error("Init accepted an empty configuration")
	}

	// Nothing listens on these ports: a sole instance is answered all the same,
	// and so are several of which none is healthy.
	err := r.Init(context.Background(), nameresolution.Metadata{Configuration: map[string]any{
		"portBase": "1", "instances": "2",
		"apps": map[string]any{"auth": []any{10}, "patient": []any{20, 70}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{
		"auth":    {"127.0.0.1:14"},
		"patient": {"127.0.0.1:24", "127.0.0.1:74"},
	} {
		eventually(t, fmt.Sprintf("%s: the round is %v", id, want), func() bool {
			return slices.Equal(round(t, r, id), want)
		})
	}
	request.ID = "nobody"
	if _, err := r.ResolveID(context.Background(), request); err == nil || !strings.Contains(err.Error(), `"nobody", there are: auth, patient`) {
		t.Errorf("unknown app: %v", err)
	}
}

func TestBlockPlaces(t *testing.T) {
	i := newInstance(7020)
	if i.address != "127.0.0.1:7023" ||
		!slices.Equal(i.probes, []string{"http://127.0.0.1:7021/v1.0/healthz", "http://127.0.0.1:7020/readyz"}) {
		t.Errorf("address %s, probes %v", i.address, i.probes)
	}
}

func TestCloseEndsTheProbing(t *testing.T) {
	a, b := startCopy(t, "a"), startCopy(t, "b")
	before := runtime.NumGoroutine()
	r := resolverOf(t, map[string]*app{"patient": newApp(a.instance, b.instance)})
	resolve(t, r, "patient")
	eventually(t, "probed", func() bool { return a.asked.Load() > 2 && b.asked.Load() > 2 })
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// A request that was under way may still reach the server.
	time.Sleep(50 * time.Millisecond)
	asked := a.asked.Load() + b.asked.Load()
	time.Sleep(50 * time.Millisecond)
	if now := a.asked.Load() + b.asked.Load(); now != asked {
		t.Errorf("%d probes after Close", now-asked)
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before+2 })
	resolve(t, r, "patient")
}

func TestManyCallersAtOnce(t *testing.T) {
	a, b := startCopy(t, "a"), startCopy(t, "b")
	r := resolverOf(t, map[string]*app{"patient": newApp(a.instance, b.instance)})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 2000 {
				if _, err := r.ResolveID(context.Background(), nameresolution.ResolveRequest{ID: "patient"}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range int32(20) {
		b.app.Store(http.StatusOK + n%2*300)
		time.Sleep(time.Millisecond)
	}
	_ = r.Close()
	callers.Wait()
}

func TestResolvingAllocatesNothing(t *testing.T) {
	r := resolverOf(t, map[string]*app{"patient": newApp(&instance{address: "a"}, &instance{address: "b"})})
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = r.ResolveID(ctx, nameresolution.ResolveRequest{ID: "patient"})
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkResolveID(b *testing.B) {
	r := &Resolver{log: quiet}
	r.table.Store(newTable(
		map[string]*app{"patient": newApp(&instance{address: "a"}, &instance{address: "b"})},
		newProber(time.Hour, quiet),
	))
	defer func() { _ = r.Close() }()
	ctx := context.Background()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = r.ResolveID(ctx, nameresolution.ResolveRequest{ID: "patient"})
		}
	})
}
