// Command daprd is Dapr's sidecar with the components that this system uses and
// a name resolver of its own. It takes the flags of the stock daprd.
package main

import (
	"fmt"
	"os"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/buildinfo"
	"github.com/dapr/dapr/pkg/runtime"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/signals"

	"patient-management-system/dapr/runtime/components"
	"patient-management-system/dapr/runtime/discretion"
	"patient-management-system/dapr/runtime/envfile"
	"patient-management-system/dapr/runtime/sidecar"
)

func main() {
	log := logger.NewLogger("dapr.runtime")
	contrib := logger.NewLogger("dapr.contrib")

	opts, err := options.New(sidecar.Args(os.Args[1:], os.Getenv(sidecar.ExtraArgsEnv)))
	if err != nil {
		log.Fatalf("flags: %v", err)
	}

	// Flags that ask a question instead of starting a sidecar.
	switch {
	case opts.RuntimeVersion:
		fmt.Println(buildinfo.Version())
		return
	case opts.BuildInfo:
		fmt.Printf("Version: %s\nGit Commit: %s\nGit Version: %s\n", buildinfo.Version(), buildinfo.Commit(), buildinfo.GitVersion())
		return
	case opts.WaitCommand:
		runtime.WaitUntilDaprOutboundReady(opts.DaprHTTPPort)
		return
	}

	opts.Logger.SetAppID(opts.AppID)
	if err := logger.ApplyOptionsToLoggers(&opts.Logger); err != nil {
		log.Fatalf("logging: %v", err)
	}

	if err := envfile.Replace("PMS_SENTRY_TOKEN", "DAPR_SENTRY_TOKEN_FILE"); err != nil {
		log.Fatalf("the token for sentry: %v", err)
	}

	log.Infof("daprd %s for %s", buildinfo.Version(), opts.AppID)
	discretion.Impose()
	if err := sidecar.Serve(signals.Context(), opts, components.Registry(contrib), log); err != nil {
		log.Fatalf("daprd ends: %v", err)
	}
	log.Info("daprd ended")
}
