package incidents

import (
	"slices"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestEveryFormHasOutcomeWords(t *testing.T) {
	t.Parallel()
	for _, kind := range incident.ActKinds {
		if words := outcomeWords[kind.Name]; kind.Web != (words != nil) {
			t.Errorf("%s: offered by pages %v, with words of its outcome %v", kind.Name, kind.Web, words != nil)
		}
	}
}

func TestFormsAreOfActs(t *testing.T) {
	t.Parallel()
	for name := range forms {
		if !slices.ContainsFunc(incident.ActKinds, func(k incident.ActKind) bool { return k.Name == name && k.Web }) {
			t.Errorf("there is no act %q on pages", name)
		}
	}
}
