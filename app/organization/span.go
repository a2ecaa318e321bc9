package organization

import (
	"slices"
	"time"
)

// span is a time from an instant up to another, which no longer belongs to it.
type span struct{ from, to time.Time }

// union joins spans that touch or overlap, by start.
func union(spans []span) []span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var joined []span
	for _, s := range spans {
		if n := len(joined); n > 0 && !s.from.After(joined[n-1].to) {
			joined[n-1].to = later(joined[n-1].to, s.to)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// without is what is left of spans where none of others is. Both are unions.
func without(spans, others []span) []span {
	var left []span
	for _, s := range spans {
		for _, o := range others {
			if !o.to.After(s.from) || !o.from.Before(s.to) {
				continue
			}
			if o.from.After(s.from) {
				left = append(left, span{s.from, o.from})
			}
			s.from = o.to
		}
		if s.from.Before(s.to) {
			left = append(left, s)
		}
	}
	return left
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
