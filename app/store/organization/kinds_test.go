package organization

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestEveryKindIsStored(t *testing.T) {
	t.Parallel()
	for _, s := range organization.Sections() {
		k, known := kindOf(s.Kind)
		if !known || k.apply == nil || k.routing == nil && k.load == nil || k.table == "" {
			t.Errorf("%s is not kept", s.Kind)
		}
		if s.Removable && !k.permanent && k.key == "" {
			t.Errorf("%s cannot be deleted", s.Kind)
		}
	}
	if len(kinds) != len(organization.Sections()) {
		t.Errorf("%d kinds are kept, and there are %d", len(kinds), len(organization.Sections()))
	}
}
