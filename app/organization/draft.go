package organization

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
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
	for _, s := range sections {
		s.normalize(d.desired)
	}
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
	// people are names by id: see personName.
	people map[int64]string
	// schedules are the edits of schedules besides their fields, by slug.
	schedules map[string]*scheduleEdits
	// nextSchedules are all schedules as the edits make them, by slug.
	nextSchedules map[string]oncall.Schedule
	// leaving are the people who are deactivated as the edits make it: see left.
	leaving  map[oncall.Person]time.Time
	removals map[Kind][]*Remove
	removed  []Change
	known    map[Kind]known // what the desired document has
	problems Problems
	plan     *Plan
}

type thingKey struct {
	kind Kind
	key  string
}

func newDraft(s *State, o Options) *draft {
	d := &draft{state: s, options: o, current: s.Document(), desired: &Document{}, touched: map[thingKey]thing{}, numbers: s.numbers(),
		schedules: map[string]*scheduleEdits{}, nextSchedules: map[string]oncall.Schedule{}, removals: map[Kind][]*Remove{}, plan: &Plan{Origin: o.Origin, Revision: s.Versions().Revision()}}
	for _, section := range sections {
		section.clone(d.current, d.desired)
	}
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

// touchPart notes that an edit changes a part of a thing, unless another edit gives
// the thing.
func (d *draft) touchPart(kind Kind, key string) {
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

// problem reports a problem at a key of a thing.
func (d *draft) problem(t thing, key, format string, args ...any) {
	d.problemOf("", t, key, format, args...)
}

// problemOf reports a problem of a kind: see Problem.Fault.
func (d *draft) problemOf(kind fault.Kind, t thing, key, format string, args ...any) {
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

func sortedUnique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
