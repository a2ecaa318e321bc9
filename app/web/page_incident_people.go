package web

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// recipients are the people who are or were paged, each by their latest page, in
// the order in which they were first.
func (p *pages) recipients(v *visit, r *incident.Row, records []incident.PageRecord) []incidents.Recipient {
	var order []int64
	latest := map[int64][]incident.PageRecord{}
	for _, record := range records {
		known := latest[record.UserID]
		if known == nil {
			order = append(order, record.UserID)
		}
		if known != nil && known[0].PageID != record.PageID {
			known = nil
		}
		latest[record.UserID] = append(known, record)
	}
	all := make([]incidents.Recipient, len(order))
	for i, user := range order {
		all[i] = p.recipient(v, r, latest[user])
	}
	return all
}

// recipient sums up the records of one page.
func (p *pages) recipient(v *visit, r *incident.Row, records []incident.PageRecord) incidents.Recipient {
	page := records[0]
	to := incidents.Recipient{PageID: page.PageID, Person: v.picture.person(page.UserID), Role: roleOf(whyOf(page), page.UserName), Shadow: page.Shadow, State: pageState(r, page)}
	for _, record := range records {
		if happened(record) {
			last := attemptOf(record)
			to.Last = &last
		}
	}
	if to.State == incidents.Paging && page.NotifyAt != nil {
		to.NextTry, to.NextMedium = *page.NotifyAt, p.nextMedium(v.picture.people[page.UserID], page)
	}
	if to.State == incidents.Paging {
		to.Waits = waiting(p.Now(), records)
	}
	for _, m := range v.picture.people[page.UserID].Methods {
		if medium := string(m.Medium); to.State != incidents.Answered && m.Usable() && !p.Works(m.Medium) && !slices.Contains(to.NotSetUp, medium) {
			to.NotSetUp = append(to.NotSetUp, medium)
		}
	}
	return to
}

// waiting is the first message of a page that gathers; nil where another one is
// about to leave. One that is due does not wait any more.
func waiting(now time.Time, records []incident.PageRecord) *incidents.Waiting {
	var first *incidents.Waiting
	for _, r := range records {
		switch {
		case r.State == incident.AttemptQueued && r.MessageID != 0:
			return nil
		case r.State != incident.AttemptBundled || r.RetryAt == nil || !r.RetryAt.After(now):
		case first == nil || r.RetryAt.Before(first.Until):
			first = &incidents.Waiting{Medium: r.Medium, Until: *r.RetryAt, Digest: r.Digest}
		}
	}
	return first
}

func whyOf(r incident.PageRecord) escalation.Why {
	var why escalation.Why
	_ = json.Unmarshal(r.Why, &why) // what we wrote ourselves
	return why
}

// roleOf is why somebody is paged in a word or two.
func roleOf(w escalation.Why, name string) string {
	switch w.Kind {
	case "fallback":
		return "fallback"
	case "administrators":
		return "administrator"
	case "raised", "worse", "joined", "still_on_it":
		return "owner"
	}
	switch {
	case w.Position != "":
		return w.Position
	case w.Target == name:
		return "named in the policy"
	}
	return w.Target
}

func pageState(r *incident.Row, page incident.PageRecord) incidents.RecipientState {
	switch page.PageState {
	case "active":
		return incidents.Paging
	case "superseded":
		return incidents.Superseded
	case "failed":
		return incidents.Unreached
	}
	if r.OwnerID != nil && *r.OwnerID == page.UserID {
		return incidents.Answered
	}
	return incidents.Withdrawn
}

// mostNotifications bounds the look for the notification that is due next, which
// repeats every ten minutes for as long as a step lasts.
const mostNotifications = 500

// nextMedium is by what the person is told next, by their own rules as they are
// now.
func (p *pages) nextMedium(to notify.Recipient, page incident.PageRecord) string {
	for i := range mostNotifications {
		n, ok := to.Notification(i, string(page.Urgency), p.Works)
		if !ok {
			break
		}
		if !page.CreatedAt.Add(n.After).Before(*page.NotifyAt) {
			return string(n.Method.Medium)
		}
	}
	return ""
}

// mostUpcoming bounds how far ahead a page looks.
const mostUpcoming = 4

// upcoming is what happens next if nobody acts, computed by what pages people
// too.
func (p *pages) upcoming(ctx context.Context, v *visit, r *incident.Row) ([]incidents.Upcoming, error) {
	if r.Status == incident.Acknowledged {
		return v.stillOnIt(r), nil
	}
	if r.Status != incident.Triggered {
		return nil, nil
	}
	escalations, err := p.Pages.Incidents.IncidentEscalations(ctx, r.Number)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(escalations, func(e incident.EscalationRecord) bool {
		return e.State == "active" && e.Purpose == string(escalation.Primary)
	})
	if i < 0 || escalations[i].NextActionAt == nil {
		return nil, nil
	}
	var named escalation.NamedPolicy
	if id := escalations[i].PolicyVersionID; id != nil {
		if named, err = p.Directory.Policy(ctx, *id); err != nil {
			return nil, err
		}
	}
	return v.stepsAhead(named.Policy, escalations[i], r.Priority), nil
}

// stillOnIt is when the owner of an acknowledged incident is asked; once asked,
// when the policy starts again.
func (v *visit) stillOnIt(r *incident.Row) []incidents.Upcoming {
	if r.AskedAt != nil {
		at := r.AskedAt.Add(incident.AnswerWithin)
		u := incidents.Upcoming{Kind: incidents.NextAdministrators, At: at}
		if id := v.picture.services[r.ServiceID].PolicyID; id != nil {
			targets := v.picture.policies[*id].Policy.Steps[0].Targets
			u = incidents.Upcoming{Kind: incidents.NextStep, At: at, Step: 1, Run: 1, Targets: v.picture.roster.Describe(targets),
				People: v.picture.reached(v.picture.roster.Resolve(targets, at))}
		}
		return []incidents.Upcoming{u}
	}
	if r.Priority == nil || r.AcknowledgedAt == nil {
		return nil
	}
	for _, p := range v.picture.Priorities {
		if p.Level == *r.Priority && p.AckExpires > 0 {
			return []incidents.Upcoming{{Kind: incidents.NextStillOnIt, At: r.AcknowledgedAt.Add(time.Duration(p.AckExpires) * time.Second)}}
		}
	}
	return nil
}

// stepsAhead goes on from where an escalation stands. People are those who are
// on call at that time, as the schedules are now.
func (v *visit) stepsAhead(policy escalation.Policy, e incident.EscalationRecord, priority *int) []incidents.Upcoming {
	state := escalation.State{Phase: escalation.Phase(e.Phase), Step: e.Step, Run: e.Run, Reached: e.Reached, FiredAt: e.FiredAt, Deadline: e.DeadlineAt}
	at := *e.NextActionAt // sooner than the deadline where the shift changes
	if e.FiredAt != nil && e.DeadlineAt != nil {
		at = *e.DeadlineAt
	}
	var next []incidents.Upcoming
	for range mostUpcoming {
		var firings []escalation.Firing
		waited := state.Phase == escalation.Waiting
		firings, state = policy.Fire(state, at, priority, func(d escalation.Decision) []escalation.Reached {
			return v.picture.roster.Resolve(d.Targets, at)
		})
		last := firings[len(firings)-1]
		u := incidents.Upcoming{Kind: upcomingKind(last.Phase), At: at, Targets: v.picture.roster.Describe(last.Targets),
			People: v.picture.reached(last.People), Run: last.Run + 1}
		if last.Phase == escalation.Stepping {
			u.Step = last.Step + 1
		}
		if waited {
			u.Kind = incidents.NextMorning
		}
		next = append(next, u)
		if !escalation.Covered(last.People) {
			break // nobody at all can be reached, and it would say so every hour
		}
		at = *state.Deadline
	}
	return next
}

func upcomingKind(p escalation.Phase) incidents.UpcomingKind {
	switch p {
	case escalation.Falling:
		return incidents.NextFallback
	case escalation.Administrators:
		return incidents.NextAdministrators
	}
	return incidents.NextStep
}
