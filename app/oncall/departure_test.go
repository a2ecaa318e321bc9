package oncall_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// left is the schedule of Ana, Ben and Chiara with one of them, or somebody else,
// deactivated on 20 January, in Chiara's week.
func left(person oncall.Person) oncall.Schedule {
	s := payments()
	s.Left = map[oncall.Person]time.Time{person: utc("2026-01-20T12:00Z")}
	return s
}

func TestNextMemberCoversWhoLeft(t *testing.T) {
	t.Parallel()
	s := left(ben)
	expect(t, s, "2026-01-13T12:00Z", "main", ben) // the past stays as it was
	expect(t, s, "2026-01-13T12:00Z", "backup", chiara)
	expect(t, s, "2026-01-20T12:00Z", "main", chiara)
	expect(t, s, "2026-01-20T12:00Z", "backup", ana)
	expect(t, s, "2026-01-27T12:00Z", "main", ana)
	expect(t, s, "2026-01-27T12:00Z", "backup", chiara)
	expect(t, s, "2026-02-03T12:00Z", "main", chiara) // Ben's turn again
	expect(t, s, "2026-02-10T12:00Z", "main", chiara)
	if shift, ok := s.NextShift(ben, utc("2026-01-20T12:00Z")); ok {
		t.Errorf("the next shift of who left is %v", shift)
	}
}

func TestLayerOfWhoLeftHasNobody(t *testing.T) {
	t.Parallel()
	s := left(dana)
	s.Versions[0].Layers = append(s.Versions[0].Layers, oncall.Layer{Name: "over", Members: []oncall.Person{dana}, Positions: []oncall.Position{"main"}})
	expect(t, s, "2026-01-20T11:59Z", "main", dana)
	expect(t, s, "2026-01-20T12:00Z", "main", chiara)
	s.Left[ana], s.Left[ben], s.Left[chiara] = time.Time{}, time.Time{}, time.Time{}
	expect(t, s, "2026-01-20T12:00Z", "main")
	if end := s.Gaps(utc("2026-01-20T12:00Z"), utc("2026-01-21T12:00Z")); len(end) != 2 {
		t.Errorf("gaps %v, want one in each position", end)
	}
}

func TestOverrideByWhoLeftFallsBack(t *testing.T) {
	t.Parallel()
	from, to := utc("2026-01-20T00:00Z"), utc("2026-01-23T00:00Z")
	s := left(dana)
	s.Overrides = []oncall.Override{{ID: 7, From: from, To: to, Position: "main", Kind: oncall.Replace, Out: chiara, In: dana}}
	expect(t, s, "2026-01-20T11:59Z", "main", dana)
	expect(t, s, "2026-01-20T12:00Z", "main", chiara)
	if u := s.Unmatched(utc("2026-01-20T11:59Z")); len(u) != 0 {
		t.Errorf("unmatched before they leave: %v", u)
	}
	if u := s.Unmatched(utc("2026-01-20T12:00Z")); len(u) != 1 || u[0].ID != 7 {
		t.Errorf("unmatched after they left: %v, want override 7", u)
	}
}

// TestOverrideStandsInForWhoLeft keeps whoever was to stand in for a person who has
// left since.
func TestOverrideStandsInForWhoLeft(t *testing.T) {
	t.Parallel()
	s := left(chiara)
	s.Overrides = []oncall.Override{{ID: 7, From: utc("2026-01-20T00:00Z"), To: utc("2026-01-23T00:00Z"), Position: "main", Kind: oncall.Replace, Out: chiara, In: dana}}
	expect(t, s, "2026-01-20T12:00Z", "main", dana)
	expect(t, s, "2026-01-23T00:00Z", "main", ana)
}

func TestShadowEndsWhenTheyLeave(t *testing.T) {
	t.Parallel()
	s := left(eve)
	s.Versions[0].Shadows = []oncall.Shadow{{Person: eve, Position: "main"}}
	for at, want := range map[string]bool{"2026-01-20T11:59Z": true, "2026-01-20T12:00Z": false} {
		got := false
		for _, shift := range s.OnCall(utc(at), "main") {
			got = got || shift.Shadow
		}
		if got != want {
			t.Errorf("shadow at %s: %v, want %v", at, got, want)
		}
	}
}
