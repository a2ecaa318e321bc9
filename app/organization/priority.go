package organization

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// KindPriority is the kind of priorities.
const KindPriority Kind = "priority"

// Priority is a level.
type Priority struct {
	Level              int               `yaml:"level"`
	Name               string            `yaml:"name,omitempty"`
	Hotfix             bool              `yaml:"hotfix"`
	Postmortem         bool              `yaml:"postmortem"`
	NotifyManagement   bool              `yaml:"notify_management"`
	NotifyStakeholders bool              `yaml:"notify_stakeholders"`
	StatusUpdateEvery  Duration          `yaml:"status_update_every"`
	AckExpires         Duration          `yaml:"ack_expires"`
	Criteria           map[string]string `yaml:"criteria,omitempty"`
}

func (p Priority) key() string { return strconv.Itoa(p.Level) }

// PutPriority creates or changes a priority; Level is its key.
type PutPriority = Put[Priority]

func prioritySection() section {
	return &list[Priority]{
		kind:        KindPriority,
		name:        "priorities",
		in:          func(d *Document) *[]Priority { return &d.Priorities },
		key:         Priority.key,
		describeAll: func(s *State, _ names) []Priority { return convert(s.Priorities, priority) },
		names: func(s *State) named {
			return namesOf(s.Priorities, func(p catalog.Priority) (int64, string) { return int64(p.Level), p.Name })
		},
		check: (*checker).priority,
		complete: func(d *draft, v, _ *Priority, _ thing) {
			orDefault(&v.Name, "P"+v.key())
			d.renamePriorities()
		},
		checkAll: (*draft).checkPriorities,
		id:       func(_ *State, v Priority) int64 { return int64(v.Level) },
		inUse:    (*draft).priorityInUse,
	}
}

func (c *checker) priority(p *Priority, path string) {
	if c.require(path, "level") && (p.Level < 1 || p.Level > maxPriorities) {
		c.problem(path+".level", "A level is 1 (the most urgent) to %d.", maxPriorities)
	}
	c.nameOrDefault(path+".name", p.Name)
	if strings.ContainsAny(p.Name, " \t:{},") {
		c.problem(path+".name", "A priority's name is one short word such as P1.")
	}
	if len(p.Criteria) > maxCriteria {
		c.problem(path+".criteria", "A priority has at most %d criteria of the organisation's own.", maxCriteria)
	}
}

const (
	maxPriorities = 5
	maxCriteria   = 5
)

func priority(p catalog.Priority) Priority {
	return Priority{Level: p.Level, Name: p.Name, Hotfix: p.Hotfix, Postmortem: p.Postmortem,
		NotifyManagement: p.NotifyManagement, NotifyStakeholders: p.NotifyStakeholders,
		StatusUpdateEvery: inSeconds(p.StatusUpdateEvery), AckExpires: inSeconds(p.AckExpires),
		Criteria: maps.Clone(p.Criteria)}
}

func (d *draft) checkPriorities() {
	if n := len(d.desired.Priorities); n > maxPriorities {
		d.problem(thing{path: "priorities", touched: true}, "", "There may be at most %d priorities; this makes %d.", maxPriorities, n)
	}
	names := map[string]bool{}
	for _, v := range d.desired.Priorities {
		if names[v.Name] {
			d.problem(d.thing(KindPriority, v.key()), "name", "Another priority is called %s.", v.Name)
		}
		names[v.Name] = true
	}
}

// renamePriorities has the policies that there are call the levels as they will
// be called.
func (d *draft) renamePriorities() {
	n := d.state.names()
	for _, v := range d.desired.Priorities {
		n[KindPriority][int64(v.Level)] = v.Name
	}
	for _, record := range d.state.Policies {
		for _, list := range [][]Policy{d.current.EscalationPolicies, d.desired.EscalationPolicies} {
			at := slices.IndexFunc(list, func(v Policy) bool { return v.Slug == record.Slug })
			list[at] = n.policy(record)
		}
	}
}

func (d *draft) priorityInUse(v Priority) string {
	for _, p := range d.desired.EscalationPolicies {
		for _, step := range p.Steps {
			if _, named := step.TimeoutFor[v.Name]; named {
				return wordsOf(KindPolicy, p.Slug)
			}
		}
	}
	return ""
}
