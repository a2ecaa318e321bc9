package organization

import "reflect"

// section is a kind of configuration, for the steps of a plan that treat all kinds
// alike: list, of what has keys, or single, of what there is once.
type section interface {
	// is is the kind, sectionName its key in a file and in the paths of problems.
	is() Kind
	sectionName() string
	// removable reports whether its things can be removed.
	removable() bool
	// withdraws reports whether something else is done to a thing instead of its
	// removal.
	withdraws() bool
	// keys are the keys of a document's things, in their order; nil for a single.
	keys(*Document) []string
	// describe puts what a state has into a document, by key.
	describe(*State, names, *Document)
	// named are the names by id that others refer to; nil where none do.
	named(*State) named
	// clone has one document share nothing that edits change with another.
	clone(from, to *Document)
	// edits put all that a document has.
	edits(*Document, Source) []Edit
	// remove takes out of the desired document what is to be removed. What is in use
	// stays, and is added to usedBy with what uses it.
	remove(d *draft, usedBy map[*Remove]string)
	// checkReferences reports what refers to something that is not in the desired
	// document, and what does not fit together.
	checkReferences(*draft)
	// referrer names the first thing in the desired document that refers to another;
	// empty for none.
	referrer(d *draft, kind Kind, key string) string
	// normalize puts lists whose order means nothing into the one of describe. It
	// comes after everything that reports by index.
	normalize(*Document)
	// compare adds the changes from the current to the desired document to the plan.
	compare(*draft)
}

// typed is a section whose things are of a type.
type typed[T any] interface {
	section
	subject(T) (Kind, string)
	checkPut(*checker, *Put[T])
	put(*draft, *Put[T])
}

// sections are all kinds in the order in which edits of them take effect and
// changes of them are made: whatever is referred to comes before what refers to
// it. A new kind is a file such as deployment.go, a line here, and a field each of
// Document and State.
//
// It is filled by init, since sections find one another through it.
var sections []section

func init() {
	sections = []section{
		organizationSection(),
		prioritySection(),
		userSection(),
		teamSection(),
		deploymentSection(),
		scheduleSection(),
		policySection(),
		serviceSection(),
		integrationSection(),
	}
}

// Section is a kind of configuration as files have it.
type Section struct {
	Kind Kind
	// Name is the key in a file.
	Name string
	// Removable reports whether things of the kind can be removed.
	Removable bool
	// Withdraws reports whether a removal changes the thing instead of deleting it:
	// a person is deactivated.
	Withdraws bool
}

// Sections are all, with what is referred to before what refers to it.
func Sections() []Section {
	all := make([]Section, len(sections))
	for i, s := range sections {
		all[i] = Section{Kind: s.is(), Name: s.sectionName(), Removable: s.removable(), Withdraws: s.withdraws()}
	}
	return all
}

// sectionOf is nil for a kind that there is not.
func sectionOf(kind Kind) section {
	if i := orderOf(kind); i < len(sections) {
		return sections[i]
	}
	return nil
}

// orderOf is the place of a kind in sections; behind all for one that there is not.
func orderOf(kind Kind) int {
	for i, s := range sections {
		if s.is() == kind {
			return i
		}
	}
	return len(sections)
}

// of is the section of a type of the document.
func of[T any]() typed[T] {
	for _, s := range sections {
		if t, ok := s.(typed[T]); ok {
			return t
		}
	}
	panic("organization: no section registered for " + reflect.TypeFor[T]().String())
}
