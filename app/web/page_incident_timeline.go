package web

import (
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
		ran.follow(e.Kind(), &line)
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
	case incident.EvReceived, incident.EvReopened, incident.EvUnacknowledged, incident.EvAckExpired, incident.EvQuietPeriodOver:
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
	line := incidents.Event{ID: e.ID, At: e.At, Kind: string(e.Kind()), By: v.picture.actor(e.Actor)}
	if place, ok := incident.PlaceOf(e.Payload); ok {
		v.place(&line, place)
	}
	switch p := e.Payload.(type) {
	case incident.ReceivedPayload:
		line.Warnings = p.Warnings
		if fromSender(e.Actor) { // else a person opened it
			line.Sender = p.Sender
		}
	case incident.RepeatedPayload:
		line.Sender, line.Count = p.Sender, p.Occurrences
	case incident.RaisedPayload:
		line.From, line.To, line.Sender = p.From, p.To, p.Sender
	case incident.JoinedPayload:
		line.Text, line.Sender, line.Warnings = p.Alert, p.Sender, p.Warnings
	case incident.WorsePayload:
		line.From, line.To, line.Sender = p.From, p.To, p.Sender
	case incident.RecoveredPayload:
		line.Sender = p.Sender
	case incident.ReopenedPayload:
		line.Via, line.Sender, line.Warnings, line.Until = p.Via, p.Sender, p.Warnings, p.Until
	case incident.FlappingPayload:
		line.Count, line.Until = p.Reopens, p.Until
	case incident.QuietPeriodOverPayload:
		line.Count = p.Firing
	case incident.PassedOverPayload:
		if p.Reason != "" {
			line.Text = p.Reason
		}
	case incident.WaitingPayload:
		line.Until = p.Until
	case incident.AcknowledgedPayload:
		line.Via = p.Via
	case incident.ShadowAckPayload:
		line.Via = p.Via
	case incident.UnacknowledgedPayload:
		line.Via = p.Via
	case incident.StillOnItPayload:
		line.People = v.picture.persons(p.People)
	case incident.AckExpiredPayload:
		line.People = v.picture.persons(p.People)
	case incident.ResolvedPayload:
		line.Via, line.Text = p.Via, p.Resolution
		if fromSender(e.Actor) {
			line.Sender = line.By
		}
	case incident.ResolveUndonePayload:
		line.Via, line.To = p.Via, string(p.Status)
	case incident.EscalatedPayload:
		line.Via = p.Via
	case incident.PriorityPayload:
		line.Via, line.Text, line.From, line.To = p.Via, p.Reason, p.From, p.To
	case incident.NotePayload:
		line.Via, line.Text = p.Via, p.Text
	case incident.ChannelFailedPayload:
		line.To, line.Text = p.Address, p.Reason
	case incident.LeftPayload:
		line.Text, line.People = p.Text, v.picture.persons(p.People)
	case incident.TroublePayload:
		line.Text = p.Text
	}
	return line
}

// place fills in where in its policy an escalation was.
func (v *visit) place(line *incidents.Event, p incident.PolicyPlace) {
	line.Policy = element.Ref{Slug: p.PolicySlug, Name: p.Policy}
	line.Step, line.Run, line.To = p.Step, p.Run, p.Phase
	line.Targets, line.People = p.Targets, v.picture.persons(p.People)
	if p.Step == 0 && p.Phase != "" {
		v.beyondSteps(line)
	}
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
