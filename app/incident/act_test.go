package incident_test

import (
	"regexp"
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
