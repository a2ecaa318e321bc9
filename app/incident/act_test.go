package incident_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestActKindsHaveUniqueNames(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, k := range incident.ActKinds {
		if seen[k.Name] || !valid.MatchString(k.Name) || !k.Web && !k.API || k.Read == nil {
			t.Errorf("%q is registered twice, has no name for an address, is offered nowhere or is never read", k.Name)
		}
		seen[k.Name] = true
	}
}

// readFields records which fields are read. Each is missing, or given with some
// value.
type readFields struct {
	given bool
	names map[string]bool
}

func (f readFields) Given(string) bool { return f.given }

func (f readFields) Text(name string) string {
	f.names[name] = true
	if f.given {
		return "text"
	}
	return ""
}

func (f readFields) Level(name string) *int {
	f.names[name] = true
	if f.given {
		return new(1)
	}
	return nil
}

func (f readFields) Flag(name string) bool {
	f.names[name] = true
	return f.given
}

func (f readFields) Targets(name string) []incident.NamedTarget {
	f.names[name] = true
	if f.given {
		return []incident.NamedTarget{{Target: incident.Target{User: 1}, Name: "Ana Ortiz"}}
	}
	return nil
}

func TestReadReadsEveryField(t *testing.T) {
	t.Parallel()
	for _, k := range incident.ActKinds {
		for _, given := range []bool{false, true} {
			fields := readFields{given, map[string]bool{}}
			_, _ = k.Read(fields) // that fields are missing is a fault of some acts
			if got, want := slices.Sorted(maps.Keys(fields.names)), slices.Sorted(slices.Values(k.Fields)); !slices.Equal(got, want) {
				t.Errorf("%s with fields given %t reads %q, and takes %q", k.Name, given, got, want)
			}
		}
	}
}
