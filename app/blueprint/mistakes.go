package blueprint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// Mistake is something in a file that cannot be applied.
type Mistake struct {
	File string
	// Line and Column count from 1; 0 where it stands in no one place.
	Line, Column int
	// Field is the path within the document: "users[0].contacts[1].value".
	Field   string
	Message string
}

func (m Mistake) Error() string {
	where := m.File
	if m.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Column)
	}
	if m.Field != "" {
		where += ": " + m.Field
	}
	return where + ": " + m.Message
}

// Mistakes are all that were found, in the order of the file. It is the cause
// of the fault that Parse and Plan return.
type Mistakes []Mistake

func (all Mistakes) Error() string {
	lines := make([]string, len(all))
	for i, m := range all {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// fault is nil where there are none.
func (all Mistakes) fault(file string) error {
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	fields := make([]fault.Field, len(all))
	for i, m := range all {
		fields[i] = fault.Field{Path: m.Field, Message: m.Message}
	}
	return fault.Invalid("%s cannot be applied", file).With(fields...).Because(all)
}

// mistakes are problems with edits, in terms of the file.
func (f *File) mistakes(problems organization.Problems) Mistakes {
	var all Mistakes
	for _, p := range problems {
		m := Mistake{File: f.Name, Field: p.Path, Message: p.Message}
		if p.Untouched != "" {
			m.Field, m.Message = "", fmt.Sprintf("The %s, which the file does not have, would no longer fit: %s", p.Untouched, p.Message)
		} else {
			at := f.placeAt(p.Path)
			m.Line, m.Column = at.line, at.column
		}
		all = append(all, m)
	}
	return all
}

// place is where something is in a file.
type place struct{ line, column int }
