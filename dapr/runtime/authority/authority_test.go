package authority

import (
	"os"
	"strings"
	"testing"

	"github.com/dapr/dapr/cmd/sentry/options"
)

func handed(t *testing.T, credentials string) (root, issuer, key string, err error) {
	t.Helper()
	t.Setenv(CredentialsEnv, credentials)
	t.Setenv("PMS_SENTRY_JWKS", "e30=")
	c, err := settings(options.New([]string{"--config", "../../aws/sentry.yaml", "--trust-domain", "localhost"}))
	return c.RootCertPath, c.IssuerCertPath, c.IssuerKeyPath, err
}

func TestCertificatesThatAreHandedOverAreTheOnesThatAreRead(t *testing.T) {
	root, issuer, key, err := handed(t, `{"ca": "root", "issuer": "chain", "issuerKey": "key", "jwks": "for another"}`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{root: "root", issuer: "chain", key: "key"} {
		if content, err := os.ReadFile(path); err != nil || string(content) != want {
			t.Errorf("%s holds %q, %v; wanted %q", path, content, err, want)
		}
	}
	if _, there := os.LookupEnv(CredentialsEnv); there {
		t.Error("the key is still in the environment")
	}
}

func TestWhatIsMissingIsNamedAndNothingIsQuoted(t *testing.T) {
	for credentials, want := range map[string]string{
		`{"ca": "root", "issuer": "chain"}`: `"issuerKey"`,
		`a secret that is no JSON`:          "no JSON",
	} {
		_, _, _, err := handed(t, credentials)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a secret") {
			t.Errorf("%v, wanted %s", err, want)
		}
	}
}
