package secretfile

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/secretstores"
	"github.com/dapr/kit/logger"
)

// opened answers the component on a file with this content, and the file.
func opened(t *testing.T, content string) (secretstores.SecretStore, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.json")
	write(t, path, content)
	store := New(logger.NewLogger("test"))
	if err := store.Init(t.Context(), about(path)); err != nil {
		t.Fatal(err)
	}
	return store, path
}

func about(path string) secretstores.Metadata {
	return secretstores.Metadata{Base: metadata.Base{Properties: map[string]string{"SecretsFile": path, "nestedSeparator": "/"}}}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace does as who writes a file at once: the new one takes the name of the old.
func replace(t *testing.T, path, content string) {
	t.Helper()
	write(t, path+".part", content)
	if err := os.Rename(path+".part", path); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, store secretstores.SecretStore, name, want string) {
	t.Helper()
	one, err := store.GetSecret(t.Context(), secretstores.GetSecretRequest{Name: name})
	if err != nil || one.Data[name] != want {
		t.Errorf("%s is %q (%v) and not %q", name, one.Data[name], err, want)
	}
	all, err := store.BulkGetSecret(t.Context(), secretstores.BulkGetSecretRequest{})
	if err != nil || all.Data[name][name] != want {
		t.Errorf("among all, %s is %q (%v) and not %q", name, all.Data[name][name], err, want)
	}
}

func TestAFileThatWasReplacedIsReadAgain(t *testing.T) {
	store, path := opened(t, `{"key": "old"}`)
	expect(t, store, "key", "old")
	before, _ := os.Stat(path)
	replace(t, path, `{"key": "new"}`)
	// Of the same time and length: only the file is another.
	if err := os.Chtimes(path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	expect(t, store, "key", "new")
}

func TestAFileThatWasWrittenInPlaceIsReadAgain(t *testing.T) {
	store, path := opened(t, `{"key": "old"}`)
	write(t, path, `{"key": "new", "more": "x"}`)
	expect(t, store, "key", "new")
	write(t, path, `{"key": "two", "more": "x"}`)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	expect(t, store, "key", "two")
}

func TestAFileThatCannotBeReadChangesNothing(t *testing.T) {
	store, path := opened(t, `{"key": "old"}`)
	for _, bad := range []string{"", `{"key": "ha`, `["key"]`} {
		write(t, path, bad)
		expect(t, store, "key", "old")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(t, store, "key", "old")
	write(t, path, `{"key": "new"}`)
	expect(t, store, "key", "new")
}

func TestAFileThatDidNotChangeIsNotReadAgain(t *testing.T) {
	asked, path := opened(t, `{"key": "old"}`)
	replace(t, path, `{"key": "new"}`)
	first := asked.(*store).current(t.Context())
	if asked.(*store).current(t.Context()) != first {
		t.Error("it was")
	}
}

func TestASecretThatWasTakenAwayIsGone(t *testing.T) {
	store, path := opened(t, `{"key": "old", "more": "x"}`)
	replace(t, path, `{"more": "x"}`)
	if _, err := store.GetSecret(t.Context(), secretstores.GetSecretRequest{Name: "key"}); err == nil {
		t.Error("it is still there")
	}
}

func TestManyMayAskWhileItChanges(t *testing.T) {
	store, path := opened(t, `{"key": "x"}`)
	var askers sync.WaitGroup
	for range 8 {
		askers.Go(func() {
			for range 200 {
				expect(t, store, "key", "x")
			}
		})
	}
	for range 50 {
		replace(t, path, `{"key": "x"}`)
	}
	askers.Wait()
}

func TestAMissingFileIsRefusedAtTheStart(t *testing.T) {
	if err := New(logger.NewLogger("test")).Init(t.Context(), about(filepath.Join(t.TempDir(), "none"))); err == nil {
		t.Error("it was taken")
	}
}
