package organization

import (
	"maps"
	"slices"
)

// Remove deletes a thing to which nothing that stays refers, whatever else the
// edits make of it. What resolved incidents refer to is archived. A person is deactivated. The organisation cannot be removed.
type Remove struct {
	Kind Kind
	// Key is a slug, an address, or a level.
	Key string
	// IfUnused leaves alone what is in use, what does not exist, and
	// administrators, and notes it in the plan. Otherwise that is a problem.
	IfUnused bool
	// Path is where a problem is; empty makes one of kind and key.
	Path string
}

func (r *Remove) subject() (Kind, string) { return r.Kind, r.Key }

// removes reports whether planning an edit needs the State's History.
func removes(e Edit) bool {
	_, ok := e.(*Remove)
	return ok
}

func (r *Remove) check(c *checker) {
	if s := sectionOf(r.Kind); s == nil || !s.removable() {
		c.problem(r.Path, "A thing of kind %s cannot be removed.", r.Kind)
	}
}

func (r *Remove) apply(d *draft) { d.removals[r.Kind] = append(d.removals[r.Kind], r) }

func (r *Remove) thing() thing {
	return thing{words: wordsOf(r.Kind, r.Key), path: Input{Path: r.Path}.path(r.Kind, r.Key), touched: true}
}

// remove takes out of the desired document what is to be removed and what
// nothing that stays refers to. What refers goes before what is referred to.
func (d *draft) remove() {
	if len(d.removals) == 0 {
		return
	}
	usedBy := map[*Remove]string{}
	for _, s := range slices.Backward(sections) {
		s.remove(d, usedBy)
	}
	byWords := map[string]*Remove{}
	for r := range usedBy {
		byWords[r.thing().words] = r
	}
	for _, words := range slices.Sorted(maps.Keys(byWords)) {
		if r := byWords[words]; r.IfUnused {
			d.note("%s stays: it is in use by %s.", words, usedBy[r])
		} else {
			d.problem(r.thing(), "", "%s is in use by %s.", r.Key, usedBy[r])
		}
	}
	d.unknownRemovals()
}

// unknownRemovals reports what is to be removed and does not exist.
func (d *draft) unknownRemovals() {
	for _, s := range sections {
		keys := s.keys(d.current)
		for _, r := range d.removals[s.is()] {
			if !r.IfUnused && !slices.Contains(keys, r.Key) {
				d.problem(r.thing(), "", "There is no %s.", r.thing().words)
			}
		}
	}
}
