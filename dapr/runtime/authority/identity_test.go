package authority

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/dapr/dapr/cmd/sentry/options"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/modes"
	"github.com/dapr/dapr/pkg/security"
	"github.com/dapr/dapr/pkg/sentry/server/ca/bundle"
	"github.com/dapr/kit/logger"

	"patient-management-system/dapr/runtime/envfile"
)

// signer makes tokens as those who fill the secrets do.
type signer struct{ key ed25519.PrivateKey }

func (s signer) jwks() string {
	public := s.key.Public().(ed25519.PublicKey)
	key := map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(public), "kid": "1", "alg": "EdDSA"}
	text, _ := json.Marshal(map[string]any{"keys": []any{key}})
	return base64.StdEncoding.EncodeToString(text)
}

func (s signer) token(app string) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT","kid":"1"}`))
	claims := fmt.Sprintf(`{"aud":"spiffe://localhost/ns/default/dapr-sentry","sub":"spiffe://public/ns/default/%s"}`, app)
	signed := head + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.key, []byte(signed)))
}

func newSigner(t *testing.T) signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// serving starts sentry as it is started on AWS and answers where it is and whom to trust.
func serving(t *testing.T, believed signer) (address string, anchors []byte) {
	t.Helper()
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NAMESPACE", "default")
	made, err := bundle.GenerateX509(bundle.OptionsX509{X509RootKey: root, TrustDomain: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	credentials, _ := json.Marshal(map[string]string{
		"ca": string(made.TrustAnchors), "issuer": string(made.IssChainPEM), "issuerKey": string(made.IssKeyPEM),
	})
	t.Setenv(CredentialsEnv, string(credentials))
	t.Setenv("PMS_SENTRY_JWKS", believed.jwks())
	port := freePort(t)
	opts := options.New([]string{
		"--config", "../../aws/sentry.yaml", "--trust-domain", "localhost", "--enable-metrics=false",
		"--listen-address", "127.0.0.1", "--port", port,
		"--healthz-listen-address", "127.0.0.1", "--healthz-port", freePort(t),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, opts, logger.NewLogger("test")) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("sentry ended: %v", err)
		}
	})
	return net.JoinHostPort("127.0.0.1", port), made.TrustAnchors
}

// certificate asks as a sidecar does that is given this token, or none.
func certificate(t *testing.T, address string, anchors []byte, app, token string) error {
	t.Helper()
	t.Setenv("DAPR_SENTRY_TOKEN_FILE", "") // Put back as it was when the test ends.
	if err := os.Unsetenv("DAPR_SENTRY_TOKEN_FILE"); err != nil {
		t.Fatal(err)
	}
	if token != "" {
		path, err := envfile.Write("token", []byte(token))
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("DAPR_SENTRY_TOKEN_FILE", path)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	identity, err := security.New(ctx, security.Options{
		AppID: app, MTLSEnabled: true, Mode: modes.StandaloneMode, SentryAddress: address, TrustAnchors: anchors,
		ControlPlaneTrustDomain: "localhost", ControlPlaneNamespace: "default", Healthz: healthz.New(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- identity.Run(ctx) }()
	ready := make(chan error, 1)
	go func() {
		_, err := identity.Handler(ctx)
		ready <- err
	}()
	select {
	case err := <-ended:
		return err
	case err := <-ready:
		return err
	}
}

func TestASidecarGetsTheCertificateOfTheAppThatItsTokenNames(t *testing.T) {
	ours := newSigner(t)
	address, anchors := serving(t, ours)
	if err := certificate(t, address, anchors, "patient", ours.token("patient")); err != nil {
		t.Errorf("its own was refused: %v", err)
	}
	for name, token := range map[string]string{
		"another app's token":       ours.token("billing"),
		"another authority's token": newSigner(t).token("patient"),
		"no token":                  "",
	} {
		t.Run(name, func(t *testing.T) {
			if err := certificate(t, address, anchors, "patient", token); err == nil {
				t.Error("it got a certificate")
			}
		})
	}
}
