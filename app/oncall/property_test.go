package oncall_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

type moment struct{ zone, day string }

// moments are where clocks do something, or never do.
var moments = []moment{
	{"UTC", "2026-06-01"},
	{"Europe/Madrid", "2026-03-29"},
	{"Europe/Madrid", "2026-10-25"},
	{"Europe/Dublin", "2026-10-25"}, // winter is its daylight saving, backwards
	{"America/New_York", "2026-03-08"},
	{"America/New_York", "2048-11-01"}, // after the last recorded change, in a leap year
	{"America/St_Johns", "2006-10-29"}, // at one minute past midnight, back into the day before
	{"America/Havana", "2026-03-08"},   // no midnight
	{"America/Havana", "2026-11-01"},   // two midnights
	{"America/Santiago", "2026-09-06"}, // south, no midnight
	{"America/Sao_Paulo", "2018-02-18"},
	{"America/Caracas", "2016-05-01"},     // half an hour, for good
	{"Australia/Lord_Howe", "2026-04-05"}, // half an hour, every year
	{"Australia/Lord_Howe", "2026-10-04"},
	{"Pacific/Chatham", "2026-09-27"}, // quarters of an hour
	{"Pacific/Auckland", "2026-04-05"},
	{"Pacific/Apia", "2011-12-30"},      // a day that never was
	{"Pacific/Kwajalein", "1993-08-21"}, // another
	{"Pacific/Kwajalein", "1969-09-30"}, // a day that was twice
	{"Asia/Kathmandu", "2026-06-01"},
	{"Asia/Tehran", "2022-03-22"},
	{"Asia/Beirut", "2026-03-29"},
	{"Africa/Casablanca", "2026-02-15"}, // twice a year, by the moon
	{"Africa/Cairo", "2026-10-29"},
	{"Antarctica/Troll", "2026-03-29"}, // two hours
}

// TestAgainstOracle holds every answer against what the oracle saw, minute by
// minute, around changes of the clocks.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		compare(t, scenario{days: 24, step: time.Minute, grid: 1})
	})
}

// TestMonthsAgainstOracle looks less closely and much longer.
func TestMonthsAgainstOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		compare(t, scenario{days: 400, step: 15 * time.Minute, grid: 15})
	})
}

// TestDecadesAfterTheStart walks all the way from 1996.
func TestDecadesAfterTheStart(t *testing.T) {
	t.Parallel()
	for _, rotate := range []oncall.Rotate{{Every: 7, Unit: oncall.Hour}, {Every: 3, Unit: oncall.Day}, {Every: 2, Unit: oncall.Week}, {Every: 1, Unit: oncall.Month}} {
		s := one("Europe/Madrid", oncall.Layer{Name: "long", Start: wall("1996-01-31 02:30"), Rotate: &rotate, Members: []oncall.Person{ana, ben, chiara}})
		w := walk{origin: utc("1996-01-01T00:00Z"), from: utc("2026-01-01T00:00Z"), to: utc("2027-01-01T00:00Z"), step: 30 * time.Minute}
		if diff := gocmp.Diff(canonical(watch(s, w).shifts()), canonical(s.Shifts(w.from, w.to))); diff != "" {
			t.Errorf("every %d %ss (-oracle +got):\n%s", rotate.Every, rotate.Unit, diff)
		}
	}
}

// scenario is the size of what is drawn. Everything drawn lies on the grid, in
// minutes, so that a walk by steps of it misses nothing.
type scenario struct {
	days int
	step time.Duration
	grid int
}

func compare(t *rapid.T, sc scenario) {
	g := generator{T: t, scenario: sc}
	moment := g.moment()
	day, err := time.Parse(time.DateOnly, moment.day)
	if err != nil {
		t.Fatal(err)
	}
	g.day, g.zone = day, moment.zone
	s, w := g.schedule(), g.walk()
	seen := watch(s, w)

	if diff := gocmp.Diff(canonical(seen.shifts()), canonical(s.Shifts(w.from, w.to))); diff != "" {
		t.Fatalf("Shifts (-oracle +got):\n%s", diff)
	}
	if diff := gocmp.Diff(seen.gaps(true), s.Gaps(w.from, w.to)); diff != "" {
		t.Fatalf("Gaps (-oracle +got):\n%s", diff)
	}
	if diff := gocmp.Diff(seen.gaps(false), s.UncoveredByAgreement(w.from, w.to)); diff != "" {
		t.Fatalf("UncoveredByAgreement (-oracle +got):\n%s", diff)
	}
	compareConflicts(t, s, seen)
	compareUnmatched(t, s, seen)
	for range 5 {
		at := g.instant("asked").Add(-sc.step)
		if at.Before(w.from) {
			at = w.from
		}
		compareOnCall(t, s, seen, at)
		compareHandover(t, s, seen, at)
		compareNextShift(t, s, seen, at)
		compareNextCover(t, s, seen, at)
	}
}

func compareNextCover(t *rapid.T, s oncall.Schedule, seen record, at time.Time) {
	at = at.Add(seen.step / 2)
	var want time.Time
	for _, page := range seen.pages[seen.page(at):] {
		if page.required {
			want = page.start
			break
		}
	}
	if !want.IsZero() && want.Before(at) {
		want = at
	}
	got := s.NextCover(at)
	inSight := !got.IsZero() && got.Before(seen.to)
	if inSight == want.IsZero() || inSight && !got.Equal(want) {
		t.Fatalf("NextCover(%v) = %v, the oracle saw %v", at, got, want)
	}
}

func compareConflicts(t *rapid.T, s oncall.Schedule, seen record) {
	conflicts := s.Conflicts(seen.from, seen.to)
	for _, page := range seen.pages {
		for _, at := range []time.Time{page.start, page.end.Add(-seen.step)} {
			got := map[oncall.Person]int{}
			for _, c := range conflicts {
				if !at.Before(c.Start) && at.Before(c.End) {
					got[c.Person] += len(c.Positions)
				}
			}
			if diff := gocmp.Diff(page.twice(), got); diff != "" {
				t.Fatalf("Conflicts at %v (-oracle +got):\n%s", at, diff)
			}
		}
	}
}

func compareUnmatched(t *rapid.T, s oncall.Schedule, seen record) {
	var want []int64
	for _, o := range s.Overrides {
		if !seen.matched[o.ID] {
			want = append(want, o.ID)
		}
	}
	var got []int64
	for _, o := range s.Unmatched(seen.from.Add(-time.Hour)) {
		got = append(got, o.ID)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("Unmatched (-oracle +got):\n%s", diff)
	}
}

// compareOnCall takes whole shifts, cut to what the oracle saw.
func compareOnCall(t *rapid.T, s oncall.Schedule, seen record, at time.Time) {
	at = at.Add(seen.step / 2)
	var want []oncall.Shift
	for _, shift := range seen.shifts() {
		if !at.Before(shift.Start) && at.Before(shift.End) {
			want = append(want, shift)
		}
	}
	got := s.OnCall(at, "")
	for i := range got {
		if got[i].Start.Before(seen.from) {
			got[i].Start = seen.from
		}
		if got[i].End.IsZero() || got[i].End.After(seen.to) {
			got[i].End = seen.to
		}
	}
	if diff := gocmp.Diff(canonical(want), canonical(got)); diff != "" {
		t.Fatalf("OnCall at %v (-oracle +got):\n%s", at, diff)
	}
}

func compareHandover(t *rapid.T, s oncall.Schedule, seen record, at time.Time) {
	position := rapid.SampledFrom([]oncall.Position{"main", "backup", "third"}).Draw(t, "position")
	want, ok := seen.handover(at, position)
	got := s.NextHandover(at, position)
	inSight := !got.IsZero() && got.Before(seen.to)
	if ok != inSight || ok && !got.Equal(want) {
		t.Fatalf("NextHandover(%v, %s) = %v, the oracle saw %v", at, position, got, want)
	}
}

func compareNextShift(t *rapid.T, s oncall.Schedule, seen record, after time.Time) {
	person := oncall.Person(rapid.Int64Range(1, 6).Draw(t, "person"))
	var want time.Time
	for _, shift := range seen.shifts() {
		if shift.Person == person && shift.Start.After(after) && (want.IsZero() || shift.Start.Before(want)) {
			want = shift.Start
		}
	}
	got, ok := s.NextShift(person, after)
	inSight := ok && got.Start.Before(seen.to)
	if inSight == want.IsZero() || inSight && (!got.Start.Equal(want) || got.Person != person) {
		t.Fatalf("NextShift(%d, %v) = %v, the oracle saw %v", person, after, got, want)
	}
}

// generator draws schedules around a day.
type generator struct {
	*rapid.T
	scenario
	day  time.Time
	zone string
}

func (g generator) walk() walk {
	half := time.Duration(g.days) * 12 * time.Hour
	return walk{origin: g.day.Add(-half).AddDate(0, 0, -3), from: g.day.Add(-half), to: g.day.Add(half), step: g.step}
}

// moment is one in a zone whose clocks only jump on the grid. Those of St John's
// did at one minute past midnight.
func (g generator) moment() moment {
	return rapid.SampledFrom(moments).Filter(func(m moment) bool {
		return g.grid == 1 || m.zone != "America/St_Johns"
	}).Draw(g.T, "moment")
}

// instant is one that the oracle sees.
func (g generator) instant(label string) time.Time {
	minutes := g.days * 24 * 60 / g.grid
	return g.walk().from.Add(time.Duration(rapid.IntRange(0, minutes).Draw(g.T, label)*g.grid) * time.Minute)
}

func (g generator) schedule() oncall.Schedule {
	s := oncall.Schedule{Slug: "drawn", Versions: []oncall.Version{g.version()}}
	if rapid.IntRange(0, 2).Draw(g.T, "has second version") == 0 {
		s.Versions = append(s.Versions, g.second(s.Versions[0]))
	}
	for id := range rapid.IntRange(0, 5).Draw(g.T, "overrides") {
		s.Overrides = append(s.Overrides, g.override(int64(id+1)))
	}
	if g.bool("somebody left") {
		s.Left = map[oncall.Person]time.Time{}
		for range rapid.IntRange(1, 3).Draw(g.T, "number who left") {
			s.Left[g.person("who left")] = g.leaving()
		}
	}
	return s
}

func (g generator) version() oncall.Version {
	v := oncall.Version{Zone: g.zone, Positions: []oncall.Position{"main", "backup", "third"}[:rapid.IntRange(1, 3).Draw(g.T, "positions")]}
	for i := range rapid.IntRange(1, 3).Draw(g.T, "layers") {
		v.Layers = append(v.Layers, g.layer(string(rune('a'+i)), v.Positions))
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(g.T, "required cover") {
		v.RequiredCover = append(v.RequiredCover, g.window())
	}
	if rapid.IntRange(0, 3).Draw(g.T, "has shadow") == 0 {
		shadow := oncall.Shadow{Person: g.person("shadow"), From: g.instant("shadow from")}
		shadow.To = shadow.From.Add(time.Duration(rapid.IntRange(1, 5000).Draw(g.T, "shadowing")*g.grid) * time.Minute)
		if g.bool("shadows main") {
			shadow.Position = "main"
		}
		v.Shadows = []oncall.Shadow{shadow}
	}
	return v
}

// second is another version, or the first with other members.
func (g generator) second(first oncall.Version) oncall.Version {
	edit := g.version()
	if g.bool("only members change") {
		edit = first
		edit.Layers = slices.Clone(first.Layers)
		edit.Layers[0].Members = g.people()
		edit.Layers[0].CountsOnlyCovered = g.bool("counts only covered")
	}
	edit.Effective = g.instant("effective")
	return first.Succeed(edit)
}

func (g generator) layer(name string, positions []oncall.Position) oncall.Layer {
	l := oncall.Layer{Name: name, Members: g.people()}
	if g.bool("own zone") {
		l.Zone = g.moment().zone
	}
	if g.bool("own positions") {
		l.Positions = []oncall.Position{rapid.SampledFrom(positions).Draw(g.T, "position")}
	}
	if rapid.IntRange(0, 9).Draw(g.T, "never rotates") > 0 {
		l.Start = g.wall()
		l.Rotate = &oncall.Rotate{
			Every: rapid.IntRange(1, 3).Draw(g.T, "every"),
			Unit:  rapid.SampledFrom([]oncall.Unit{oncall.Hour, oncall.Day, oncall.Week, oncall.Month}).Draw(g.T, "unit"),
		}
		if l.Rotate.Unit == oncall.Hour {
			l.Rotate.Every = rapid.IntRange(1, 40).Draw(g.T, "hours")
		}
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2, 3}).Draw(g.T, "restrictions") {
		l.Restrictions = append(l.Restrictions, g.window())
	}
	l.CountsOnlyCovered = g.bool("counts only covered")
	return l
}

// wall is a time on a wall in the first half of the walk, often at an hour in
// which clocks are changed.
func (g generator) wall() oncall.WallTime {
	day := g.walk().from.AddDate(0, 0, rapid.IntRange(0, g.days/2).Draw(g.T, "start day"))
	w := oncall.WallTimeOf(day)
	w.Clock = g.clock("start clock")
	return w
}

func (g generator) clock(label string) oncall.Clock {
	last := 24*60 - 1
	if g.bool(label + " at night") {
		last = 3 * 60
	}
	return oncall.Clock(rapid.IntRange(0, last/g.grid).Draw(g.T, label) * g.grid)
}

func (g generator) window() oncall.Window {
	days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 0, 7, rapid.ID).Draw(g.T, "days")
	w := oncall.Window{From: g.clock("from"), To: g.clock("to")}
	for _, d := range days {
		w.Days = append(w.Days, oncall.Weekday(d))
	}
	switch rapid.IntRange(0, 5).Draw(g.T, "kind of window") {
	case 0:
		w.To = 24 * 60
	case 1:
		w.To = w.From
	}
	return w
}

func (g generator) override(id int64) oncall.Override {
	o := oncall.Override{ID: id, From: g.instant("override from"),
		Kind: rapid.SampledFrom([]oncall.Kind{oncall.Replace, oncall.Replace, oncall.Add, oncall.Remove}).Draw(g.T, "kind")}
	o.To = o.From.Add(time.Duration(rapid.IntRange(1, 6000).Draw(g.T, "overriding")*g.grid) * time.Minute)
	if end := g.walk().to; o.To.After(end) {
		o.To = end
		o.From = o.From.Add(-time.Duration(g.grid) * time.Minute)
	}
	if g.bool("one position") {
		o.Position = rapid.SampledFrom([]oncall.Position{"main", "backup"}).Draw(g.T, "override position")
	}
	if o.Kind != oncall.Remove {
		o.In = g.person("in")
	}
	if o.Kind == oncall.Replace || o.Kind == oncall.Remove && g.bool("one person") {
		o.Out = g.person("out")
	}
	return o
}

// leaving is zero, since ever, or an instant that the oracle sees.
func (g generator) leaving() time.Time {
	if g.bool("left before") {
		return time.Time{}
	}
	return g.instant("left")
}

func (g generator) people() []oncall.Person {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) oncall.Person {
		return oncall.Person(rapid.Int64Range(1, 5).Draw(t, "person"))
	}), 1, 5).Draw(g.T, "members")
}

func (g generator) person(label string) oncall.Person {
	return oncall.Person(rapid.Int64Range(1, 5).Draw(g.T, label))
}

func (g generator) bool(label string) bool { return rapid.Bool().Draw(g.T, label) }
