package oncall

import "time"

// cadence is when a layer hands off: period i lasts from handoff(i) up to
// handoff(i+1). It may be empty where a zone skips a whole day.
type cadence struct {
	loc *time.Location
	// start is the wall's reading at the beginning of period 0.
	start  reading
	first  instant
	rotate *Rotate
}

// newCadence treats a rotation without a start or a length, which Validate refuses, as
// one that never rotates.
func newCadence(l Layer, loc *time.Location) cadence {
	if l.Start.IsZero() {
		return cadence{loc: loc, first: sinceEver}
	}
	start := l.Start.reading()
	c := cadence{loc: loc, start: start, first: atSecond(start.in(loc))}
	if l.Rotate != nil && l.Rotate.Every > 0 {
		c.rotate = l.Rotate
	}
	return c
}

// handoff is the instant at which period i begins.
func (c cadence) handoff(i int) instant {
	switch {
	case i <= 0:
		return c.first
	case c.rotate == nil:
		return forever
	}
	steps := int64(i) * int64(c.rotate.Every)
	switch c.rotate.Unit {
	case Hour:
		return c.first + atSecond(steps*60*60)
	case Day:
		return c.at(c.start + reading(steps)*secondsPerDay)
	case Week:
		return c.at(c.start + reading(steps)*secondsPerWeek)
	default:
		return c.at(c.start.plusMonths(int(steps)))
	}
}

func (c cadence) at(r reading) instant { return atSecond(r.in(c.loc)) }

// period is the last period that has begun at t, which is not before the first.
func (c cadence) period(t instant) int {
	if c.rotate == nil {
		return 0
	}
	i := c.estimate(t)
	for c.handoff(i+1) <= t {
		i++
	}
	return i
}

// estimate is the last period that has begun according to the local time at t. Later
// ones
// may have begun too, where the clock was put back since.
func (c cadence) estimate(t instant) int {
	every := int64(c.rotate.Every)
	shown := readingAt(t.second(), c.loc)
	switch c.rotate.Unit {
	case Hour:
		return int(floorDiv(int64(t-c.first), every*int64(time.Hour/time.Microsecond)))
	case Day:
		return int(floorDiv(int64(shown-c.start), every*secondsPerDay))
	case Week:
		return int(floorDiv(int64(shown-c.start), every*secondsPerWeek))
	}
	i := floorDiv(shown.months()-c.start.months(), every)
	if c.start.plusMonths(int(i*every)) > shown {
		i--
	}
	return int(i)
}

// months counts the months from year 0 to the reading's.
func (r reading) months() int64 {
	year, month, _ := r.utc().Date()
	return int64(year)*12 + int64(month) - 1
}

// plusMonths is the same day and time n months later, or the last day of that
// month where it is shorter.
func (r reading) plusMonths(n int) reading {
	year, month, day := r.utc().Date()
	last := time.Date(year, month+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	midnight := date(year, month, day)
	return date(year, month+time.Month(n), min(day, last)) + r - midnight
}

func (r reading) utc() time.Time { return time.Unix(int64(r), 0).UTC() }
