// Package secretfile is Dapr's secret store that reads a file, and reads it
// again when it has changed.
//
// The component itself reads its file once, when the sidecar starts. Other
// secret stores answer what is stored now, and a key that is rotated must not
// cost a restart of the sidecar here either.
package secretfile

import (
	"context"
	"os"
	"sync"

	"github.com/dapr/components-contrib/secretstores"
	"github.com/dapr/components-contrib/secretstores/local/file"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/metadata"
)

// store is the component as it was made at the start, with the secrets of the
// one that was made when the file last changed.
type store struct {
	secretstores.SecretStore
	log      logger.Logger
	metadata secretstores.Metadata
	path     string

	lock   sync.Mutex
	latest secretstores.SecretStore
	// The file as it was before it was last read, well or badly.
	seen os.FileInfo
}

// New answers the component, to be registered in the place of Dapr's own.
func New(log logger.Logger) secretstores.SecretStore {
	first := file.NewLocalSecretStore(log)
	return &store{SecretStore: first, log: log, latest: first}
}

// Init reads the file for the first time.
func (s *store) Init(ctx context.Context, meta secretstores.Metadata) error {
	s.metadata = meta
	s.path, _ = metadata.GetMetadataProperty(meta.Properties, "secretsFile")
	// A file that is missing is the component's to complain of.
	s.seen, _ = os.Stat(s.path)
	return s.SecretStore.Init(ctx, meta)
}

// GetSecret answers a secret as it is now.
func (s *store) GetSecret(ctx context.Context, request secretstores.GetSecretRequest) (secretstores.GetSecretResponse, error) {
	return s.current(ctx).GetSecret(ctx, request)
}

// BulkGetSecret answers all secrets as they are now.
func (s *store) BulkGetSecret(ctx context.Context, request secretstores.BulkGetSecretRequest) (secretstores.BulkGetSecretResponse, error) {
	return s.current(ctx).BulkGetSecret(ctx, request)
}

// current makes the component anew if the file has changed. A file that is away
// or cannot be read, as while somebody writes it, changes nothing and is tried
// again when it is another one.
func (s *store) current(ctx context.Context) secretstores.SecretStore {
	s.lock.Lock()
	defer s.lock.Unlock()
	// Looked at before it is read: what changes in between is seen next time.
	now, err := os.Stat(s.path)
	if err != nil || same(s.seen, now) {
		return s.latest
	}
	s.seen = now
	renewed := file.NewLocalSecretStore(s.log)
	if err := renewed.Init(ctx, s.metadata); err != nil {
		// The error may quote what is in the file.
		s.log.Warnf("%s has changed and cannot be read; the secrets of before go on", s.path)
		return s.latest
	}
	s.latest = renewed
	return renewed
}

func same(one, other os.FileInfo) bool {
	return one != nil && os.SameFile(one, other) && one.ModTime().Equal(other.ModTime()) && one.Size() == other.Size()
}
