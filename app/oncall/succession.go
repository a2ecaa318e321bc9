package oncall

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// Succeed makes of edit, a definition as somebody wrote it, the version that
// follows v from edit.Effective on. A layer that v has by the same name, start,
// zone and rotation goes on where it is: whoever is on stays to the end of the
// period, and the order goes on from there through the new list. From one who
// has left the list it goes on to the first after them who has not. A list that
// is the old one begun elsewhere is no change. At a handoff the new list begins
// at once, as it does where a layer does not rotate or has had no turn. The order also
// goes on where other periods count from then on; whoever was the last to have a turn
// stays to the end of the period, where the layer has anybody in it.
//
// Phase and Held of such a layer are set; those of any other are left as edit
// has them. Neither v nor edit is changed.
func (v Version) Succeed(edit Version) Version {
	next := edit
	next.Layers = slices.Clone(edit.Layers)
	for i, l := range next.Layers {
		if present, ok := v.layer(l.Name); ok && present.keepsTime(v.Zone, l, edit.Zone) {
			next.Layers[i] = newLane(present, v.Zone, nil).succeed(newLane(l, edit.Zone, nil), beginning(edit.Effective))
		}
	}
	return next
}

// SameAs reports whether two versions define the same, from whenever they are
// effective, so that the second would change nothing.
func (v Version) SameAs(o Version) bool {
	v.Effective, o.Effective = time.Time{}, time.Time{}
	a, errA := json.Marshal(v)
	b, errB := json.Marshal(o)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Order is the list that a layer with Phase 0 has to have for the same turns,
// which is what a definition for people to read should say.
func (l Layer) Order() []Person {
	order := make([]Person, len(l.Members))
	for i := range order {
		order[i] = l.Members[modulo(i+l.Phase, len(l.Members))]
	}
	return order
}

func (v Version) layer(name string) (Layer, bool) {
	i := slices.IndexFunc(v.Layers, func(l Layer) bool { return l.Name == name })
	if i < 0 {
		return Layer{}, false
	}
	return v.Layers[i], true
}

// keepsTime reports whether both layers have the same periods.
func (l Layer) keepsTime(zone string, o Layer, otherZone string) bool {
	sameRotation := l.Rotate == nil && o.Rotate == nil ||
		l.Rotate != nil && o.Rotate != nil && *l.Rotate == *o.Rotate
	return sameRotation && l.Start == o.Start && l.location(zone).String() == o.location(otherZone).String()
}

// succeed is the layer of another lane of the same periods with the turns going on from
// n's at an instant.
func (n lane) succeed(other lane, at instant) Layer {
	l, next, c := n.layer, other.layer, n.cadence
	if c.rotate != nil && n.turns.same(other.turns) && sameCircle(l.Members, next.Members) {
		next.Members, next.Phase, next.Held = l.Members, l.Phase, l.Held
		return next
	}
	next.Phase, next.Held = 0, nil
	if c.rotate == nil || at <= c.first || len(l.Members) == 0 || len(next.Members) == 0 {
		return next
	}
	present := c.period(at)
	first := present // the first period of the new list
	if c.handoff(present) < at {
		first++
	}
	past, number := n.turns.before(first), other.turns.before(first)
	if past == 0 {
		next.Phase = modulo(-other.turns.before(present), len(next.Members))
		return next
	}
	last, _ := l.list(n.turns.latest(first))
	if first > present {
		next.Held = &Held{Members: last.members, Phase: modulo(last.phase+past-number, len(last.members)), Before: first}
	}
	next.Phase = modulo(last.resume(past-1, next.Members)-number, len(next.Members))
	return next
}

// resume is where in another list the order goes on after a turn of this one.
func (l list) resume(turn int, next []Person) int {
	on, after := l.member(turn, 0), l.members[l.index(turn, 1)]
	if i := slices.Index(next, on); i >= 0 {
		for j, person := range next {
			if following := modulo(j+1, len(next)); person == on && next[following] == after {
				return following
			}
		}
		return modulo(i+1, len(next))
	}
	for seat := range l.members {
		if i := slices.Index(next, l.member(turn, seat)); i >= 0 {
			return i
		}
	}
	return 0
}

// sameCircle reports whether b is a, perhaps begun elsewhere.
func sameCircle(a, b []Person) bool {
	if len(a) != len(b) {
		return false
	}
	for shift := range max(len(a), 1) {
		if slices.Equal(a, append(slices.Clone(b[shift:]), b[:shift]...)) {
			return true
		}
	}
	return false
}
