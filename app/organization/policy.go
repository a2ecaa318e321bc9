package organization

import (
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/spelling"
)

// KindPolicy is the kind of escalation policies.
const KindPolicy Kind = "escalation policy"

// Policy is an escalation policy.
type Policy struct {
	Slug     string   `yaml:"slug"`
	Name     string   `yaml:"name,omitempty"`
	Team     string   `yaml:"team,omitempty"`
	Repeat   int      `yaml:"repeat"`
	Fallback []Target `yaml:"fallback,omitempty"`
	Steps    []Step   `yaml:"steps"`
}

// Step is whom to page and how long to wait.
type Step struct {
	Timeout Duration `yaml:"timeout"`
	// TimeoutFor is by the name of a priority.
	TimeoutFor map[string]Duration `yaml:"timeout_for,omitempty"`
	// OutsideCover is pass, the default, or hold: what it means that a schedule of the
	// step has nobody outside its required cover.
	OutsideCover string   `yaml:"outside_cover,omitempty"`
	Targets      []Target `yaml:"targets"`
}

// Target is one of: a schedule's position, a user, a team, the manager of a
// team, a role.
type Target struct {
	Schedule string `yaml:"schedule,omitempty"`
	Position string `yaml:"position,omitempty"`
	User     string `yaml:"user,omitempty"`
	Team     string `yaml:"team,omitempty"`
	Role     string `yaml:"role,omitempty"`
}

// PolicyRecord is a policy with all of its versions.
type PolicyRecord struct {
	ID     int64
	Slug   string
	Name   string
	TeamID *int64
	// Policy is the latest version that could be read.
	Policy   escalation.Policy
	Versions []PolicyVersion // by when they take effect, then by id
}

// PolicyVersion is one version of a policy, which never changes.
type PolicyVersion struct {
	ID int64
	// Effective is from when on it holds. The zero time stands for always.
	Effective time.Time
	CreatedAt time.Time
	Policy    escalation.Policy
	// Err says why Policy could not be read; nil where it was.
	Err error
}

// Since is when each version began to hold, oldest first.
func (r PolicyRecord) Since() []time.Time {
	since := make([]time.Time, len(r.Versions))
	for i, v := range r.Versions {
		since[i] = v.Since()
	}
	return since
}

// Since is when the version began to hold: of one that always did, when it was
// made.
func (v PolicyVersion) Since() time.Time {
	if v.Effective.IsZero() {
		return v.CreatedAt
	}
	return v.Effective
}

func (p Policy) key() string { return p.Slug }

// PutPolicy creates or changes an escalation policy.
type PutPolicy = Put[Policy]

func policySection() section {
	return &list[Policy]{
		kind:        KindPolicy,
		name:        "escalation_policies",
		in:          func(d *Document) *[]Policy { return &d.EscalationPolicies },
		key:         Policy.key,
		describeAll: func(s *State, n names) []Policy { return convert(s.Policies, n.policy) },
		names:       func(s *State) named { return namesOf(s.Policies, policyName) },
		id:          func(s *State, v Policy) int64 { return idOf(s.Policies, v.Slug, policyName) },
		archived:    func(s *State) named { return namesOf(s.Archived.Policies, policyName) },
		check:       (*checker).policy,
		complete:    func(_ *draft, v, _ *Policy, _ thing) { orDefault(&v.Name, v.Slug) },
		references:  Policy.references,
		checkFit:    (*draft).policyFits,
		people:      policyPeople,
	}
}

func (c *checker) policy(p *Policy, path string) {
	c.slug(path, &p.Slug, p.Name)
	c.nameOrDefault(path+".name", p.Name)
	if p.Repeat < 0 || p.Repeat > escalation.MaxRepeats {
		c.problem(path+".repeat", "Repeats are 0 to %d.", escalation.MaxRepeats)
	}
	for i := range p.Fallback {
		c.target(&p.Fallback[i], fmt.Sprintf("%s.fallback[%d]", path, i))
	}
	if c.given(path+".steps") && len(p.Steps) == 0 {
		c.problem(path+".steps", "A policy needs at least one step.")
	}
	for i := range p.Steps {
		c.step(&p.Steps[i], fmt.Sprintf("%s.steps[%d]", path, i))
	}
}

func (c *checker) step(s *Step, path string) {
	if c.require(path, "timeout") && s.Timeout.seconds() < 1 {
		c.problem(path+".timeout", "The minimum timeout is 1s.")
	}
	for name, d := range s.TimeoutFor {
		if d.seconds() < 1 {
			c.problem(join(path+".timeout_for", name), "The minimum timeout is 1s.")
		}
	}
	switch escalation.OutsideCover(s.OutsideCover) {
	case "", escalation.Hold:
	case escalation.Pass:
		s.OutsideCover = "" // the default, so that writing it changes nothing
	default:
		c.problem(path+".outside_cover", "This is pass or hold.")
	}
	if c.require(path, "targets") && len(s.Targets) == 0 {
		c.problem(path+".targets", "A step needs at least one target.")
	}
	for i := range s.Targets {
		c.target(&s.Targets[i], fmt.Sprintf("%s.targets[%d]", path, i))
	}
}

func (c *checker) target(t *Target, path string) {
	normalizeAddress(&t.User)
	const shapes = "A target is one of {schedule, position}, {user}, {team}, {team, role: manager} and {role}."
	switch {
	case t.Schedule != "" && t.Position == "":
		c.problem(path, "Say which position of the schedule %s is meant.", t.Schedule)
	case t.Schedule == "" && t.Position != "", moreThanOne(t.Schedule, t.User, t.Team), t == nil || *t == (Target{}),
		t.Role != "" && (t.Schedule != "" || t.User != ""):
		c.problem(path, shapes)
	case t.Team != "" && t.Role != "" && t.Role != "manager":
		c.problem(path+".role", "Within a team the role is manager.")
	case t.Role != "" && !slices.Contains([]string{"responder", "manager", "administrator"}, t.Role):
		c.problem(path+".role", "A role is responder, manager or administrator.")
	}
}

func (p Policy) references(refer referFunc) {
	refer("team", KindTeam, p.Team)
	p.eachTarget(func(path string, t Target) {
		refer(path+".user", KindUser, t.User)
		refer(path+".team", KindTeam, t.Team)
		refer(path+".schedule", KindSchedule, t.Schedule)
	})
}

// eachTarget visits all targets, with their paths within the policy.
func (p Policy) eachTarget(visit func(path string, t Target)) {
	for i, t := range p.Fallback {
		visit(fmt.Sprintf("fallback[%d]", i), t)
	}
	for i, s := range p.Steps {
		for j, t := range s.Targets {
			visit(fmt.Sprintf("steps[%d].targets[%d]", i, j), t)
		}
	}
}

func (d *draft) policyFits(v Policy, t thing) {
	if len(v.Steps) == 0 {
		d.problem(t, "steps", "A policy needs at least one step.")
	}
	var names []string
	for _, p := range d.desired.Priorities {
		names = append(names, p.Name)
	}
	for i, s := range v.Steps {
		for name := range s.TimeoutFor {
			d.mustBeOneOf(t, fmt.Sprintf("steps[%d].timeout_for.%s", i, name), "priority", name, names)
		}
	}
	v.eachTarget(func(path string, target Target) { d.positionExists(t, path, target) })
	v.references(d.pageable(t, KindPolicy, v.Slug).each)
}

// positionExists checks that the schedule of a target has its position. One that is
// not there is reported as a reference.
func (d *draft) positionExists(t thing, path string, v Target) {
	i, exists := d.known[KindSchedule].at[v.Schedule]
	if !exists {
		return
	}
	positions := d.desired.Schedules[i].Positions
	if !slices.Contains(positions, v.Position) {
		d.problem(t, path+".position", "The schedule %s has no position %s.%s", v.Schedule, v.Position, spelling.DidYouMean(v.Position, positions))
	}
}

// policyName is a record's id and slug.
func policyName(p PolicyRecord) (id int64, slug string) { return p.ID, p.Slug }
