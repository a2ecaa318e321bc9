package organization

import (
	"strconv"
	"strings"
)

// names are the names of what the database numbers, by kind.
type names map[Kind]named

// named are names by id; of priorities, by level.
type named map[int64]string

// namesOf are those of rows.
func namesOf[R any](rows []R, name func(R) (int64, string)) named {
	n := make(named, len(rows))
	for _, r := range rows {
		id, text := name(r)
		n[id] = text
	}
	return n
}

func (s *State) names() names {
	n := names{}
	for _, section := range sections {
		n[section.is()] = section.named(s)
	}
	return n
}

// of is the name of an id, empty for 0. What the state has left out as unreadable
// gets a name by its id, so that nothing that refers to it changes.
func (n names) of(kind Kind, id int64) string {
	if name, ok := n[kind][id]; ok || id == 0 {
		return name
	}
	return nameByID(id)
}

// ref is of; a nil id has no name.
func (n names) ref(kind Kind, id *int64) string { return n.of(kind, orZero(id)) }

// nameByID stands for a name in no form that a name may have.
func nameByID(id int64) string { return "#" + strconv.FormatInt(id, 10) }

// IDOf is the id of a name of something that a State has left out as unreadable,
// such as "#17"; false for any other name.
func IDOf(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil
}

// convert makes a list of another.
func convert[R, T any](rows []R, one func(R) T) []T {
	var all []T
	for _, r := range rows {
		all = append(all, one(r))
	}
	return all
}
