package oncall_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

var (
	monToFri = []oncall.Window{{Days: weekdays, To: 24 * 60}}
	office   = []oncall.Window{workingHours}
	sunday2h = []oncall.Window{{Days: []oncall.Weekday{oncall.Sunday}, From: 2 * 60, To: 3 * 60}}
)

// covered is a schedule of daily turns on weekdays from Monday, 5 January 2026, on.
func covered() oncall.Schedule {
	return one("UTC", oncall.Layer{Name: "weekdays", Start: wall("2026-01-05 00:00"), Rotate: daily, Members: []oncall.Person{ana, ben, chiara},
		Restrictions: monToFri, CountsOnlyCovered: true})
}

func TestFridayIsFollowedByMonday(t *testing.T) {
	t.Parallel()
	s := covered()
	for day, want := range map[string]oncall.Person{"05": ana, "06": ben, "07": chiara, "08": ana, "09": ben, "12": chiara, "13": ana, "19": ben} {
		expect(t, s, "2026-01-"+day+"T10:00Z", "main", want)
	}
	expect(t, s, "2026-01-10T10:00Z", "main")
}

func TestBackupOfCoveredTurnIsNext(t *testing.T) {
	t.Parallel()
	s := covered()
	s.Versions[0].Positions = []oncall.Position{"main", "backup"}
	expect(t, s, "2026-01-09T10:00Z", "", ben, chiara)
	expect(t, s, "2026-01-12T10:00Z", "", chiara, ana)
	s.Left = map[oncall.Person]time.Time{chiara: {}}
	expect(t, s, "2026-01-09T10:00Z", "", ben, ana)
	expect(t, s, "2026-01-12T10:00Z", "", ana, ben)
}

func TestWindowSkippedByClocksIsNoTurn(t *testing.T) {
	t.Parallel()
	s := one("Europe/Madrid", oncall.Layer{Name: "nights", Start: wall("2026-03-16 00:00"), Rotate: weekly, Members: []oncall.Person{ana, ben, chiara},
		Restrictions: sunday2h, CountsOnlyCovered: true})
	expect(t, s, "2026-03-22T02:30+01:00", "main", ana)
	expect(t, s, "2026-03-29T03:00+02:00", "main") // 02:00 to 03:00 does not exist
	expect(t, s, "2026-04-05T02:30+02:00", "main", ben)
}

// TestCoveredTurnsDecadesAfterTheStart walks all the way from 1996.
func TestCoveredTurnsDecadesAfterTheStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rotate       oncall.Rotate
		restrictions []oncall.Window
	}{
		{oncall.Rotate{Every: 1, Unit: oncall.Hour}, office},
		{oncall.Rotate{Every: 12, Unit: oncall.Hour}, office},
		{oncall.Rotate{Every: 7, Unit: oncall.Hour}, sunday2h},
		{oncall.Rotate{Every: 1, Unit: oncall.Day}, office},
		{oncall.Rotate{Every: 3, Unit: oncall.Day}, sunday2h},
		{oncall.Rotate{Every: 1, Unit: oncall.Week}, sunday2h},
		{oncall.Rotate{Every: 1, Unit: oncall.Month}, office},
	} {
		s := one("Europe/Madrid", oncall.Layer{Name: "long", Start: wall("1996-01-31 02:30"), Rotate: &test.rotate, Members: []oncall.Person{ana, ben, chiara, dana, eve},
			Restrictions: test.restrictions, CountsOnlyCovered: true})
		w := walk{origin: utc("1996-01-01T00:00Z"), from: utc("2026-01-01T00:00Z"), to: utc("2027-01-01T00:00Z"), step: 30 * time.Minute}
		if diff := gocmp.Diff(canonical(watch(s, w).shifts()), canonical(s.Shifts(w.from, w.to))); diff != "" {
			t.Errorf("every %d %ss (-oracle +got):\n%s", test.rotate.Every, test.rotate.Unit, diff)
		}
	}
}

// TestCoveredTurnsContinueAfterEdit begins with Ana on Monday, the 5th, of whose week
// Friday is Ben's.
func TestCoveredTurnsContinueAfterEdit(t *testing.T) {
	t.Parallel()
	const (
		friday  = "2026-01-09T12:00Z"
		sunday  = "2026-01-11T12:00Z"
		tuesday = "2026-01-13T12:00Z"
	)
	circle := []oncall.Person{ana, ben, chiara}
	plain := func(l *oncall.Layer) { l.CountsOnlyCovered = false }
	members := func(list ...oncall.Person) func(*oncall.Layer) {
		return func(l *oncall.Layer) { l.Members = list }
	}
	type edit struct {
		effective string
		change    func(*oncall.Layer)
	}
	tests := map[string]struct {
		all   bool // every period is a turn before the edits
		edits []edit
		// Who is on at 18:00 from Friday to Wednesday, and on the Monday after.
		want []oncall.Person
	}{
		"nothing":                       {false, nil, []oncall.Person{ben, 0, 0, chiara, ana, ben, ben}},
		"one joins on a covered day":    {false, []edit{{friday, members(ana, ben, dana, chiara)}}, []oncall.Person{ben, 0, 0, dana, chiara, ana, chiara}},
		"all leave on a covered day":    {false, []edit{{friday, members(dana, eve)}}, []oncall.Person{ben, 0, 0, dana, eve, dana, eve}},
		"one joins between turns":       {false, []edit{{sunday, members(ana, ben, chiara, dana)}}, []oncall.Person{ben, 0, 0, chiara, dana, ana, dana}},
		"the last leaves between turns": {false, []edit{{sunday, members(ana, chiara)}}, []oncall.Person{ben, 0, 0, chiara, ana, chiara, ana}},
		"the old list on a later day":   {false, []edit{{friday, members(dana, eve)}, {sunday, members(circle...)}}, []oncall.Person{ben, 0, 0, chiara, ana, ben, ben}},
		"two edits between turns":       {false, []edit{{"2026-01-11T10:00Z", members(dana, eve)}, {sunday, members(circle...)}}, []oncall.Person{ben, 0, 0, chiara, ana, ben, ben}},
		"every period a turn":           {false, []edit{{sunday, plain}}, []oncall.Person{ben, 0, 0, chiara, ana, ben, ana}},
		"every period a turn, and one joins": {false, []edit{{"2026-01-11T10:00Z", plain}, {sunday, func(l *oncall.Layer) { plain(l); l.Members = []oncall.Person{ana, ben, chiara, dana} }}},
			[]oncall.Person{ben, 0, 0, chiara, dana, ana, ben}},
		"only covered ones": {true, []edit{{tuesday, func(*oncall.Layer) {}}}, []oncall.Person{ben, 0, 0, ben, chiara, ana, ana}},
		"no restrictions":   {false, []edit{{sunday, func(l *oncall.Layer) { l.Restrictions = nil }}}, []oncall.Person{ben, 0, ben, chiara, ana, ben, ana}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := covered()
			s.Versions[0].Layers[0].CountsOnlyCovered = !test.all
			for i, e := range test.edits {
				next := covered().Versions[0]
				next.Effective = utc(e.effective)
				e.change(&next.Layers[0])
				s.Versions = append(s.Versions, s.Versions[i].Succeed(next))
			}
			var got []oncall.Person
			for _, day := range []int{9, 10, 11, 12, 13, 14, 19} {
				on := oncall.Nobody
				for _, shift := range s.OnCall(time.Date(2026, 1, day, 18, 0, 0, 0, time.UTC), "main") {
					on = shift.Person
				}
				got = append(got, on)
			}
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewListBeginsBeforeFirstCoveredTurn(t *testing.T) {
	t.Parallel()
	s := covered()
	s.Versions[0].Layers[0].Start = wall("2026-01-10 00:00")
	edit := covered().Versions[0]
	edit.Effective = utc("2026-01-11T12:00Z")
	edit.Layers[0].Start, edit.Layers[0].Members = wall("2026-01-10 00:00"), []oncall.Person{dana, eve}
	s.Versions = append(s.Versions, s.Versions[0].Succeed(edit))
	expect(t, s, "2026-01-12T10:00Z", "main", dana)
	expect(t, s, "2026-01-13T10:00Z", "main", eve)
}

func TestSameCoveredTurnsChangeNothing(t *testing.T) {
	t.Parallel()
	present := covered().Versions[0]
	edit := covered().Versions[0]
	edit.Effective = utc("2026-01-14T12:00Z")
	edit.Layers[0].Members = []oncall.Person{chiara, ana, ben}
	if next := present.Succeed(edit); !next.SameAs(present) {
		t.Errorf("%+v is not %+v", next.Layers[0], present.Layers[0])
	}
	edit.Layers[0].CountsOnlyCovered = false
	if next := present.Succeed(edit); next.SameAs(present) {
		t.Error("a rotation of which every period is a turn is the same")
	}
}
