package organization

import (
	"slices"
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
		if deleted := s.Removable && !s.Withdraws; k.permanent == deleted {
			t.Errorf("%s: permanent %t, deleted by a removal %t", s.Kind, k.permanent, deleted)
		}
		if s.Removable && k.key == "" {
			t.Errorf("%s cannot be found by its key", s.Kind)
		}
	}
	if len(kinds) != len(organization.Sections()) {
		t.Errorf("%d kinds are kept, and there are %d", len(kinds), len(organization.Sections()))
	}
}

func TestKindsThatIncidentsUse(t *testing.T) {
	t.Parallel()
	var referred []organization.Kind
	for _, k := range kinds {
		if k.open != "" {
			referred = append(referred, k.kind)
		}
	}
	slices.Sort(referred)
	if want := []organization.Kind{organization.KindPolicy, organization.KindPriority, organization.KindService}; !slices.Equal(referred, want) {
		t.Errorf("incidents refer to %q, want %q", referred, want)
	}
}
