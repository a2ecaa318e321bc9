package blueprint

import (
	"fmt"
	"strings"
)

// Kind is what sort of thing a change is made to.
type Kind string

// The kinds.
const (
	OfOrganization Kind = "organization"
	OfPriority     Kind = "priority"
	OfUser         Kind = "user"
	OfTeam         Kind = "team"
	OfDeployment   Kind = "deployment"
	OfSchedule     Kind = "schedule"
	OfPolicy       Kind = "escalation policy"
	OfService      Kind = "service"
	OfIntegration  Kind = "integration"
)

// Op is what is done.
type Op string

// The operations. A person who is deleted is deactivated.
const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
)

// Change is one thing to be done.
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
	// Definition says that a new version is needed.
	Definition bool
	// Add are overrides to be made, in this order; End are the ids of those to
	// be taken back, or ended where they have begun.
	Add []Override
	End []int64
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

// Plan is what has to change for a configuration to become what a file says.
type Plan struct {
	// Version is that of the configuration for which it was made; it cannot be
	// carried out on another.
	Version int64
	// Changes stand in an order in which they can be made.
	Changes []Change
	// Unchanged counts the things in the file that already are as it says.
	Unchanged int
	// Notes tell what stays although the file says otherwise, and what is
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
