// Package pipeline is Dapr's PostgreSQL state store with transactions that are
// sent to the database as one message.
//
// The component itself sends the operations of a transaction one after another
// and waits for each, so a group of twenty documents is twenty-two turns
// between two processes, in each of which both are woken. Here the operations
// go out together with what begins the transaction, and only its end waits for
// their answers: two turns, whatever the size of the group.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dapr/components-contrib/state"
	postgresql "github.com/dapr/components-contrib/state/postgresql/v2"
	"github.com/dapr/kit/logger"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The component's own name for its table, after the prefix.
const table = "state"

// What an operation leaves when it is done: one row.
const oneRow = 1

// As long as the component itself waits when nothing else is said.
const limit = 20 * time.Second

// errNoRow is what the component itself says of a first write to a key that is
// there; callers know it by these words.
var errNoRow = errors.New("no item was updated")

// store is the component, and nothing of it but transactions is different.
type store struct {
	*postgresql.PostgreSQL
	log     logger.Logger
	create  string
	replace string
	timeout time.Duration
}

// New answers the component, to be registered in the place of Dapr's own.
func New(log logger.Logger) state.Store {
	own, ok := postgresql.NewPostgreSQLStateStore(log).(*postgresql.PostgreSQL)
	if !ok {
		return postgresql.NewPostgreSQLStateStore(log)
	}
	return &store{PostgreSQL: own, log: log}
}

// Init prepares what is asked of the table.
func (s *store) Init(ctx context.Context, metadata state.Metadata) error {
	prefix, _ := metadata.GetProperty("tablePrefix")
	s.create, s.replace = statements(prefix + table)
	s.timeout = limit
	if text, ok := metadata.GetProperty("timeout"); ok {
		// What does not read is refused by the component itself.
		if timeout, err := time.ParseDuration(text); err == nil {
			s.timeout = timeout
		}
	}
	return s.PostgreSQL.Init(ctx, metadata)
}

// statements are the two by which documents are written; both leave one row, or
// none where the caller has seen another state of the key.
func statements(table string) (create, replace string) {
	create = "insert into " + table + " as held (key, value) values ($1, $2) on conflict (key) do update" +
		" set value = $2, etag = gen_random_uuid(), updated_at = now(), expires_at = null where held.expires_at < now()"
	replace = "update " + table + " set value = $2, etag = gen_random_uuid(), updated_at = now(), expires_at = null" +
		" where key = $1 and etag = $3 and (expires_at is null or expires_at >= now())"
	return create, replace
}

// Multi carries out all operations or none. What is anything but the writing of
// documents that nobody has changed meanwhile is left to the component itself.
func (s *store) Multi(ctx context.Context, request *state.TransactionalStateRequest) error {
	writes, ok := writes(request)
	if !ok {
		return s.PostgreSQL.Multi(ctx, request)
	}
	return s.write(ctx, writes)
}

// write is one document of a transaction.
type write struct {
	key   string
	value []byte
	// Absent for a key that must not be there yet.
	etag *string
}

// writes reads a request that this package knows how to send.
func writes(request *state.TransactionalStateRequest) ([]write, bool) {
	// One operation is a transaction by itself.
	if request == nil || len(request.Operations) < 2 {
		return nil, false
	}
	all := make([]write, 0, len(request.Operations))
	for _, operation := range request.Operations {
		set, ok := operation.(state.SetRequest)
		if !ok || set.Key == "" || set.Options.Concurrency != state.FirstWrite || state.CheckRequestOptions(set.Options) != nil {
			return nil, false
		}
		value, ok := set.Value.([]byte)
		_, expires := set.Metadata["ttlInSeconds"]
		if !ok || expires {
			return nil, false
		}
		one := write{key: set.Key, value: value}
		if set.HasETag() {
			if uuid.Validate(*set.ETag) != nil {
				return nil, false
			}
			one.etag = set.ETag
		}
		all = append(all, one)
	}
	return all, true
}

func (s *store) write(ctx context.Context, writes []write) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	connection, err := s.GetDB().Acquire(ctx)
	if err != nil {
		return fmt.Errorf("failed to begin transaction: %w", err)
	}
	defer connection.Release()
	batch := &pgx.Batch{}
	batch.Queue("begin")
	for _, one := range writes {
		if one.etag == nil {
			batch.Queue(s.create, one.key, one.value)
		} else {
			batch.Queue(s.replace, one.key, one.value, *one.etag)
		}
	}
	if err := outcome(connection.SendBatch(ctx, batch), writes); err != nil {
		s.rollback(ctx, connection.Conn())
		return err
	}
	if _, err := connection.Exec(ctx, "commit"); err != nil {
		return fmt.Errorf("failed to commit transaction: %w", err)
	}
	return nil
}

// outcome reads the answers up to the first that is not as it should be.
func outcome(answers pgx.BatchResults, writes []write) (err error) {
	defer func() {
		if closed := answers.Close(); err == nil {
			err = closed
		}
	}()
	if _, err := answers.Exec(); err != nil {
		return fmt.Errorf("failed to begin transaction: %w", err)
	}
	for _, one := range writes {
		written, err := answers.Exec()
		switch {
		case err != nil:
			return err
		case written.RowsAffected() == oneRow:
		case one.etag == nil:
			return errNoRow
		default:
			return state.NewETagError(state.ETagMismatch, nil)
		}
	}
	return nil
}

// rollback leaves nothing of the transaction. Where that cannot be said for
// sure the connection is closed, and the database does it.
func (s *store) rollback(ctx context.Context, connection *pgx.Conn) {
	// The caller may be gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if connection.IsClosed() {
		return
	}
	if _, err := connection.Exec(ctx, "rollback"); err != nil {
		s.log.Warnf("a transaction could not be rolled back, so its connection is closed: %v", err)
		_ = connection.Close(ctx)
	}
}
