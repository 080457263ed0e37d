// Package sidecar runs Dapr's runtime with components of our choosing.
//
// Dapr publishes the runtime as packages, but its own daprd imports every
// component there is, one of which cannot be had as a plain module requirement.
// This package is the short way from parsed flags to a running sidecar.
//
// Deliberately absent: actors, workflows and jobs, which need the placement and
// scheduler services that the system does not run.
package sidecar

import (
	"context"

	"go.opencensus.io/stats/view"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/metrics"
	"github.com/dapr/dapr/pkg/modes"
	"github.com/dapr/dapr/pkg/runtime"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/dapr/pkg/security"
	"github.com/dapr/kit/concurrency"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/signals"
)

// Serve is the sidecar that opts describes until ctx ends or the runtime is told
// to stop; it answers the reason if that was a failure.
//
// SIGHUP starts the runtime anew within the process. Dapr sends it to itself
// when a Configuration or Resiliency file changes, so without this such a change
// would be the end of the sidecar.
func Serve(ctx context.Context, opts *options.Options, components *registry.Options, log logger.Logger) error {
	for lifetime := range signals.OnHUP(ctx) {
		if err := run(lifetime, opts, components, log); err != nil {
			return err
		}
		if lifetime.Err() == nil {
			return nil // Told to stop by a call, not by a signal.
		}
	}
	return nil
}

func run(ctx context.Context, opts *options.Options, components *registry.Options, log logger.Logger) error {
	health := healthz.New()
	identity, err := security.New(ctx, securityOptions(opts, health))
	if err != nil {
		return err
	}

	// The workload's certificate is fetched and renewed beside the runtime,
	// which cannot start before there is one; when either ends, so does the
	// other.
	serve := func(ctx context.Context) error {
		handler, err := identity.Handler(ctx)
		if err != nil {
			return err
		}
		config := runtimeConfig(opts)
		config.Registry = components
		config.Security = handler
		config.Healthz = health
		config.Metrics = metricsOptions(opts, health, log)
		sidecar, err := runtime.FromConfig(ctx, config)
		if err != nil {
			return err
		}
		return sidecar.Run(ctx)
	}
	return concurrency.NewRunnerManager(identity.Run, serve).Run(ctx)
}

func securityOptions(opts *options.Options, health healthz.Healthz) security.Options {
	return security.Options{
		AppID:                   opts.AppID,
		MTLSEnabled:             opts.EnableMTLS,
		Mode:                    modes.DaprMode(opts.Mode),
		SentryAddress:           opts.SentryAddress,
		TrustAnchors:            opts.TrustAnchors,
		ControlPlaneTrustDomain: opts.ControlPlaneTrustDomain,
		ControlPlaneNamespace:   opts.ControlPlaneNamespace,
		JwtAudiences:            opts.SentryRequestJwtAudiences,
		Healthz:                 health,
	}
}

func metricsOptions(opts *options.Options, health healthz.Healthz, log logger.Logger) metrics.Options {
	return metrics.Options{
		Enabled:       opts.Metrics.Enabled(),
		ListenAddress: opts.Metrics.ListenAddress(),
		Port:          opts.Metrics.Port(),
		Namespace:     metrics.DefaultMetricNamespace,
		Meter:         view.NewMeter(),
		Healthz:       health,
		Log:           log,
	}
}

// runtimeConfig hands every flag on, except those for placement and scheduler:
// the CLI always passes a placement address and newer ones a scheduler's too,
// nothing listens there, and daprd would warn about it for ever and, for the
// scheduler, never become ready. So the flags are accepted and have no effect.
func runtimeConfig(opts *options.Options) *runtime.Config {
	return &runtime.Config{
		AppID:               opts.AppID,
		Mode:                opts.Mode,
		Config:              opts.Config,
		ResourcesPath:       opts.ResourcesPath,
		ComponentsPath:      opts.ComponentsPath,
		ControlPlaneAddress: opts.ControlPlaneAddress,
		SentryAddress:       opts.SentryAddress,
		EnableMTLS:          opts.EnableMTLS,

		// The sidecar's own listeners.
		DaprHTTPPort:                  opts.DaprHTTPPort,
		DaprAPIGRPCPort:               opts.DaprAPIGRPCPort,
		DaprAPIListenAddresses:        opts.DaprAPIListenAddresses,
		DaprInternalGRPCPort:          opts.DaprInternalGRPCPort,
		DaprInternalGRPCListenAddress: opts.DaprInternalGRPCListenAddress,
		DaprPublicPort:                opts.DaprPublicPort,
		DaprPublicListenAddress:       opts.DaprPublicListenAddress,
		UnixDomainSocket:              opts.UnixDomainSocket,
		ProfilePort:                   opts.ProfilePort,
		EnableProfiling:               opts.EnableProfiling,
		AllowedOrigins:                opts.AllowedOrigins,
		MaxRequestSize:                opts.MaxRequestSize,
		ReadBufferSize:                opts.ReadBufferSize,
		EnableAPILogging:              opts.EnableAPILogging,

		// The application beside it.
		ApplicationPort:        opts.AppPort,
		AppProtocol:            opts.AppProtocol,
		AppChannelAddress:      opts.AppChannelAddress,
		AppSSL:                 opts.AppSSL,
		AppMaxConcurrency:      opts.AppMaxConcurrency,
		EnableAppHealthCheck:   opts.EnableAppHealthCheck,
		AppHealthCheckPath:     opts.AppHealthCheckPath,
		AppHealthProbeInterval: opts.AppHealthProbeInterval,
		AppHealthProbeTimeout:  opts.AppHealthProbeTimeout,
		AppHealthThreshold:     opts.AppHealthThreshold,
		DisableInitEndpoints:   opts.DisableInitEndpoints,

		// Start and end.
		DaprGracefulShutdownSeconds:  opts.DaprGracefulShutdownSeconds,
		DaprBlockShutdownDuration:    opts.DaprBlockShutdownDuration,
		HotReloadReconcileInterval:   opts.HotReloadReconcileInterval,
		DisableBuiltinK8sSecretStore: opts.DisableBuiltinK8sSecretStore,

		// Required to be positive even though no scheduler is asked.
		SchedulerStreams: opts.SchedulerJobStreams,
	}
}
