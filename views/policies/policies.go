// Package policies shows escalation policies: as a sentence, as a time line,
// and who that is right now.
package policies

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// ListPage is all policies: GET /policies.
type ListPage struct {
	Frame    layout.Frame
	Policies []ListRow
}

// ListRow is one policy of the list.
type ListRow struct {
	Policy element.Ref
	Team   element.Ref
	Steps  []Step
	Repeat int
	// Services is how many use it.
	Services int
}

// Page is one policy: GET /policies/{slug}.
type Page struct {
	Frame  layout.Frame
	Policy element.Ref
	Team   element.Ref
	Steps  []Step
	// Repeat is how often the chain is run again: 3 makes four runs.
	Repeat   int
	Fallback []Target
	Services []element.Ref
	// Effective is since when this version holds; zero where that is unknown.
	Effective time.Time
	// Earlier is when the versions before it began to hold, newest first.
	Earlier []time.Time
}

// Step is whom to page and how long to wait.
type Step struct {
	Targets []Target
	Timeout time.Duration
	// TimeoutFor are the timeouts that differ by priority, most urgent first.
	TimeoutFor []PriorityTimeout
}

// PriorityTimeout is the timeout of a step for one priority.
type PriorityTimeout struct {
	Priority element.Priority
	Timeout  time.Duration
}

// Target stands for people.
type Target struct {
	// Words are "main on call in Payments", "everyone in Payments".
	Words string
	// Href leads to the schedule, team or person; empty where there is no page.
	Href string
	// Now are the people that it stands for at this moment.
	Now []element.Person
	// Unreachable is how many of them have no verified contact on a working
	// channel, so that a step skips them.
	Unreachable int
}
