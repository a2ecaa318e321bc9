package incidents

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// recipients are the people who were paged, each with the latest page, in the order
// of their first pages.
func (p *handlers) recipients(req *page.Request, r *incident.Row, records []incident.PageRecord) []view.Recipient {
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
	all := make([]view.Recipient, len(order))
	for i, user := range order {
		all[i] = p.recipient(req, r, latest[user])
	}
	return all
}

// recipient summarizes the attempts of one page.
func (p *handlers) recipient(req *page.Request, r *incident.Row, records []incident.PageRecord) view.Recipient {
	paged := records[0]
	to := view.Recipient{PageID: paged.PageID, Person: req.Config.Person(paged.UserID), Role: roleOf(whyOf(paged), paged.UserName), Shadow: paged.Shadow, State: pageState(r, paged)}
	for _, record := range records {
		if page.Attempted(record) {
			last := page.AttemptOf(record)
			to.Last = &last
		}
	}
	if to.State == view.Paging && paged.NotifyAt != nil {
		to.NextTry, to.NextMedium = *paged.NotifyAt, p.nextMedium(req.Config.Recipients[paged.UserID], paged)
	}
	if to.State == view.Paging {
		to.Waits = waiting(p.Now(), records)
	}
	for _, m := range req.Config.Recipients[paged.UserID].Methods {
		if medium := string(m.Medium); to.State != view.Answered && m.Usable() && !p.Works(m.Medium) && !slices.Contains(to.NotSetUp, medium) {
			to.NotSetUp = append(to.NotSetUp, medium)
		}
	}
	return to
}

// waiting is the first message of a page that waits for a bundle and is not due;
// nil if another message of the page is queued.
func waiting(now time.Time, records []incident.PageRecord) *view.Waiting {
	var first *view.Waiting
	for _, r := range records {
		switch {
		case r.State == incident.AttemptQueued && r.MessageID != 0:
			return nil
		case r.State != incident.AttemptBundled || r.RetryAt == nil || !r.RetryAt.After(now):
		case first == nil || r.RetryAt.Before(first.Until):
			first = &view.Waiting{Medium: r.Medium, Until: *r.RetryAt, Digest: r.Digest}
		}
	}
	return first
}

func whyOf(r incident.PageRecord) escalation.Why {
	var why escalation.Why
	_ = json.Unmarshal(r.Why, &why) // what we wrote ourselves
	return why
}

// roleOf is the reason for a page in a word or two.
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

func pageState(r *incident.Row, paged incident.PageRecord) view.RecipientState {
	switch paged.PageState {
	case "active":
		return view.Paging
	case "superseded":
		return view.Superseded
	case "failed":
		return view.Unreached
	}
	if r.OwnerID != nil && *r.OwnerID == paged.UserID {
		return view.Answered
	}
	return view.Withdrawn
}

// maxNotifications bounds the search for the notification that is due next; they
// repeat every ten minutes for as long as a step lasts.
const maxNotifications = 500

// nextMedium is the medium of the next notification, by the person's current rules.
func (p *handlers) nextMedium(to notify.Recipient, paged incident.PageRecord) string {
	for i := range maxNotifications {
		n, ok := to.Notification(i, string(paged.Urgency), p.Works)
		if !ok {
			break
		}
		if !paged.CreatedAt.Add(n.After).Before(*paged.NotifyAt) {
			return string(n.Method.Medium)
		}
	}
	return ""
}

// maxUpcoming bounds how many upcoming steps are shown.
const maxUpcoming = 4

// upcoming are the next steps if nobody acts, computed by the policy that the
// engine uses.
func (p *handlers) upcoming(ctx context.Context, req *page.Request, r *incident.Row) ([]view.Upcoming, error) {
	if r.Status == incident.Acknowledged {
		return stillOnIt(req, r), nil
	}
	if r.Status != incident.Triggered {
		return nil, nil
	}
	escalations, err := p.Incidents.IncidentEscalations(ctx, r.Number)
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
		if named, err = req.Config.PolicyVersion(*id); err != nil {
			return nil, err
		}
	}
	return stepsAhead(req, named.Policy, escalations[i], r), nil
}

// stillOnIt is when the owner of an acknowledged incident is asked whether they
// still work on it; once asked, when the policy starts again.
func stillOnIt(req *page.Request, r *incident.Row) []view.Upcoming {
	if r.AskedAt != nil {
		at := r.AskedAt.Add(incident.AnswerWithin)
		u := view.Upcoming{Kind: view.NextAdministrators, At: at}
		if id := req.Config.Service(r.ServiceID).PolicyID; id != nil {
			targets := req.Config.Policy(*id).Policy.Steps[0].Targets
			u = view.Upcoming{Kind: view.NextStep, At: at, Step: 1, Run: 1, Targets: req.Config.Roster.Describe(targets),
				People: req.Config.Reached(req.Config.Roster.Resolve(targets, at))}
		}
		return []view.Upcoming{u}
	}
	if r.Priority == nil || r.AcknowledgedAt == nil {
		return nil
	}
	for _, p := range req.Config.Priorities {
		if p.Level == *r.Priority && p.AckExpires > 0 {
			return []view.Upcoming{{Kind: view.NextStillOnIt, At: r.AcknowledgedAt.Add(time.Duration(p.AckExpires) * time.Second)}}
		}
	}
	return nil
}

// stepsAhead continues an escalation from its current state. People are those on
// call at that time, by the current schedules.
func stepsAhead(req *page.Request, policy escalation.Policy, e incident.EscalationRecord, r *incident.Row) []view.Upcoming {
	var hours oncall.Hours
	if r.Urgency == incident.Low {
		hours = req.Config.Roster.SupportHours[r.ServiceID]
	}
	state := escalation.State{Phase: escalation.Phase(e.Phase), Step: e.Step, Run: e.Run, Reached: e.Reached, FiredAt: e.FiredAt, Deadline: e.DeadlineAt}
	at := *e.NextActionAt // sooner than the deadline where the shift changes
	if e.FiredAt != nil && e.DeadlineAt != nil {
		at = *e.DeadlineAt
	}
	var next []view.Upcoming
	for range maxUpcoming {
		var firings []escalation.Firing
		at = hours.Next(at)
		waited := state.Phase == escalation.PhaseWaiting
		firings, state = policy.Fire(state, at, r.Priority, req.Config.Roster.At(at))
		last := firings[len(firings)-1]
		if !last.HeldUntil.IsZero() {
			at = last.HeldUntil
			continue
		}
		u := view.Upcoming{Kind: upcomingKind(last.Phase), At: at, Targets: req.Config.Roster.Describe(last.Targets),
			People: req.Config.Reached(last.People), Run: last.Run + 1}
		if last.Phase == escalation.PhaseSteps {
			u.Step = last.Step + 1
		}
		if waited {
			u.Kind = view.NextMorning
		}
		next = append(next, u)
		if !escalation.AnyNonShadow(last.People) {
			break // nobody at all can be reached, and it would say so every hour
		}
		at = hours.After(at, state.Deadline.Sub(at))
	}
	return next
}

func upcomingKind(p escalation.Phase) view.UpcomingKind {
	switch p {
	case escalation.PhaseFallback:
		return view.NextFallback
	case escalation.PhaseAdministrators:
		return view.NextAdministrators
	}
	return view.NextStep
}
