package oncall

import (
	"cmp"
	"slices"
	"time"
)

// Gaps returns when positions have nobody within required cover, between two instants,
// by start and then in the order of the positions. Shadows fill no gap. Before the
// schedule's first version there are no gaps.
func (s Schedule) Gaps(from, to time.Time) []Gap { return s.empty(from, to, true) }

// UncoveredByAgreement is like Gaps, of the time outside required cover.
func (s Schedule) UncoveredByAgreement(from, to time.Time) []Gap { return s.empty(from, to, false) }

// empty returns when positions have nobody, within required cover or outside it.
func (s Schedule) empty(from, to time.Time, required bool) []Gap {
	tl, in := newTimeline(s), span{instantOf(from), instantOf(to)}
	var gaps []Gap
	for _, position := range tl.positions(in) {
		var empty runJoiner
		for p := range tl.pieces(position, in) {
			if !p.exists || len(p.holders) > 0 {
				continue
			}
			tl.edition(p.start).eachCover(p.span, func(s span, covered bool) {
				if covered == required {
					empty.add(s, []holder{{}})
				}
			})
		}
		for _, r := range empty.runs {
			gaps = append(gaps, Gap{position, r.start.time(), r.end.time()})
		}
	}
	slices.SortStableFunc(gaps, func(a, b Gap) int { return a.Start.Compare(b.Start) })
	return gaps
}

// eachCover visits the parts of a span, which lies within the version's time, in which
// cover is required and in which it is not.
func (e *edition) eachCover(in span, visit func(s span, required bool)) {
	if e.cover == nil {
		visit(in, true)
		return
	}
	for t := in.start; t < in.end; {
		required, s := e.cover.at(t)
		s = s.and(span{t, in.end})
		visit(s, required)
		t = s.end
	}
}

// Conflicts returns when one person is on call in several positions at once
// between two instants, by start and then by person. Shadows do not count.
func (s Schedule) Conflicts(from, to time.Time) []Conflict {
	tl, in := newTimeline(s), span{instantOf(from), instantOf(to)}
	positions := tl.positions(in)
	var conflicts []Conflict
	for t := in.start; t < in.end; {
		held := map[Person][]Position{}
		end := in.end
		for _, position := range positions {
			p := tl.at(position, t)
			end = min(end, p.end)
			for _, h := range p.holders {
				held[h.person] = append(held[h.person], position)
			}
		}
		conflicts = appendConflicts(conflicts, held, span{t, end})
		t = end
	}
	slices.SortFunc(conflicts, func(a, b Conflict) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Person, b.Person))
	})
	return conflicts
}

func appendConflicts(conflicts []Conflict, held map[Person][]Position, in span) []Conflict {
	for person, positions := range held {
		if len(positions) < 2 {
			continue
		}
		c := Conflict{person, positions, in.start.time(), in.end.time()}
		same := func(o Conflict) bool {
			return o.Person == person && o.End.Equal(c.Start) && slices.Equal(o.Positions, positions)
		}
		if i := slices.IndexFunc(conflicts, same); i >= 0 {
			conflicts[i].End = c.End
		} else {
			conflicts = append(conflicts, c)
		}
	}
	return conflicts
}

// Unmatched returns the overrides that end after an instant and act on nothing
// in all of their time: the person they replace or remove is not on then, the person
// they put on has left by then, or the position is none. One that acts for a part of
// its time is matched, but for one whose person has left since.
func (s Schedule) Unmatched(after time.Time) []Override {
	tl := newTimeline(s)
	var unmatched []Override
	for i, o := range s.Overrides {
		if o.To.After(after) && (tl.overrides[i].end <= instantOf(after) || !tl.acts(i)) {
			unmatched = append(unmatched, o)
		}
	}
	return unmatched
}

func (tl *timeline) acts(override int) bool {
	in := tl.overrides[override]
	for _, position := range tl.asked(tl.schedule.Overrides[override].Position, in) {
		for p := range tl.pieces(position, in) {
			if _, acted := tl.seats(p, override); acted {
				return true
			}
		}
	}
	return false
}
