package oncall

import "time"

const (
	aYear = instant(366 * 24 * time.Hour / time.Microsecond)
	aWeek = instant(7 * 24 * time.Hour / time.Microsecond)
	// maxWeeks bounds a cycle to about 60 years.
	maxWeeks = 60 * 52
)

// horizon is the end of a search: a year, and the longest cycle of a layer's turns and
// restrictions, after t or the last instant in the schedule, whichever is later. Beyond
// it the schedule repeats, except for changes of daylight saving time, whose dates
// differ
// from year to year.
func (tl *timeline) horizon(t instant) instant {
	last, cycle := t, instant(0)
	for _, v := range tl.schedule.Versions {
		last = max(last, beginning(v.Effective))
		for _, l := range v.Layers {
			c := newCadence(l, l.location(v.Zone))
			last = max(last, c.first)
			if l.Held != nil && c.rotate != nil {
				last = max(last, c.handoff(l.Held.Before))
			}
			cycle = max(cycle, l.cycle())
		}
	}
	for _, at := range tl.schedule.Left {
		last = max(last, beginning(at))
	}
	for _, o := range tl.overrides {
		last = max(last, o.end)
	}
	return last + aYear + cycle
}

// cycle is the time after which the layer's turns fall on the same times of the
// week again, or a multiple of it.
func (l Layer) cycle() instant {
	if l.Rotate == nil {
		return 0
	}
	turns := instant(l.Rotate.Every * len(l.Members))
	if l.Rotate.Unit == Month {
		turns *= 31
	}
	return min(turns, maxWeeks) * aWeek
}
