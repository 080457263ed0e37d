package sidecar

import (
	"slices"
	"testing"

	"github.com/dapr/dapr/cmd/daprd/options"
)

func TestArgs(t *testing.T) {
	for name, c := range map[string]struct {
		commandLine []string
		extra       string
		want        []string
	}{
		"nothing extra":        {[]string{"--app-id", "auth"}, "", []string{"--app-id", "auth"}},
		"extra comes last":     {[]string{"--app-id", "auth"}, "--enable-mtls", []string{"--app-id", "auth", "--enable-mtls"}},
		"any white space does": {nil, "  --a  1\n\t--b 2 ", []string{"--a", "1", "--b", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Args(c.commandLine, c.extra); !slices.Equal(got, c.want) {
				t.Errorf("Args(%q, %q) = %q, want %q", c.commandLine, c.extra, got, c.want)
			}
		})
	}
}

func TestExtraArgsOverruleTheCommandLine(t *testing.T) {
	commandLine := []string{"--sentry-address", "localhost:50001", "--app-id", "auth"}
	opts, err := options.New(Args(commandLine, "--sentry-address 127.0.0.1:9 --dapr-listen-addresses 127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	if opts.SentryAddress != "127.0.0.1:9" || opts.DaprAPIListenAddresses != "127.0.0.1" || opts.AppID != "auth" {
		t.Errorf("sentry %q, listen %q, app id %q", opts.SentryAddress, opts.DaprAPIListenAddresses, opts.AppID)
	}
}
