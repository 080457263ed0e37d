package pipeline

import (
	"testing"

	"github.com/dapr/components-contrib/state"
	"github.com/dapr/kit/ptr"
)

func set(key string, etag *string) state.SetRequest {
	return state.SetRequest{
		Key: key, Value: []byte("{}"), ETag: etag, Options: state.SetStateOption{Concurrency: state.FirstWrite},
	}
}

func TestDocumentsAreSentTogether(t *testing.T) {
	etag := ptr.Of("0197a1b2-0000-7000-8000-000000000000")
	all, ok := writes(&state.TransactionalStateRequest{
		Operations: []state.TransactionalStateOperation{set("a", nil), set("b", etag)},
	})
	if !ok || len(all) != 2 || all[0].key != "a" || all[0].etag != nil || all[1].etag != etag {
		t.Fatalf("read as %v, %v", all, ok)
	}
}

func TestWhatIsNotTheWritingOfDocumentsIsLeftToTheComponent(t *testing.T) {
	other := func(change func(*state.SetRequest)) state.SetRequest {
		request := set("b", nil)
		change(&request)
		return request
	}
	for name, operation := range map[string]state.TransactionalStateOperation{
		"a deletion":     state.DeleteRequest{Key: "b"},
		"no key":         other(func(request *state.SetRequest) { request.Key = "" }),
		"last write":     other(func(request *state.SetRequest) { request.Options.Concurrency = state.LastWrite }),
		"no bytes":       other(func(request *state.SetRequest) { request.Value = "text" }),
		"an expiry":      other(func(request *state.SetRequest) { request.Metadata = map[string]string{"ttlInSeconds": "5"} }),
		"no etag of its": other(func(request *state.SetRequest) { request.ETag = ptr.Of("7") }),
		"a wrong option": other(func(request *state.SetRequest) { request.Options.Consistency = "sometimes" }),
	} {
		request := &state.TransactionalStateRequest{
			Operations: []state.TransactionalStateOperation{set("a", nil), operation},
		}
		if _, ok := writes(request); ok {
			t.Errorf("%s is sent with others", name)
		}
	}
	alone := &state.TransactionalStateRequest{Operations: []state.TransactionalStateOperation{set("a", nil)}}
	if _, ok := writes(alone); ok {
		t.Error("what is alone is sent with others")
	}
	if _, ok := writes(nil); ok {
		t.Error("nothing is sent")
	}
}
