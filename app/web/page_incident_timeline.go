package web

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// timeline is what happened and what was sent, oldest first. At one instant,
// what happened comes before what was sent because of it.
func (v *visit) timeline(events []incident.TimelineEvent, records []incident.PageRecord) []incidents.Event {
	var lines []incidents.Event
	for _, e := range events {
		lines = append(lines, v.event(e))
	}
	for _, r := range records {
		if !happened(r) {
			continue
		}
		attempt := attemptOf(r)
		lines = append(lines, incidents.Event{ID: r.AttemptID, At: attempt.At, Kind: incidents.KindAttempt, Attempt: &attempt})
	}
	slices.SortStableFunc(lines, func(a, b incidents.Event) int { return a.At.Compare(b.At) })
	return lines
}

// happened reports whether something was sent, or could not be.
func happened(r incident.PageRecord) bool {
	return r.AttemptID != 0 && r.State != incident.AttemptWithdrawn || r.State == incident.AttemptFailed
}

// event reads a line of the timeline. Those of the escalation name its policy.
func (v *visit) event(e incident.TimelineEvent) incidents.Event {
	var d incident.Detail
	_ = json.Unmarshal(e.Data, &d) // what we wrote ourselves; at worst a line says less
	line := incidents.Event{
		ID: e.ID, At: e.At, Kind: string(e.Kind), By: v.picture.actor(e.Actor), Text: d.Text, From: d.From, To: d.To, Via: d.Via,
		Step: d.Step, Run: d.Run, People: v.picture.persons(d.People), Targets: d.Targets, Count: d.Count, Warnings: d.Warnings, Sender: d.Sender,
	}
	line.Until, _ = time.Parse(time.RFC3339, d.Until)
	switch e.Kind {
	case incident.EvResolved:
		if fromSender(e.Actor) {
			line.Sender = line.By
		}
	case incident.EvStep, incident.EvPassedOver, incident.EvHandover, incident.EvExhausted:
		line.Via, line.Policy = "", element.Ref{Slug: d.Via, Name: d.Policy}
		if d.Step == 0 {
			v.beyondSteps(&line)
		}
	}
	return line
}

// beyondSteps says in words what the fallback and the administrators are about,
// which are no steps of the policy.
func (v *visit) beyondSteps(line *incidents.Event) {
	who := "The " + line.To
	if line.To == string(incidents.NextFallback) && len(line.Targets) > 0 {
		who += " (" + element.And(line.Targets) + ")"
	}
	verb := " was"
	if line.To == string(incidents.NextAdministrators) {
		verb = " were"
	}
	switch incident.EventKind(line.Kind) {
	case incident.EvStep:
		line.Kind, line.Text = "beyond", who+verb+" paged: "+element.Names(line.People)
	case incident.EvPassedOver:
		line.Kind, line.Text = "beyond", who+verb+" passed over: nobody there can be reached"
	}
}

// attemptOf is one message to one contact method. At is when it reached the
// state that it is in; of one that waits, when it leaves.
func attemptOf(r incident.PageRecord) incidents.Attempt {
	a := incidents.Attempt{
		PageID: r.PageID, Person: element.Person{ID: r.UserID, Name: r.UserName}, Medium: r.Medium, Contact: r.Contact,
		State: incidents.AttemptState(r.State), Error: r.Error, Number: r.Number, Again: r.Again, InsteadOf: r.InsteadOf, With: r.With,
	}
	if r.State == incident.AttemptBundled {
		a.State = incidents.Queued
	}
	if strings.HasPrefix(r.ProviderID, logged) {
		a.Medium = "log"
	}
	switch {
	case r.FinishedAt != nil:
		a.At = *r.FinishedAt
	case r.StartedAt != nil:
		a.At = *r.StartedAt
	case r.RetryAt != nil:
		a.At = *r.RetryAt
	case r.EndedAt != nil:
		a.At = *r.EndedAt
	default:
		a.At = r.CreatedAt
	}
	if r.State == incident.AttemptFailed && r.RetryAt != nil && r.StartedAt != nil && r.RetryAt.After(*r.StartedAt) {
		a.RetryAt = *r.RetryAt
	}
	return a
}

// logged begins the provider's id of what only reached the log.
const logged = "log-"
