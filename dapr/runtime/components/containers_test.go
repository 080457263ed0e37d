package components

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/components-contrib/nameresolution/nameformat"
	"github.com/dapr/dapr/pkg/config"
	"github.com/dapr/kit/logger"
)

// In containers a sidecar gets two files: its own, and dapr/containers.yaml. This
// reads them as daprd does, and asks Dapr's own resolver.
func TestContainersChangeTheNameResolutionAndNothingElse(t *testing.T) {
	own := filepath.Join("..", "..", "config", "billing.yaml")
	alone, err := config.LoadStandaloneConfiguration(own)
	if err != nil {
		t.Fatal(err)
	}
	both, err := config.LoadStandaloneConfiguration(own, filepath.Join("..", "..", "containers.yaml"))
	if err != nil {
		t.Fatal(err)
	}

	resolver := nameformat.NewResolver(logger.NewLogger("test"))
	metadata := nameresolution.Metadata{Configuration: both.Spec.NameResolutionSpec.Configuration}
	if err := resolver.Init(context.Background(), metadata); err != nil {
		t.Fatal(err)
	}
	address, err := resolver.ResolveID(context.Background(), nameresolution.ResolveRequest{ID: "patient"})
	if err != nil || address != "patient-pod:50002" {
		t.Errorf("patient is at %q, error %v", address, err)
	}
	if both.Spec.NameResolutionSpec.Component != "nameformat" {
		t.Errorf("the resolver is %q", both.Spec.NameResolutionSpec.Component)
	}

	// What keeps strangers out has to be what it was.
	if len(both.Spec.AccessControlSpec.AppPolicies) == 0 || both.Spec.AccessControlSpec.DefaultAction != "deny" {
		t.Error("the policies of the app's own file are gone")
	}
	alone.Spec.NameResolutionSpec, both.Spec.NameResolutionSpec = nil, nil
	alone.Name, both.Name = "", ""
	if got, want := both.String(), alone.String(); got != want {
		t.Errorf("dapr/containers.yaml changes more than the name resolution:\n%s\n%s", got, want)
	}
}
