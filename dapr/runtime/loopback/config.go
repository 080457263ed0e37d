package loopback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dapr/kit/config"
)

// A block is the run of ports that one instance of an application occupies,
// with a fixed place for each listener.
const (
	appPort = iota
	sidecarHTTPPort
	sidecarGRPCPort
	sidecarInternalPort
	sidecarMetricsPort
	blockSize
)

const maxPort = 1<<16 - 1

// settings is the resolver's configuration: where the blocks start, and which
// of them each application has.
type settings struct {
	// PortBase may be a number or a string holding one: a configuration file
	// that takes it from the environment yields the one or the other,
	// depending on its quotes.
	PortBase json.RawMessage `json:"portBase"`
	// Instances is how many of an app's blocks are in use at most, so that one
	// file serves systems of different sizes. It may be a number or a string
	// holding one, too; nothing means one.
	Instances json.RawMessage  `json:"instances"`
	Apps      map[string][]int `json:"apps"`
}

// parse turns Dapr's untyped configuration into the first port of each block,
// by app id. It refuses whatever could only show later as calls that end at the
// wrong application: unknown settings, ports that do not exist, blocks that
// overlap.
func parse(configuration any) (map[string][]int, error) {
	s, err := decode(configuration)
	if err != nil {
		return nil, err
	}
	base, err := number(s.PortBase)
	if err != nil || base < 1 || base > maxPort {
		return nil, fmt.Errorf("portBase is not a port number: %s", s.PortBase)
	}
	instances := 1
	if text := string(s.Instances); text != "" && text != `""` && text != "null" {
		if instances, err = number(s.Instances); err != nil || instances < 1 {
			return nil, fmt.Errorf("instances is not a number of instances: %s", s.Instances)
		}
	}
	if len(s.Apps) == 0 {
		return nil, errors.New("apps is empty: name each app id with the offsets of its port blocks")
	}

	blocks := make(map[string][]int, len(s.Apps))
	owners := make(map[int]string)
	for _, id := range slices.Sorted(maps.Keys(s.Apps)) {
		if len(s.Apps[id]) == 0 {
			return nil, fmt.Errorf("app %q has no port block", id)
		}
		for _, offset := range s.Apps[id] {
			first := base + offset
			if offset < 0 || first+blockSize-1 > maxPort {
				return nil, fmt.Errorf("app %q: offset %d leads out of the port range", id, offset)
			}
			for port := first; port < first+blockSize; port++ {
				if owner, taken := owners[port]; taken {
					return nil, fmt.Errorf("apps %q and %q: port blocks overlap at offset %d", owner, id, offset)
				}
				owners[port] = id
			}
			// The rest is checked all the same: it will be used some day.
			if len(blocks[id]) < instances {
				blocks[id] = append(blocks[id], first)
			}
		}
	}
	return blocks, nil
}

// number reads a number that may stand in quotes.
func number(text json.RawMessage) (int, error) {
	return strconv.Atoi(strings.Trim(string(text), `"`))
}

func decode(configuration any) (settings, error) {
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
	return s, decoder.Decode(&s)
}
