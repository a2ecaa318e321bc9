package organization

import (
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// RenameTeam gives a team another name; its slug stays.
type RenameTeam struct {
	Team string // slug
	Name string
	Path string // of problems, such as "name"; empty for "teams[payments].name"
}

// SetProfile gives a person another name and time zone; an empty zone is the
// organisation's.
type SetProfile struct {
	Email    string
	Name     string
	Timezone string
	// Path begins the paths of problems; a form whose fields are called name and
	// timezone leaves it empty.
	Path string
}

// SetRole gives a person another role.
type SetRole struct {
	Email string
	Role  string
	Path  string // of problems; empty for "users[ana@acme.example].role"
}

// SetActive takes a person out of service, who can then neither sign in nor be
// paged, or takes them back.
type SetActive struct {
	Email  string
	Active bool
}

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

// EndOverride takes an override back, or ends it now where it has begun.
type EndOverride struct {
	Schedule string // slug
	ID       int64
}

func (e *RenameTeam) subject() (Kind, string)     { return KindTeam, e.Team }
func (e *SetProfile) subject() (Kind, string)     { return KindUser, e.Email }
func (e *SetRole) subject() (Kind, string)        { return KindUser, e.Email }
func (e *SetActive) subject() (Kind, string)      { return KindUser, e.Email }
func (e *ChangeSchedule) subject() (Kind, string) { return KindSchedule, e.Schedule }
func (e *AddOverride) subject() (Kind, string)    { return KindSchedule, e.Schedule }
func (e *EndOverride) subject() (Kind, string)    { return KindSchedule, e.Schedule }

func (e *RenameTeam) path() string {
	if e.Path != "" {
		return e.Path
	}
	return pathOf(KindTeam, e.Team) + ".name"
}

func (e *RenameTeam) check(c *checker) {
	c.source = everything{}
	c.line(e.path(), e.Name)
}

func (e *RenameTeam) apply(d *draft) {
	if v := existing(d, KindTeam, d.desired.Teams, e.Team, Team.key, e.path()); v != nil {
		v.Name = e.Name
	}
}

func (e *SetProfile) check(c *checker) {
	c.source = everything{}
	person(&e.Email)
	c.line(join(e.Path, "name"), e.Name)
	c.zone(join(e.Path, "timezone"), e.Timezone, true)
}

func (e *SetProfile) apply(d *draft) {
	if v := existing(d, KindUser, d.desired.Users, e.Email, User.key, e.Path); v != nil {
		v.Name, v.Timezone = e.Name, e.Timezone
	}
}

func (e *SetRole) path() string {
	if e.Path != "" {
		return e.Path
	}
	return pathOf(KindUser, e.Email) + ".role"
}

func (e *SetRole) check(c *checker) {
	c.source = everything{}
	person(&e.Email)
	c.role(e.path(), e.Role)
}

func (e *SetRole) apply(d *draft) {
	if v := existing(d, KindUser, d.desired.Users, e.Email, User.key, e.path()); v != nil {
		v.Role = e.Role
	}
}

func (e *SetActive) check(*checker) { person(&e.Email) }

func (e *SetActive) apply(d *draft) {
	if v := existing(d, KindUser, d.desired.Users, e.Email, User.key, pathOf(KindUser, e.Email)); v != nil {
		v.Deactivated = !e.Active
	}
}

func (e *ChangeSchedule) input() Input { return Input{Path: e.Path, Source: everything{}} }

func (e *ChangeSchedule) check(c *checker) {
	c.source = everything{}
	s := Schedule{Timezone: e.Version.Timezone, Positions: e.Version.Positions, Layers: e.Version.Layers, Shadows: e.Version.Shadows}
	c.definition(&s, e.input().path(KindSchedule, e.Schedule))
}

func (e *ChangeSchedule) apply(d *draft) {
	path := e.input().path(KindSchedule, e.Schedule)
	v := existing(d, KindSchedule, d.desired.Schedules, e.Schedule, Schedule.key, path)
	if v == nil {
		return
	}
	t := d.thing(KindSchedule, e.Schedule)
	if t.path = path; !e.From.IsZero() && e.From.Before(d.state.At) {
		d.wrong(t, "from", "A change begins now or later: the past stays as it was.")
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
	v := existing(d, KindSchedule, d.desired.Schedules, e.Schedule, Schedule.key, e.Path)
	if v == nil {
		return
	}
	if e.Override.To.In(v.Timezone).Before(d.state.At) {
		d.wrong(thing{path: e.Path, touched: true}, "to", "The override would be over already.")
	}
	edits := d.scheduleEdits(e.Schedule)
	edits.add = append(edits.add, NewOverride{Override: e.Override, FromApp: true})
	edits.paths = append(edits.paths, e.Path)
}

func (*EndOverride) check(*checker) {}

func (e *EndOverride) apply(d *draft) {
	path := pathOf(KindSchedule, e.Schedule) + ".overrides"
	if existing(d, KindSchedule, d.desired.Schedules, e.Schedule, Schedule.key, path) == nil {
		return
	}
	for _, r := range d.state.Schedules {
		if r.Slug != e.Schedule {
			continue
		}
		for _, o := range r.Schedule.Overrides {
			if o.ID == e.ID && o.To.After(d.state.At) {
				edits := d.scheduleEdits(e.Schedule)
				edits.end = append(edits.end, e.ID)
				return
			}
		}
	}
	d.wrong(thing{path: path, touched: true}, "", "There is no override %d that is not over.", e.ID)
}

// existing is the thing of a key in the draft, to be changed; nil, with a problem,
// where there is none.
func existing[T any](d *draft, kind Kind, list []T, k string, key func(T) string, path string) *T {
	i := slices.IndexFunc(list, func(v T) bool { return key(v) == k })
	if i < 0 {
		d.fails(fault.KindNotFound, thing{path: path, touched: true}, "", "There is no %s %s.", kind, k)
		return nil
	}
	d.reach(kind, k)
	return &list[i]
}
