package dns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dapr/kit/config"
)

const maxPort = 1<<16 - 1

// As long as a name in Cloud Map and in Docker's DNS may be kept.
const defaultRefresh = 5 * time.Second

// settings is the resolver's configuration.
type settings struct {
	// Domain follows the app id and a dot.
	Domain string `json:"domain"`
	// Port is the one on which every sidecar takes calls from others.
	Port int `json:"port"`
	// Refresh is how long an answer of DNS is used before it is asked again.
	Refresh string `json:"refresh"`

	refresh time.Duration
}

// parse turns Dapr's untyped configuration into settings. It refuses what is
// unknown, and a domain that an empty variable has left out.
func parse(configuration any) (settings, error) {
	var s settings
	// Dapr may hand over maps with keys of any type, which JSON has no word for.
	normal, err := config.Normalize(configuration)
	if err != nil {
		return s, err
	}
	text, err := json.Marshal(normal)
	if err != nil {
		return s, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return s, err
	}
	s.Domain = strings.Trim(s.Domain, ".")
	if s.Domain == "" {
		return s, errors.New("domain is missing: what follows an app id in DNS")
	}
	if s.Port < 1 || s.Port > maxPort {
		return s, fmt.Errorf("port is not a port number: %d", s.Port)
	}
	s.refresh = defaultRefresh
	if s.Refresh != "" {
		if s.refresh, err = time.ParseDuration(s.Refresh); err != nil || s.refresh < time.Second {
			return s, fmt.Errorf("refresh is not a duration of a second or more: %q", s.Refresh)
		}
	}
	return s, nil
}
