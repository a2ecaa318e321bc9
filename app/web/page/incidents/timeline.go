package incidents

import (
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// timelineOf merges events and attempts, oldest first. At one instant events come
// before the attempts that follow from them.
func timelineOf(req *page.Request, events []incident.TimelineEvent, records []incident.PageRecord) []view.Event {
	var lines []view.Event
	var ran policyRun
	joined := false
	declined := map[string]bool{} // by name
	for _, e := range events {
		line := eventLine(req, e)
		switch {
		case e.Kind() == incident.EvDeclined:
			declined[line.By] = true
		case e.Kind() == incident.EvRequestEnded && line.To == string(incident.RequestDeclined) && len(line.Targets) == 1 && declined[line.Targets[0]]:
			continue // the only person asked: their own line says it
		}
		ran.follow(e.Kind(), &line)
		joined = joined || e.Kind() == incident.EvJoined
		line.OfSeveral = joined && e.Kind() == incident.EvRecovered
		lines = append(lines, line)
	}
	for i, r := range records {
		if !page.Attempted(r) {
			continue
		}
		attempt := page.AttemptOf(r)
		if at := retriedAt(records[i+1:], r); at != nil {
			attempt.RetryAt = *at
		}
		lines = append(lines, view.Event{ID: r.AttemptID, At: attempt.At, Kind: view.KindAttempt, Attempt: &attempt})
	}
	slices.SortStableFunc(lines, func(a, b view.Event) int { return a.At.Compare(b.At) })
	return lines
}

// policyRun counts the runs and steps of a policy until it is exhausted, which the
// event EvExhausted does not have.
type policyRun struct {
	run   int   // the last
	paged int64 // steps that reached somebody
}

func (r *policyRun) follow(kind incident.EventKind, line *view.Event) {
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

// retriedAt is when a message was sent again after a failed attempt; nil if it was
// not yet.
func retriedAt(later []incident.PageRecord, failed incident.PageRecord) *time.Time {
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

// eventLine is an event of the timeline as the page shows it.
func eventLine(req *page.Request, e incident.TimelineEvent) view.Event {
	line := view.Event{ID: e.ID, At: e.At, Kind: string(e.Kind()), By: req.Config.ActorName(e.Actor)}
	if place, ok := incident.PlaceOf(e.Payload); ok {
		fillPlace(req, &line, place)
	}
	switch p := e.Payload.(type) {
	case incident.ReceivedPayload:
		line.Warnings = p.Warnings
		if page.IsIntegration(e.Actor) { // else a person opened it
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
	case incident.StillFiringPayload:
		line.Until = p.Since
	case incident.QuietPeriodOverPayload:
		line.Count = p.Firing
	case incident.PassedOverPayload:
		if p.Reason != "" {
			line.Text = p.Reason
		}
	case incident.WaitingPayload:
		line.Until = p.Until
	case incident.HeldPayload:
		line.Until = p.Until
	case incident.AcknowledgedPayload:
		line.Via = p.Via
	case incident.ShadowAckPayload:
		line.Via = p.Via
	case incident.UnacknowledgedPayload:
		line.Via = p.Via
	case incident.StillOnItPayload:
		line.People = req.Config.Persons(p.People)
	case incident.AckExpiredPayload:
		line.People = req.Config.Persons(p.People)
	case incident.ResolvedPayload:
		line.Via, line.Text = p.Via, p.Resolution
		if page.IsIntegration(e.Actor) {
			line.Sender = line.By
		}
	case incident.ResolveUndonePayload:
		line.Via, line.To = p.Via, string(p.Status)
	case incident.EscalatedPayload:
		line.Via, line.From, line.People, line.Step = p.Via, string(p.From), req.Config.Persons(p.Owner), p.Step
		if p.Joining {
			line.Count = 1
		}
	case incident.PriorityPayload:
		line.Via, line.Text, line.From, line.To = p.Via, p.Reason, p.From, p.To
	case incident.NotePayload:
		line.Via, line.Text = p.Via, p.Text
	case incident.ChannelFailedPayload:
		line.To, line.Text = p.Address, p.Reason
	case incident.LeftPayload:
		line.Text, line.People = p.Text, req.Config.Persons(p.People)
	case incident.TroublePayload:
		line.Text = p.Text
	default:
		fillAct(req, &line, e.Payload)
	}
	return line
}

// fillPlace fills in the policy, and which of its steps an escalation was at.
func fillPlace(req *page.Request, line *view.Event, p incident.PolicyPlace) {
	line.Policy = element.Ref{Slug: p.PolicySlug, Name: p.Policy}
	line.Step, line.Run, line.To = p.Step, p.Run, p.Phase
	line.Targets, line.People = p.Targets, req.Config.Persons(p.People)
	for _, u := range p.Unreached {
		line.Unreached = append(line.Unreached, req.Config.Person(u.Person).Name+": "+u.Reason)
	}
	if p.Step == 0 && p.Phase != "" {
		fillBeyondSteps(line)
	}
}

// fillBeyondSteps describes the fallback and the administrators, which are no steps
// of the policy.
func fillBeyondSteps(line *view.Event) {
	who := "The " + line.To
	if line.To == string(view.NextFallback) && len(line.Targets) > 0 {
		who += " (" + element.And(line.Targets) + ")"
	}
	verb := " was"
	if line.To == string(view.NextAdministrators) {
		verb = " were"
	}
	switch incident.EventKind(line.Kind) {
	case incident.EvStep:
		line.Kind, line.Text = "beyond", who+verb+" paged"+peopleSuffix(line.Targets, line.People)
	case incident.EvPassedOver:
		line.Kind, line.Text = "beyond", who+verb+" skipped: nobody there can be reached"
	}
}

// peopleSuffix names people after targets that do not name them already.
func peopleSuffix(targets []string, people []element.Person) string {
	if names := element.Names(people); names != "" && names != element.And(targets) {
		return ": " + names
	}
	return ""
}
