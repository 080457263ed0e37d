package envfile

import (
	"os"
	"runtime"
	"testing"
)

func TestASecretIsReadFromAFileAndNoLongerFromTheEnvironment(t *testing.T) {
	t.Setenv("TEST_SECRET", "a token")
	t.Setenv("TEST_SECRET_FILE", "")
	if err := Replace("TEST_SECRET", "TEST_SECRET_FILE"); err != nil {
		t.Fatal(err)
	}
	if _, there := os.LookupEnv("TEST_SECRET"); there {
		t.Error("it is still in the environment")
	}
	// Read twice, as Dapr does for each renewal, and after a collection.
	for range 2 {
		runtime.GC()
		content, err := os.ReadFile(os.Getenv("TEST_SECRET_FILE"))
		if err != nil || string(content) != "a token" {
			t.Errorf("the file holds %q, %v", content, err)
		}
	}
}

func TestWithoutASecretNothingIsSet(t *testing.T) {
	t.Setenv("TEST_OTHER_FILE", "as it was")
	if err := Replace("TEST_OTHER", "TEST_OTHER_FILE"); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("TEST_OTHER_FILE"); got != "as it was" {
		t.Errorf("set to %q", got)
	}
}
