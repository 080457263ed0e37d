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
	"errors"
	"fmt"
	"net"
	"net/http"
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
)

// Run issues certificates until ctx ends. On first use it creates the root and
// issuer certificates in the credentials directory.
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
	return c, nil
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
