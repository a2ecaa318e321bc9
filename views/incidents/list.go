// Package incidents shows the list of incidents and each incident's page.
package incidents

import (
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Status is where an incident stands.
type Status string

// The statuses.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

// Tab is one cut of the list, and the value of the query's "tab".
type Tab string

// The tabs.
const (
	Mine       Tab = "mine"       // the reader owns it or is paged for it
	Unanswered Tab = "unanswered" // triggered
	Open       Tab = "open"       // everything that is not resolved
	Past       Tab = "resolved"
)

// ListPage is the list of incidents: GET /incidents.
type ListPage struct {
	Frame  layout.Frame
	Tab    Tab
	Counts Counts
	Filter Filter
	// Sort is the order, which the query names.
	Sort Sort
	// What the filters offer.
	Services   []element.Ref
	Teams      []element.Ref
	Priorities []element.Priority
	// Groups are used in a storm, one a service; then Rows is empty.
	Groups []Group
	Rows   []Row
	// Older is the query of the page with older incidents, such as
	// "tab=open&before=120"; empty where this page is the last.
	Older string
	// Newest is the query of the first page, where this is another one.
	Newest string
	MayAct bool
	// Elsewhere tells of the other tabs in which the filter finds something, where
	// it finds nothing in this one.
	Elsewhere []Elsewhere
	// Fresh tells that no incident was ever recorded.
	Fresh bool
}

// Sort is the order of the list, and the value of the query's "sort".
type Sort string

// The orders. Urgent is the default of what is open: unacknowledged first, then by
// priority, then the oldest. What is resolved is sorted by age only.
const (
	Urgent Sort = "urgent"
	Newest Sort = "newest"
	Oldest Sort = "oldest"
)

// Default is the order of a tab unless the query names another.
func (t Tab) Default() Sort {
	if t == Past {
		return Newest
	}
	return Urgent
}

// Counts are shown in the tabs; those that are not open are not counted.
type Counts struct {
	Mine       int
	Unanswered int
	Open       int
}

// Elsewhere is what a filter finds in another tab.
type Elsewhere struct {
	Tab   Tab
	Count int
	// AtLeast says that there may be more.
	AtLeast bool
}

func (e Elsewhere) words() string {
	if e.AtLeast {
		return fmt.Sprintf("%d or more %s", e.Count, e.Tab.words())
	}
	return fmt.Sprintf("%d %s", e.Count, e.Tab.words())
}

// Filter is what the query asks for; empty fields ask for nothing.
type Filter struct {
	Service  string // slug
	Team     string // slug
	Priority string // level as text, "0" for no priority, or "unset"
	Query    string
}

// Any reports whether the list is narrowed.
func (f Filter) Any() bool { return f != Filter{} }

// Group is the incidents of one service.
type Group struct {
	Service element.Ref
	Count   int
	// Unanswered of them are triggered, the oldest since OldestUnanswered.
	Unanswered       int
	OldestUnanswered time.Time
	Worst            element.Priority
	Rows             []Row
}

// Row is one incident in the list.
type Row struct {
	Number      int64
	Version     int64
	Title       string
	Status      Status
	Priority    element.Priority
	Service     element.Ref
	Deployment  string // in words
	CreatedAt   time.Time
	LastSeenAt  time.Time
	ResolvedAt  time.Time // zero while open
	Occurrences int64
	// Owner acknowledged it. OwnerName stands in where it was not a person.
	Owner     element.Person
	OwnerName string
	// Paged are those whose page is unanswered.
	Paged []element.Person
	// WaitsUntil is when paging begins, of low urgency out of support hours.
	WaitsUntil time.Time
	// SnoozedUntil is when it is triggered again; zero where it is not snoozed.
	SnoozedUntil time.Time
	// Flapping and Muted tell that nobody is paged for now, and why: its sender
	// snoozed it.
	Flapping bool
	Muted    time.Time
	// Others tells that it is of a team that the reader is no part of.
	Others bool
}
