package page

import (
	"fmt"
	"strings"
)

// PendingWords say what a form that waits for a sign-in has not done yet.
type PendingWords struct {
	NotDone string // "#182 is NOT acknowledged yet."
	Button  string // "Acknowledge #182"
	Discard string // "Do not acknowledge"; of what was typed, "Discard"
}

// incidentRoute begins the routes of the acts on one incident.
const incidentRoute = "/incidents/:number/"

// actWords are by the name of the act, of all that pages offer; %s is the incident's
// number.
var actWords = map[string]PendingWords{
	"acknowledge":      {"%s is NOT acknowledged yet.", "Acknowledge %s", "Do not acknowledge"},
	"undo-acknowledge": {"The acknowledgment of %s is NOT undone yet.", "Undo the acknowledgment of %s", "Do not undo it"},
	"unacknowledge":    {"%s is NOT unacknowledged yet.", "Unacknowledge %s", "Do not unacknowledge"},
	"resolve":          {"%s is NOT resolved yet.", "Resolve %s", "Do not resolve"},
	"undo-resolve":     {"The resolve of %s is NOT undone yet.", "Undo the resolve of %s", "Do not undo it"},
	"reopen":           {"%s is NOT reopened yet.", "Reopen %s", "Do not reopen"},
	"escalate":         {"%s is NOT escalated yet.", "Escalate %s", "Do not escalate"},
	"priority":         {"The priority of %s is NOT changed yet.", "Change the priority of %s", "Do not change it"},
	"notes":            {"Your note on %s is NOT saved yet.", "Save the note on %s", "Discard"},
	"responders":       {"Nobody is asked to join %s yet.", "Ask them to join %s", "Do not ask"},
	"decline":          {"You have NOT declined to join %s yet.", "Decline to join %s", "Do not decline"},
	"handover":         {"Nobody is asked to take over %s yet.", "Ask them to take over %s", "Do not ask"},
	"take-over":        {"You have NOT taken over %s yet.", "Take over %s", "Do not take over"},
	"snooze":           {"%s is NOT snoozed yet.", "Snooze %s", "Do not snooze"},
}

// formWords are by the route of forms that are about no single incident.
var formWords = map[string]PendingWords{
	"/incidents/new": {"The incident is NOT opened yet.", "Open the incident", "Discard"},
	"/page":          {"Nobody is paged yet.", "Page them", "Do not page"},
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
			w = PendingWords{"What you sent for %s is NOT done yet.", "Send it for %s", "Discard"}
		}
		incident := "#" + number
		return PendingWords{fmt.Sprintf(w.NotDone, incident), fmt.Sprintf(w.Button, incident), w.Discard}
	}
	if bulk, ok := bulkWords[f.Route]; ok {
		n := len(f.Fields["number"])
		if n == 1 {
			return PendingWords{"The incident is NOT " + bulk.done + " yet.", Capitalize(bulk.verb) + " it", "Do not " + bulk.verb}
		}
		return PendingWords{fmt.Sprintf("%d incidents are NOT %s yet.", n, bulk.done), fmt.Sprintf("%s %d incidents", Capitalize(bulk.verb), n), "Do not " + bulk.verb}
	}
	if w, ok := formWords[f.Route]; ok {
		return w
	}
	return PendingWords{"What you entered is NOT saved yet.", "Save it", "Discard"}
}
