package blueprint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/spelling"
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

// place is where something stands in a file.
type place struct{ line, column int }

// nearest is the name that somebody who wrote word may have meant, or empty.
// What two addresses have in common after the @ makes them no nearer.
func nearest(word string, names []string) string {
	local, _, _ := strings.Cut(word, "@")
	best, least := "", 2+len(local)/3
	for _, name := range names {
		if d := spelling.Slips(word, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// didYouMean ends a message with a suggestion, where there is one.
func didYouMean(word string, names []string) string {
	if name := nearest(word, names); name != "" {
		return fmt.Sprintf(" Did you mean %s?", name)
	}
	return ""
}
