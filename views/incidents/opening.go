package incidents

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// OpeningPage is the form that opens an incident by hand: GET and POST /incidents/new.
type OpeningPage struct {
	Frame layout.Frame
	// Key is the form's own, so that sending it twice opens one incident.
	Key         string
	Title       element.Field
	Service     element.Field
	Deployment  element.Field
	Priority    element.Field
	Description element.Field
	Services    []element.Ref
	Deployments []element.Ref
	Priorities  []element.Priority
	// Preview is whom it pages; nil while no service is chosen.
	Preview *Preview
}

// Preview is whom an incident pages first, as things are now.
type Preview struct {
	People []Reach
	// WaitsUntil is when paging begins, of low urgency out of support hours.
	WaitsUntil time.Time
	// NoPolicy tells that the service has no escalation policy.
	NoPolicy bool
}

// Reach is a person who is paged, and how.
type Reach struct {
	Person element.Person
	// How is by which channels: "by SMS, after 5 min by email". It is empty where no
	// channel carries any of their contacts.
	How string
}

func (r Reach) words() string {
	if r.How == "" {
		return "cannot be reached"
	}
	return r.How
}

// PagingPage is the form that pages somebody by hand: GET and POST /page.
type PagingPage struct {
	Frame   layout.Frame
	Key     string
	Targets []PagingTarget
	// Wrong is what is wrong with the targets; empty for nothing.
	Wrong  string
	Reason element.Field
	// Number and Title are of the incident that they are asked to join; 0 opens one.
	Number int64
	Title  string
	// Service is of the incident that is opened.
	Service  element.Field
	Services []element.Ref
	// Query is what was searched for, and Candidates whom that found.
	Query      string
	Candidates []CandidateGroup
}

// PagingTarget is a person, a team or a schedule that is paged.
type PagingTarget struct {
	Field string // "users", "teams" or "schedules"
	Value string
	Name  string
	// People are those that it stands for now.
	People []Reach
}

func (p OpeningPage) levels() []element.Option {
	options := []element.Option{{Value: "", Text: "Not set"}}
	for _, l := range p.Priorities {
		options = append(options, element.Option{Value: fmt.Sprint(l.Level), Text: l.Name})
	}
	return options
}

// buttonText says whom the page goes to where that is one.
func (p PagingPage) buttonText() string {
	if len(p.Targets) == 1 {
		return "Page " + p.Targets[0].Name
	}
	return "Page them"
}

// with is the form with another target chosen.
func (p PagingPage) with(field, value string) string {
	query := p.query(nil)
	if !slices.Contains(query[field], value) {
		query.Add(field, value)
	}
	return "/page?" + query.Encode()
}

// without is the form without a target.
func (p PagingPage) without(t PagingTarget) string { return "/page?" + p.query(&t).Encode() }

func (p PagingPage) query(without *PagingTarget) url.Values {
	query := url.Values{}
	for _, t := range p.Targets {
		if without == nil || t.Field != without.Field || t.Value != without.Value {
			query.Add(t.Field, t.Value)
		}
	}
	if p.Number != 0 {
		query.Set("incident", strconv.FormatInt(p.Number, 10))
	}
	return query
}
