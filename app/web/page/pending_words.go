package page

import (
	"fmt"
	"strings"
)

// PendingWords say what a form that waits for a sign-in has not done yet.
type PendingWords struct {
	NotDone string // "#182 is NOT acknowledged yet."
	ToDo    string // "acknowledge it", after "Sign in to "
	Button  string // "Acknowledge #182"
}

// incidentRoute begins the routes of the acts on one incident.
const incidentRoute = "/incidents/:number/"

// actWords are by the name of the act; %s is the incident's number.
var actWords = map[string]PendingWords{
	"acknowledge":   {"%s is NOT acknowledged yet.", "acknowledge it", "Acknowledge %s"},
	"unacknowledge": {"The acknowledgment of %s is NOT undone yet.", "undo it", "Undo the acknowledgment of %s"},
	"resolve":       {"%s is NOT resolved yet.", "resolve it", "Resolve %s"},
	"undo-resolve":  {"The resolve of %s is NOT undone yet.", "undo it", "Undo the resolve of %s"},
	"reopen":        {"%s is NOT reopened yet.", "reopen it", "Reopen %s"},
	"escalate":      {"%s is NOT escalated yet.", "escalate it", "Escalate %s"},
	"priority":      {"The priority of %s is NOT changed yet.", "change it", "Change the priority of %s"},
	"notes":         {"Your note on %s is NOT saved yet.", "save it", "Save the note on %s"},
}

// wordsOf are general for a form that has none of its own.
func wordsOf(f sealedForm) PendingWords {
	if name, ok := strings.CutPrefix(f.Route, incidentRoute); ok {
		number, _, _ := strings.Cut(strings.TrimPrefix(f.Path, "/incidents/"), "/")
		w, known := actWords[name]
		if !known {
			w = PendingWords{"What you sent for %s is NOT done yet.", "send it again", "Send it for %s"}
		}
		incident := "#" + number
		return PendingWords{fmt.Sprintf(w.NotDone, incident), w.ToDo, fmt.Sprintf(w.Button, incident)}
	}
	if f.Route == "/incidents/acknowledge" {
		n := len(f.Fields["number"])
		if n == 1 {
			return PendingWords{"The incident is NOT acknowledged yet.", "acknowledge it", "Acknowledge it"}
		}
		return PendingWords{fmt.Sprintf("%d incidents are NOT acknowledged yet.", n), "acknowledge them", fmt.Sprintf("Acknowledge %d incidents", n)}
	}
	return PendingWords{"What you entered is NOT saved yet.", "save it", "Save it"}
}
