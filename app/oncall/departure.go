package oncall

import "time"

// departures are the people of a list who left, and when.
type departures map[Person]instant

// departures are those of the members of a layer, nil where none of them left.
func (l Layer) departures(left map[Person]time.Time) departures {
	if len(left) == 0 {
		return nil
	}
	var d departures
	add := func(members []Person) {
		for _, m := range members {
			if at, ok := left[m]; ok {
				if d == nil {
					d = departures{}
				}
				d[m] = beginning(at)
			}
		}
	}
	add(l.Members)
	if l.Held != nil {
		add(l.Held.Members)
	}
	return d
}

// has reports whether a person had left by t.
func (d departures) has(person Person, t instant) bool {
	at, ok := d[person]
	return ok && at <= t
}

// without is a list as it stands in a turn without those who had left by t, beginning
// with who has the first seat, and a span around t in which nobody of them leaves.
func (d departures) without(all list, turn int, t instant) (list, span) {
	if len(d) == 0 {
		return all, always
	}
	unchanged, members := always, make([]Person, 0, len(all.members))
	for seat := range all.members {
		person := all.member(turn, seat)
		at, ok := d[person]
		switch {
		case !ok:
			members = append(members, person)
		case at > t:
			members = append(members, person)
			unchanged.end = min(unchanged.end, at)
		default:
			unchanged.start = max(unchanged.start, at)
		}
	}
	return list{members, -turn}, unchanged
}

// until is a span up to the instant at which a person leaves.
func (s Schedule) until(person Person, in span) span {
	if at, ok := s.Left[person]; ok {
		in.end = min(in.end, beginning(at))
	}
	return in
}
