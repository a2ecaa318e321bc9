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
	var ran policyRun
	for _, e := range events {
		line := v.event(e)
		ran.follow(e.Kind, &line)
		lines = append(lines, line)
	}
	for i, r := range records {
		if !happened(r) {
			continue
		}
		attempt := attemptOf(r)
		if again := triedAgain(records[i+1:], r); again != nil {
			attempt.RetryAt = *again
		}
		lines = append(lines, incidents.Event{ID: r.AttemptID, At: attempt.At, Kind: incidents.KindAttempt, Attempt: &attempt})
	}
	slices.SortStableFunc(lines, func(a, b incidents.Event) int { return a.At.Compare(b.At) })
	return lines
}

// policyRun counts what a policy did until it is exhausted, since the line that
// tells of it does not say.
type policyRun struct {
	run   int   // the last
	paged int64 // steps that reached somebody
}

func (r *policyRun) follow(kind incident.EventKind, line *incidents.Event) {
	switch kind {
	case incident.EvReceived, incident.EvReopened, incident.EvUnacknowledged, incident.EvAckExpired, incident.EvSettled:
		*r = policyRun{}
	case incident.EvStep, incident.EvPassedOver:
		if line.Step == 0 {
			return
		}
		r.run = max(r.run, line.Run)
		if kind == incident.EvStep {
			r.paged++
		}
	case incident.EvExhausted:
		line.Run, line.Count = max(r.run, 1), r.paged
	}
}

// triedAgain is when a message was sent once more after an attempt that failed;
// nil where it was not so far.
func triedAgain(later []incident.PageRecord, failed incident.PageRecord) *time.Time {
	if failed.State != incident.AttemptFailed || failed.AttemptID == 0 {
		return nil
	}
	for _, r := range later {
		if r.MessageID == failed.MessageID && r.PageID == failed.PageID && r.Number == failed.Number+1 {
			return r.StartedAt
		}
	}
	return nil
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
	case incident.EvReceived:
		if !fromSender(e.Actor) {
			line.Sender = "" // a person opened it
		}
	case incident.EvResolved:
		if fromSender(e.Actor) {
			line.Sender = line.By
		}
	case incident.EvStep, incident.EvPassedOver, incident.EvHandover, incident.EvExhausted:
		line.Via, line.Policy = "", element.Ref{Slug: d.Via, Name: d.Policy}
		if d.Step == 0 && d.To != "" {
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
		line.Kind, line.Text = "beyond", who+verb+" paged"+whoToo(line.Targets, line.People)
	case incident.EvPassedOver:
		line.Kind, line.Text = "beyond", who+verb+" passed over: nobody there can be reached"
	}
}

// whoToo names people after targets that do not name them already.
func whoToo(targets []string, people []element.Person) string {
	if names := element.Names(people); names != "" && names != element.And(targets) {
		return ": " + names
	}
	return ""
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
