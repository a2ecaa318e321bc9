package api

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

// simulatedJSON is what would happen.
type simulatedJSON struct {
	Until    time.Time            `json:"until"`
	Cut      bool                 `json:"cut"`
	Timeline []simulatedEntryJSON `json:"timeline"`
}

// simulatedEntryJSON is one line of it; what its kind does not fill is null.
type simulatedEntryJSON struct {
	At      time.Time             `json:"at"`
	Kind    simulate.Kind         `json:"kind"`
	User    *string               `json:"user"`
	Signal  *simulatedSignalJSON  `json:"signal"`
	Place   *simulatedPlaceJSON   `json:"place"`
	Message *simulatedMessageJSON `json:"message"`
	Until   *time.Time            `json:"until"`
	Text    *string               `json:"text"`
}

type simulatedSignalJSON struct {
	Title          string   `json:"title"`
	Service        string   `json:"service"`
	Deployment     *string  `json:"deployment"`
	DedupKey       string   `json:"dedup_key"`
	Priority       *int     `json:"priority"`
	PrioritySource *string  `json:"priority_source"`
	Urgency        *string  `json:"urgency"`
	Warnings       []string `json:"warnings"`
}

type simulatedPlaceJSON struct {
	Policy       *string          `json:"policy"`
	Phase        escalation.Phase `json:"phase"`
	Step         *int             `json:"step"`
	Steps        *int             `json:"steps"`
	Run          *int             `json:"run"`
	Runs         *int             `json:"runs"`
	Targets      []string         `json:"targets"`
	Users        []string         `json:"users"`
	Unreached    []unreachedJSON  `json:"unreached"`
	LateRules    []lateRuleJSON   `json:"late_rules"`
	FailedToSend bool             `json:"failed_to_send"`
}

// unreachedJSON is a person who would be paged and cannot be.
type unreachedJSON struct {
	User   string `json:"user"`
	Reason string `json:"reason"`
}

// lateRuleJSON is a personal rule that is due no sooner than the step ends.
type lateRuleJSON struct {
	User    string        `json:"user"`
	Channel notify.Medium `json:"channel"`
	After   int64         `json:"after_seconds"`
}

type simulatedMessageJSON struct {
	Channel  notify.Medium  `json:"channel"`
	Contact  string         `json:"contact"`
	Rule     simulate.Rule  `json:"rule"`
	After    int64          `json:"after_seconds"`
	Gathered bool           `json:"gathered"`
	Times    int            `json:"times"`
	LastAt   time.Time      `json:"last_at"`
	Why      escalation.Why `json:"why"`
}

func (l *listing) simulated(t simulate.Timeline) simulatedJSON {
	answer := simulatedJSON{Until: t.Until.UTC(), Cut: t.Cut, Timeline: make([]simulatedEntryJSON, len(t.Entries))}
	for i, e := range t.Entries {
		answer.Timeline[i] = simulatedEntryJSON{
			At: e.At.UTC(), Kind: e.Kind, User: orNull(l.email(e.Person)), Signal: simulatedSignal(e.Signal), Place: l.simulatedPlace(e.Place),
			Message: simulatedMessage(e.Message), Until: utc(&e.Until), Text: orNull(e.Text),
		}
	}
	return answer
}

func simulatedSignal(s *simulate.Signal) *simulatedSignalJSON {
	if s == nil {
		return nil
	}
	return &simulatedSignalJSON{
		Title: s.Title, Service: s.Service.Slug, Deployment: orNull(s.Deployment), DedupKey: s.DedupKey, Priority: s.Priority,
		PrioritySource: orNull(s.Source), Urgency: orNull(string(s.Urgency)), Warnings: orEmpty(s.Warnings),
	}
}

func (l *listing) simulatedPlace(p *simulate.Place) *simulatedPlaceJSON {
	if p == nil {
		return nil
	}
	users := make([]string, len(p.People))
	for i, id := range p.People {
		users[i] = l.email(id)
	}
	unreached, late := []unreachedJSON{}, []lateRuleJSON{}
	for _, u := range p.Unreached {
		unreached = append(unreached, unreachedJSON{l.email(u.Person), u.Reason})
	}
	for _, r := range p.LateRules {
		late = append(late, lateRuleJSON{l.email(r.Person), r.Medium, int64(r.After / time.Second)})
	}
	return &simulatedPlaceJSON{
		Policy: orNull(p.Policy), Phase: p.Phase, Step: counted(p.Step), Steps: counted(p.Steps), Run: counted(p.Run), Runs: counted(p.Runs),
		Targets: orEmpty(p.Targets), Users: users, Unreached: unreached, LateRules: late, FailedToSend: p.FailedToSend,
	}
}

// counted is null for what is not counted.
func counted(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func simulatedMessage(m *simulate.Message) *simulatedMessageJSON {
	if m == nil {
		return nil
	}
	return &simulatedMessageJSON{
		Channel: m.Medium, Contact: notify.Masked(m.Medium, m.Address), Rule: m.Rule, After: int64(m.After / time.Second), Gathered: m.Gathered,
		Times: m.Times, LastAt: m.Last.UTC(), Why: m.Why,
	}
}
