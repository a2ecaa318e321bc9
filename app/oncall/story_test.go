package oncall_test

import (
	"encoding/json"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// The people of the stories.
const (
	ana oncall.Person = iota + 1
	ben
	chiara
	dana
	eve
)

var (
	weekly  = &oncall.Rotate{Every: 1, Unit: oncall.Week}
	daily   = &oncall.Rotate{Every: 1, Unit: oncall.Day}
	monthly = &oncall.Rotate{Every: 1, Unit: oncall.Month}
)

// payments is the schedule of the example configuration: Ana, Ben and Chiara by
// the week, whoever is backup this week being main the next.
func payments() oncall.Schedule {
	return oncall.Schedule{Slug: "payments", Versions: []oncall.Version{{
		Zone:      "Europe/Madrid",
		Positions: []oncall.Position{"main", "backup"},
		Layers: []oncall.Layer{{
			Name: "weekly", Start: wall("2026-01-05 09:00"), Rotate: weekly, Members: []oncall.Person{ana, ben, chiara},
		}},
	}}}
}

// one is a schedule of one position and one layer.
func one(zone string, l oncall.Layer) oncall.Schedule {
	return oncall.Schedule{Versions: []oncall.Version{{
		Zone: zone, Positions: []oncall.Position{"main"}, Layers: []oncall.Layer{l},
	}}}
}

func wall(s string) oncall.WallTime {
	w, err := oncall.ParseWallTime(s)
	if err != nil {
		panic(err)
	}
	return w
}

// utc reads an instant with its offset, such as 2026-01-05T09:00+01:00.
func utc(s string) time.Time {
	t, err := time.Parse("2006-01-02T15:04Z07:00", s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func expect(t *testing.T, s oncall.Schedule, at string, position oncall.Position, want ...oncall.Person) {
	t.Helper()
	var got []oncall.Person
	for _, shift := range s.OnCall(utc(at), position) {
		if !shift.Shadow {
			got = append(got, shift.Person)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s at %s (-want +got):\n%s", position, at, diff)
	}
}

func handsOff(t *testing.T, s oncall.Schedule, after string, want ...string) {
	t.Helper()
	at := utc(after)
	for _, next := range want {
		if at = s.NextHandover(at, "main"); !at.Equal(utc(next)) {
			t.Fatalf("hands off at %v, want %s", at, next)
		}
	}
}

func TestBackupThisWeekIsMainTheNext(t *testing.T) {
	t.Parallel()
	s := payments()
	expect(t, s, "2026-01-05T08:59+01:00", "main")
	expect(t, s, "2026-01-05T09:00+01:00", "main", ana)
	expect(t, s, "2026-01-05T09:00+01:00", "backup", ben)
	expect(t, s, "2026-01-12T09:00+01:00", "main", ben)
	expect(t, s, "2026-01-12T09:00+01:00", "backup", chiara)
	expect(t, s, "2026-01-26T08:59+01:00", "main", chiara)
	expect(t, s, "2026-01-26T09:00+01:00", "main", ana)
	expect(t, s, "2026-01-26T09:00+01:00", "", ana, ben)
}

func TestOnCallReturnsWholeShift(t *testing.T) {
	t.Parallel()
	got := payments().OnCall(utc("2026-03-28T12:00Z"), "main")
	want := []oncall.Shift{{Position: "main", Person: chiara, Source: "layer:weekly", Layer: "weekly",
		Start: utc("2026-03-23T09:00+01:00"), End: utc("2026-03-30T09:00+02:00")}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHandoffKeepsLocalTime(t *testing.T) {
	t.Parallel()
	handsOff(t, payments(), "2026-03-20T12:00Z",
		"2026-03-23T09:00+01:00", "2026-03-30T09:00+02:00", "2026-04-06T09:00+02:00")
	hours := one("Europe/Madrid", oncall.Layer{Name: "hours", Start: wall("2026-03-28 09:00"),
		Rotate: &oncall.Rotate{Every: 24, Unit: oncall.Hour}, Members: []oncall.Person{ana, ben}})
	handsOff(t, hours, "2026-03-28T12:00Z", "2026-03-29T10:00+02:00", "2026-03-30T10:00+02:00")
}

func TestHandoffInSkippedHour(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "night", Start: wall("2026-03-27 02:30"), Rotate: daily, Members: []oncall.Person{ana, ben}})
	handsOff(t, s, "2026-03-27T12:00Z", "2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00")
}

func TestHandoffInRepeatedHour(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "night", Start: wall("2026-10-23 02:30"), Rotate: daily, Members: []oncall.Person{ana, ben}})
	handsOff(t, s, "2026-10-23T12:00Z", "2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00")
	expect(t, s, "2026-10-25T02:29+02:00", "main", ben)
	expect(t, s, "2026-10-25T02:30+02:00", "main", ana)
	expect(t, s, "2026-10-25T02:10+01:00", "main", ana) // the wall shows a time before the handoff once more
	expect(t, s, "2026-10-25T02:40+01:00", "main", ana)
}

func TestOpenWindowWhenClocksGoBack(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "early", Members: []oncall.Person{ana}, Restrictions: []oncall.Window{{From: 2*60 + 15, To: 4 * 60}}})
	got := s.OnCall(utc("2026-10-25T02:10+01:00"), "main")
	if len(got) != 1 || !got[0].Start.Equal(utc("2026-10-25T02:15+02:00")) || !got[0].End.Equal(utc("2026-10-25T04:00+01:00")) {
		t.Errorf("got %v", got)
	}
}

func TestClosedWindowWhenClocksGoBack(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "short", Members: []oncall.Person{ana}, Restrictions: []oncall.Window{{From: 2*60 + 15, To: 2*60 + 45}}})
	expect(t, s, "2026-10-25T02:30+02:00", "main", ana)
	expect(t, s, "2026-10-25T02:45+02:00", "main")
	expect(t, s, "2026-10-25T02:10+01:00", "main")
	expect(t, s, "2026-10-25T02:30+01:00", "main")
	expect(t, s, "2026-10-26T02:30+01:00", "main", ana)
}

func TestMidnightHandoffWhenClocksGoBack(t *testing.T) {
	t.Parallel()
	s := one("America/St_Johns", oncall.Layer{Name: "daily", Start: wall("2006-10-28 00:00"), Rotate: daily, Members: []oncall.Person{ana, ben, chiara}})
	expect(t, s, "2006-10-28T23:59-02:30", "main", ana)
	expect(t, s, "2006-10-29T00:00-02:30", "main", ben)
	expect(t, s, "2006-10-28T23:01-03:30", "main", ben) // a minute later
	expect(t, s, "2006-10-30T00:00-03:30", "main", chiara)
}

func TestSkippedDay(t *testing.T) {
	t.Parallel()
	s := one("Pacific/Apia", oncall.Layer{Name: "daily", Start: wall("2011-12-28 09:00"), Rotate: daily, Members: []oncall.Person{ana, ben, chiara, dana}})
	expect(t, s, "2011-12-29T23:59-10:00", "main", ben)
	expect(t, s, "2011-12-31T00:00+14:00", "main", chiara)
	expect(t, s, "2011-12-31T09:00+14:00", "main", dana)
}

func TestMonthlyHandoffOnLastDay(t *testing.T) {
	t.Parallel()
	s := one("UTC", oncall.Layer{Name: "monthly", Start: wall("2024-01-31 08:00"), Rotate: monthly, Members: []oncall.Person{ana, ben}})
	handsOff(t, s, "2024-01-31T08:00Z", "2024-02-29T08:00Z", "2024-03-31T08:00Z", "2024-04-30T08:00Z", "2024-05-31T08:00Z")
	handsOff(t, s, "2025-01-31T08:00Z", "2025-02-28T08:00Z", "2025-03-31T08:00Z")
}

func TestNightWindowBelongsToStartDay(t *testing.T) {
	t.Parallel()
	s := one("Europe/Berlin", oncall.Layer{Name: "nights", Members: []oncall.Person{ana},
		Restrictions: []oncall.Window{{Days: []oncall.Weekday{oncall.Sunday}, From: 22 * 60, To: 6 * 60}}})
	expect(t, s, "2026-06-07T21:59+02:00", "main")
	expect(t, s, "2026-06-07T22:00+02:00", "main", ana) // Sunday
	expect(t, s, "2026-06-08T05:59+02:00", "main", ana)
	expect(t, s, "2026-06-08T06:00+02:00", "main")
	expect(t, s, "2026-06-08T23:00+02:00", "main")
}

func TestWindowFromEqualTo(t *testing.T) {
	t.Parallel()
	s := one("Europe/Berlin", oncall.Layer{Name: "tuesdays", Members: []oncall.Person{ana},
		Restrictions: []oncall.Window{{Days: []oncall.Weekday{oncall.Tuesday}}}})
	got := s.OnCall(utc("2026-06-09T12:00+02:00"), "main")
	if len(got) != 1 || !got[0].Start.Equal(utc("2026-06-09T00:00+02:00")) || !got[0].End.Equal(utc("2026-06-10T00:00+02:00")) {
		t.Errorf("got %v", got)
	}
}

func TestPeriodsCountOutsideRestrictions(t *testing.T) {
	t.Parallel()
	s := one("UTC", oncall.Layer{Name: "weekdays", Start: wall("2026-01-02 00:00"), Rotate: daily, Members: []oncall.Person{ana, ben, chiara},
		Restrictions: []oncall.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Friday}, From: 9 * 60, To: 17 * 60}}})
	expect(t, s, "2026-01-02T10:00Z", "main", ana) // Friday, period 0
	expect(t, s, "2026-01-03T10:00Z", "main")
	expect(t, s, "2026-01-05T10:00Z", "main", ana) // Monday, period 3
}

func TestLaterLayerWins(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "always", Members: []oncall.Person{ana}})
	s.Versions[0].Layers = append(s.Versions[0].Layers, oncall.Layer{Name: "new york", Zone: "America/New_York", Members: []oncall.Person{chiara},
		Restrictions: []oncall.Window{{From: 9 * 60, To: 17 * 60}}})
	expect(t, s, "2026-06-01T08:59-04:00", "main", ana)
	expect(t, s, "2026-06-01T09:00-04:00", "main", chiara)
	expect(t, s, "2026-06-01T17:00-04:00", "main", ana)
}

func TestLayerForBackupOnly(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Versions[0].Layers = append(s.Versions[0].Layers, oncall.Layer{Name: "backups", Start: wall("2026-01-05 09:00"), Rotate: weekly,
		Members: []oncall.Person{dana, eve}, Positions: []oncall.Position{"backup"}})
	expect(t, s, "2026-01-06T00:00Z", "", ana, dana)
	expect(t, s, "2026-01-13T00:00Z", "", ben, eve)
}

func TestShortListLeavesGap(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Versions[0].Layers[0].Members = []oncall.Person{ana}
	got := s.Gaps(utc("2026-02-01T00:00Z"), utc("2026-03-01T00:00Z"))
	want := []oncall.Gap{{Position: "backup", Start: utc("2026-02-01T00:00Z"), End: utc("2026-03-01T00:00Z")}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A layer above that never has anybody in the position must not hide that.
func TestPermanentShiftHasNoEnd(t *testing.T) {
	t.Parallel()
	office := []oncall.Window{{From: 9 * 60, To: 17 * 60}}
	for name, above := range map[string]oncall.Layer{
		"another position":  {Name: "above", Members: []oncall.Person{dana}, Positions: []oncall.Position{"backup"}, Restrictions: office},
		"one, office hours": {Name: "above", Members: []oncall.Person{dana}, Positions: []oncall.Position{"backup", "main"}, Restrictions: office},
		"rotating":          {Name: "above", Start: wall("2026-01-05 09:00"), Rotate: daily, Members: []oncall.Person{dana, eve}, Positions: []oncall.Position{"backup", "third", "main"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := payments()
			v := &s.Versions[0]
			v.Positions = append(v.Positions, "third")
			v.Layers[0].Members = []oncall.Person{ana}
			v.Layers = append(v.Layers, above)
			got := s.OnCall(utc("2026-06-01T00:00Z"), "main")
			if len(got) != 1 || !got[0].End.IsZero() || !got[0].Start.Equal(utc("2026-01-05T09:00+01:00")) {
				t.Errorf("got %v", got)
			}
			if next := s.NextHandover(utc("2026-06-01T00:00Z"), "main"); !next.IsZero() {
				t.Errorf("hands over at %v", next)
			}
		})
	}
}

func TestSamePersonIsNoHandover(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "nights", Members: []oncall.Person{ana}})
	s.Versions[0].Layers = append(s.Versions[0].Layers, oncall.Layer{Name: "days", Members: []oncall.Person{ana},
		Restrictions: []oncall.Window{{From: 9 * 60, To: 17 * 60}}})
	if next := s.NextHandover(utc("2026-06-01T00:00Z"), "main"); !next.IsZero() {
		t.Errorf("hands over at %v", next)
	}
}

func TestShadowsFillNoGap(t *testing.T) {
	t.Parallel()
	s := payments()
	v := &s.Versions[0]
	v.Shadows = []oncall.Shadow{{Person: eve, Position: "main", From: utc("2026-01-01T00:00Z"), To: utc("2026-02-01T00:00Z")}}
	from, to := utc("2026-01-05T07:00Z"), utc("2026-01-05T09:00Z")
	got := s.Shifts(from, to)
	want := []oncall.Shift{
		{Position: "main", Person: eve, Start: from, End: to, Source: "shadow", Shadow: true},
		{Position: "main", Person: ana, Start: utc("2026-01-05T08:00Z"), End: to, Source: "layer:weekly", Layer: "weekly"},
		{Position: "backup", Person: ben, Start: utc("2026-01-05T08:00Z"), End: to, Source: "layer:weekly", Layer: "weekly"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if gaps := s.Gaps(from, to); len(gaps) != 2 {
		t.Errorf("gaps: %v", gaps)
	}
	next, ok := s.NextShift(eve, utc("2025-12-01T00:00Z"))
	if !ok || !next.Shadow || !next.End.Equal(utc("2026-02-01T00:00Z")) {
		t.Errorf("Eve is next %v", next)
	}
}

func TestNoGapsBeforeFirstVersion(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Versions[0].Effective = utc("2026-06-01T00:00Z")
	expect(t, s, "2026-05-31T23:59Z", "")
	expect(t, s, "2026-06-01T00:00Z", "", chiara, ana)
	if gaps := s.Gaps(utc("2026-01-01T00:00Z"), utc("2026-07-01T00:00Z")); len(gaps) > 0 {
		t.Errorf("gaps: %v", gaps)
	}
}

func TestLayerShifts(t *testing.T) {
	t.Parallel()
	s := payments()
	s.Versions[0].Layers = append(s.Versions[0].Layers, oncall.Layer{Name: "cover", Members: []oncall.Person{eve}, Positions: []oncall.Position{"main"}})
	s.Overrides = []oncall.Override{{ID: 1, From: utc("2026-01-06T00:00Z"), To: utc("2026-01-07T00:00Z"), Kind: oncall.Add, In: dana}}
	got := s.LayerShifts("weekly", utc("2026-01-06T00:00Z"), utc("2026-01-07T00:00Z"))
	want := []oncall.Shift{
		{Position: "main", Person: ana, Start: utc("2026-01-06T00:00Z"), End: utc("2026-01-07T00:00Z"), Source: "layer:weekly", Layer: "weekly"},
		{Position: "backup", Person: ben, Start: utc("2026-01-06T00:00Z"), End: utc("2026-01-07T00:00Z"), Source: "layer:weekly", Layer: "weekly"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNextShift(t *testing.T) {
	t.Parallel()
	s := payments()
	next, ok := s.NextShift(chiara, utc("2026-01-06T00:00Z"))
	if !ok || next.Position != "backup" || !next.Start.Equal(utc("2026-01-12T09:00+01:00")) {
		t.Errorf("Chiara is next %v", next)
	}
	if next, ok := s.NextShift(eve, utc("2026-01-06T00:00Z")); ok {
		t.Errorf("Eve is next %v", next)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	s := payments()
	v := &s.Versions[0]
	v.Effective = utc("2026-01-01T00:00Z")
	v.Layers[0].Restrictions = []oncall.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Sunday}, From: 22 * 60, To: 24 * 60}}
	v.Layers[0].Phase, v.Layers[0].Held = 2, &oncall.Held{Members: []oncall.Person{ben}, Phase: 1, Before: 7}
	v.Shadows = []oncall.Shadow{{Person: eve, From: utc("2026-01-01T00:00Z")}}
	s.Overrides = []oncall.Override{{ID: 4, From: utc("2026-01-06T00:00Z"), To: utc("2026-01-07T00:00Z"), Kind: oncall.Replace, Out: ana, In: ben, By: "ana@acme.example", Reason: "ill"}}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got oncall.Schedule
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	layer, err := json.Marshal(v.Layers[0])
	want := `{"name":"weekly","start":"2026-01-05 09:00","rotate":{"every":1,"unit":"week"},"members":[1,2,3],` +
		`"restrictions":[{"days":["mon","sun"],"from":"22:00","to":"24:00"}],"phase":2,"held":{"members":[2],"phase":1,"before":7}}`
	if err != nil || string(layer) != want {
		t.Errorf("got  %s\nwant %s", layer, want)
	}
}
