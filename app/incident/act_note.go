package incident

import (
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var note = ActKind{
	Name:   "notes",
	Web:    true,
	API:    true,
	Fields: []string{"note"},
	Read: func(f Fields) (Act, error) {
		return ActNote{Text: f.Text("note")}, nil
	},
}

// ActNote adds a note to the timeline.
type ActNote struct {
	Text string // must not be blank
}

func (a ActNote) validate() error {
	if strings.TrimSpace(a.Text) == "" {
		return fault.Invalid("The note is empty.").With(fault.Field{Path: "note", Message: "Write what others should know."})
	}
	return tooLong("note", strings.TrimSpace(a.Text))
}

func (a ActNote) decide(inc Incident, _ Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc, Changed: true}
	c.record(by.At, by.Actor, NotePayload{Via: by.Via, Text: strings.TrimSpace(a.Text)})
	return c, done(), nil
}
