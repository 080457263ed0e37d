package loopback

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	type apps = map[string]any
	for name, c := range map[string]struct {
		configuration any
		want          map[string][]int
		refusal       string
	}{
		"base as a string": {
			configuration: apps{"portBase": "7000", "apps": apps{"auth": []any{10}}},
			want:          map[string][]int{"auth": {7010}},
		},
		"base as a number": {
			configuration: apps{"portBase": 7000.0, "instances": 2.0, "apps": apps{"auth": []any{10.0}, "patient": []any{20.0, 70.0}}},
			want:          map[string][]int{"auth": {7010}, "patient": {7020, 7070}},
		},
		"maps with keys of any type": {
			configuration: map[any]any{"portBase": 7000, "apps": map[any]any{"auth": []any{0}}},
			want:          map[string][]int{"auth": {7000}},
		},
		"one instance unless more are asked for": {
			configuration: apps{"portBase": 7000, "apps": apps{"patient": []any{20, 70}}},
			want:          map[string][]int{"patient": {7020}},
		},
		"instances unset in the shell": {
			configuration: apps{"portBase": 7000, "instances": "", "apps": apps{"patient": []any{20, 70}}},
			want:          map[string][]int{"patient": {7020}},
		},
		"as many instances as were asked for": {
			configuration: apps{"portBase": 7000, "instances": "2", "apps": apps{"auth": []any{10}, "patient": []any{20, 70, 80}}},
			want:          map[string][]int{"auth": {7010}, "patient": {7020, 7070}},
		},
		"the last port there is": {
			configuration: apps{"portBase": 65500, "apps": apps{"auth": []any{31}}},
			want:          map[string][]int{"auth": {65531}},
		},
		"nothing":                  {configuration: nil, refusal: "portBase"},
		"base unset in the shell":  {configuration: apps{"portBase": "", "apps": apps{"auth": []any{0}}}, refusal: "portBase"},
		"base in words":            {configuration: apps{"portBase": "many", "apps": apps{"auth": []any{0}}}, refusal: "portBase"},
		"base is a fraction":       {configuration: apps{"portBase": 1.5, "apps": apps{"auth": []any{0}}}, refusal: "portBase"},
		"base out of range":        {configuration: apps{"portBase": 70000, "apps": apps{"auth": []any{0}}}, refusal: "portBase"},
		"no instance":              {configuration: apps{"portBase": 7000, "instances": 0, "apps": apps{"auth": []any{0}}}, refusal: "instances"},
		"instances in words":       {configuration: apps{"portBase": 7000, "instances": "many", "apps": apps{"auth": []any{0}}}, refusal: "instances"},
		"an unused block overlaps": {configuration: apps{"portBase": 7000, "apps": apps{"auth": []any{10}, "billing": []any{30, 14}}}, refusal: `"auth" and "billing"`},
		"no apps":                  {configuration: apps{"portBase": 7000}, refusal: "apps is empty"},
		"an app without a block":   {configuration: apps{"portBase": 7000, "apps": apps{"auth": []any{}}}, refusal: `"auth" has no port block`},
		"a negative offset":        {configuration: apps{"portBase": 7000, "apps": apps{"auth": []any{-1}}}, refusal: "out of the port range"},
		"past the last port":       {configuration: apps{"portBase": 65500, "apps": apps{"auth": []any{32}}}, refusal: "out of the port range"},
		"overlapping blocks":       {configuration: apps{"portBase": 7000, "apps": apps{"auth": []any{10}, "billing": []any{14}}}, refusal: `"auth" and "billing"`},
		"an unknown setting":       {configuration: apps{"portbase2": 7000}, refusal: "portbase2"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(c.configuration)
			switch {
			case c.refusal != "":
				if err == nil || !strings.Contains(err.Error(), c.refusal) {
					t.Errorf("error %v, want one with %q", err, c.refusal)
				}
			case err != nil:
				t.Error(err)
			case !maps.EqualFunc(got, c.want, slices.Equal):
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
