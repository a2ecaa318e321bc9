package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// Weekday is a day of the week whose text is "mon", "tue" and so on.
type Weekday time.Weekday

// The days of the week.
const (
	Sunday    = Weekday(time.Sunday)
	Monday    = Weekday(time.Monday)
	Tuesday   = Weekday(time.Tuesday)
	Wednesday = Weekday(time.Wednesday)
	Thursday  = Weekday(time.Thursday)
	Friday    = Weekday(time.Friday)
	Saturday  = Weekday(time.Saturday)
)

var weekdayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (d Weekday) String() string {
	if d < 0 || int(d) >= len(weekdayNames) {
		return fmt.Sprintf("Weekday(%d)", int(d))
	}
	return weekdayNames[d]
}

// MarshalText implements encoding.TextMarshaler.
func (d Weekday) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Weekday) UnmarshalText(text []byte) error {
	i := slices.Index(weekdayNames[:], strings.ToLower(string(text)))
	if i < 0 {
		return fmt.Errorf("%q is not a day of the week such as mon", text)
	}
	*d = Weekday(i)
	return nil
}

// Window is a time of the week, the same each week on the wall.
type Window struct {
	// Days are those on which the window begins; empty means every day.
	Days []Weekday `json:"days,omitempty"`
	From Clock     `json:"from"`
	// To is on the next day where it is not after From: from 22:00 to 06:00
	// belongs to the day it starts on, and from = to lasts a whole day.
	To Clock `json:"to"`
}

// week is a set of times of the week on the wall, as disjoint stretches in
// order, in minutes since Monday 00:00. None touches the next.
type week struct {
	loc       *time.Location
	stretches []stretch
}

type stretch struct{ from, to int }

const minutesPerWeek = 7 * 24 * 60

// newWeek is nil where the windows exclude nothing.
func newWeek(windows []Window, loc *time.Location) *week {
	if len(windows) == 0 {
		return nil
	}
	var all []stretch
	for _, w := range windows {
		all = append(all, w.stretches()...)
	}
	merged := merge(all)
	if merged[0] == (stretch{0, minutesPerWeek}) {
		return nil
	}
	return &week{loc, merged}
}

// stretches are the window's in one week, cut where it runs over Sunday's end.
func (w Window) stretches() []stretch {
	days := w.Days
	if len(days) == 0 {
		days = []Weekday{Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday}
	}
	length := int(w.To - w.From)
	if length <= 0 {
		length += int(endOfDay)
	}
	var all []stretch
	for _, day := range days {
		from := modulo(int(day-Monday), 7)*int(endOfDay) + int(w.From)
		to := from + length
		if to > minutesPerWeek {
			all = append(all, stretch{0, to - minutesPerWeek})
			to = minutesPerWeek
		}
		all = append(all, stretch{from, to})
	}
	return all
}

func merge(all []stretch) []stretch {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	merged := all[:1]
	for _, s := range all[1:] {
		if last := &merged[len(merged)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// at tells whether t is inside, and the time around t for which that holds at
// least. Stretches are numbered through all weeks, and found like the periods of
// a cadence: what has begun by the wall has begun, but after a wall was put back
// more may have begun than it shows.
func (w *week) at(t instant) (open bool, s span) {
	i := w.estimate(t)
	for w.from(i+1) <= t {
		i++
	}
	if to := w.to(i); t < to {
		return true, span{w.from(i), to}
	} else {
		return false, span{to, w.from(i + 1)}
	}
}

// estimate is the number of the last stretch that has begun by the wall.
func (w *week) estimate(t instant) int {
	since := int64(readingAt(t.second(), w.loc) - firstMonday)
	weeks := floorDiv(since, secondsPerWeek)
	minute := int(since-weeks*secondsPerWeek) / 60
	begun := sort.Search(len(w.stretches), func(i int) bool { return w.stretches[i].from > minute })
	return int(weeks)*len(w.stretches) + begun - 1
}

// firstMonday is the Monday of the epoch's week; its stretches count from 0.
const firstMonday reading = -3 * secondsPerDay

func (w *week) from(i int) instant {
	return w.minute(i, w.stretches[modulo(i, len(w.stretches))].from)
}

func (w *week) to(i int) instant {
	return w.minute(i, w.stretches[modulo(i, len(w.stretches))].to)
}

// minute is when a minute of the week begins, in the week of stretch i.
func (w *week) minute(i, minute int) instant {
	monday := firstMonday + reading(floorDiv(int64(i), int64(len(w.stretches))))*secondsPerWeek
	return atSecond((monday + reading(minute)*60).in(w.loc))
}
