package dns

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/kit/logger"
)

// zone is a DNS of the test's.
type zone struct {
	lock  sync.Mutex
	hosts map[string][]string
	asked int
}

func (z *zone) lookup(_ context.Context, host string) ([]string, error) {
	z.lock.Lock()
	defer z.lock.Unlock()
	z.asked++
	addresses, ok := z.hosts[host]
	if !ok {
		return nil, errors.New("no such host")
	}
	return addresses, nil
}

func (z *zone) set(host string, addresses ...string) {
	z.lock.Lock()
	defer z.lock.Unlock()
	z.hosts[host] = addresses
	if addresses == nil {
		delete(z.hosts, host)
	}
}

func configured(t *testing.T, z *zone) *Resolver {
	t.Helper()
	r := New(logger.NewLogger("test")).(*Resolver)
	r.lookup = z.lookup
	configuration := map[any]any{"domain": "pms.internal", "port": 50002, "refresh": "5s"}
	if err := r.Init(t.Context(), nameresolution.Metadata{Configuration: configuration}); err != nil {
		t.Fatal(err)
	}
	return r
}

func ask(t *testing.T, r *Resolver, times int) []string {
	t.Helper()
	var answers []string
	for range times {
		answer, err := r.ResolveID(t.Context(), nameresolution.ResolveRequest{ID: "patient"})
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	return answers
}

func TestEachInstanceHasItsTurn(t *testing.T) {
	z := &zone{hosts: map[string][]string{"patient.pms.internal": {"10.0.0.2", "10.0.0.1"}}}
	got := ask(t, configured(t, z), 4)
	if want := []string{"10.0.0.1:50002", "10.0.0.2:50002", "10.0.0.1:50002", "10.0.0.2:50002"}; !slices.Equal(got, want) {
		t.Errorf("answered %v, want %v", got, want)
	}
	if z.asked != 1 {
		t.Errorf("DNS was asked %d times for four calls", z.asked)
	}
}

func TestAnInstanceThatComesAndGoesIsHeardOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{hosts: map[string][]string{"patient.pms.internal": {"10.0.0.1"}}}
		r := configured(t, z)
		ask(t, r, 1)
		z.set("patient.pms.internal", "10.0.0.1", "10.0.0.2")
		time.Sleep(5 * time.Second)
		ask(t, r, 1) // Answered from before, and asked for beside it.
		synctest.Wait()
		if got := ask(t, r, 2); !slices.Contains(got, "10.0.0.2:50002") {
			t.Errorf("the instance that came is not among %v", got)
		}
		z.set("patient.pms.internal", "10.0.0.2")
		time.Sleep(5 * time.Second)
		ask(t, r, 1)
		synctest.Wait()
		if got := ask(t, r, 3); slices.Contains(got, "10.0.0.1:50002") {
			t.Errorf("the instance that went is among %v", got)
		}
	})
}

func TestWithoutDNSTheLastAnswerGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{hosts: map[string][]string{"patient.pms.internal": {"10.0.0.1"}}}
		r := configured(t, z)
		ask(t, r, 1)
		z.set("patient.pms.internal")
		time.Sleep(5 * time.Second)
		ask(t, r, 1)
		synctest.Wait()
		if got := ask(t, r, 1); got[0] != "10.0.0.1:50002" {
			t.Errorf("answered %v", got)
		}
		if z.asked != 2 {
			t.Errorf("DNS, which was away, was asked %d times", z.asked)
		}
	})
}

func TestAnUnknownAppIsAnError(t *testing.T) {
	r := configured(t, &zone{hosts: map[string][]string{}})
	if answer, err := r.ResolveID(t.Context(), nameresolution.ResolveRequest{ID: "stranger"}); err == nil {
		t.Errorf("answered %q", answer)
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	for name, configuration := range map[string]any{
		"no domain":      map[string]any{"domain": "", "port": 50002},
		"no port":        map[string]any{"domain": "pms.internal"},
		"a wrong port":   map[string]any{"domain": "pms.internal", "port": 70000},
		"a short pause":  map[string]any{"domain": "pms.internal", "port": 50002, "refresh": "1ms"},
		"an unknown one": map[string]any{"domain": "pms.internal", "port": 50002, "format": "x"},
		"nothing":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := New(logger.NewLogger("test"))
			if err := r.Init(t.Context(), nameresolution.Metadata{Configuration: configuration}); err == nil {
				t.Error("accepted")
			}
		})
	}
}
