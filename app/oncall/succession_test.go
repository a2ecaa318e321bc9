package oncall_test

import (
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// edited is payments with a second version that has other members.
func edited(effective string, members ...oncall.Person) oncall.Schedule {
	s := payments()
	edit := payments().Versions[0]
	edit.Effective = utc(effective)
	edit.Layers[0].Members = members
	s.Versions = append(s.Versions, s.Versions[0].Succeed(edit))
	return s
}

// mains are the people in main, week by week from the one of 5 January on.
func mains(s oncall.Schedule, weeks int) []oncall.Person {
	var all []oncall.Person
	for week := range weeks {
		all = append(all, s.OnCall(utc("2026-01-06T00:00Z").AddDate(0, 0, 7*week), "main")[0].Person)
	}
	return all
}

func TestOrderContinuesAfterEdit(t *testing.T) {
	t.Parallel()
	const inBensWeek = "2026-01-14T12:00Z"
	tests := map[string]struct {
		effective string
		members   []oncall.Person
		want      []oncall.Person
	}{
		"one joins at the end":      {inBensWeek, []oncall.Person{ana, ben, chiara, dana}, []oncall.Person{ana, ben, chiara, dana, ana, ben}},
		"one joins after who is on": {inBensWeek, []oncall.Person{ana, ben, dana, chiara}, []oncall.Person{ana, ben, dana, chiara, ana, ben}},
		"one joins before":          {inBensWeek, []oncall.Person{dana, ana, ben, chiara}, []oncall.Person{ana, ben, chiara, dana, ana, ben}},
		"another leaves":            {inBensWeek, []oncall.Person{ben, chiara}, []oncall.Person{ana, ben, chiara, ben, chiara, ben}},
		"who is on leaves":          {inBensWeek, []oncall.Person{ana, chiara}, []oncall.Person{ana, ben, chiara, ana, chiara, ana}},
		"who is on is exchanged":    {inBensWeek, []oncall.Person{ana, dana, chiara}, []oncall.Person{ana, ben, chiara, ana, dana, chiara}},
		"all leave":                 {inBensWeek, []oncall.Person{dana, eve}, []oncall.Person{ana, ben, dana, eve, dana, eve}},
		"the same circle":           {inBensWeek, []oncall.Person{chiara, ana, ben}, []oncall.Person{ana, ben, chiara, ana, ben, chiara}},
		"one stays alone":           {inBensWeek, []oncall.Person{eve}, []oncall.Person{ana, ben, eve, eve, eve, eve}},
		"weighted":                  {inBensWeek, []oncall.Person{ben, ana, ben, chiara}, []oncall.Person{ana, ben, chiara, ben, ana, ben}},
		"at the handoff":            {"2026-01-19T08:00Z", []oncall.Person{ana, ben, dana}, []oncall.Person{ana, ben, dana, ana, ben, dana}},
		"before it has begun":       {"2026-01-01T00:00Z", []oncall.Person{dana, eve}, []oncall.Person{dana, eve, dana, eve, dana, eve}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(test.want, mains(edited(test.effective, test.members...), 6)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBackupStaysToEndOfPeriod(t *testing.T) {
	t.Parallel()
	s := edited("2026-01-14T12:00Z", dana, eve)
	expect(t, s, "2026-01-19T08:59+01:00", "", ben, chiara)
	expect(t, s, "2026-01-19T09:00+01:00", "", dana, eve)
	got := s.OnCall(utc("2026-01-15T00:00Z"), "main")
	if !got[0].Start.Equal(utc("2026-01-12T08:00Z")) || !got[0].End.Equal(utc("2026-01-19T08:00Z")) {
		t.Errorf("Ben's week is cut by the edit: %v", got)
	}
}

func TestSecondEditInSamePeriod(t *testing.T) {
	t.Parallel()
	s := edited("2026-01-14T12:00Z", dana, eve)
	last := s.Versions[1]
	edit := payments().Versions[0]
	edit.Effective = utc("2026-01-15T12:00Z")
	edit.Layers[0].Members = []oncall.Person{ana, ben, dana}
	s.Versions = append(s.Versions, last.Succeed(edit))
	if diff := gocmp.Diff([]oncall.Person{ana, ben, dana, ana, ben}, mains(s, 5)); diff != "" {
		t.Error(diff)
	}
}

func TestEditWithoutRotationAppliesAtOnce(t *testing.T) {
	t.Parallel()
	s := one("UTC", oncall.Layer{Name: "manager", Members: []oncall.Person{ana}})
	edit := one("UTC", oncall.Layer{Name: "manager", Members: []oncall.Person{ben}}).Versions[0]
	edit.Effective = utc("2026-01-14T12:00Z")
	s.Versions = append(s.Versions, s.Versions[0].Succeed(edit))
	expect(t, s, "2026-01-14T11:59Z", "main", ana)
	expect(t, s, "2026-01-14T12:00Z", "main", ben)
}

func TestChangedRotationRestarts(t *testing.T) {
	t.Parallel()
	s := payments()
	edit := payments().Versions[0]
	edit.Effective = utc("2026-01-14T00:00Z")
	edit.Layers[0].Rotate = daily
	s.Versions = append(s.Versions, s.Versions[0].Succeed(edit))
	expect(t, s, "2026-01-14T12:00Z", "main", ana) // day 9
	expect(t, s, "2026-01-15T12:00Z", "main", ben)
}

func TestSameDefinitionChangesNothing(t *testing.T) {
	t.Parallel()
	present := edited("2026-01-14T12:00Z", ana, ben, chiara, dana).Versions[1]
	for _, members := range [][]oncall.Person{{ana, ben, chiara, dana}, present.Layers[0].Order()} {
		edit := payments().Versions[0]
		edit.Effective = utc("2026-03-01T00:00Z")
		edit.Layers[0].Members = members
		edit.Layers[0].Positions = []oncall.Position{}
		if next := present.Succeed(edit); !next.SameAs(present) {
			t.Errorf("%v: %+v is not %+v", members, next.Layers[0], present.Layers[0])
		}
	}
	changed := edited("2026-01-14T12:00Z", ana, ben).Versions[1]
	if changed.SameAs(present) {
		t.Error("other members are the same")
	}
}

func TestOrderWithoutPhase(t *testing.T) {
	t.Parallel()
	s := edited("2026-01-14T12:00Z", dana, ana, ben, chiara)
	layer := s.Versions[1].Layers[0]
	plain := payments()
	plain.Versions[0].Layers[0].Members = layer.Order()
	for week := 2; week < 8; week++ {
		at := utc("2026-01-06T00:00Z").AddDate(0, 0, 7*week)
		if want, got := s.OnCall(at, "main")[0].Person, plain.OnCall(at, "main")[0].Person; got != want {
			t.Errorf("week %d: %d, want %d", week, got, want)
		}
	}
}

// TestEditKeepsCurrentPeople draws edits, and holds what is announced against
// what is then on: nothing changes before the end of the period, and after it
// the new list goes round in its order.
func TestEditKeepsCurrentPeople(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		distinct := func(label string) []oncall.Person {
			ids := rapid.SliceOfNDistinct(rapid.Int64Range(1, 7), 1, 6, rapid.ID).Draw(t, label)
			people := make([]oncall.Person, len(ids))
			for i, id := range ids {
				people[i] = oncall.Person(id)
			}
			return people
		}
		s := payments()
		s.Versions[0].Layers[0].Members = distinct("before")
		at := utc("2026-01-05T08:01Z")
		for range rapid.IntRange(1, 3).Draw(t, "edits") {
			at = at.Add(time.Duration(rapid.IntRange(1, 15*24*60).Draw(t, "later")) * time.Minute)
			before, list := s, distinct("after")
			present := s.Versions[len(s.Versions)-1]
			edit := payments().Versions[0]
			edit.Effective, edit.Layers[0].Members = at, list
			s.Versions = append(slices.Clone(s.Versions), present.Succeed(edit))
			holdsToTheEndOfThePeriod(t, before, s, at)
			goesRound(t, s, at, list)
		}
	})
}

// week is the week of 5 January that an instant falls into.
func week(at time.Time) time.Time {
	begin := utc("2026-01-05T08:00Z")
	for !at.Before(begin.AddDate(0, 0, 7)) {
		begin = begin.AddDate(0, 0, 7)
	}
	return begin
}

func holdsToTheEndOfThePeriod(t *rapid.T, before, after oncall.Schedule, at time.Time) {
	end := week(at).AddDate(0, 0, 7)
	if at.Equal(week(at)) {
		return
	}
	from := week(at)
	if diff := gocmp.Diff(before.Shifts(from, end), after.Shifts(from, end)); diff != "" {
		t.Fatalf("the edit at %v moved somebody (-before +after):\n%s", at, diff)
	}
}

func goesRound(t *rapid.T, s oncall.Schedule, at time.Time, list []oncall.Person) {
	monday := week(at)
	if !at.Equal(monday) {
		monday = monday.AddDate(0, 0, 7)
	}
	for range 2 * len(list) {
		on := s.OnCall(monday.Add(4*time.Hour), "main")[0].Person
		next := s.OnCall(monday.AddDate(0, 0, 7).Add(4*time.Hour), "main")[0].Person
		i := slices.Index(list, on)
		if i < 0 || next != list[(i+1)%len(list)] {
			t.Fatalf("on %v %d is on and then %d, of %v", monday, on, next, list)
		}
		monday = monday.AddDate(0, 0, 7)
	}
}

func TestShortenedListLeavesOneGap(t *testing.T) {
	t.Parallel()
	s := payments()
	layer := &s.Versions[0].Layers[0]
	layer.Members = []oncall.Person{ana, ben}
	layer.Restrictions = []oncall.Window{{From: 10 * 60, To: 17 * 60}}
	edit := s.Versions[0]
	edit.Effective = utc("2026-01-14T12:00Z")
	edit.Layers = slices.Clone(edit.Layers)
	edit.Layers[0].Members = []oncall.Person{ana}
	s.Versions = append(s.Versions, s.Versions[0].Succeed(edit))
	var backup []oncall.Gap
	for _, gap := range s.Gaps(utc("2026-01-18T12:00Z"), utc("2026-01-25T12:00Z")) {
		if gap.Position == "backup" {
			backup = append(backup, gap)
		}
	}
	// From the last window of the old list on, through the handoff on Monday.
	want := []oncall.Gap{{Position: "backup", Start: utc("2026-01-18T17:00+01:00"), End: utc("2026-01-25T12:00Z")}}
	if diff := gocmp.Diff(want, backup); diff != "" {
		t.Error(diff)
	}
}
