package organization

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Edit is one thing that somebody wants otherwise: a pointer to one of the types
// of this package, such as PutTeam or AddOverride.
type Edit interface {
	// subject is the kind and the key of what the edit is of. Edits take effect in
	// the order of kinds, and those of one kind in the order in which they are given.
	subject() (Kind, string)
	// check finds what is wrong with the edit by itself, and brings slugs that were
	// left out and addresses into the form in which they are kept.
	check(*checker)
	// apply changes the draft, and reports what the edit does not fit.
	apply(*draft)
}

// Subject is the kind and the key of what an edit is of. Check brings the key into
// the form in which it is kept.
func Subject(e Edit) (kind Kind, key string) { return e.subject() }

// Input says where the value of an edit comes from. The zero value is one that
// gives everything, by somebody who does not mind what is there already.
type Input struct {
	// Path begins the paths of what is wrong with the edit: "teams[0]". Empty
	// makes one of the section and the key: "teams[payments]".
	Path string
	// Source knows which values were given; nil for all. What was not given stays
	// as it is.
	Source Source
	// New refuses the edit where the thing exists.
	New bool
}

// Source is what an edit was read from. Paths begin with that of the Input.
type Source interface {
	// Given reports whether there is a value at a path: "teams[0].members".
	Given(path string) bool
	// Where says in a message where a path is: "line 12".
	Where(path string) string
}

// everything is the source of an edit that was made as a whole.
type everything struct{}

func (everything) Given(string) bool        { return true }
func (everything) Where(path string) string { return path }

// nothing is the source of a thing that an edit touches without giving its
// fields.
type nothing struct{ everything }

func (nothing) Given(string) bool { return false }

func (in Input) source() Source {
	if in.Source == nil {
		return everything{}
	}
	return in.Source
}

func (in Input) path(kind Kind, key string) string {
	if in.Path != "" {
		return in.Path
	}
	return pathOf(kind, key)
}

// Problem is something that keeps edits from being made.
type Problem struct {
	// Path is where it is, in terms of the document: "teams[payments].members[2]",
	// or with the Path of an edit's Input: "teams[0].members[2]".
	Path    string
	Message string
	// Fault is not found where an edit is of what is not there, conflict where it
	// would leave no administrator, and else empty: the edit is invalid.
	Fault fault.Kind
	// Untouched names the thing, such as "team payments", where no edit is of it:
	// it would no longer fit to what the edits change.
	Untouched string
}

// Problems is the cause of the fault of kind invalid that MakePlan returns. The
// fault's fields are the same in words.
type Problems []Problem

func (all Problems) Error() string {
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = p.Path + ": " + p.sentence()
	}
	return strings.Join(lines, "\n")
}

func (p Problem) sentence() string {
	if p.Untouched == "" {
		return p.Message
	}
	return fmt.Sprintf("The %s would no longer fit: %s", p.Untouched, p.Message)
}

// fault is nil where there are none.
func (all Problems) fault() error {
	if len(all) == 0 {
		return nil
	}
	fields := make([]fault.Field, len(all))
	for i, p := range all {
		fields[i] = fault.Field{Path: p.Path, Message: p.sentence()}
	}
	return fault.Invalid("%s", fields[0].Message).With(fields...).Because(all)
}

// Check finds what is wrong with edits by themselves, whatever the State. It
// brings their values into the form in which they are kept.
func Check(edits []Edit) Problems {
	c := &checker{first: map[thingKey]string{}, keys: map[string]string{}}
	for _, e := range edits {
		e.check(c)
	}
	return c.problems
}

// checker checks edits one after the other.
type checker struct {
	source   Source
	problems Problems
	// first is the path of the first edit that puts a thing.
	first map[thingKey]string
	// keys are the slugs of integrations by their key.
	keys map[string]string
}

func (c *checker) problem(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) given(path string) bool { return c.source.Given(path) }

func (c *checker) require(path, key string) bool {
	if c.given(join(path, key)) {
		return true
	}
	c.problem(path, "The key %s is missing here.", key)
	return false
}

// checkEach checks every entry of a list, and that no two are the same thing.
func checkEach[T any](c *checker, path string, list []T, check func(*T, string), key func(*T) string) {
	first := map[string]string{}
	for i := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		check(&list[i], at)
		k := key(&list[i])
		if earlier, twice := first[k]; twice && k != "" {
			c.problem(at, "%s is there already, in %s.", k, c.source.Where(earlier))
		} else {
			first[k] = at
		}
	}
}

// inOrder is the edits in the order in which they take effect.
func inOrder(edits []Edit) []Edit {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return orderOf(kindOf(a)) - orderOf(kindOf(b)) })
	return edits
}

func kindOf(e Edit) Kind {
	kind, _ := e.subject()
	return kind
}

// pathOf is the path of a thing within the document, by its key.
func pathOf(kind Kind, key string) string {
	name := sectionOf(kind).sectionName()
	if key == "" {
		return name
	}
	return name + "[" + key + "]"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// within reports whether a path is another, or inside of it.
func within(path, around string) bool {
	rest, ok := strings.CutPrefix(path, around)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
