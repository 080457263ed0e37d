// Command dockerfile reads a Dockerfile as BuildKit does, for every image that a
// Compose project builds and every architecture, and answers what BuildKit would
// refuse or warn of. It needs no engine and fetches no image: what a stage begins
// with is taken for an empty one.
//
//	docker compose config --format json | dockerfile FILE
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// architectures are those that images are made for; the first is the builder's.
var architectures = []string{"amd64", "arm64"}

// project is what of a Compose project's description says how its images are made.
type project struct {
	Services map[string]struct {
		Build *build `json:"build"`
	} `json:"services"`
}

type build struct {
	Target string            `json:"target"`
	Args   map[string]string `json:"args"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("usage: docker compose config --format json | dockerfile FILE")
	}
	text, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	var composed project
	if err := json.NewDecoder(os.Stdin).Decode(&composed); err != nil {
		return fmt.Errorf("reading the project: %w", err)
	}
	images := 0
	for _, name := range slices.Sorted(maps.Keys(composed.Services)) {
		build := composed.Services[name].Build
		if build == nil {
			continue
		}
		images++
		for _, architecture := range architectures {
			if err := convert(text, build, architecture); err != nil {
				return fmt.Errorf("%s for %s: %w", name, architecture, err)
			}
		}
	}
	if images == 0 {
		return errors.New("the project builds nothing")
	}
	return nil
}

// convert is a build up to the point at which the engine would begin to work.
func convert(text []byte, build *build, architecture string) error {
	var warnings []error
	platform := ocispecs.Platform{OS: "linux", Architecture: architecture}
	options := dockerfile2llb.ConvertOpt{
		Config: dockerui.Config{
			Target:         build.Target,
			BuildArgs:      build.Args,
			BuildPlatforms: []ocispecs.Platform{{OS: "linux", Architecture: architectures[0]}},
		},
		TargetPlatform: &platform,
		MetaResolver:   emptyImages{},
		Warn: func(rule, _, _, message string, at []parser.Range) {
			line := 0
			if len(at) > 0 {
				line = at[0].Start.Line
			}
			warnings = append(warnings, fmt.Errorf("line %d: %s: %s", line, rule, message))
		},
	}
	if _, _, _, _, err := dockerfile2llb.Dockerfile2LLB(context.Background(), text, options); err != nil {
		return err
	}
	return errors.Join(warnings...)
}

// emptyImages knows every image that has a tag, and nothing about any. Without one
// it is somebody's latest, or a stage whose name is misspelt.
type emptyImages struct{}

func (emptyImages) ResolveImageConfig(
	_ context.Context, name string, options sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	if strings.HasSuffix(name, ":latest") {
		return "", "", nil, fmt.Errorf("%s is neither a stage nor an image with a tag", name)
	}
	image, err := json.Marshal(ocispecs.Image{Platform: *options.Platform})
	return name, digest.FromBytes(image), image, err
}
