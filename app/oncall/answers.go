package oncall

import (
	"slices"
	"time"
)

// OnCall returns the people on call at an instant, each with their whole shift, in the
// order of the positions: in each, the layers' choice, then those that overrides added.
// The shadows are last. The result is empty where nobody is on call.
//
// A shift's End is zero only where nothing in the schedule can end it. It is searched
// for
// through all periods, versions and overrides, without a horizon.
func (s Schedule) OnCall(at time.Time, position Position) []Shift {
	tl, t := newTimeline(s), instantOf(at)
	var shifts []Shift
	for _, p := range tl.asked(position, span{t, t + 1}) {
		for _, h := range tl.at(p, t).holders {
			r := tl.whole(p, h, t)
			shifts = append(shifts, h.shift(p, r.span))
		}
		for _, r := range tl.shadows(p, always) {
			if r.has(t) {
				shifts = append(shifts, r.shadow(p))
			}
		}
	}
	return shifts
}

// Shifts returns the final schedule between two instants, shadows included, cut
// to them, with adjoining equal shifts joined, by start and then in the order of
// the positions.
func (s Schedule) Shifts(from, to time.Time) []Shift {
	tl, in := newTimeline(s), span{instantOf(from), instantOf(to)}
	var shifts []Shift
	for _, p := range tl.positions(in) {
		for _, r := range tl.runs(p, in) {
			shifts = append(shifts, r.holder.shift(p, r.span))
		}
		for _, r := range tl.shadows(p, in) {
			shifts = append(shifts, r.shadow(p))
		}
	}
	return sorted(shifts)
}

// LayerShifts returns what one layer, by its name, would have in all of its
// positions if it were alone: without other layers and without overrides.
func (s Schedule) LayerShifts(layer string, from, to time.Time) []Shift {
	alone := Schedule{Slug: s.Slug, Left: s.Left}
	for _, v := range s.Versions {
		v.Shadows = nil
		v.Layers = slices.DeleteFunc(slices.Clone(v.Layers), func(l Layer) bool { return l.Name != layer })
		alone.Versions = append(alone.Versions, v)
	}
	return alone.Shifts(from, to)
}

// NextHandover is the first instant after at when other people are on call in a
// position than at that instant; a gap that begins or ends is a handover too,
// and a change from a layer's choice to the same person by override is none. Shadows
// do not count. Zero means that none was found up to the horizon: a year, and the
// longest cycle of turns, after the last instant in the schedule.
func (s Schedule) NextHandover(at time.Time, position Position) time.Time {
	tl, t := newTimeline(s), instantOf(at)
	next, end := forever, tl.horizon(t)
	for _, p := range tl.asked(position, span{t, forever}) {
		next = min(next, tl.handover(p, span{t, min(next, end)}))
	}
	return next.time()
}

// handover is the first within a span, or forever.
func (tl *timeline) handover(position Position, in span) instant {
	now := tl.at(position, in.start).holders
	for p := range tl.pieces(position, in) {
		if !samePeople(now, p.holders) {
			return p.start
		}
	}
	return forever
}

func samePeople(a, b []holder) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(h holder) bool { return !holds(b, h.person) })
}

// NextShift is the first shift of a person, in any position or as a shadow, that
// begins after an instant, in its whole length. ok is false where there is none
// up to the horizon of NextHandover.
func (s Schedule) NextShift(person Person, after time.Time) (shift Shift, ok bool) {
	tl, t := newTimeline(s), instantOf(after)
	begin, mentioned, end := forever, s.mentions(person), tl.horizon(t)
	if s.until(person, always).end <= t {
		return shift, false
	}
	for _, p := range tl.positions(span{t, forever}) {
		for _, r := range tl.shadows(p, always) {
			if r.holder.person == person && t < r.start && r.start < begin {
				begin, shift, ok = r.start, r.shadow(p), true
			}
		}
		if !mentioned {
			continue
		}
		if h, start := tl.nextStart(person, p, span{t, min(begin, end)}); start < begin {
			r := tl.whole(p, h, start)
			begin, shift, ok = start, h.shift(p, r.span), true
		}
	}
	return shift, ok
}

// nextStart is when a person first comes on within a span, other than at its
// start, and as what; forever if not at all.
func (tl *timeline) nextStart(person Person, position Position, in span) (holder, instant) {
	var before []holder
	for p := range tl.pieces(position, in) {
		for _, h := range p.holders {
			if h.person == person && p.start > in.start && !slices.Contains(before, h) {
				return h, p.start
			}
		}
		before = p.holders
	}
	return holder{}, forever
}

// mentions reports whether a layer or an override could put the person on.
func (s Schedule) mentions(person Person) bool {
	for _, v := range s.Versions {
		for _, l := range v.Layers {
			if slices.Contains(l.Members, person) || l.Held != nil && slices.Contains(l.Held.Members, person) {
				return true
			}
		}
	}
	return slices.ContainsFunc(s.Overrides, func(o Override) bool { return o.In == person })
}

func (r run) shadow(position Position) Shift {
	return Shift{Position: position, Person: r.holder.person, Start: r.start.time(), End: r.end.time(),
		Source: "shadow", Shadow: true}
}

func sorted(shifts []Shift) []Shift {
	slices.SortStableFunc(shifts, func(a, b Shift) int { return a.Start.Compare(b.Start) })
	return shifts
}
