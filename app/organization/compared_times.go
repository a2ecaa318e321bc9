package organization

import (
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

const (
	// shiftHorizon is how long shifts are compared after something in a definition
	// begins or ends.
	shiftHorizon = 4 * week
	// maxShiftHorizon bounds how long they are compared for a long override, and how
	// far a definition is searched for other shifts.
	maxShiftHorizon = 52 * week
	// afterOverride is how long after its end an override is compared, which shows
	// that the difference ends.
	afterOverride = 24 * time.Hour
)

// redefines reports whether a change is one of the definition in force at some
// instant, and not of overrides alone.
func (c ScheduleChange) redefines() bool { return c.Definition || c.Withdraw }

// comparedTimes are the times in which a change can lead to other shifts and in
// which they are compared: overrides up to their end, a definition for four weeks
// from each beginning in it. None where it leads to no other shifts.
func (d *draft) comparedTimes(r ScheduleRecord, next oncall.Schedule, c ScheduleChange) []span {
	var times []span
	override := func(from, to time.Time) {
		from, to = later(from, d.state.At), to.Add(afterOverride)
		if limit := from.Add(maxShiftHorizon); to.After(limit) {
			to = limit
		}
		times = append(times, span{from, to})
	}
	definition := func(from time.Time) { times = append(times, span{from, from.Add(shiftHorizon)}) }
	for _, o := range c.Add {
		override(o.From.In(c.Schedule.Timezone), o.To.In(c.Schedule.Timezone))
	}
	for _, ended := range c.End {
		o := overrideOf(r, ended.ID)
		override(o.From, o.To)
	}
	if !c.redefines() {
		return union(times)
	}
	start := d.startOf(c)
	if c.Definition {
		definition(start)
	}
	for _, v := range slices.Concat(r.Schedule.Versions, next.Versions) {
		for _, at := range beginnings(v) {
			if at.After(start) {
				definition(at)
			}
		}
	}
	return joinedTimes(union(times))
}

// beginnings are the instants at which something in a version begins or ends,
// apart from turns and restrictions; zero for what always held.
func beginnings(v oncall.Version) []time.Time {
	all := []time.Time{v.Effective}
	for _, l := range v.Layers {
		if !l.Start.IsZero() {
			zone := v.Zone
			if l.Zone != "" {
				zone = l.Zone
			}
			all = append(all, l.Start.In(locationOf(zone)))
		}
	}
	for _, s := range v.Shadows {
		all = append(all, s.From, s.To)
	}
	return all
}

// joinedTimes joins those that begin within the horizon of the first, since a
// definition leads to other shifts between them too.
func joinedTimes(times []span) []span {
	if len(times) == 0 {
		return nil
	}
	joined, limit := []span{times[0]}, times[0].from.Add(maxShiftHorizon)
	for _, s := range times[1:] {
		if s.from.Before(limit) {
			joined[0].to = s.to
		} else {
			joined = append(joined, s)
		}
	}
	return joined
}

// locationOf is UTC for a zone that is not valid.
func locationOf(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return loc
}
