package oncall_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// decades is a schedule that has been on for long: weeks since 1996, office
// hours of another zone above them, and a year of overrides.
func decades() oncall.Schedule {
	s := payments()
	layers := &s.Versions[0].Layers
	(*layers)[0].Start = wall("1996-01-01 09:00")
	*layers = append(*layers, oncall.Layer{Name: "office", Zone: "America/New_York", Start: wall("1996-01-01 00:00"), Rotate: daily,
		Members: []oncall.Person{dana, eve}, Positions: []oncall.Position{"main"},
		Restrictions: office})
	for id := range 100 {
		from := utc("2026-01-01T00:00Z").AddDate(0, 0, 3*id)
		s.Overrides = append(s.Overrides, oncall.Override{ID: int64(id + 1), From: from, To: from.Add(12 * time.Hour), Kind: oncall.Replace, Out: ana, In: ben})
	}
	return s
}

var june = utc("2026-06-03T12:00Z")

// coveredDays is a schedule of daily turns on weekdays since 1996.
func coveredDays() oncall.Schedule {
	return one("Europe/Madrid", oncall.Layer{Name: "weekdays", Start: wall("1996-01-01 09:00"), Rotate: daily, Members: []oncall.Person{ana, ben, chiara},
		CountsOnlyCovered: true, Restrictions: office})
}

func BenchmarkOnCall(b *testing.B) {
	weekly := payments()
	weekly.Versions[0].Layers[0].Start = wall("1996-01-01 09:00")
	for name, s := range map[string]oncall.Schedule{"weekly since 1996": weekly, "layers and overrides": decades(), "covered days since 1996": coveredDays()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s.OnCall(june, "main")
			}
		})
	}
}

func BenchmarkShiftsOf14Days(b *testing.B) {
	weekly := payments()
	weekly.Versions[0].Layers[0].Start = wall("1996-01-01 09:00")
	for name, s := range map[string]oncall.Schedule{"weekly since 1996": weekly, "layers and overrides": decades(), "covered days since 1996": coveredDays()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s.Shifts(june, june.AddDate(0, 0, 14))
			}
		})
	}
}

func BenchmarkNextHandover(b *testing.B) {
	s := decades()
	for b.Loop() {
		s.NextHandover(june, "main")
	}
}

func BenchmarkNextShift(b *testing.B) {
	s := decades()
	for b.Loop() {
		s.NextShift(chiara, june)
	}
}
