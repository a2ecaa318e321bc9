package oncall_test

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// inJanuary is an override of the week in which Ana is main and Ben is backup.
func inJanuary(id int64, o oncall.Override) oncall.Override {
	o.ID = id
	if o.From.IsZero() {
		o.From, o.To = utc("2026-01-06T00:00Z"), utc("2026-01-08T00:00Z")
	}
	return o
}

func TestOverridesApplyInOrder(t *testing.T) {
	t.Parallel()
	replace := func(out, in oncall.Person) oncall.Override {
		return oncall.Override{Kind: oncall.Replace, Out: out, In: in}
	}
	add := func(in oncall.Person) oncall.Override { return oncall.Override{Kind: oncall.Add, In: in} }
	remove := func(out oncall.Person) oncall.Override { return oncall.Override{Kind: oncall.Remove, Out: out} }
	tests := map[string]struct {
		overrides []oncall.Override
		main      []oncall.Person
		unmatched []int64
	}{
		"replace":                          {[]oncall.Override{replace(ana, dana)}, []oncall.Person{dana}, nil},
		"replace the replacement":          {[]oncall.Override{replace(ana, dana), replace(dana, eve)}, []oncall.Person{eve}, nil},
		"replace the layer's choice again": {[]oncall.Override{replace(ana, dana), replace(ana, eve)}, []oncall.Person{eve}, nil},
		"replace whoever is not on":        {[]oncall.Override{replace(chiara, eve)}, []oncall.Person{ana}, []int64{1}},
		"replace too early":                {[]oncall.Override{replace(dana, eve), replace(ana, dana)}, []oncall.Person{dana}, []int64{1}},
		"and back":                         {[]oncall.Override{replace(ana, dana), replace(dana, ana)}, []oncall.Person{ana}, nil},
		"add":                              {[]oncall.Override{add(dana)}, []oncall.Person{ana, dana}, nil},
		"add whoever is on":                {[]oncall.Override{add(ana)}, []oncall.Person{ana}, nil},
		"replace the added":                {[]oncall.Override{add(dana), replace(dana, eve)}, []oncall.Person{ana, eve}, nil},
		"remove":                           {[]oncall.Override{remove(ana)}, nil, nil},
		"remove whoever is on":             {[]oncall.Override{add(dana), remove(oncall.Nobody)}, nil, nil},
		"remove and add":                   {[]oncall.Override{remove(ana), add(dana)}, []oncall.Person{dana}, nil},
		"remove the added":                 {[]oncall.Override{add(dana), remove(dana)}, []oncall.Person{ana}, nil},
		"remove the replaced":              {[]oncall.Override{replace(ana, dana), remove(ana)}, []oncall.Person{dana}, []int64{2}},
		"remove twice":                     {[]oncall.Override{remove(ana), remove(oncall.Nobody)}, nil, []int64{2}},
		"replace the layer's choice who was removed": {[]oncall.Override{remove(ana), replace(ana, eve)}, []oncall.Person{eve}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := payments()
			for i, o := range test.overrides {
				o.Position = "main"
				s.Overrides = append(s.Overrides, inJanuary(int64(i+1), o))
			}
			expect(t, s, "2026-01-05T23:59Z", "", ana, ben)
			expect(t, s, "2026-01-06T00:00Z", "main", test.main...)
			expect(t, s, "2026-01-06T00:00Z", "backup", ben)
			expect(t, s, "2026-01-08T00:00Z", "", ana, ben)
			var unmatched []int64
			for _, o := range s.Unmatched(utc("2026-01-07T00:00Z")) {
				unmatched = append(unmatched, o.ID)
			}
			if diff := gocmp.Diff(test.unmatched, unmatched); diff != "" {
				t.Errorf("unmatched (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRemoveUncoversNoLowerLayer(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Versions[0].Layers = append(s.Versions[0].Layers, oncall.Layer{Name: "top", Members: []oncall.Person{eve}, Positions: []oncall.Position{"main"}})
	s.Overrides = []oncall.Override{inJanuary(1, oncall.Override{Kind: oncall.Remove, Out: eve})}
	expect(t, s, "2026-01-06T00:00Z", "main")
	want := []oncall.Gap{{Position: "main", Start: utc("2026-01-06T00:00Z"), End: utc("2026-01-08T00:00Z")}}
	if diff := gocmp.Diff(want, s.Gaps(utc("2026-01-05T12:00Z"), utc("2026-01-12T00:00Z"))); diff != "" {
		t.Error(diff)
	}
}

func TestOverrideForAllPositions(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Overrides = []oncall.Override{{ID: 1, From: utc("2026-01-06T00:00Z"), To: utc("2026-01-20T00:00Z"), Kind: oncall.Replace, Out: ben, In: eve}}
	expect(t, s, "2026-01-06T00:00Z", "", ana, eve)
	expect(t, s, "2026-01-13T00:00Z", "", eve, chiara)
}

func TestReplacedShiftNamesLayerAndOverride(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Overrides = []oncall.Override{inJanuary(7, oncall.Override{Position: "main", Kind: oncall.Replace, Out: ana, In: dana})}
	want := []oncall.Shift{
		{Position: "main", Person: ana, Start: utc("2026-01-05T08:00Z"), End: utc("2026-01-06T00:00Z"), Source: "layer:weekly", Layer: "weekly"},
		{Position: "backup", Person: ben, Start: utc("2026-01-05T08:00Z"), End: utc("2026-01-09T00:00Z"), Source: "layer:weekly", Layer: "weekly"},
		{Position: "main", Person: dana, Start: utc("2026-01-06T00:00Z"), End: utc("2026-01-08T00:00Z"), Source: "override", Layer: "weekly", Override: 7},
		{Position: "main", Person: ana, Start: utc("2026-01-08T00:00Z"), End: utc("2026-01-09T00:00Z"), Source: "layer:weekly", Layer: "weekly"},
	}
	if diff := gocmp.Diff(want, s.Shifts(utc("2026-01-01T00:00Z"), utc("2026-01-09T00:00Z"))); diff != "" {
		t.Error(diff)
	}
}

func TestTwoPositionsAreConflict(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Overrides = []oncall.Override{inJanuary(1, oncall.Override{Position: "main", Kind: oncall.Replace, Out: ana, In: ben})}
	want := []oncall.Conflict{{Person: ben, Positions: []oncall.Position{"main", "backup"},
		Start: utc("2026-01-06T00:00Z"), End: utc("2026-01-08T00:00Z")}}
	if diff := gocmp.Diff(want, s.Conflicts(utc("2026-01-01T00:00Z"), utc("2026-02-01T00:00Z"))); diff != "" {
		t.Error(diff)
	}
}

func TestEditLeavesOverrideUnmatched(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Overrides = []oncall.Override{inJanuary(1, oncall.Override{Position: "main", Kind: oncall.Replace, Out: ana, In: dana})}
	if got := s.Unmatched(utc("2026-01-01T00:00Z")); len(got) > 0 {
		t.Fatalf("unmatched before the edit: %v", got)
	}
	s.Versions[0].Layers[0].Members = []oncall.Person{eve, ben, chiara}
	if got := s.Unmatched(utc("2026-01-01T00:00Z")); len(got) != 1 {
		t.Errorf("unmatched after the edit: %v", got)
	}
	if got := s.Unmatched(utc("2026-01-08T00:00Z")); len(got) > 0 {
		t.Errorf("unmatched and over: %v", got)
	}
}
