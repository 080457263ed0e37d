package sidecar

import (
	"slices"
	"strings"
)

// ExtraArgsEnv names the environment variable that adds flags to daprd's
// command line.
const ExtraArgsEnv = "PMS_DAPRD_ARGS"

// Args answers the command line followed by the flags in extra, which are
// separated by white space.
//
// `dapr run -f` composes daprd's command line itself and has no field for some
// flags that matter here, above all the listen addresses. The extra ones come
// last because the last value of a flag wins, and the CLI sets a few that have
// to be overruled (a fixed sentry address, for one). Flags that may be repeated,
// such as --resources-path, gather their values instead.
func Args(commandLine []string, extra string) []string {
	return append(slices.Clone(commandLine), strings.Fields(extra)...)
}
