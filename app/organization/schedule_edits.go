package organization

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// ChangeSchedule makes a new version of a schedule, which replaces those that
// would begin at From or later.
type ChangeSchedule struct {
	Schedule string // slug
	// From is when the version begins; zero for the moment at which the plan is
	// applied. It may not lie in the past.
	From    time.Time
	Version ScheduleVersion
	// Path begins the paths of problems; empty for "schedules[payments]".
	Path string
}

// ScheduleVersion is what a version of a schedule consists of.
type ScheduleVersion struct {
	Timezone  string
	Positions []string
	Layers    []Layer
	Shadows   []Shadow
}

// AddOverride makes an override in the app. One that is over already is refused.
type AddOverride struct {
	Schedule string // slug
	Override Override
	// Path begins the paths of problems; empty for those of the override itself,
	// such as "with".
	Path string
}

// EndOverride takes an override back, or ends it now where it has begun. One that is
// over, or that there is not, is a problem of kind not found.
type EndOverride struct {
	Schedule string // slug
	ID       int64
	Reason   string
}

func (e *ChangeSchedule) subject() (Kind, string) { return KindSchedule, e.Schedule }
func (e *AddOverride) subject() (Kind, string)    { return KindSchedule, e.Schedule }
func (e *EndOverride) subject() (Kind, string)    { return KindSchedule, e.Schedule }

// scheduleEdits are overrides to be made and to be ended, and the start of the
// new version; zero for at once.
type scheduleEdits struct {
	from  time.Time
	add   []NewOverride
	paths []string // of what is added, for problems
	end   []EndedOverride
}

// scheduleEdits are those of a schedule, to be added to.
func (d *draft) scheduleEdits(slug string) *scheduleEdits {
	if d.schedules[slug] == nil {
		d.schedules[slug] = &scheduleEdits{}
	}
	return d.schedules[slug]
}

func (e *ChangeSchedule) input() Input { return Input{Path: e.Path, Source: everything{}} }

func (e *ChangeSchedule) check(c *checker) {
	c.source = everything{}
	s := Schedule{Timezone: e.Version.Timezone, Positions: e.Version.Positions, Layers: e.Version.Layers, Shadows: e.Version.Shadows}
	c.definition(&s, e.input().path(KindSchedule, e.Schedule))
}

func (e *ChangeSchedule) apply(d *draft) {
	path := e.input().path(KindSchedule, e.Schedule)
	v := existing[Schedule](d, e.Schedule, path)
	if v == nil {
		return
	}
	t := d.thing(KindSchedule, e.Schedule)
	if t.path = path; !e.From.IsZero() && e.From.Before(d.state.At) {
		d.problem(t, "from", "A change begins now or later: the past stays as it was.")
	}
	d.touched[thingKey{KindSchedule, e.Schedule}] = t
	v.Timezone, v.Positions, v.Layers, v.Shadows = e.Version.Timezone, e.Version.Positions, e.Version.Layers, e.Version.Shadows
	d.scheduleEdits(e.Schedule).from = e.From
}

func (e *AddOverride) check(c *checker) {
	c.source = everything{}
	c.override(&e.Override, e.Path)
}

func (e *AddOverride) apply(d *draft) {
	v := existing[Schedule](d, e.Schedule, e.Path)
	if v == nil {
		return
	}
	if e.Override.To.In(v.Timezone).Before(d.state.At) {
		d.problem(thing{path: e.Path, touched: true}, "to", "The override would be over already.")
	}
	edits := d.scheduleEdits(e.Schedule)
	edits.add = append(edits.add, NewOverride{Override: e.Override, FromApp: true})
	edits.paths = append(edits.paths, e.Path)
}

func (*EndOverride) check(*checker) {}

func (e *EndOverride) apply(d *draft) {
	path := pathOf(KindSchedule, e.Schedule) + ".overrides"
	if existing[Schedule](d, e.Schedule, path) == nil {
		return
	}
	for _, r := range d.state.Schedules {
		if r.Slug != e.Schedule {
			continue
		}
		for _, o := range r.Schedule.Overrides {
			if o.ID == e.ID && o.To.After(d.state.At) {
				edits := d.scheduleEdits(e.Schedule)
				edits.end = append(edits.end, EndedOverride{ID: e.ID, InApp: true, Reason: e.Reason})
				return
			}
		}
	}
	d.problemOf(fault.KindNotFound, thing{path: path, touched: true}, "", "There is no override %d that is not over.", e.ID)
}
