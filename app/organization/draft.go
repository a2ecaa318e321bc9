package organization

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Options say how edits are to be taken.
type Options struct {
	// TrustVerified takes contacts that an edit marks as verified for such. It is
	// for commands on the server itself.
	TrustVerified bool
	// Origin is that of the plan.
	Origin string
}

// MakePlan says what edits would change in a configuration. The error is a fault
// of kind invalid whose cause, Problems, lists all that is wrong with the edits
// and with what they lead to.
func MakePlan(s *State, edits []Edit, o Options) (*Plan, error) {
	if err := Check(edits).fault(); err != nil {
		return nil, err
	}
	d := newDraft(s, o)
	for _, e := range inOrder(edits) {
		e.apply(d)
	}
	d.remove()
	d.references()
	d.order()
	if err := d.problems.fault(); err != nil {
		return nil, err
	}
	d.compare()
	return d.plan, nil
}

// draft is a configuration while it is edited.
type draft struct {
	state   *State
	options Options
	// current is the state as a document, desired what the edits make of it.
	current, desired *Document
	// touched are the things that edits are of.
	touched map[thingKey]thing
	// numbers are the ids of people by address; those who are new get a
	// provisional one, below 0.
	numbers map[string]int64
	// schedules are the edits of schedules besides their fields, by slug.
	schedules map[string]*scheduleEdits
	removals  map[Kind][]*Remove
	removed   []Change
	known     map[Kind]known // what the desired document has
	problems  Problems
	plan      *Plan
}

type thingKey struct {
	kind Kind
	key  string
}

// scheduleEdits are overrides to be made and to be ended, and the start of the
// new version; zero for at once.
type scheduleEdits struct {
	from  time.Time
	add   []NewOverride
	paths []string // of what is added, for problems
	end   []int64
}

func newDraft(s *State, o Options) *draft {
	d := &draft{state: s, options: o, current: s.Document(), desired: &Document{}, touched: map[thingKey]thing{}, numbers: s.numbers(),
		schedules: map[string]*scheduleEdits{}, removals: map[Kind][]*Remove{}, plan: &Plan{Origin: o.Origin, Revision: s.Versions().Revision()}}
	*d.desired = *d.current
	organization := *d.current.Organization
	d.desired.Organization = &organization
	d.desired.Priorities = slices.Clone(d.current.Priorities)
	d.desired.Users = slices.Clone(d.current.Users)
	d.desired.Teams = slices.Clone(d.current.Teams)
	d.desired.Deployments = slices.Clone(d.current.Deployments)
	d.desired.Schedules = slices.Clone(d.current.Schedules)
	d.desired.EscalationPolicies = slices.Clone(d.current.EscalationPolicies)
	d.desired.Services = slices.Clone(d.current.Services)
	d.desired.Integrations = slices.Clone(d.current.Integrations)
	return d
}

// thing is something in the desired document.
type thing struct {
	words   string // "team payments"
	path    string
	source  Source
	touched bool
}

func (t thing) given(key string) bool { return t.touched && t.source.Given(join(t.path, key)) }

func (t thing) where(key string) string { return t.source.Where(join(t.path, key)) }

// touch notes that an edit gives a thing.
func (d *draft) touch(kind Kind, key string, in Input) thing {
	t := thing{words: wordsOf(kind, key), path: in.path(kind, key), source: in.source(), touched: true}
	d.touched[thingKey{kind, key}] = t
	return t
}

// reach notes that an edit changes a part of a thing, unless another edit gives
// the thing.
func (d *draft) reach(kind Kind, key string) {
	if _, ok := d.touched[thingKey{kind, key}]; !ok {
		d.touch(kind, key, Input{Source: nothing{}})
	}
}

func (d *draft) thing(kind Kind, key string) thing {
	if t, ok := d.touched[thingKey{kind, key}]; ok {
		return t
	}
	return thing{words: wordsOf(kind, key), path: pathOf(kind, key), source: nothing{}}
}

func wordsOf(kind Kind, key string) string { return strings.TrimSpace(string(kind) + " " + key) }

// wrong reports a problem at a key of a thing.
func (d *draft) wrong(t thing, key, format string, args ...any) {
	d.fails("", t, key, format, args...)
}

// fails reports a problem of a kind: see Problem.Fault.
func (d *draft) fails(kind fault.Kind, t thing, key, format string, args ...any) {
	p := Problem{Path: t.path, Message: fmt.Sprintf(format, args...), Fault: kind}
	if key != "" {
		p.Path = join(t.path, key)
	}
	if !t.touched {
		p.Untouched = t.words
	}
	d.problems = append(d.problems, p)
}

func (d *draft) note(format string, args ...any) {
	d.plan.Notes = append(d.plan.Notes, fmt.Sprintf(format, args...))
}

// scheduleEdits are those of a schedule, to be added to.
func (d *draft) scheduleEdits(slug string) *scheduleEdits {
	if d.schedules[slug] == nil {
		d.schedules[slug] = &scheduleEdits{}
	}
	return d.schedules[slug]
}

// numbers are the ids of people by address.
func (s *State) numbers() map[string]int64 {
	numbers := make(map[string]int64, len(s.Users))
	for _, u := range s.Users {
		numbers[u.Email] = u.ID
	}
	return numbers
}

func (d *draft) number(email string) int64 {
	if id, ok := IDOf(email); ok {
		return id
	}
	id, ok := d.numbers[email]
	if !ok {
		id = -int64(len(d.numbers)) - 1
		d.numbers[email] = id
	}
	return id
}

// order puts lists whose order means nothing into the one that describe uses.
// It comes after everything that reports by index.
func (d *draft) order() {
	for i := range d.desired.Teams {
		t := &d.desired.Teams[i]
		t.Members = set(t.Members)
	}
	for i := range d.desired.Services {
		s := &d.desired.Services[i]
		s.Deployments = set(s.Deployments)
		s.SLOs = slices.Clone(s.SLOs)
		slices.SortFunc(s.SLOs, func(a, b SLO) int { return strings.Compare(a.Slug, b.Slug) })
	}
}

func set(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// renamePriorities has the policies that there are call the levels as they will
// be called.
func (d *draft) renamePriorities() {
	n := d.state.names()
	for _, v := range d.desired.Priorities {
		n.priorities[v.Level] = v.Name
	}
	for _, record := range d.state.Policies {
		for _, list := range [][]Policy{d.current.EscalationPolicies, d.desired.EscalationPolicies} {
			at := slices.IndexFunc(list, func(v Policy) bool { return v.Slug == record.Slug })
			list[at] = n.policy(record)
		}
	}
}
