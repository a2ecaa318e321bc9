package organization

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// KindSchedule is the kind of schedules.
const KindSchedule Kind = "schedule"

// Schedule is the definition in force, and the overrides that are not over.
type Schedule struct {
	Slug      string   `yaml:"slug"`
	Name      string   `yaml:"name,omitempty"`
	Team      string   `yaml:"team,omitempty"`
	Timezone  string   `yaml:"timezone,omitempty"`
	Positions []string `yaml:"positions"`
	Layers    []Layer  `yaml:"layers"`
	Shadows   []Shadow `yaml:"shadows,omitempty"`
	// RequiredCover is when every position has to be filled, in Timezone; always
	// where it is empty.
	RequiredCover Windows    `yaml:"required_cover,omitempty"`
	Overrides     []Override `yaml:"overrides,omitempty"`
}

// Layer is a rotation.
type Layer struct {
	Name         string          `yaml:"name"`
	Timezone     string          `yaml:"timezone,omitempty"`
	Start        oncall.WallTime `yaml:"start,omitempty"`
	Rotate       *Rotate         `yaml:"rotate,omitempty"`
	Members      []string        `yaml:"members"`
	Positions    []string        `yaml:"positions,omitempty"`
	Restrictions []Window        `yaml:"restrictions,omitempty"`
	// CountsOnlyCovered leaves out of the turns the periods that the restrictions
	// exclude as a whole.
	CountsOnlyCovered bool `yaml:"counts_only_covered,omitempty"`
}

// Rotate is the length of a period.
type Rotate struct {
	Every int    `yaml:"every"`
	Unit  string `yaml:"unit"`
}

// words are such as "every 2 weeks".
func (r *Rotate) words() string {
	switch {
	case r == nil:
		return "never"
	case r.Every == 1:
		return "every " + r.Unit
	}
	return fmt.Sprintf("every %d %ss", r.Every, r.Unit)
}

// Window is a time of the week. Without days it is every day.
type Window struct {
	Days []oncall.Weekday `yaml:"days,omitempty"`
	From oncall.Clock     `yaml:"from"`
	To   oncall.Clock     `yaml:"to"`
}

// Windows are the times of required cover.
type Windows []Window

// words are such as "mon tue 09:00–17:00, sat 10:00–12:00".
func (w Windows) words() string {
	if len(w) == 0 {
		return "always"
	}
	var all []string
	for _, window := range w {
		words := window.From.String() + "–" + window.To.String()
		for _, d := range slices.Backward(window.Days) {
			words = d.String() + " " + words
		}
		all = append(all, words)
	}
	return strings.Join(all, ", ")
}

// Shadow is somebody who gets copies of what a position, or every position,
// gets.
type Shadow struct {
	User     string `yaml:"user"`
	Position string `yaml:"position,omitempty"`
	From     Moment `yaml:"from,omitempty"`
	To       Moment `yaml:"to,omitempty"`
}

// Override is exactly one of: Replace by With, Add, or Remove; the last one's
// Everyone takes off whoever is on. Without a position it is for all.
type Override struct {
	From     Moment `yaml:"from"`
	To       Moment `yaml:"to"`
	Position string `yaml:"position,omitempty"`
	Replace  string `yaml:"replace,omitempty"`
	With     string `yaml:"with,omitempty"`
	Add      string `yaml:"add,omitempty"`
	Remove   string `yaml:"remove,omitempty"`
	Reason   string `yaml:"reason,omitempty"`
}

// Everyone is whom a removal without a person takes off.
const Everyone = "everyone"

// ScheduleRecord is a schedule with all of its versions, and with the overrides
// that were not taken back, in the order in which they were made.
type ScheduleRecord struct {
	ID       int64
	Slug     string
	Name     string
	TeamID   *int64
	Schedule oncall.Schedule
	// MadeAt is when the version was made that always held.
	MadeAt time.Time
	// FromApp are the ids of the overrides that were made in the app.
	FromApp map[int64]bool
}

func (s Schedule) key() string { return s.Slug }

// PutSchedule creates or changes a schedule; a definition that differs is in
// force from now on. Overrides that are given replace those of files, and none of
// those that were made in the app.
type PutSchedule = Put[Schedule]

func scheduleSection() section {
	return &list[Schedule]{
		kind: KindSchedule,
		name: "schedules",
		in:   func(d *Document) *[]Schedule { return &d.Schedules },
		key:  Schedule.key,
		describeAll: func(s *State, n names) []Schedule {
			return convert(s.Schedules, func(r ScheduleRecord) Schedule { return n.schedule(s, r) })
		},
		names: func(s *State) named {
			return namesOf(s.Schedules, func(r ScheduleRecord) (int64, string) { return r.ID, r.Slug })
		},
		check: (*checker).schedule,
		complete: func(d *draft, v, _ *Schedule, _ thing) {
			orDefault(&v.Name, v.Slug)
			orDefault(&v.Timezone, d.desired.Organization.Timezone)
		},
		references: Schedule.references,
		checkFit:   (*draft).scheduleFits,
		change:     (*draft).planSchedule,
	}
}

func (s Schedule) references(refer referFunc) {
	refer("team", KindTeam, s.Team)
	for i, l := range s.Layers {
		for j, m := range l.Members {
			refer(fmt.Sprintf("layers[%d].members[%d]", i, j), KindUser, m)
		}
	}
	for i, w := range s.Shadows {
		refer(fmt.Sprintf("shadows[%d].user", i), KindUser, w.User)
	}
	for i, o := range s.Overrides {
		o.references(refer.under(fmt.Sprintf("overrides[%d]", i)))
	}
}

func (o Override) references(refer referFunc) {
	refer("replace", KindUser, o.Replace)
	refer("with", KindUser, o.With)
	refer("add", KindUser, o.Add)
	if o.Remove != Everyone {
		refer("remove", KindUser, o.Remove)
	}
}

func (d *draft) scheduleFits(s Schedule, t thing) {
	s.references(d.pageable(t, KindSchedule, s.Slug).each)
	// Those that no edit gives were checked when they were made. One whose position
	// is no longer there matches nobody, and keeps nobody from an edit.
	if t.given("overrides") {
		for i, o := range s.Overrides {
			d.overrideFits(t, fmt.Sprintf("overrides[%d]", i), o, s, s.Positions)
		}
	}
	if edits := d.schedules[s.Slug]; edits != nil {
		for i, o := range edits.add {
			path := thing{words: t.words, path: edits.paths[i], touched: true}
			o.references(d.mustExist(path))
			o.references(d.pageable(path, KindSchedule, s.Slug).each)
			d.overrideFits(path, "", o.Override, s, append(d.pastPositions(s.Slug), s.Positions...))
		}
	}
	// What is left, such as the positions of a layer, package oncall knows.
	if f, ok := errors.AsType[*fault.Error](s.Version(d.number, d.state.At).Validate()); ok && f != nil {
		for _, field := range f.Fields {
			if !d.reported(join(t.path, field.Path)) {
				d.problem(t, field.Path, "%s", field.Message)
			}
		}
	}
}

func (d *draft) overrideFits(t thing, path string, o Override, s Schedule, positions []string) {
	d.mustBeOneOf(t, join(path, "position"), "position", o.Position, positions)
	if !o.From.In(s.Timezone).Before(o.To.In(s.Timezone)) {
		d.problem(t, join(path, "to"), "The override has to end after it begins.")
	}
}

// pastPositions are those that a schedule has had in any version.
func (d *draft) pastPositions(slug string) []string {
	var all []string
	for _, r := range d.state.Schedules {
		for _, v := range r.Schedule.Versions {
			if r.Slug == slug {
				all = append(all, positions(v.Positions)...)
			}
		}
	}
	return all
}

// reported reports whether something is known to be wrong at or around a path.
func (d *draft) reported(path string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Path != "" && within(path, p.Path) })
}
