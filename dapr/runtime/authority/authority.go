// Package authority runs Dapr's certificate authority, sentry, with every
// listener on the address that its flags ask for.
//
// The stock program takes flags for the listen addresses of its health and
// metrics servers and then listens on all interfaces. So the authority itself,
// which Dapr publishes as a package, is served here.
//
// Deliberately absent: reloading issuer credentials that change on disk (restart
// instead), Kubernetes, and the issuing of JWTs with their OIDC server.
package authority

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/dapr/dapr/cmd/sentry/options"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/metrics"
	"github.com/dapr/dapr/pkg/modes"
	"github.com/dapr/dapr/pkg/sentry"
	"github.com/dapr/dapr/pkg/sentry/config"
	"github.com/dapr/dapr/pkg/sentry/monitoring"
	"github.com/dapr/kit/concurrency"
	"github.com/dapr/kit/logger"

	"patient-management-system/dapr/runtime/envfile"
)

// CredentialsEnv names the environment variable with the root certificate and
// the issuer's certificate and key, as JSON (`ca`, `issuer`, `issuerKey`, each
// PEM). Unset, they are files in the credentials directory.
const CredentialsEnv = "PMS_SENTRY_CREDENTIALS"

// Run issues certificates until ctx ends. On first use it creates the root and
// issuer certificates in the credentials directory, unless they are handed over.
func Run(ctx context.Context, opts *options.Options, log logger.Logger) error {
	if opts.JWT.Enabled || opts.OIDC.Enabled || opts.Mode != string(modes.StandaloneMode) {
		return errors.New("only standalone mode without JWT and OIDC is served")
	}
	settings, err := settings(opts)
	if err != nil {
		return err
	}
	if err := monitoring.InitMetrics(); err != nil {
		return err
	}
	health := healthz.New()
	ca, err := sentry.New(ctx, sentry.Options{Config: settings, Healthz: health})
	if err != nil {
		return err
	}
	exporter := metrics.New(metrics.Options{
		Enabled:       opts.Metrics.Enabled(),
		ListenAddress: opts.Metrics.ListenAddress(),
		Port:          opts.Metrics.Port(),
		Namespace:     metrics.DefaultMetricNamespace,
		Healthz:       health,
		Log:           log,
	})
	serveHealth := func(ctx context.Context) error {
		address := net.JoinHostPort(opts.HealthzListenAddress, strconv.Itoa(opts.HealthzPort))
		return serve(ctx, address, healthHandler(health))
	}
	return concurrency.NewRunnerManager(ca.Start, exporter.Start, serveHealth).Run(ctx)
}

// settings joins the Configuration file, which has the certificates' lifetime
// and who is asked about a caller's identity, with the flags.
func settings(opts *options.Options) (config.Config, error) {
	c, err := config.FromConfigName(opts.ConfigName, opts.Mode)
	if err != nil {
		return c, fmt.Errorf("--config: %w", err)
	}
	c.ListenAddress = opts.ListenAddress
	c.Port = opts.Port
	c.TrustDomain = opts.TrustDomain
	c.RootCertPath = within(opts.IssuerCredentialsPath, opts.X509.RootCAFilename)
	c.IssuerCertPath = within(opts.IssuerCredentialsPath, opts.X509.IssuerCertFilename)
	c.IssuerKeyPath = within(opts.IssuerCredentialsPath, opts.X509.IssuerKeyFilename)
	if text, ok := os.LookupEnv(CredentialsEnv); ok {
		return c, handedOver(&c, text)
	}
	return c, nil
}

// handedOver takes the certificates from the environment, where the platform
// keeps secrets and gives a container no disk that outlives it. Made anew at
// every start, they would be of no use to the sidecars that trust those before.
func handedOver(c *config.Config, text string) error {
	var credentials struct {
		Root   string `json:"ca"`
		Issuer string `json:"issuer"`
		Key    string `json:"issuerKey"`
	}
	if err := json.Unmarshal([]byte(text), &credentials); err != nil {
		// The error may quote the key.
		return fmt.Errorf("%s is no JSON", CredentialsEnv)
	}
	for _, file := range []struct {
		name, content string
		path          *string
	}{
		{"ca", credentials.Root, &c.RootCertPath},
		{"issuer", credentials.Issuer, &c.IssuerCertPath},
		{"issuerKey", credentials.Key, &c.IssuerKeyPath},
	} {
		if file.content == "" {
			return fmt.Errorf("%s has no %q", CredentialsEnv, file.name)
		}
		path, err := envfile.Write(file.name, []byte(file.content))
		if err != nil {
			return err
		}
		*file.path = path
	}
	return os.Unsetenv(CredentialsEnv)
}

func within(directory, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(directory, file)
}

func healthHandler(health healthz.Healthz) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !health.IsReady() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}

func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
