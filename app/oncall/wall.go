package oncall

import (
	"fmt"
	"strings"
	"time"
)

// Clock is a time of day in minutes after midnight, from 0 ("00:00") to 1440
// ("24:00"). Its text is "15:04".
type Clock int

const endOfDay Clock = 24 * 60

// ParseClock reads "09:00", "9:00" or "24:00".
func ParseClock(s string) (Clock, error) {
	if s == "24:00" {
		return endOfDay, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day such as 09:00", s)
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// MarshalText implements encoding.TextMarshaler.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Clock) UnmarshalText(text []byte) (err error) {
	*c, err = ParseClock(string(text))
	return err
}

// WallTime is a local date and time; its zone is stored elsewhere. Its text is
// "2006-01-02 15:04", and that of the zero value is empty.
type WallTime struct {
	Year  int
	Month time.Month
	Day   int
	Clock Clock
}

// ParseWallTime reads "2026-01-05 09:00"; a T may stand for the space, as
// browsers send it.
func ParseWallTime(s string) (WallTime, error) {
	t, err := time.Parse("2006-01-02 15:04", strings.Replace(s, "T", " ", 1))
	if err != nil {
		return WallTime{}, fmt.Errorf("%q is not a date and time such as 2026-01-05 09:00", s)
	}
	return WallTimeOf(t), nil
}

// WallTimeOf is what the wall shows at t in t's location, to the minute.
func WallTimeOf(t time.Time) WallTime {
	return WallTime{t.Year(), t.Month(), t.Day(), Clock(t.Hour()*60 + t.Minute())}
}

// IsZero reports whether nothing is set.
func (w WallTime) IsZero() bool { return w == WallTime{} }

func (w WallTime) String() string {
	if w.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d %v", w.Year, int(w.Month), w.Day, w.Clock)
}

// MarshalText implements encoding.TextMarshaler.
func (w WallTime) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *WallTime) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*w = WallTime{}
		return nil
	}
	*w, err = ParseWallTime(string(text))
	return err
}

// In is the instant at which the wall in loc shows w: the first instant after
// the jump where that time is skipped, the first of the two where it occurs
// twice.
func (w WallTime) In(loc *time.Location) time.Time {
	return time.Unix(w.reading().in(loc), 0).UTC()
}

func (w WallTime) reading() reading { return date(w.Year, w.Month, w.Day) + reading(w.Clock)*60 }

// reading is what a wall shows, as the number of seconds from the epoch to the
// instant at which a wall in UTC shows the same. Readings are for arithmetic
// with days and weeks, which all have the same length in them.
type reading int64

const (
	secondsPerDay  = 24 * 60 * 60
	secondsPerWeek = 7 * secondsPerDay
)

func date(year int, month time.Month, day int) reading {
	return reading(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix())
}

// readingAt is what the wall in loc shows at second.
func readingAt(second int64, loc *time.Location) reading {
	return reading(second + offsetAt(second, loc))
}

func offsetAt(second int64, loc *time.Location) int64 {
	_, offset := time.Unix(second, 0).In(loc).Zone()
	return int64(offset)
}

// maxOffset is more than the UTC offset of any zone has ever been, in seconds.
const maxOffset = 16 * 60 * 60

// in is the first second at which the wall in loc shows r or later. That is one
// definition for times that exist, that are skipped and that occur twice, and
// it never decreases when r grows: windows that touch on the wall touch in time.
//
// It asks for offsets only, and not for time.ZoneBounds, whose bounds are rough
// in the years after the last recorded change of a zone.
func (r reading) in(loc *time.Location) int64 {
	before, after := int64(r)-maxOffset, int64(r)+maxOffset
	offset := offsetAt(before, loc)
	if offset == offsetAt(after, loc) {
		return int64(r) - offset
	}
	jump := firstChange(before, after, loc)
	if second := int64(r) - offset; second < jump {
		return second
	}
	return max(jump, int64(r)-offsetAt(jump, loc))
}

// firstChange is the second in (before, after] at which the offset of loc
// becomes another than it was at before. No zone has ever changed twice within
// the 32 hours that are asked for.
func firstChange(before, after int64, loc *time.Location) int64 {
	offset := offsetAt(before, loc)
	for before+1 < after {
		middle := before + (after-before)/2
		if offsetAt(middle, loc) == offset {
			before = middle
		} else {
			after = middle
		}
	}
	return after
}
