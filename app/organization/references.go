package organization

import (
	"slices"

	"github.com/tocsin-oncall/tocsin/app/spelling"
)

// references finds what in the desired document refers to something that is not
// in it, and what does not fit together. What does not fit already, and is in a
// thing that no edit is of, keeps nobody from an edit.
func (d *draft) references() {
	d.findReferences()
	untouched := func(p Problem) bool { return p.Untouched != "" }
	if !slices.ContainsFunc(d.problems, untouched) {
		return
	}
	before := newDraft(d.state, d.options)
	before.findReferences()
	d.problems = slices.DeleteFunc(d.problems, func(p Problem) bool { return untouched(p) && slices.Contains(before.problems, p) })
}

func (d *draft) findReferences() {
	d.known = map[Kind]known{}
	for _, s := range sections {
		d.known[s.is()] = knownOf(s.keys(d.desired))
	}
	for _, s := range sections {
		s.references(d)
	}
}

// known are the keys of a section of the desired document, in its order.
type known struct {
	keys []string
	at   map[string]int
}

func knownOf(keys []string) known {
	k := known{keys: keys, at: make(map[string]int, len(keys))}
	for i, key := range keys {
		k.at[key] = i
	}
	return k
}

// mustExist checks that what a key names exists; an empty name refers to nothing.
func (d *draft) mustExist(t thing, key string, kind Kind, name string) bool {
	if _, exists := d.known[kind].at[name]; exists || name == "" {
		return true
	}
	if _, unreadable := IDOf(name); unreadable {
		return true
	}
	return d.mustBeOneOf(t, key, string(kind), name, d.known[kind].keys)
}

// mustBeOneOf checks that a name is one of a list.
func (d *draft) mustBeOneOf(t thing, key, what, name string, names []string) bool {
	if name == "" || slices.Contains(names, name) {
		return true
	}
	d.problem(t, key, "There is no %s %s.%s", what, name, spelling.DidYouMean(name, names))
	return false
}
