package oncall_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

var weekdays = []oncall.Weekday{oncall.Monday, oncall.Tuesday, oncall.Wednesday, oncall.Thursday, oncall.Friday}

var workingHours = oncall.Window{Days: weekdays, From: 9 * 60, To: 17 * 60}

func TestNextOfHours(t *testing.T) {
	t.Parallel()
	h := oncall.Hours{Zone: "Europe/Madrid", Windows: []oncall.Window{workingHours}}
	for at, want := range map[string]string{
		"2026-03-27T08:00Z": "2026-03-27T08:00Z", // Friday 09:00
		"2026-03-27T07:59Z": "2026-03-27T08:00Z",
		"2026-03-27T16:00Z": "2026-03-30T07:00Z", // clocks go forward on Sunday
		"2026-10-23T15:00Z": "2026-10-26T08:00Z", // and back
	} {
		if got := h.Next(utc(at)); !got.Equal(utc(want)) {
			t.Errorf("from %s on: %v", at, got)
		}
	}
	if at := utc("2026-03-28T00:00Z"); !(oncall.Hours{}).Next(at).Equal(at) {
		t.Error("hours without windows end")
	}
}

func TestAfterCountsHoursOnly(t *testing.T) {
	t.Parallel()
	h := oncall.Hours{Zone: "Europe/Madrid", Windows: []oncall.Window{workingHours}}
	for _, c := range []struct {
		at   string
		d    time.Duration
		want string
	}{
		{"2026-01-05T10:00Z", time.Hour, "2026-01-05T11:00Z"},
		{"2026-01-05T15:00Z", time.Hour, "2026-01-05T16:00Z"}, // the end of a window is within it
		{"2026-01-05T15:40Z", time.Hour, "2026-01-06T08:40Z"},
		{"2026-01-09T15:40Z", time.Hour, "2026-01-12T08:40Z"},
		{"2026-01-05T20:00Z", time.Hour, "2026-01-06T09:00Z"}, // outside
		{"2026-01-05T08:00Z", 20 * time.Hour, "2026-01-07T12:00Z"},
	} {
		if got := h.After(utc(c.at), c.d); !got.Equal(utc(c.want)) {
			t.Errorf("%v after %s: %v", c.d, c.at, got)
		}
	}
}

// TestAfterAgainstMinutes counts the minutes of the hours one by one, around changes of
// the clocks.
func TestAfterAgainstMinutes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := generator{T: t, scenario: scenario{days: 20, step: time.Minute, grid: 1}}
		moment := g.moment()
		day, err := time.Parse(time.DateOnly, moment.day)
		if err != nil {
			t.Fatal(err)
		}
		g.day, g.zone = day, moment.zone
		h := oncall.Hours{Zone: g.zone, Windows: []oncall.Window{g.window()}}
		at := g.instant("at")
		minutes := rapid.IntRange(1, 600).Draw(t, "minutes")
		want := at
		for left := minutes; left > 0; want = want.Add(time.Minute) {
			if h.Open(want) {
				left--
			}
		}
		if got := h.After(at, time.Duration(minutes)*time.Minute); !got.Equal(want) {
			t.Fatalf("%d minutes after %v: %v, counted %v", minutes, at, got, want)
		}
	})
}

func TestGapsOfWorkingHours(t *testing.T) {
	t.Parallel()
	l := oncall.Layer{Name: "office", Members: []oncall.Person{ana}, Restrictions: []oncall.Window{workingHours}}
	s := one("Europe/Madrid", l)
	s.Versions[0].RequiredCover = []oncall.Window{{Days: weekdays, From: 8 * 60, To: 17 * 60}}
	from, to := utc("2026-03-28T12:00Z"), utc("2026-03-31T12:00Z")
	want := []oncall.Gap{ // the hour before the office opens, in summer time
		{Position: "main", Start: utc("2026-03-30T06:00Z"), End: utc("2026-03-30T07:00Z")},
		{Position: "main", Start: utc("2026-03-31T06:00Z"), End: utc("2026-03-31T07:00Z")},
	}
	if diff := gocmp.Diff(want, s.Gaps(from, to)); diff != "" {
		t.Errorf("Gaps (-want +got):\n%s", diff)
	}
	want = []oncall.Gap{
		{Position: "main", Start: from, End: utc("2026-03-30T06:00Z")},
		{Position: "main", Start: utc("2026-03-30T15:00Z"), End: utc("2026-03-31T06:00Z")},
	}
	if diff := gocmp.Diff(want, s.UncoveredByAgreement(from, to)); diff != "" {
		t.Errorf("UncoveredByAgreement (-want +got):\n%s", diff)
	}
}
