package escalation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// The people of the fixture.
const (
	ana int64 = iota + 1
	ben
	chiara
	dana
	root
	stranger // has no way to be reached
)

var first = map[int64]string{ana: "ana", ben: "ben", chiara: "chiara", dana: "dana", root: "root", stranger: "stranger"}

// The ids of the fixture.
const (
	paymentsSchedule int64 = 10
	paymentsTeam     int64 = 20
	checkout         int64 = 30
	paymentsPolicy   int64 = 40
)

var (
	mainOnCall = escalation.Target{Schedule: paymentsSchedule, Position: "main"}
	backup     = escalation.Target{Schedule: paymentsSchedule, Position: "backup"}
	team       = escalation.Target{Team: paymentsTeam}
	manager    = escalation.Target{Team: paymentsTeam, Role: "manager"}
	nobody     = escalation.Target{User: stranger}
)

func user(id int64) escalation.Target { return escalation.Target{User: id} }

func step(timeout time.Duration, targets ...escalation.Target) escalation.Step {
	return escalation.Step{Timeout: int64(timeout / time.Second), Targets: targets}
}

// workedExample is that of the product's description.
func workedExample() escalation.Policy {
	return escalation.Policy{Repeat: 3, Fallback: []escalation.Target{user(dana)}, Steps: []escalation.Step{
		step(60*time.Minute, mainOnCall), step(120*time.Minute, backup), step(240*time.Minute, team), step(60*time.Minute, manager),
	}}
}

// monday is a quarter past seven in the evening in Madrid, in the week that is
// Ana's as main and Ben's as backup.
var monday = time.Date(2026, 1, 5, 18, 15, 0, 0, time.UTC)

func weekly(members ...oncall.Person) oncall.Layer {
	return oncall.Layer{
		Name: "weekly", Start: wall("2026-01-05 09:00"), Rotate: &oncall.Rotate{Every: 1, Unit: oncall.Week}, Members: members,
	}
}

func wall(s string) oncall.WallTime {
	w, err := oncall.ParseWallTime(s)
	if err != nil {
		panic(err)
	}
	return w
}

func schedule(layers ...oncall.Layer) oncall.Schedule {
	return oncall.Schedule{Slug: "payments", Versions: []oncall.Version{{
		Zone: "Europe/Madrid", Positions: []oncall.Position{"main", "backup"}, Layers: layers,
	}}}
}

func newRoster() *escalation.Roster {
	return &escalation.Roster{
		Version:   1,
		Schedules: map[int64]escalation.NamedSchedule{paymentsSchedule: {Slug: "payments", Name: "Payments", Schedule: schedule(weekly(1, 2, 3))}},
		Teams:     map[int64]escalation.Team{paymentsTeam: {Slug: "payments", Name: "Payments", Manager: dana, Members: []int64{ana, ben, chiara}}},
		People: map[int64]escalation.Person{
			ana:      {Name: "Ana Ortiz", Role: "responder", Reachable: true},
			ben:      {Name: "Ben Adeyemi", Role: "responder", Reachable: true},
			chiara:   {Name: "Chiara Conti", Role: "responder", Reachable: true},
			dana:     {Name: "Dana Levi", Role: "manager", Reachable: true},
			root:     {Name: "Ruth Root", Role: "administrator", Reachable: true},
			stranger: {Name: "Sam Stranger", Role: "administrator"},
		},
		Services: map[int64]string{checkout: "Checkout API"},
	}
}

// fixture is an engine with a store and a directory in memory, and a clock that only
// the test moves.
type fixture struct {
	t        fataler
	now      time.Time
	engine   *escalation.Engine
	roster   *escalation.Roster
	policies map[int64]escalation.Policy
	unread   map[int64]error // policies that cannot be read
	rows     []*row
	pages    []page
	log      []string
	began    time.Time
	check    func(before escalation.Due, after escalation.Change)
}

// fataler is what a test and a property have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// row is an escalation as the store keeps it, with what it joins of its
// incident.
type row struct {
	escalation.Due
	next  *time.Time
	ended bool
}

type page struct {
	escalation.Page
	row        int64
	at         time.Time
	why        escalation.Why
	superseded bool
}

func newFixture(t fataler, policy escalation.Policy) *fixture {
	d := &fixture{t: t, now: monday, began: monday, roster: newRoster(), policies: map[int64]escalation.Policy{paymentsPolicy: policy}, unread: map[int64]error{}}
	d.engine = &escalation.Engine{Store: d, Directory: d, Now: func() time.Time { return d.now }, Batch: 100}
	return d
}

// begin opens an incident of high urgency, without a priority.
func (d *fixture) begin(change ...func(*row)) *row {
	at := d.now
	r := &row{next: &at, Due: escalation.Due{
		ID: int64(len(d.rows) + 1), Incident: int64(len(d.rows) + 1), Purpose: escalation.Primary, PolicyVersionID: paymentsPolicy,
		State: escalation.State{Phase: escalation.PhaseSteps}, Status: incident.Triggered, Urgency: incident.High, ServiceID: checkout,
	}}
	for _, c := range change {
		c(r)
	}
	d.rows = append(d.rows, r)
	return r
}

func (r *row) wake(at time.Time) { r.next = &at }

// apply changes the row as the store does.
func (r *row) apply(at time.Time, change incident.Escalate) {
	got, _ := escalation.Apply(at, change, escalation.Running{State: r.State, Active: !r.ended, NextAction: r.next}, at)
	r.State, r.next, r.ended = got.State, got.NextAction, !got.Active
}

// raise has a signal raise the priority.
func (r *row) raise(at time.Time, priority int) {
	r.Priority, r.Urgency = &priority, incident.UrgencyOf(&priority, true, true, false)
	r.apply(at, incident.EscalateRefire)
}

// skip has a person escalate. What passes a step over does the same.
func (r *row) skip(at time.Time) { r.apply(at, incident.EscalateNext) }

// advance moves the clock, and sweeps at each instant at which something is due.
func (d *fixture) advance(by time.Duration) {
	d.t.Helper()
	until := d.now.Add(by)
	for {
		d.sweep()
		next := until
		for _, r := range d.rows {
			if r.next != nil && r.next.Before(next) {
				next = *r.next
			}
		}
		if d.now = next; !next.Before(until) {
			d.sweep()
			return
		}
	}
}

// sweep acts until nothing is due.
func (d *fixture) sweep() {
	d.t.Helper()
	for range 100 {
		n, err := d.engine.Sweep(context.Background())
		if err != nil {
			d.t.Fatalf("sweep at %s: %v", d.now, err)
		}
		if n == 0 {
			return
		}
	}
	d.t.Fatalf("the engine does not come to rest at %s", d.now)
}

// FireDue implements escalation.Store.
func (d *fixture) FireDue(_ context.Context, now time.Time, limit int, decide func(int64, []escalation.Due) ([]escalation.Change, error)) (int, error) {
	var due []escalation.Due
	for _, r := range d.rows {
		if r.next != nil && !r.next.After(now) && len(due) < limit {
			due = append(due, d.due(r))
		}
	}
	if due == nil {
		return 0, nil
	}
	changes, err := decide(d.roster.Version, due)
	if err != nil {
		return 0, err
	}
	for _, c := range changes {
		d.write(c)
	}
	return len(due), nil
}

func (d *fixture) due(r *row) escalation.Due {
	due := r.Due
	if due.State.FiredAt != nil {
		for _, p := range d.pages {
			if p.row == r.ID && !p.at.Before(*due.State.FiredAt) && !p.superseded {
				due.Paged = append(due.Paged, p.UserID)
			}
		}
	}
	return due
}

func (d *fixture) write(c escalation.Change) {
	r := d.rows[slices.IndexFunc(d.rows, func(r *row) bool { return r.ID == c.ID })]
	if d.check != nil {
		d.check(d.due(r), c)
	}
	if r.State, r.next = c.State, &c.NextAction; c.Ended {
		r.ended, r.next = true, nil
	}
	for i := range d.pages {
		if d.pages[i].row == c.ID && (c.Supersede || c.Ended) {
			d.pages[i].superseded = true
		}
	}
	for _, p := range c.Pages {
		kept := page{Page: p, row: c.ID, at: d.now}
		if err := json.Unmarshal(p.Why, &kept.why); err != nil {
			d.t.Fatalf("why of a page: %v", err)
		}
		d.pages = append(d.pages, kept)
	}
	for _, e := range c.Events {
		d.log = append(d.log, d.line(r, c, e))
	}
}

// line tells an event as a story does: "+60m step 2 run 1: ben".
func (d *fixture) line(r *row, c escalation.Change, e incident.TimelineEvent) string {
	place, _ := incident.PlaceOf(e.Payload)
	line := "+" + short(e.At.Sub(d.began)) + " "
	if r.ID > 1 {
		line += fmt.Sprintf("#%d ", r.Incident)
	}
	switch e.Kind() {
	case incident.EvExhausted:
		return line + "exhausted"
	case incident.EvTrouble:
		return line + "trouble"
	case incident.EvWaiting:
		return line + "wait until +" + short(e.Payload.(incident.WaitingPayload).Until.Sub(d.began))
	case incident.EvHeld:
		return line + fmt.Sprintf("hold step %d run %d until +%s", place.Step, place.Run, short(e.Payload.(incident.HeldPayload).Until.Sub(d.began)))
	case incident.EvPassedOver:
		line += "pass over "
	case incident.EvHandover:
		line += "hand over "
	}
	switch {
	case place.Step > 0:
		line += fmt.Sprintf("step %d run %d", place.Step, place.Run)
	case place.Run > 1:
		line += fmt.Sprintf("%s again", place.Phase)
	default:
		line += place.Phase
	}
	if e.Kind() == incident.EvPassedOver {
		return line
	}
	if c.Supersede {
		line += ", instead"
	}
	return line + ": " + names(place.People)
}

// short is "1h" for what Go writes as "1h0m0s".
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func names(ids []int64) string {
	var all []string
	for _, id := range ids {
		all = append(all, first[id])
	}
	return strings.Join(all, " ")
}

// paged are the people of all pages, in order.
func (d *fixture) paged() string {
	var ids []int64
	for _, p := range d.pages {
		ids = append(ids, p.UserID)
	}
	return names(ids)
}

// Roster implements escalation.Directory.
func (d *fixture) Roster(context.Context, int64) (*escalation.Roster, error) { return d.roster, nil }

// Policy implements escalation.Directory.
func (d *fixture) Policy(_ context.Context, versionID int64) (escalation.NamedPolicy, error) {
	if err := d.unread[versionID]; err != nil {
		return escalation.NamedPolicy{}, err
	}
	p, ok := d.policies[versionID]
	if !ok {
		return escalation.NamedPolicy{}, fault.NotFound("There is no such version of an escalation policy.")
	}
	if versionID != paymentsPolicy {
		return escalation.NamedPolicy{Slug: "other", Name: "Another", Policy: p}, nil
	}
	return escalation.NamedPolicy{Slug: "payments", Name: "Payments", Policy: p}, nil
}

// tells compares the events since the last call with those expected.
func (d *fixture) tells(t *testing.T, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, d.log); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
	d.log = nil
}

// unreachable makes people unreachable.
func (d *fixture) unreachable(ids ...int64) {
	for _, id := range ids {
		p := d.roster.People[id]
		p.Reachable = false
		d.roster.People[id] = p
	}
}
