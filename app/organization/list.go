package organization

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// list is a kind whose things have keys. Functions are optional unless they say
// otherwise.
type list[T any] struct {
	kind Kind
	// name is the key of the section in a file.
	name string
	// in is the section of a document. Required, as key, describeAll and check are.
	in  func(*Document) *[]T
	key func(T) string
	// describeAll is what a state has, in any order.
	describeAll func(*State, names) []T
	// names are the names by id, for kinds that others refer to.
	names func(*State) named
	// check finds what is wrong with a value by itself, and brings it into the form
	// in which it is kept.
	check func(c *checker, v *T, path string)
	// complete sets the defaults of what an edit leaves empty, and reports what does
	// not fit. was is nil for what is new.
	complete func(d *draft, v, was *T, t thing)
	// references lists what a thing refers to, which has to exist and cannot be
	// removed.
	references func(T, referFunc)
	// checkFit reports what in a thing does not fit to others besides. checkAll does
	// so for the whole section, afterwards.
	checkFit func(d *draft, v T, t thing)
	checkAll func(*draft)
	// id is by which the History knows a thing of a kind that is in it.
	id func(*State, T) int64
	// archived are the slugs of what is archived, for kinds that can be.
	archived func(*State) named
	// inUse names what uses a thing although it is none of the references to it, and
	// no incident; empty for nothing.
	inUse func(*draft, T) string
	// withdraw is what is done to a thing instead of its removal. It returns what
	// uses the thing, and then does nothing.
	withdraw func(d *draft, r *Remove, v *T) string
	// sort puts lists in a thing whose order means nothing into the one of describe.
	sort func(*T)
	// change plans one thing; was is nil for what is new. Without it, the
	// differences between the fields are what changes.
	change func(d *draft, was *T, is T)
	// people says in lines for whom a change changes something: see Change.People.
	people func(was, is T) []string
	// notes adds notes on the whole section to the plan.
	notes func(*draft)
}

var _ typed[Team] = (*list[Team])(nil)

func (l *list[T]) is() Kind                   { return l.kind }
func (l *list[T]) sectionName() string        { return l.name }
func (l *list[T]) removable() bool            { return true }
func (l *list[T]) withdraws() bool            { return l.withdraw != nil }
func (l *list[T]) subject(v T) (Kind, string) { return l.kind, l.key(v) }
func (l *list[T]) clone(from, to *Document)   { *l.in(to) = slices.Clone(*l.in(from)) }

func (l *list[T]) keys(d *Document) []string {
	var keys []string
	for _, v := range *l.in(d) {
		keys = append(keys, l.key(v))
	}
	return keys
}

func (l *list[T]) describe(s *State, n names, d *Document) {
	all := l.describeAll(s, n)
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(l.key(a), l.key(b)) })
	*l.in(d) = all
}

func (l *list[T]) named(s *State) named {
	if l.names == nil {
		return nil
	}
	return l.names(s)
}

func (l *list[T]) edits(d *Document, source Source) []Edit {
	var edits []Edit
	for i, v := range *l.in(d) {
		edits = append(edits, &Put[T]{Value: v, Input: Input{Path: fmt.Sprintf("%s[%d]", l.name, i), Source: source}})
	}
	return edits
}

// checkPut checks the value of an edit, and that no earlier one puts the same
// thing. An Input without a path gets one of the key as it was given.
func (l *list[T]) checkPut(c *checker, e *Put[T]) {
	c.source = e.Input.source()
	path := e.Input.path(l.kind, l.key(e.Value))
	l.check(c, &e.Value, path)
	key := l.key(e.Value)
	if first, twice := c.first[thingKey{l.kind, key}]; twice && key != "" {
		c.problem(path, "%s is there already, in %s.", key, c.source.Where(first))
		return
	}
	c.first[thingKey{l.kind, key}] = path
}

// put puts a value over the thing that has its key, field by field as given, or
// behind the others.
func (l *list[T]) put(d *draft, e *Put[T]) {
	in, key := l.in(d.desired), l.key(e.Value)
	t := d.touch(l.kind, key, e.Input)
	at := l.index(*in, key)
	var was *T
	if at >= 0 {
		if e.Input.New {
			d.problem(t, "", "There is a %s %s already.", l.kind, key)
		}
		before := (*in)[at]
		was = &before
		d.overlay(&(*in)[at], &e.Value, t)
	} else {
		at = len(*in)
		*in = append(*in, e.Value)
	}
	if l.complete != nil {
		l.complete(d, &(*in)[at], was, t)
	}
}

// index is below 0 where nothing in a list has the key.
func (l *list[T]) index(in []T, key string) int {
	return slices.IndexFunc(in, func(v T) bool { return l.key(v) == key })
}

func (l *list[T]) checkReferences(d *draft) {
	for _, v := range *l.in(d.desired) {
		t := d.thing(l.kind, l.key(v))
		if l.references != nil {
			l.references(v, d.mustExist(t))
		}
		if l.checkFit != nil {
			l.checkFit(d, v, t)
		}
	}
	if l.checkAll != nil {
		l.checkAll(d)
	}
}

func (l *list[T]) referrer(d *draft, kind Kind, key string) string {
	if l.references == nil {
		return ""
	}
	for _, v := range *l.in(d.desired) {
		if refers(v, l.references, kind, key) {
			return wordsOf(l.kind, l.key(v))
		}
	}
	return ""
}

// remove goes on as long as something went: the last child to go frees its parent.
func (l *list[T]) remove(d *draft, usedBy map[*Remove]string) {
	requested := map[string]*Remove{}
	for _, r := range d.removals[l.kind] {
		requested[r.Key] = r
	}
	if len(requested) == 0 {
		return
	}
	in := l.in(d.desired)
	for before := -1; before != len(*in); {
		before = len(*in)
		*in = l.remaining(d, requested, usedBy)
	}
}

// remaining is the section without what is to be removed and is not in use.
func (l *list[T]) remaining(d *draft, requested map[string]*Remove, usedBy map[*Remove]string) []T {
	var remaining []T
	for _, v := range *l.in(d.desired) {
		r, by := requested[l.key(v)], ""
		switch {
		case r != nil && l.withdraw != nil:
			by = l.withdraw(d, r, &v)
		case r != nil:
			by = l.user(d, v)
		}
		switch {
		case by != "":
			usedBy[r] = by
		case r != nil:
			delete(usedBy, r)
		}
		if r == nil || by != "" || l.withdraw != nil {
			remaining = append(remaining, v)
			continue
		}
		d.removed = append(d.removed, l.removal(d, v))
	}
	return remaining
}

// user names what keeps a thing from being removed; empty for nothing.
func (l *list[T]) user(d *draft, v T) string {
	by := l.use(d, v).openWords()
	if by == "" && l.inUse != nil {
		by = l.inUse(d, v)
	}
	if by == "" {
		by = d.referrer(l.kind, l.key(v))
	}
	return by
}

func (l *list[T]) normalize(d *Document) {
	if l.sort == nil {
		return
	}
	in := *l.in(d)
	for i := range in {
		l.sort(&in[i])
	}
}

func (l *list[T]) compare(d *draft) {
	was := make(map[string]*T)
	for _, v := range *l.in(d.current) {
		was[l.key(v)] = &v
	}
	for _, is := range *l.in(d.desired) {
		key := l.key(is)
		before := was[key]
		switch {
		case l.change != nil:
			l.change(d, before, is)
		case before == nil:
			d.create(l.kind, key, is, l.wasArchived(d, key)...)
		default:
			d.update(l.kind, key, is, differences(*before, is), l.peopleOf(*before, is))
		}
	}
	if l.notes != nil {
		l.notes(d)
	}
}

// wasArchived says in words that a thing comes back; nil for one that is new.
func (l *list[T]) wasArchived(d *draft, key string) []string {
	if l.archived == nil || !slices.Contains(slices.Collect(maps.Values(l.archived(d.state))), key) {
		return nil
	}
	return []string{"brought back from the archive"}
}

func (l *list[T]) peopleOf(was, is T) []string {
	if l.people == nil {
		return nil
	}
	return l.people(was, is)
}

// listOf is the section of a type whose things have keys.
func listOf[T any]() *list[T] { return of[T]().(*list[T]) }

// existing is the thing of a key in the desired document, to be changed; nil, with
// a problem at path, where there is none.
func existing[T any](d *draft, key, path string) *T {
	l := listOf[T]()
	in := *l.in(d.desired)
	i := l.index(in, key)
	if i < 0 {
		d.problemOf(fault.KindNotFound, thing{path: path, touched: true}, "", "There is no %s %s.", l.kind, key)
		return nil
	}
	d.touchPart(l.kind, key)
	return &in[i]
}

// find is a copy of the thing of a key; nil where there is none.
func find[T any](d *Document, key string) *T {
	l := listOf[T]()
	in := *l.in(d)
	if i := l.index(in, key); i >= 0 {
		found := in[i]
		return &found
	}
	return nil
}
