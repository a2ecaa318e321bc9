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

// actWords are by the name of the act, of all that pages offer; %s is the incident's
// number.
var actWords = map[string]PendingWords{
	"acknowledge":      {"%s is NOT acknowledged yet.", "acknowledge it", "Acknowledge %s"},
	"undo-acknowledge": {"The acknowledgment of %s is NOT undone yet.", "undo it", "Undo the acknowledgment of %s"},
	"unacknowledge":    {"%s is NOT unacknowledged yet.", "unacknowledge it", "Unacknowledge %s"},
	"resolve":          {"%s is NOT resolved yet.", "resolve it", "Resolve %s"},
	"undo-resolve":     {"The resolve of %s is NOT undone yet.", "undo it", "Undo the resolve of %s"},
	"reopen":           {"%s is NOT reopened yet.", "reopen it", "Reopen %s"},
	"escalate":         {"%s is NOT escalated yet.", "escalate it", "Escalate %s"},
	"priority":         {"The priority of %s is NOT changed yet.", "change it", "Change the priority of %s"},
	"notes":            {"Your note on %s is NOT saved yet.", "save it", "Save the note on %s"},
	"responders":       {"Nobody is asked to join %s yet.", "ask them", "Ask them to join %s"},
	"decline":          {"You have NOT declined to join %s yet.", "decline", "Decline to join %s"},
	"handover":         {"Nobody is asked to take over %s yet.", "ask them", "Ask them to take over %s"},
	"take-over":        {"You have NOT taken over %s yet.", "take it over", "Take over %s"},
	"snooze":           {"%s is NOT snoozed yet.", "snooze it", "Snooze %s"},
}

// formWords are by the route of forms that are about no single incident.
var formWords = map[string]PendingWords{
	"/incidents/new": {"The incident is NOT opened yet.", "open it", "Open the incident"},
	"/page":          {"Nobody is paged yet.", "page them", "Page them"},
}

// bulkWords are by the route of an act on several incidents: what it does to them, and
// what it has done.
var bulkWords = map[string]struct{ verb, done string }{
	"/incidents/acknowledge": {"acknowledge", "acknowledged"},
	"/incidents/resolve":     {"resolve", "resolved"},
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
	if bulk, ok := bulkWords[f.Route]; ok {
		n := len(f.Fields["number"])
		if n == 1 {
			return PendingWords{"The incident is NOT " + bulk.done + " yet.", bulk.verb + " it", Capitalize(bulk.verb) + " it"}
		}
		return PendingWords{fmt.Sprintf("%d incidents are NOT %s yet.", n, bulk.done), bulk.verb + " them", fmt.Sprintf("%s %d incidents", Capitalize(bulk.verb), n)}
	}
	if w, ok := formWords[f.Route]; ok {
		return w
	}
	return PendingWords{"What you entered is NOT saved yet.", "save it", "Save it"}
}
