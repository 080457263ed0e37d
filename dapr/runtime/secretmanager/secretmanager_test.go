package secretmanager

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/secretstores"
)

// account is the component as an AWS account would answer it.
type account struct {
	secretstores.SecretStore
	secrets    map[string]map[string]string
	properties map[string]string
}

func (a *account) Init(_ context.Context, meta secretstores.Metadata) error {
	a.properties = meta.Properties
	return nil
}

func (a *account) GetSecret(_ context.Context, request secretstores.GetSecretRequest) (secretstores.GetSecretResponse, error) {
	data, ok := a.secrets[request.Name]
	if !ok {
		return secretstores.GetSecretResponse{}, errors.New("no such secret")
	}
	return secretstores.GetSecretResponse{Data: data}, nil
}

func opened(t *testing.T, properties map[string]string) (*store, *account) {
	t.Helper()
	behind := &account{secrets: map[string]map[string]string{
		"pms/prod/auth/audit-key":     {"pms/prod/auth/audit-key": "auth's"},
		"pms/prod/patient/audit-key":  {"pms/prod/patient/audit-key": "patient's"},
		"pms/prod/patient/connection": {"host": "h", "password": "p"},
		"audit-key":                   {"audit-key": "nobody's"},
	}}
	s := &store{SecretStore: behind}
	if err := s.Init(t.Context(), secretstores.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
		t.Fatal(err)
	}
	return s, behind
}

func get(t *testing.T, s *store, name string) map[string]string {
	t.Helper()
	response, err := s.GetSecret(t.Context(), secretstores.GetSecretRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return response.Data
}

func TestAnAppGetsItsOwnByThePlainName(t *testing.T) {
	s, _ := opened(t, map[string]string{"Prefix": "pms/prod/patient/"})
	if got := get(t, s, "audit-key"); !maps.Equal(got, map[string]string{"audit-key": "patient's"}) {
		t.Errorf("answered %v", got)
	}
	if got := get(t, s, "connection"); got["host"] != "h" || got["password"] != "p" {
		t.Errorf("answered %v", got)
	}
}

func TestAnotherAppsCannotBeNamed(t *testing.T) {
	s, _ := opened(t, map[string]string{"prefix": "pms/prod/patient/"})
	if response, err := s.GetSecret(t.Context(), secretstores.GetSecretRequest{Name: "pms/prod/auth/audit-key"}); err == nil {
		t.Errorf("answered %v", response.Data)
	}
	if _, err := s.BulkGetSecret(t.Context(), secretstores.BulkGetSecretRequest{}); err == nil {
		t.Error("answered all")
	}
}

func TestThePrefixIsOursAndTheRestTheComponents(t *testing.T) {
	_, behind := opened(t, map[string]string{"prefix": "x/", "region": "eu-west-1"})
	if !maps.Equal(behind.properties, map[string]string{"region": "eu-west-1"}) {
		t.Errorf("handed on %v", behind.properties)
	}
	s, _ := opened(t, nil)
	if got := get(t, s, "audit-key"); got["audit-key"] != "nobody's" {
		t.Errorf("without a prefix it answered %v", got)
	}
}
