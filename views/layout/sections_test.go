package layout

import (
	"slices"
	"testing"
)

func TestNavigationHasOnlyWhatOneSees(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sees Sees
		want []string
	}{
		"a stakeholder without the catalog": {Sees{}, []string{"On call: /oncall"}},
		"a stakeholder":                     {Sees{Catalog: true}, []string{"On call: /oncall", "Services: /services"}},
		"a responder": {Sees{Incidents: true, Catalog: true, Schedules: true, Policies: true, Teams: true, People: true, Integrations: true},
			[]string{"Incidents: /incidents", "On call: /oncall", "Services: /services", "Settings: /teams"}},
		"who sees integrations only": {Sees{Integrations: true}, []string{"On call: /oncall", "Settings: /integrations"}},
	} {
		var got []string
		for _, g := range (Frame{User: User{Sees: c.sees}}).navigation() {
			got = append(got, g.text+": "+g.entries[0].href)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s sees %q, want %q", name, got, c.want)
		}
	}
}

func TestSiblingsStandAloneNowhere(t *testing.T) {
	t.Parallel()
	all := Sees{Incidents: true, Catalog: true, Schedules: true, Policies: true, Teams: true, People: true, Integrations: true}
	for section, want := range map[Section]int{Incidents: 0, OnCall: 3, Schedules: 3, Policies: 3, Services: 0, People: 3, Account: 0, "": 0} {
		if _, got := (Frame{Section: section, User: User{Sees: all}}).siblings(); len(got) != want {
			t.Errorf("beside %q are %d, want %d", section, len(got), want)
		}
	}
	if _, got := (Frame{Section: OnCall}).siblings(); len(got) != 0 {
		t.Errorf("who sees nothing else has %d beside who is on call", len(got))
	}
}
