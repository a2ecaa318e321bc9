package organization

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// planSchedule compares by what a definition means: one that goes on as the present
// one does is none, whoever it begins with.
func (d *draft) planSchedule(before *Schedule, s Schedule) {
	edits := d.scheduleEdits(s.Slug)
	t := d.thing(KindSchedule, s.Slug)
	i := slices.IndexFunc(d.state.Schedules, func(r ScheduleRecord) bool { return r.Slug == s.Slug })
	if i < 0 {
		change := ScheduleChange{Schedule: s, Definition: true, Add: append(d.notOver(s, t), edits.add...)}
		d.create(KindSchedule, s.Slug, change)
		next := d.next(ScheduleRecord{}, change)
		d.nextSchedules[s.Slug] = next
		d.unmatched(s, next)
		return
	}
	record := d.state.Schedules[i]
	was := *before
	change := ScheduleChange{Schedule: s, From: edits.from}
	words := differences(was, s, "positions", "layers", "shadows", "overrides", "timezone")
	if latest := record.latest(); !latest.SameAs(latest.Succeed(s.Version(d.number, d.startOf(change)))) {
		present, planned := record.at(d.startOf(change))
		change.Definition = !present.SameAs(present.Succeed(s.Version(d.number, d.startOf(change))))
		change.Withdraw = planned
		words = append(words, d.definitionWords(was, s, change)...)
	}
	if t.given("overrides") {
		change.Add, change.End = d.overrides(s, record, t)
	}
	change.Add, change.End = append(change.Add, edits.add...), append(change.End, edits.end...)
	for _, o := range change.Add {
		words = append(words, "+override "+o.words())
	}
	for _, ended := range change.End {
		words = append(words, "-override "+d.state.names().override(overrideOf(record, ended.ID), s.Timezone).words())
	}
	next := d.next(record, change)
	d.nextSchedules[s.Slug] = next
	shifts, differ := d.shiftChange(record, next, change)
	if !differ {
		d.update(KindSchedule, s.Slug, change, words, nil)
	} else {
		d.update(KindSchedule, s.Slug, change, words, shifts.lines())
		for _, gap := range shifts.gaps() {
			d.note("schedule %s: %s.", s.Slug, gap)
		}
	}
	d.unmatched(s, next)
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
	// Add are overrides to be made, in this order; End are those to be taken back,
	// or ended where they have begun.
	Add []NewOverride
	End []EndedOverride
}

// EndedOverride is an override to be taken back, or ended where it has begun.
type EndedOverride struct {
	ID int64
	// InApp says that somebody asked for it, and not a file that leaves it out.
	InApp  bool
	Reason string
}

// NewOverride is an override to be made. Edits from a file leave those from the
// app alone.
type NewOverride struct {
	Override
	FromApp bool
}

// startOf is when a change of a schedule begins.
func (d *draft) startOf(c ScheduleChange) time.Time {
	if c.From.IsZero() {
		return d.state.At
	}
	return c.From
}

// latest is the version that begins last, or an empty one.
func (r ScheduleRecord) latest() oncall.Version {
	if n := len(r.Schedule.Versions); n > 0 {
		return r.Schedule.Versions[n-1]
	}
	return oncall.Version{}
}

// at is the version in force just before an instant, and whether others are to
// begin then or later. Versions that are in force at the state's instant always
// count as begun.
func (r ScheduleRecord) at(from time.Time) (present oncall.Version, planned bool) {
	for _, v := range r.Schedule.Versions {
		if !v.Effective.IsZero() && v.Effective.After(from) {
			return present, true
		}
		present = v
	}
	return present, false
}

func overrideOf(r ScheduleRecord, id int64) oncall.Override {
	return r.Schedule.Overrides[slices.IndexFunc(r.Schedule.Overrides, func(o oncall.Override) bool { return o.ID == id })]
}

func (d *draft) definitionWords(was, is Schedule, change ScheduleChange) []string {
	words := differences(was, is, "slug", "name", "team", "layers", "shadows", "overrides")
	for _, l := range is.Layers {
		i := slices.IndexFunc(was.Layers, func(w Layer) bool { return w.Name == l.Name })
		if i < 0 {
			words = append(words, "+layer "+l.Name)
			continue
		}
		if inside := differences(was.Layers[i], l); len(inside) > 0 {
			words = append(words, fmt.Sprintf("layer %s: %s", l.Name, strings.Join(inside, ", ")))
		}
	}
	for _, w := range was.Layers {
		if !slices.ContainsFunc(is.Layers, func(l Layer) bool { return l.Name == w.Name }) {
			words = append(words, "-layer "+w.Name)
		}
	}
	if len(words) == 0 {
		words = append(words, "definition changed") // shadows, or the order of layers
	}
	if !change.From.IsZero() {
		words = append(words, "from "+MomentIn(change.From, is.Timezone).String())
	}
	if change.Withdraw {
		words = append(words, "what was planned from then on is withdrawn")
	}
	return words
}

// notOver are the overrides of a schedule that can still have an effect.
func (d *draft) notOver(s Schedule, t thing) []NewOverride {
	var some []NewOverride
	for i, o := range s.Overrides {
		if o.To.In(s.Timezone).After(d.state.At) {
			some = append(some, NewOverride{Override: o})
			continue
		}
		d.note("schedule %s: the override in %s is over and was left out: the past stays as it was.", s.Slug, t.where(fmt.Sprintf("overrides[%d]", i)))
	}
	return some
}

// overrides are those to be made and those to be ended for the list that was
// given to be in force, besides what was made in the app.
func (d *draft) overrides(s Schedule, record ScheduleRecord, t thing) (add []NewOverride, end []EndedOverride) {
	matched := map[int64]bool{}
	for _, o := range d.notOver(s, t) {
		i := slices.IndexFunc(record.Schedule.Overrides, func(k oncall.Override) bool {
			return !matched[k.ID] && sameOverride(k, o.OnCall(d.number, s.Timezone))
		})
		if i < 0 {
			add = append(add, o)
			continue
		}
		matched[record.Schedule.Overrides[i].ID] = true
	}
	for _, k := range record.Schedule.Overrides {
		if k.To.After(d.state.At) && !matched[k.ID] && !record.FromApp[k.ID] {
			end = append(end, EndedOverride{ID: k.ID})
		}
	}
	return add, end
}

func sameOverride(a, b oncall.Override) bool {
	return a.From.Equal(b.From) && a.To.Equal(b.To) && a.Position == b.Position && a.Kind == b.Kind && a.Out == b.Out && a.In == b.In
}

// next is a schedule as a change makes it.
func (d *draft) next(record ScheduleRecord, change ScheduleChange) oncall.Schedule {
	s := change.Schedule
	next := oncall.Schedule{Slug: s.Slug, Left: d.left()}
	for _, v := range record.Schedule.Versions {
		if !change.Withdraw || !v.Effective.After(d.startOf(change)) {
			next.Versions = append(next.Versions, v)
		}
	}
	for _, o := range record.Schedule.Overrides {
		if !slices.ContainsFunc(change.End, func(e EndedOverride) bool { return e.ID == o.ID }) {
			next.Overrides = append(next.Overrides, o)
		}
	}
	switch version := s.Version(d.number, d.startOf(change)); {
	case len(next.Versions) == 0:
		version.Effective = time.Time{}
		next.Versions = append(next.Versions, version)
	case change.Definition:
		present, _ := record.at(d.startOf(change))
		next.Versions = append(next.Versions, present.Succeed(version))
	}
	for _, o := range change.Add {
		next.Overrides = append(next.Overrides, o.OnCall(d.number, s.Timezone))
	}
	return next
}

// unmatched notes the overrides of a schedule that edits are of that, as it will
// be, act on nobody.
func (d *draft) unmatched(s Schedule, next oncall.Schedule) {
	if !d.thing(KindSchedule, s.Slug).touched {
		return
	}
	for _, o := range next.Unmatched(d.state.At) {
		if _, left := next.Left[o.In]; left {
			d.note("schedule %s: the override %s has no effect, since %s is deactivated.", s.Slug, d.overrideWords(o, s.Timezone), d.personName(o.In))
			continue
		}
		d.note("schedule %s: the override %s matches nobody.", s.Slug, d.overrideWords(o, s.Timezone))
	}
}

// overrideWords describes an override that may name people who are new.
func (d *draft) overrideWords(o oncall.Override, zone string) string {
	n := names{KindUser: named{}}
	for email, id := range d.numbers {
		n[KindUser][id] = email
	}
	return n.override(o, zone).words()
}

func (o Override) words() string {
	position := o.Position
	if position == "" {
		position = "every position"
	}
	what := "without " + o.Remove
	switch {
	case o.Replace != "":
		what = o.With + " for " + o.Replace
	case o.Add != "":
		what = "with " + o.Add + " too"
	}
	return fmt.Sprintf("of %s from %v to %v, %s", position, o.From, o.To, what)
}
