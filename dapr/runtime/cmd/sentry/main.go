// Command sentry is Dapr's certificate authority: it gives each sidecar the
// certificate by which the others know it. It takes the flags of the stock
// sentry.
package main

import (
	"os"

	"github.com/dapr/dapr/cmd/sentry/options"
	"github.com/dapr/dapr/pkg/buildinfo"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/signals"

	"patient-management-system/dapr/runtime/authority"
)

func main() {
	log := logger.NewLogger("dapr.sentry")

	opts := options.New(os.Args[1:])
	if err := opts.Validate(); err != nil {
		log.Fatalf("flags: %v", err)
	}
	if err := logger.ApplyOptionsToLoggers(&opts.Logger); err != nil {
		log.Fatalf("logging: %v", err)
	}

	log.Infof("sentry %s", buildinfo.Version())
	if err := authority.Run(signals.Context(), opts, log); err != nil {
		log.Fatalf("sentry ends: %v", err)
	}
	log.Info("sentry ended")
}
