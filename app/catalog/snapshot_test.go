package catalog_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestPolicyVersionAt(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := catalog.NewSnapshot(catalog.Contents{PolicyVersions: []catalog.PolicyVersionRef{
		{PolicyID: 1, ID: 13, Effective: noon.Add(time.Hour)},
		{PolicyID: 1, ID: 11, Effective: noon},
		{PolicyID: 1, ID: 12, Effective: noon}, // of two from the same instant, the later one
		{PolicyID: 2, ID: 21, Effective: noon.Add(time.Minute)},
	}})
	for _, test := range []struct {
		policy int64
		at     time.Time
		want   int64 // 0 for none
	}{
		{1, noon.Add(-time.Nanosecond), 0}, {1, noon, 12}, {1, noon.Add(time.Hour - 1), 12}, {1, noon.Add(time.Hour), 13},
		{2, noon, 0}, {3, noon, 0},
	} {
		id, ok := s.PolicyVersionAt(test.policy, test.at)
		if id != test.want || ok != (test.want != 0) {
			t.Errorf("%+v: got %d, %v", test, id, ok)
		}
	}
}

func TestServiceNamed(t *testing.T) {
	t.Parallel()
	s := catalog.NewSnapshot(catalog.Contents{Services: []catalog.Service{
		{ID: 3, Slug: "c", Name: "Checkout"}, {ID: 1, Slug: "a", Name: "checkout"}, {ID: 2, Slug: "checkout", Name: "A"},
	}})
	for name, want := range map[string]int64{"c": 3, "a": 1, "checkout": 2, " CHECKOUT": 1, "A": 2, "d": 0, "": 0} {
		got, ok := s.ServiceNamed(name)
		if got.ID != want || ok != (want != 0) {
			t.Errorf("%q: got %d, %v", name, got.ID, ok)
		}
	}
}

func TestPrioritiesAreSorted(t *testing.T) {
	t.Parallel()
	s := catalog.NewSnapshot(catalog.Contents{Priorities: []catalog.Priority{{Level: 3}, {Level: 1}}, Organization: catalog.Organization{ConfigVersion: 7}})
	if p := s.Priorities(); len(p) != 2 || p[0].Level != 1 || s.Version() != 7 {
		t.Errorf("got %+v at version %d", p, s.Version())
	}
	if _, ok := s.Priority(2); ok {
		t.Error("found a level that does not exist")
	}
}

// TestARuleIsCompiledOnceASnapshot, when it is first asked for.
func TestARuleIsCompiledOnceASnapshot(t *testing.T) {
	t.Parallel()
	own, broken := catalog.Integration{ID: 1, Dedup: `event.service`}, catalog.Integration{ID: 2, Dedup: `event.`}
	s := catalog.NewSnapshot(catalog.Contents{Integrations: []catalog.Integration{own, broken}})
	first, err := s.DedupRule(own)
	again, errAgain := s.DedupRule(own)
	if err != nil || errAgain != nil || first != again {
		t.Errorf("it is compiled twice: %v, %v", err, errAgain)
	}
	if _, err := s.DedupRule(broken); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a rule that cannot be compiled is answered %v", err)
	}
	if rule, err := s.DedupRule(catalog.Integration{Dedup: `event.sli`}); err != nil || rule == nil {
		t.Errorf("one of an integration that is not in the picture is answered %v", err)
	}
}
