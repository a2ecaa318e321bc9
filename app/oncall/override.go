package oncall

import "time"

// Override changes who is on call for a time, after all layers.
type Override struct {
	ID   int64     `json:"id,omitempty"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Position empty means all.
	Position Position `json:"position,omitempty"`
	Kind     Kind     `json:"kind"`
	// Out is whom a replace or a remove takes off. A remove without one takes
	// off everybody who is on.
	Out Person `json:"out,omitempty"`
	// In is whom a replace or an add puts on.
	In Person `json:"in,omitempty"`
	// By is the actor who made it, Reason their note. Neither affects who is on call.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Kind is what an override does.
type Kind string

// The kinds of overrides.
const (
	// Replace puts In on instead of Out, wherever Out is the layer's choice
	// or, through earlier overrides, the current one.
	Replace Kind = "replace"
	// Add puts In on beside those who are on.
	Add Kind = "add"
	// Remove takes Out off where they are the current choice. No lower layer
	// steps in: the position has nobody unless somebody is added.
	Remove Kind = "remove"
)

// seat is a place in a position while overrides act on it. The layer's choice
// has one, and so has everyone who is added.
type seat struct {
	// choice is the layer's, or nobody in a seat that was added. It may have left, with
	// the holder covering.
	choice Person
	holder holder
}

// holder is a person in a position, with the reason.
type holder struct {
	person Person
	// layer is whose choice the person is or stands in for.
	layer string
	// overridden says that an override put the person on. The override's id may be 0,
	// where it is only a draft.
	overridden bool
	override   int64
}

func (h holder) shift(position Position, s span) Shift {
	shift := Shift{Position: position, Person: h.person, Start: s.start.time(), End: s.end.time(),
		Source: "layer:" + h.layer, Layer: h.layer, Override: h.override}
	if h.overridden {
		shift.Source = "override"
	}
	return shift
}

// act applies the override to the seats of a position, and reports whether it
// found anything to act on.
func (o Override) act(seats []seat) ([]seat, bool) {
	if o.Kind == Add {
		return append(seats, seat{holder: holder{person: o.In, overridden: true, override: o.ID}}), true
	}
	acted := false
	for i := range seats {
		if o.matches(seats[i]) {
			seats[i].holder = o.instead(seats[i].holder)
			acted = true
		}
	}
	return seats, acted
}

func (o Override) matches(s seat) bool {
	switch {
	case o.Kind == Replace:
		return o.Out != Nobody && (o.Out == s.holder.person || o.Out == s.choice)
	case o.Out == Nobody:
		return s.holder.person != Nobody
	default:
		return o.Out == s.holder.person
	}
}

// instead is the holder of a seat after the override has acted on it.
func (o Override) instead(h holder) holder {
	person := o.In
	if o.Kind == Remove {
		person = Nobody
	}
	return holder{person: person, layer: h.layer, overridden: true, override: o.ID}
}

// holders are the people in the seats, each once.
func holders(seats []seat) []holder {
	var all []holder
	for _, s := range seats {
		if s.holder.person != Nobody && !holds(all, s.holder.person) {
			all = append(all, s.holder)
		}
	}
	return all
}

func holds(all []holder, person Person) bool {
	for _, h := range all {
		if h.person == person {
			return true
		}
	}
	return false
}
