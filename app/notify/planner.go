package notify

import (
	"context"
	"time"
)

// DuePage is a page whose next personal rule is due.
type DuePage struct {
	ID        int64
	UserID    int64
	Incident  int64
	Urgency   string
	Priority  int // the lower, the more urgent: incident.Rank
	Digest    bool
	Rule      int // how many notifications were started
	CreatedAt time.Time
	// ServiceID is that of a low urgency's incident, else it may be 0.
	ServiceID int64
	// Opens is when the support hours begin that low urgency keeps to, where that is
	// after now.
	Opens time.Time
}

// Recent counts the latest messages to a contact method, sent or planned.
type Recent struct {
	// Messages is how many messages with pages were made for it within BundleWithin.
	Messages int
	// Priority is that of the most urgent of them.
	Priority int
	// Gathering is the id of the message to which further pages are added, 0 for none.
	Gathering int64
}

// Bundling: the first BundleAfter messages to a contact method within BundleWithin are
// sent at once; further pages are collected for GatherFor into one.
const (
	BundleAfter  = 3
	BundleWithin = 5 * time.Minute
	GatherFor    = time.Minute
)

// NewMessage is a message to be made. Into, where it is not 0, is an existing gathering
// message to which the pages are added instead.
type NewMessage struct {
	Into      int64
	Method    ContactMethod
	Pages     []int64
	Incidents []int64
	Urgency   string
	Priority  int
	Gathering bool
	DueAt     time.Time
}

// PagePlan is the decision on a page that was due.
type PagePlan struct {
	ID   int64
	Rule int
	// NotifyAt is when its next rule is due; nil where the person cannot be reached.
	NotifyAt *time.Time
	// Failed says that no contact method of the person works.
	Failed bool
}

// Plan is the decision on a batch of pages.
type Plan struct {
	Pages    []PagePlan
	Messages []NewMessage
}

// PlanStore claims due pages and stores the plan, in one transaction.
type PlanStore interface {
	PlanDue(ctx context.Context, now time.Time, limit int, decide func(configVersion int64, due []DuePage, recent map[int64]Recent) (Plan, error)) (int, error)
}

// People is the directory of recipients.
type People interface {
	// Recipients are by user id, as of the version of the configuration or a later one.
	Recipients(ctx context.Context, version int64) (map[int64]Recipient, error)
}

// Planner makes messages of pages by personal rules.
type Planner struct {
	Store  PlanStore
	People People
	Works  func(Medium) bool
	Now    func() time.Time
	Batch  int
	// Opens is the first instant from at on within a service's support hours, as of a
	// version of the configuration or a later one. Without it they never end.
	Opens func(ctx context.Context, version, service int64, at time.Time) (time.Time, error)
}

// Sweep plans the due pages once, and returns how many there were.
func (p *Planner) Sweep(ctx context.Context) (int, error) {
	now := p.Now()
	return p.Store.PlanDue(ctx, now, p.Batch, func(version int64, due []DuePage, recent map[int64]Recent) (Plan, error) {
		return p.Decide(ctx, now, version, due, recent)
	})
}

// Decide is the decision of Sweep, for callers that make pages and plan them in the
// same transaction.
func (p *Planner) Decide(ctx context.Context, now time.Time, version int64, due []DuePage, recent map[int64]Recent) (Plan, error) {
	people, err := p.People.Recipients(ctx, version)
	if err != nil {
		return Plan{}, err
	}
	if p.Opens != nil {
		for i := range due {
			if due[i].Urgency != "low" {
				continue
			}
			if due[i].Opens, err = p.Opens(ctx, version, due[i].ServiceID, now); err != nil {
				return Plan{}, err
			}
		}
	}
	return Schedule(now, due, recent, people, p.Works), nil
}

// Schedule decides which messages are sent when, for pages that are due. recent is by
// contact method. It is a pure function, except that it updates recent.
func Schedule(now time.Time, due []DuePage, recent map[int64]Recent, people map[int64]Recipient, works func(Medium) bool) Plan {
	s := scheduling{now: now, recent: recent, gathering: map[int64]int{}}
	for _, page := range due {
		s.plan.Pages = append(s.plan.Pages, s.schedule(page, people[page.UserID], works))
	}
	return s.plan
}

type scheduling struct {
	now    time.Time
	recent map[int64]Recent
	// gathering is, by contact method, the message in the plan to which further pages
	// are added.
	gathering map[int64]int
	plan      Plan
}

// schedule applies every rule of a page that is due by now. Where several repeats are
// overdue, after an outage, each method is used once. Outside support hours low urgency
// is notified once, by a page that a person asked for, and the rest waits.
func (s *scheduling) schedule(page DuePage, person Recipient, works func(Medium) bool) PagePlan {
	used := map[int64]bool{}
	for i := page.Rule; ; i++ {
		n, ok := person.Notification(i, page.Urgency, works)
		if !ok {
			return PagePlan{ID: page.ID, Rule: i, Failed: true}
		}
		if at := page.CreatedAt.Add(n.After); at.After(s.now) {
			return PagePlan{ID: page.ID, Rule: i, NotifyAt: &at}
		}
		if i > 0 && page.Opens.After(s.now) {
			return PagePlan{ID: page.ID, Rule: i, NotifyAt: &page.Opens}
		}
		if !used[n.Method.ID] {
			used[n.Method.ID] = true
			s.notify(page, n.Method)
		}
	}
}

// notify puts a page into a message: one of its own that is sent at once, or the
// gathering one.
func (s *scheduling) notify(page DuePage, method ContactMethod) {
	r := s.recent[method.ID]
	if !page.Digest && (r.Messages < BundleAfter || page.Priority < r.Priority) {
		s.add(page, method, false, s.now)
		r.Messages++
		r.Priority = mostUrgent(r.Messages, r.Priority, page.Priority)
		s.recent[method.ID] = r
		return
	}
	if i, ok := s.gathering[method.ID]; ok {
		m := &s.plan.Messages[i]
		m.Pages, m.Incidents = append(m.Pages, page.ID), append(m.Incidents, page.Incident)
		m.Priority = min(m.Priority, page.Priority)
		return
	}
	s.gathering[method.ID] = s.add(page, method, true, s.now.Add(GatherFor))
	s.plan.Messages[s.gathering[method.ID]].Into = r.Gathering
	r.Messages++
	r.Priority = mostUrgent(r.Messages, r.Priority, page.Priority)
	s.recent[method.ID] = r
}

func (s *scheduling) add(page DuePage, method ContactMethod, gathering bool, due time.Time) int {
	s.plan.Messages = append(s.plan.Messages, NewMessage{
		Method: method, Pages: []int64{page.ID}, Incidents: []int64{page.Incident}, Urgency: page.Urgency,
		Priority: page.Priority, Gathering: gathering, DueAt: due,
	})
	return len(s.plan.Messages) - 1
}

// mostUrgent is the lower level, or level for the first message.
func mostUrgent(messages, current, level int) int {
	if messages == 1 {
		return level
	}
	return min(current, level)
}
