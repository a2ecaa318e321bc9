package organization

// single is what there is once. Lists take defaults from it, and it may refer to
// what they have, so that edits of it come first and its changes last. All
// functions are required.
type single[T any] struct {
	kind Kind
	// name is the key of the section in a file.
	name        string
	in          func(*Document) **T
	describeOne func(*State, names) *T
	check       func(c *checker, v *T, path string)
	references  func(T, referFunc)
}

var _ typed[Organization] = (*single[Organization])(nil)

func (o *single[T]) is() Kind                                { return o.kind }
func (o *single[T]) sectionName() string                     { return o.name }
func (o *single[T]) removable() bool                         { return false }
func (o *single[T]) withdraws() bool                         { return false }
func (o *single[T]) keys(*Document) []string                 { return nil }
func (o *single[T]) named(*State) named                      { return nil }
func (o *single[T]) subject(T) (Kind, string)                { return o.kind, "" }
func (o *single[T]) remove(*draft, map[*Remove]string)       {}
func (o *single[T]) normalize(*Document)                     {}
func (o *single[T]) describe(s *State, n names, d *Document) { *o.in(d) = o.describeOne(s, n) }

func (o *single[T]) clone(from, to *Document) {
	v := **o.in(from)
	*o.in(to) = &v
}

func (o *single[T]) edits(d *Document, source Source) []Edit {
	v := *o.in(d)
	if v == nil {
		return nil
	}
	return []Edit{&Put[T]{Value: *v, Input: Input{Path: o.name, Source: source}}}
}

func (o *single[T]) checkPut(c *checker, e *Put[T]) {
	c.source = e.Input.source()
	o.check(c, &e.Value, e.Input.path(o.kind, ""))
}

func (o *single[T]) put(d *draft, e *Put[T]) {
	d.overlay(*o.in(d.desired), &e.Value, d.touch(o.kind, "", e.Input))
}

func (o *single[T]) checkReferences(d *draft) {
	o.references(**o.in(d.desired), d.mustExist(d.thing(o.kind, "")))
}

func (o *single[T]) referrer(d *draft, kind Kind, key string) string {
	if refers(**o.in(d.desired), o.references, kind, key) {
		return wordsOf(o.kind, "")
	}
	return ""
}

func (o *single[T]) compare(d *draft) {
	is := **o.in(d.desired)
	d.update(o.kind, "", is, differences(**o.in(d.current), is), nil)
}
