// Package secretmanager is Dapr's secret store on AWS Secrets Manager, for an
// account that has the secrets of several apps and stages.
//
// The component itself asks for a secret by the very name that the app uses,
// which there is one of in an account and a region. Two apps have each a key of
// the same name, so ours puts `prefix` before the names and takes it from the
// answers. With `prefix` unset it is the component as it is.
package secretmanager

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/dapr/components-contrib/secretstores"
	"github.com/dapr/components-contrib/secretstores/aws/secretmanager"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/metadata"
)

const setting = "prefix"

// store is the component behind the prefix.
type store struct {
	secretstores.SecretStore
	prefix string
}

// New answers the component, to be registered in the place of Dapr's own.
func New(log logger.Logger) secretstores.SecretStore {
	return &store{SecretStore: secretmanager.NewSecretManager(log)}
}

// Init takes the prefix out of the settings and hands the rest on.
func (s *store) Init(ctx context.Context, meta secretstores.Metadata) error {
	s.prefix, _ = metadata.GetMetadataProperty(meta.Properties, setting)
	meta.Properties = maps.Clone(meta.Properties)
	maps.DeleteFunc(meta.Properties, func(key, _ string) bool { return strings.EqualFold(key, setting) })
	return s.SecretStore.Init(ctx, meta)
}

// GetSecret answers the secret behind the prefix, by the name that was asked for.
func (s *store) GetSecret(ctx context.Context, request secretstores.GetSecretRequest) (secretstores.GetSecretResponse, error) {
	stored := s.prefix + request.Name
	asked := request.Name
	request.Name = stored
	response, err := s.SecretStore.GetSecret(ctx, request)
	if err != nil {
		return response, err
	}
	// One with several values has names of its own for them.
	if value, single := response.Data[stored]; single && stored != asked {
		response.Data = map[string]string{asked: value}
	}
	return response, nil
}

// BulkGetSecret is refused: the component would read every secret of the account.
func (s *store) BulkGetSecret(context.Context, secretstores.BulkGetSecretRequest) (secretstores.BulkGetSecretResponse, error) {
	return secretstores.BulkGetSecretResponse{}, errors.New("secrets are asked for by their names here")
}
