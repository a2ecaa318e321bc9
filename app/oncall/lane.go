package oncall

import (
	"math"
	"slices"
	"time"
)

// lane is a layer prepared for queries.
type lane struct {
	layer   Layer
	cadence cadence
	hours   *week  // nil: always
	turns   *turns // nil: every period is one
	left    departures
}

func newLane(l Layer, scheduleZone string, left map[Person]time.Time) lane {
	loc := l.location(scheduleZone)
	c, hours := newCadence(l, loc), newWeek(l.Restrictions, loc)
	return lane{l, c, hours, newTurns(l, c, hours), l.departures(left)}
}

// location falls back to UTC for a zone that Validate would have refused.
func (l Layer) location(scheduleZone string) *time.Location {
	name := l.Zone
	if name == "" {
		name = scheduleZone
	}
	loc, err := location(name)
	if err != nil {
		return time.UTC
	}
	return loc
}

// seat is where the layer counts a position, given all of its version's, or -1
// where it does not fill it.
func (l Layer) seat(position Position, all []Position) int {
	if len(l.Positions) > 0 {
		all = l.Positions
	}
	return slices.Index(all, position)
}

// turn is who has a seat.
type turn struct {
	person Person
	// of is whose turn it is: the person, or one who left and for whom the person
	// covers.
	of Person
}

// at is the layer's choice for a seat, and a span around t in which the person is the
// same, and in which turn.of is too where exact. Where the choice has no end, neither
// has a span that is not exact.
func (n lane) at(seat int, t instant, exact bool) (turn, span) {
	if seat < 0 {
		return turn{}, always
	}
	first := n.cadence.first
	if t < first {
		return turn{}, span{sinceEver, first}
	}
	now, within := n.turn(seat, t, exact)
	if now.person == Nobody || n.hours == nil {
		return now, within
	}
	open, hours := n.hours.at(t)
	if !open {
		return turn{}, hours.and(span{first, forever})
	}
	return now, within.and(hours)
}

// turn is who has the seat by the order of the members, without restrictions, and the
// span of the turn. The turn of a member who left goes to the next one who has not and
// who has no seat yet.
func (n lane) turn(seat int, t instant, exact bool) (turn, span) {
	period := n.cadence.period(t)
	number := n.turns.before(period)
	all, periods := n.layer.list(period)
	remaining, unchanged := n.left.without(all, number, t)
	if seat >= len(remaining.members) || remaining.single() && (!exact || len(n.left) == 0) {
		s := span{n.cadence.handoff(periods.from), forever}
		if periods.to != math.MaxInt {
			s.end = n.cadence.handoff(periods.to)
		}
		person := remaining.member(number, seat)
		return turn{person, person}, s.and(unchanged)
	}
	now := turn{person: remaining.member(number, seat)}
	if now.of = now.person; len(n.left) > 0 {
		if of := all.member(number, seat); n.left.has(of, t) {
			now.of = of
		}
	}
	return now, span{n.cadence.handoff(period), n.cadence.handoff(period + 1)}.and(unchanged)
}

// list is a layer's members in the order of their turns.
type list struct {
	members []Person
	phase   int
}

// member is who has a seat in a turn, by its number, or nobody where the list is too
// short.
func (l list) member(turn, seat int) Person {
	if seat >= len(l.members) {
		return Nobody
	}
	return l.members[l.index(turn, seat)]
}

func (l list) index(turn, seat int) int { return modulo(turn+seat+l.phase, len(l.members)) }

// single reports whether all turns are the same person's.
func (l list) single() bool {
	return !slices.ContainsFunc(l.members, func(p Person) bool { return p != l.members[0] })
}

// periods counts from, up to but without to.
type periods struct{ from, to int }

// list is the one in force in a period, and the periods in which it is.
func (l Layer) list(period int) (list, periods) {
	switch {
	case l.Held == nil:
		return list{l.Members, l.Phase}, periods{0, math.MaxInt}
	case period < l.Held.Before:
		return list{l.Held.Members, l.Held.Phase}, periods{0, l.Held.Before}
	default:
		return list{l.Members, l.Phase}, periods{l.Held.Before, math.MaxInt}
	}
}
