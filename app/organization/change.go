package organization

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the kind of thing that a change is made to.
type Kind string

// The kinds of things.
const (
	KindOrganization Kind = "organization"
	KindPriority     Kind = "priority"
	KindUser         Kind = "user"
	KindTeam         Kind = "team"
	KindDeployment   Kind = "deployment"
	KindSchedule     Kind = "schedule"
	KindPolicy       Kind = "escalation policy"
	KindService      Kind = "service"
	KindIntegration  Kind = "integration"
)

// Op is what a change does.
type Op string

// The operations. A person who is deleted is deactivated.
const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
)

// Change is one thing that is created, updated or deleted.
type Change struct {
	Op   Op
	Kind Kind
	// Key is the slug, the address, or the level; empty for the organisation.
	Key string
	// Words say what is different, one a difference, without secrets.
	Words []string
	// Value is how the thing is to be, whole: an Organization, Priority, User,
	// Team, Deployment, ScheduleChange, Policy, Service or Integration. Nil for
	// what is deleted.
	Value any
}

// ScheduleChange is how a schedule is to be.
type ScheduleChange struct {
	Schedule Schedule
	// Definition says that a new version is needed, from From on; zero is the
	// instant at which the plan is carried out.
	Definition bool
	From       time.Time
	// Withdraw takes back the versions that would begin at From or later.
	Withdraw bool
	// Add are overrides to be made, in this order; End are the ids of those to
	// be taken back, or ended where they have begun.
	Add []NewOverride
	End []int64
}

// NewOverride is an override to be made. Edits from a file leave those from the
// app alone.
type NewOverride struct {
	Override
	FromApp bool
}

// String is a line such as "~ user ana@acme.example: timezone Europe/Madrid
// (was Europe/Berlin)".
func (c Change) String() string {
	sign := map[Op]string{Create: "+", Update: "~", Delete: "-"}[c.Op]
	line := strings.TrimSpace(fmt.Sprintf("%s %s %s", sign, c.Kind, c.Key))
	if len(c.Words) > 0 {
		line += ": " + strings.Join(c.Words, "; ")
	}
	return line
}

// Plan is what edits change in a configuration.
type Plan struct {
	// Origin is where the edits came from, for the audit log: "file", or empty for
	// the app.
	Origin string
	// Revision is that of the configuration for which the plan was made. It cannot
	// be applied to another.
	Revision int64
	// Changes stand in an order in which they can be made.
	Changes []Change
	// Unchanged counts the things that already are as the edits say.
	Unchanged int
	// Notes tell what stays although an edit says otherwise, and warn of what is
	// strange about the result.
	Notes []string
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// String is the plan for people, a line each.
func (p *Plan) String() string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintln(&b, c)
	}
	if p.Unchanged > 0 && !p.Empty() {
		fmt.Fprintf(&b, "= %d unchanged\n", p.Unchanged)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "! %s\n", note)
	}
	if p.Empty() {
		fmt.Fprintln(&b, "Nothing to change.")
	}
	return b.String()
}
