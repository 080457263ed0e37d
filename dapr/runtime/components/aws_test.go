package components

import (
	"testing"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/dapr/pkg/config"
	"github.com/dapr/kit/logger"
)

// What daprd does with the two files that a sidecar on AWS is given.
func TestOnAWSOnlyNameResolutionIsAnother(t *testing.T) {
	t.Setenv("PMS_DOMAIN", "production.pms.internal")
	t.Setenv("PMS_PORT_BASE", "7400")
	local, err := config.LoadStandaloneConfiguration("../../config/patient.yaml")
	if err != nil {
		t.Fatal(err)
	}
	aws, err := config.LoadStandaloneConfiguration("../../config/patient.yaml", "../../aws/name-resolution.yaml")
	if err != nil {
		t.Fatal(err)
	}

	found := aws.Spec.NameResolutionSpec
	log := logger.NewLogger("test")
	resolver, err := resolvers(log).Create(found.Component, found.Version, "")
	if err != nil {
		t.Fatal(err)
	}
	// It refuses settings that it does not know, such as ones left over from the file before.
	if err := resolver.Init(t.Context(), nameresolution.Metadata{Configuration: found.Configuration}); err != nil {
		t.Fatal(err)
	}
	if found.Component != "dns" || local.Spec.NameResolutionSpec.Component != "loopback" {
		t.Errorf("%s on AWS, %s locally", found.Component, local.Spec.NameResolutionSpec.Component)
	}
	here, there := local.Spec.AccessControlSpec, aws.Spec.AccessControlSpec
	if there == nil || there.DefaultAction != "deny" || len(there.AppPolicies) != len(here.AppPolicies) || len(here.AppPolicies) == 0 {
		t.Errorf("the access policies are %+v, locally %+v", there, here)
	}
	if !aws.GetMTLSSpec().Enabled || len(aws.Spec.Secrets.Scopes) != 1 {
		t.Errorf("mTLS %v, secrets %+v", aws.GetMTLSSpec().Enabled, aws.Spec.Secrets)
	}
}
