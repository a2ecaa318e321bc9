package organization

import (
	"fmt"
	"strings"
)

// Kind is a kind of configuration, as plans call it. The file of each declares its
// own.
type Kind string

// Op is what a change does.
type Op string

// The operations. A person who is deleted is deactivated.
const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
	// Archive is done instead of a deletion to what resolved incidents refer to.
	Archive Op = "archive"
)

// Change is one thing that is created, updated or deleted.
type Change struct {
	Op   Op
	Kind Kind
	// Key is the slug, the address, or the level; empty for the organisation.
	Key string
	// Words say what is different, one a difference, without secrets.
	Words []string
	// People say for whom the change changes something, a line each: who gains or
	// loses which shifts, or is paged by a step. They are for whoever reads the plan,
	// and not kept.
	People []string
	// Value is how the thing is to be, whole: the type of the Document, but a
	// ScheduleChange for a schedule. Nil for what is deleted or archived.
	Value any
}

// String is a line such as "~ user ana@acme.example: timezone Europe/Madrid
// (was Europe/Berlin)".
func (c Change) String() string {
	sign := map[Op]string{Create: "+", Update: "~", Delete: "-", Archive: "-"}[c.Op]
	line := strings.TrimSpace(fmt.Sprintf("%s %s %s", sign, c.Kind, c.Key))
	if len(c.Words) > 0 {
		line += ": " + strings.Join(c.Words, "; ")
	}
	return line
}

// Plan is what edits change in a configuration.
type Plan struct {
	// Origin is where the edits came from, for the audit log: "file", or empty for
	// the app.
	Origin string
	// Revision is that of the configuration for which the plan was made. It cannot
	// be applied to another.
	Revision int64
	// Changes stand in an order in which they can be made.
	Changes []Change
	// Unchanged counts the things that already are as the edits say.
	Unchanged int
	// Notes tell what stays although an edit says otherwise, and warn of what is
	// strange about the result.
	Notes []string
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// String is the plan for people, a line each.
func (p *Plan) String() string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintln(&b, c)
		for _, line := range c.People {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if p.Unchanged > 0 && !p.Empty() {
		fmt.Fprintf(&b, "= %d unchanged\n", p.Unchanged)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "! %s\n", note)
	}
	if p.Empty() {
		fmt.Fprintln(&b, "Nothing to change.")
	}
	return b.String()
}
