package oncall

import "time"

// Hours are windows of the week in a zone, such as the required cover of a schedule
// or a team's support hours. Without windows they never end.
type Hours struct {
	// Zone is an IANA name; an unknown one stands for UTC.
	Zone    string
	Windows []Window
}

// week is nil for hours that never end.
func (h Hours) week() *week {
	loc, err := location(h.Zone)
	if err != nil {
		loc = time.UTC
	}
	return newWeek(h.Windows, loc)
}

// Open reports whether an instant lies within the hours.
func (h Hours) Open(at time.Time) bool { return h.Next(at).Equal(at) }

// Next is the first instant from at on within the hours: at itself while they last.
func (h Hours) Next(at time.Time) time.Time {
	w := h.week()
	if w == nil {
		return at
	}
	open, s := w.at(instantOf(at))
	if open {
		return at
	}
	for !open { // a zone may skip a window as a whole
		at = s.end.time()
		open, s = w.at(s.end)
	}
	return at
}

// After is the instant at which the hours have lasted for d since at, elapsed time
// being counted; the end of a window counts as within it.
func (h Hours) After(at time.Time, d time.Duration) time.Time {
	w := h.week()
	if w == nil {
		return at.Add(d)
	}
	t, left := instantOf(at), instant(d/time.Microsecond)
	for {
		open, s := w.at(t)
		if open && t+left <= s.end {
			return (t + left).time()
		}
		if open {
			left -= s.end - t
		}
		t = s.end
	}
}

// Cover is when a version requires every position to be filled.
func (v Version) Cover() Hours { return Hours{v.Zone, v.RequiredCover} }

// NextCover is the first instant from at on at which the schedule has to be covered:
// at itself within required cover. Before the first version nothing has to be covered;
// where there is none at all, the result is zero.
func (s Schedule) NextCover(at time.Time) time.Time {
	for i := s.versionIndex(instantOf(at)); i < len(s.Versions); i++ {
		force := s.inForce(i)
		if i < 0 {
			at = force.end.time()
			continue
		}
		if next := s.Versions[i].Cover().Next(at); instantOf(next) < force.end {
			return next
		}
		at = force.end.time()
	}
	return time.Time{}
}
