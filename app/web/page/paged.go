package page

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// RecipientsOf are the people who were paged, each with the latest page, in the order
// of their first pages.
func (p *Pages) RecipientsOf(req *Request, r *incident.Row, records []incident.PageRecord) []incidents.Recipient {
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
		all[i] = p.recipient(req, r, latest[user])
	}
	return all
}

// recipient summarizes the attempts of one page.
func (p *Pages) recipient(req *Request, r *incident.Row, records []incident.PageRecord) incidents.Recipient {
	paged := records[0]
	to := incidents.Recipient{PageID: paged.PageID, Person: req.Config.Person(paged.UserID), Role: roleOf(WhyOf(paged), paged.UserName), Shadow: paged.Shadow, State: pageState(r, paged)}
	for _, record := range records {
		if Attempted(record) {
			last := AttemptOf(record)
			to.Last = &last
			to.Reached = to.Reached || last.State == incidents.Sent || last.State == incidents.Delivered
		}
	}
	if to.State == incidents.Paging && paged.NotifyAt != nil {
		to.NextTry, to.NextMedium = *paged.NotifyAt, p.nextMedium(req.Config.Recipients[paged.UserID], paged)
	}
	if to.State == incidents.Paging {
		to.Waits = waiting(p.Now(), records)
	}
	for _, m := range req.Config.Recipients[paged.UserID].Methods {
		if medium := string(m.Medium); to.State != incidents.Answered && m.Usable() && !p.Works(m.Medium) && !slices.Contains(to.NotSetUp, medium) {
			to.NotSetUp = append(to.NotSetUp, medium)
		}
	}
	return to
}

// waiting is the first message of a page that waits for a bundle and is not due;
// nil if another message of the page is queued.
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

// WhyOf is the reason that was stored with a page.
func WhyOf(r incident.PageRecord) escalation.Why {
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
	case w.Asker != "":
		return "asked by " + w.Asker
	case w.Position != "":
		return w.Position
	case w.Target == name:
		return "named in the policy"
	}
	return w.Target
}

// Reason is why a page was sent, as a clause after "because": "you are main on call in
// Payments (policy Payments, step 1)".
func Reason(w escalation.Why, shadow bool) string {
	var words string
	switch {
	case shadow:
		words = "you are a shadow of " + w.Target
	case w.Kind == "administrators":
		return "nobody else could be paged, and you are an administrator"
	case w.Kind == "fallback":
		words = "nobody acknowledged, and the fallback is " + w.Target
	case w.Kind == "raised", w.Kind == "worse", w.Kind == "joined":
		return "you own it, and it has become worse"
	case w.Kind == "still_on_it":
		return "you own it: do you still work on it?"
	case w.Asker != "":
		return w.Asker + " asked for you"
	case w.Position != "" && w.ScheduleName != "":
		words = "you are " + w.Position + " on call in " + w.ScheduleName
	default:
		words = "the policy pages " + w.Target
	}
	if w.PolicyName == "" {
		return words
	}
	words += " (policy " + w.PolicyName
	if w.Step > 0 {
		words += ", step " + strconv.Itoa(w.Step)
	}
	return words + ")"
}

func pageState(r *incident.Row, paged incident.PageRecord) incidents.RecipientState {
	switch paged.PageState {
	case "active":
		return incidents.Paging
	case "superseded":
		return incidents.Superseded
	case "failed":
		return incidents.Unreached
	}
	if r.OwnerID != nil && *r.OwnerID == paged.UserID {
		return incidents.Answered
	}
	return incidents.Withdrawn
}

// maxNotifications bounds the search for the notification that is due next; they
// repeat every ten minutes for as long as a step lasts.
const maxNotifications = 500

// nextMedium is the medium of the next notification, by the person's current rules.
func (p *Pages) nextMedium(to notify.Recipient, paged incident.PageRecord) string {
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

// Escalations reads the runs of policies for an incident.
type Escalations interface {
	IncidentEscalations(ctx context.Context, number int64) ([]incident.EscalationRecord, error)
}

// Upcoming are the next steps if nobody acts, computed by the policy that the
// engine uses.
func (req *Request) Upcoming(ctx context.Context, store Escalations, r *incident.Row) ([]incidents.Upcoming, error) {
	if r.Status == incident.Acknowledged {
		return stillOnIt(req, r), nil
	}
	if r.Status != incident.Triggered {
		return nil, nil
	}
	escalations, err := store.IncidentEscalations(ctx, r.Number)
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
func stillOnIt(req *Request, r *incident.Row) []incidents.Upcoming {
	if r.AskedAt != nil {
		at := r.AskedAt.Add(incident.AnswerWithin)
		u := incidents.Upcoming{Kind: incidents.NextAdministrators, At: at}
		if id := req.Config.Service(r.ServiceID).PolicyID; id != nil {
			targets := req.Config.Policy(*id).Policy.Steps[0].Targets
			u = incidents.Upcoming{Kind: incidents.NextStep, At: at, Step: 1, Run: 1, Targets: req.Config.Roster.Describe(targets),
				People: req.Config.Reached(req.Config.Roster.Resolve(targets, at))}
		}
		return []incidents.Upcoming{u}
	}
	if r.Priority == nil || r.AcknowledgedAt == nil {
		return nil
	}
	for _, p := range req.Config.Priorities {
		if p.Level == *r.Priority && p.AckExpires > 0 {
			return []incidents.Upcoming{{Kind: incidents.NextStillOnIt, At: r.AcknowledgedAt.Add(time.Duration(p.AckExpires) * time.Second)}}
		}
	}
	return nil
}

// stepsAhead continues an escalation from its current state. People are those on
// call at that time, by the current schedules.
func stepsAhead(req *Request, policy escalation.Policy, e incident.EscalationRecord, r *incident.Row) []incidents.Upcoming {
	var hours oncall.Hours
	if r.Urgency == incident.Low {
		hours = req.Config.Roster.SupportHours[r.ServiceID]
	}
	state := escalation.State{Phase: escalation.Phase(e.Phase), Step: e.Step, Run: e.Run, Reached: e.Reached, FiredAt: e.FiredAt, Deadline: e.DeadlineAt}
	at := *e.NextActionAt // sooner than the deadline where the shift changes
	if e.FiredAt != nil && e.DeadlineAt != nil {
		at = *e.DeadlineAt
	}
	var next []incidents.Upcoming
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
		u := incidents.Upcoming{Kind: upcomingKind(last.Phase), At: at, Targets: req.Config.Roster.Describe(last.Targets),
			People: req.Config.Reached(last.People), Run: last.Run + 1}
		if last.Phase == escalation.PhaseSteps {
			u.Step = last.Step + 1
		}
		if waited {
			u.Kind = incidents.NextMorning
		}
		if !escalation.AnyNonShadow(last.People) { // and so every hour
			return append(next, incidents.Upcoming{Kind: incidents.NextTry, At: at})
		}
		next = append(next, u)
		at = hours.After(at, state.Deadline.Sub(at))
	}
	return next
}

func upcomingKind(p escalation.Phase) incidents.UpcomingKind {
	switch p {
	case escalation.PhaseFallback:
		return incidents.NextFallback
	case escalation.PhaseAdministrators:
		return incidents.NextAdministrators
	}
	return incidents.NextStep
}
