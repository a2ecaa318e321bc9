package blueprint

import (
	"errors"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

// Options say how a file is to be applied.
type Options struct {
	// Prune deletes what a file leaves out of the sections that it gives: never
	// what is in use; people are deactivated, but for administrators, and what
	// resolved incidents refer to is archived.
	Prune bool
	// TrustVerified takes contacts that the file marks as verified for such. It
	// is for commands on the server itself.
	TrustVerified bool
}

// Plan compares the file with the configuration. The error is a fault of kind
// invalid whose cause, Mistakes, lists all that does not fit together.
func (f *File) Plan(s *organization.State, o Options) (*organization.Plan, error) {
	edits := f.edits
	if o.Prune {
		edits = append(slices.Clip(edits), f.removals(s)...)
	}
	plan, err := organization.MakePlan(s, edits, organization.Options{TrustVerified: o.TrustVerified, Origin: "file"})
	if problems, ok := errors.AsType[organization.Problems](err); ok {
		return nil, f.mistakes(problems).fault(f.Name)
	}
	return plan, err
}

// removals are of what the configuration has and a section that the file gives
// does not.
func (f *File) removals(s *organization.State) []organization.Edit {
	current, written := s.Document(), f.written()
	var edits []organization.Edit
	for _, section := range organization.Sections() {
		if !section.Removable || !f.Given(section.Name) {
			continue
		}
		for _, key := range current.Keys(section.Kind) {
			if !written[subject{section.Kind, key}] {
				edits = append(edits, &organization.Remove{Kind: section.Kind, Key: key, IfUnused: true})
			}
		}
	}
	return edits
}

type subject struct {
	kind organization.Kind
	key  string
}

// written is what the file has, by the keys in the form in which they are kept.
func (f *File) written() map[subject]bool {
	written := make(map[subject]bool, len(f.edits))
	for _, e := range f.edits {
		kind, key := organization.Subject(e)
		written[subject{kind, key}] = true
	}
	return written
}
