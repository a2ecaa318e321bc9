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
		s.checkReferences(d)
	}
}

// referFunc gets what a thing refers to: the path of the field within the thing,
// and the kind and key of what it names. An empty name refers to nothing.
type referFunc func(path string, kind Kind, name string)

// under refers from paths within another.
func (refer referFunc) under(path string) referFunc {
	return func(inside string, kind Kind, name string) { refer(join(path, inside), kind, name) }
}

// referrer names the first thing in the desired document that refers to another, in
// the order of sections; empty for none.
func (d *draft) referrer(kind Kind, key string) string {
	for _, s := range sections {
		if by := s.referrer(d, kind, key); by != "" {
			return by
		}
	}
	return ""
}

// refers reports whether one of the references of a thing is to another.
func refers[T any](v T, references func(T, referFunc), kind Kind, key string) bool {
	found := false
	references(v, func(_ string, to Kind, name string) { found = found || to == kind && name == key })
	return found
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

// mustExist is a referFunc that reports what does not exist.
func (d *draft) mustExist(t thing) referFunc {
	return func(path string, kind Kind, name string) {
		if _, exists := d.known[kind].at[name]; exists {
			return
		}
		if _, unreadable := IDOf(name); !unreadable {
			d.mustBeOneOf(t, path, string(kind), name, d.known[kind].keys)
		}
	}
}

// mustBeOneOf checks that a name is one of a list.
func (d *draft) mustBeOneOf(t thing, key, what, name string, names []string) {
	if name != "" && !slices.Contains(names, name) {
		d.problem(t, key, "There is no %s %s.%s", what, name, spelling.DidYouMean(name, names))
	}
}
