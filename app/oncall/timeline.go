package oncall

import (
	"iter"
	"slices"
	"sort"
	"time"
)

// timeline is a schedule prepared for queries about many instants. It is made for one
// call, and prepares only the versions that are needed.
type timeline struct {
	schedule  Schedule
	editions  []*edition
	overrides []span // when the schedule's have an effect
}

// edition is a prepared version, with the span in which it is in force.
type edition struct {
	span
	version Version
	lanes   []lane
	cover   *week // required cover; nil: always
}

// piece is a stretch of a position's time in which nothing changes.
type piece struct {
	span
	// exists tells that there is a version and that it has the position.
	exists bool
	// choice is the layers', before any override.
	choice seat
	// overrides are those in force, as indices in the order they act in.
	overrides []int
	holders   []holder
}

func newTimeline(s Schedule) *timeline {
	tl := &timeline{schedule: s, editions: make([]*edition, len(s.Versions)), overrides: make([]span, len(s.Overrides))}
	for i, o := range s.Overrides {
		tl.overrides[i] = s.until(o.In, span{instantOf(o.From), instantOf(o.To)})
	}
	return tl
}

// versionIndex is that of the version in force, or -1 before the first.
func (s Schedule) versionIndex(t instant) int {
	return sort.Search(len(s.Versions), func(i int) bool { return beginning(s.Versions[i].Effective) > t }) - 1
}

// inForce is the time of version i.
func (s Schedule) inForce(i int) span {
	in := always
	if i >= 0 {
		in.start = beginning(s.Versions[i].Effective)
	}
	if i+1 < len(s.Versions) {
		in.end = beginning(s.Versions[i+1].Effective)
	}
	return in
}

// edition is the one in force at t. Before the first version it is one without
// positions.
func (tl *timeline) edition(t instant) *edition {
	i := tl.schedule.versionIndex(t)
	if i < 0 {
		return &edition{span: tl.schedule.inForce(i)}
	}
	if tl.editions[i] == nil {
		tl.editions[i] = newEdition(tl.schedule.Versions[i], tl.schedule.inForce(i), tl.schedule.Left)
	}
	return tl.editions[i]
}

func newEdition(v Version, in span, left map[Person]time.Time) *edition {
	e := &edition{span: in, version: v, lanes: make([]lane, len(v.Layers)), cover: v.Cover().week()}
	for i, l := range v.Layers {
		e.lanes[i] = newLane(l, v.Zone, left)
	}
	return e
}

// choice is the layers' choice for a position at t: the last layer's that has
// somebody. For exact see lane.at.
func (e *edition) choice(position Position, t instant, exact bool) (seat, span) {
	within := e.span
	for _, lane := range slices.Backward(e.lanes) {
		now, s := lane.at(lane.layer.seat(position, e.version.Positions), t, exact)
		within = within.and(s)
		if now.person != Nobody {
			return seat{choice: now.of, holder: holder{person: now.person, layer: lane.layer.Name}}, within
		}
	}
	return seat{}, within
}

// at is the piece of a position's time that t falls into. Two pieces that touch
// may well be equal, but not without end: for whoever has a seat for ever, a
// layer says so.
func (tl *timeline) at(position Position, t instant) piece {
	e := tl.edition(t)
	if !slices.Contains(e.version.Positions, position) {
		return piece{span: e.span}
	}
	p := piece{exists: true, span: always}
	for i, in := range tl.overrides {
		if in.empty() || !tl.schedule.Overrides[i].Position.covers(position) {
			continue
		}
		switch {
		case in.end <= t:
			p.start = max(p.start, in.end)
		case in.start > t:
			p.end = min(p.end, in.start)
		default:
			p.span = p.and(in)
			p.overrides = append(p.overrides, i)
		}
	}
	choice, within := e.choice(position, t, len(p.overrides) > 0)
	p.choice, p.span = choice, p.and(within)
	seats, _ := tl.seats(p, -1)
	p.holders = holders(seats)
	return p
}

// seats applies the overrides of a piece in their order, and reports whether the asked
// one, by its index, changed a seat.
func (tl *timeline) seats(p piece, asked int) (seats []seat, acted bool) {
	if p.choice.holder.person != Nobody {
		seats = append(seats, p.choice)
	}
	for _, i := range p.overrides {
		var found bool
		seats, found = tl.schedule.Overrides[i].act(seats)
		if i == asked {
			acted = found
		}
	}
	return seats, acted
}

// pieces are those of a span, cut to it and to what came before: of two that
// touch, either may reach into the other where it is nobody in both.
func (tl *timeline) pieces(position Position, in span) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for t := in.start; t < in.end; {
			p := tl.at(position, t)
			p.span = p.and(span{t, in.end})
			if !yield(p) {
				return
			}
			t = p.end
		}
	}
}

// positions are all that the schedule has within a span, in the order of its
// versions.
func (tl *timeline) positions(in span) []Position {
	var all []Position
	for i, v := range tl.schedule.Versions {
		if tl.schedule.inForce(i).and(in).empty() {
			continue
		}
		for _, p := range v.Positions {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// asked are the positions that an argument stands for.
func (tl *timeline) asked(position Position, in span) []Position {
	if position == "" {
		return tl.positions(in)
	}
	return []Position{position}
}

// run is a holder and the span in which the reason is the same.
type run struct {
	span
	holder holder
}

// runs joins the pieces of a position.
func (tl *timeline) runs(position Position, in span) []run {
	var s runJoiner
	for p := range tl.pieces(position, in) {
		s.add(p.span, p.holders)
	}
	return s.runs
}

// runJoiner joins adjoining equal runs. They are added in the order of time.
type runJoiner struct {
	runs []run
	open []int // the runs that reach as far as the last addition
}

func (s *runJoiner) add(in span, holders []holder) {
	open := make([]int, 0, len(holders))
	for _, h := range holders {
		i := s.find(h, in.start)
		if i < 0 {
			i = len(s.runs)
			s.runs = append(s.runs, run{in, h})
		}
		s.runs[i].end = in.end
		open = append(open, i)
	}
	s.open = open
}

func (s *runJoiner) find(h holder, end instant) int {
	for _, i := range s.open {
		if s.runs[i].holder == h && s.runs[i].end == end {
			return i
		}
	}
	return -1
}

// whole is the run that a holder at t belongs to, in its full length.
func (tl *timeline) whole(position Position, h holder, t instant) run {
	r := run{tl.at(position, t).span, h}
	for r.end != forever {
		next := tl.at(position, r.end)
		if !slices.Contains(next.holders, h) {
			break
		}
		r.end = next.end
	}
	for r.start != sinceEver {
		previous := tl.at(position, r.start-1)
		if !slices.Contains(previous.holders, h) {
			break
		}
		r.start = previous.start
	}
	return r
}

// shadows are the shadows of a position within a span, each stringed through
// the versions that name it.
func (tl *timeline) shadows(position Position, in span) []run {
	var all []run
	for i, v := range tl.schedule.Versions {
		if !slices.Contains(v.Positions, position) {
			continue
		}
		force := tl.schedule.inForce(i)
		for _, s := range v.Shadows {
			if s.Position.covers(position) {
				all = appendShadow(all, run{tl.schedule.until(s.Person, s.span()).and(force), holder{person: s.Person}})
			}
		}
	}
	var within []run
	for _, r := range all {
		if r.span = r.and(in); !r.empty() {
			within = append(within, r)
		}
	}
	return within
}

func appendShadow(all []run, r run) []run {
	if r.empty() {
		return all
	}
	for i := range all {
		if all[i].holder == r.holder && all[i].end == r.start {
			all[i].end = r.end
			return all
		}
	}
	return append(all, r)
}

func (s Shadow) span() span { return span{beginning(s.From), ending(s.To)} }
