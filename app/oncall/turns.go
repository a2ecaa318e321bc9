package oncall

import "slices"

// turns numbers the turns of a layer that counts only covered periods: those with an
// instant that the restrictions do not exclude. It keeps what it has counted, and is
// made for one call.
type turns struct {
	cadence cadence
	hours   *week
	// cycle is the number of periods after which the same periods are covered again,
	// as long as clocks do not change.
	cycle int
	// cycles[i] is the number of covered periods before period i*cycle.
	cycles []int
	// inCycle is the number of covered periods of a cycle, by the offset from UTC, in
	// seconds, that holds throughout it.
	inCycle map[int64]int
	// period is the last one that was asked for, with the covered periods before it.
	period, count int
}

// newTurns is nil where every period counts.
func newTurns(l Layer, c cadence, hours *week) *turns {
	if !l.CountsOnlyCovered || hours == nil || c.rotate == nil {
		return nil
	}
	return &turns{cadence: c, hours: hours, cycle: c.rotate.periodsPerCycle(), cycles: []int{0}, inCycle: map[int64]int{}}
}

const hoursPerWeek = 7 * 24

// periodsPerCycle is the number of periods after which one begins at the same time of
// the week again, as long as clocks do not change. It is 1 for months, of which each has
// every time of the week.
func (r Rotate) periodsPerCycle() int {
	switch r.Unit {
	case Hour:
		return hoursPerWeek / divisor(hoursPerWeek, r.Every)
	case Day:
		return 7 / divisor(7, r.Every)
	default:
		return 1
	}
}

// divisor is the greatest one that two numbers share.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// before is the number of periods before one that count, which is the number of its
// turn where it counts itself.
func (n *turns) before(period int) int {
	if n == nil {
		return period
	}
	cycle := period / n.cycle
	for i := len(n.cycles); i <= cycle; i++ {
		n.cycles = append(n.cycles, n.cycles[i-1]+n.covered((i-1)*n.cycle))
	}
	from, count := cycle*n.cycle, n.cycles[cycle]
	if from <= n.period && n.period <= period {
		from, count = n.period, n.count
	}
	n.period, n.count = period, count+n.walk(from, period)
	return n.count
}

// covered is the number of covered periods in the cycle that begins with a period.
func (n *turns) covered(from int) int {
	to := from + n.cycle
	offset, steady := n.offset(span{n.cadence.handoff(from), n.cadence.handoff(to)})
	if !steady {
		return n.walk(from, to)
	}
	count, known := n.inCycle[offset]
	if !known {
		count = n.walk(from, to)
		n.inCycle[offset] = count
	}
	return count
}

// offset is the one from UTC at the end of a span, in seconds. It is steady where it is
// the same all the time, and so long before that no local time of the span has
// occurred earlier. No zone has ever changed twice between two of the instants asked
// for.
func (n *turns) offset(in span) (offset int64, steady bool) {
	end := in.end.second()
	offset = offsetAt(end, n.cadence.loc)
	for at := in.start.second() - 2*maxOffset; at < end; at += 2 * maxOffset {
		if offsetAt(at, n.cadence.loc) != offset {
			return offset, false
		}
	}
	return offset, true
}

// walk counts the covered periods from one up to, but without, another by looking at
// each time that is open.
func (n *turns) walk(from, to int) (count int) {
	for i := from; i < to; {
		in := n.open(n.cadence.handoff(i))
		last := n.cadence.period(in.end - 1)
		for i = max(i, n.cadence.period(in.start)); i <= last && i < to; i++ {
			if n.cadence.handoff(i) < n.cadence.handoff(i+1) { // not of a day that a zone skips
				count++
			}
		}
	}
	return count
}

// open is the rest of the first open time that ends after t.
func (n *turns) open(t instant) span {
	open, in := n.hours.at(t)
	for !open {
		open, in = n.hours.at(in.end)
	}
	return span{max(t, in.start), in.end}
}

// latest is the last period before one that counts, where there is any.
func (n *turns) latest(before int) int {
	if n == nil {
		return before - 1
	}
	t := n.cadence.handoff(before) - 1
	open, in := n.hours.at(t)
	for !open {
		t = in.start - 1
		open, in = n.hours.at(t)
	}
	return n.cadence.period(t)
}

// same reports whether two count the same periods of one cadence.
func (n *turns) same(o *turns) bool {
	if n == nil || o == nil {
		return n == o
	}
	return slices.Equal(n.hours.stretches, o.hours.stretches)
}
