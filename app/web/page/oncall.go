package page

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/oncall"
)

// Schedules are all, by name.
func (req *Request) Schedules() []organization.ScheduleRecord {
	return slices.SortedFunc(slices.Values(req.Config.Schedules), func(a, b organization.ScheduleRecord) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug))
	})
}

// ScheduleNow is who is on call in a schedule, by position.
func (req *Request) ScheduleNow(s organization.ScheduleRecord) view.ScheduleNow {
	now := view.ScheduleNow{Schedule: element.Ref{Slug: s.Slug, Name: s.Name}}
	version, ok := s.Schedule.VersionAt(req.Clock.Now)
	if !ok {
		return now
	}
	now.Zone = version.Zone
	for _, position := range version.Positions {
		now.Positions = append(now.Positions, req.positionNow(s.Schedule, position))
	}
	return now
}

// maxGapAge is how far back the start of a gap is searched.
const maxGapAge = 30 * 24 * time.Hour

func (req *Request) positionNow(s oncall.Schedule, position oncall.Position) view.Position {
	at := req.Clock.Now
	pos := view.Position{Name: string(position)}
	covered := false
	var present []oncall.Person
	for _, shift := range s.OnCall(at, position) {
		pos.Now = append(pos.Now, req.Holder(shift))
		if !shift.Shadow {
			covered, present = true, append(present, shift.Person)
		}
	}
	pos.Next = req.next(s, position, present)
	if covered {
		return pos
	}
	pos.GapUntil = s.NextHandover(at, position)
	gaps := s.Gaps
	if cover := s.NextCover(at); cover.After(at) {
		pos.Agreed, gaps = true, s.UncoveredByAgreement
		if pos.GapUntil.IsZero() || cover.Before(pos.GapUntil) {
			pos.GapUntil = cover
		}
	}
	from := at.Add(-maxGapAge)
	for _, gap := range gaps(from, at.Add(time.Microsecond)) {
		if gap.Position == position && gap.End.After(at) && gap.Start.After(from) {
			pos.GapSince = gap.Start
		}
	}
	return pos
}

// maxHandovers bounds the search for the next person: a position may be handed over
// to nobody, or back, before.
const maxHandovers = 4

// next is who is on call after the current people.
func (req *Request) next(s oncall.Schedule, position oncall.Position, present []oncall.Person) view.Holder {
	at := req.Clock.Now
	for range maxHandovers {
		if at = s.NextHandover(at, position); at.IsZero() {
			break
		}
		for _, shift := range s.OnCall(at, position) {
			if !shift.Shadow && !slices.Contains(present, shift.Person) {
				return req.Holder(shift)
			}
		}
	}
	return view.Holder{}
}

// Holder is the person of a shift.
func (req *Request) Holder(s oncall.Shift) view.Holder {
	u := req.Config.User(int64(s.Person))
	h := view.Holder{Person: req.Config.Person(u.ID), Contacts: req.Contacts(u.ID), From: s.Start, Until: s.End, Override: s.Source == "override", Shadow: s.Shadow, Unreachable: req.cannotBePaged(s)}
	if zone := cmp.Or(u.Timezone, req.Config.Organization.Timezone); zone != req.Clock.Zone.String() {
		h.Zone = Location(zone)
	}
	return h
}

const (
	// maxDuties bounds the upcoming shifts of a person that are shown, of which at
	// most maxDutiesPerSchedule are of one schedule.
	maxDuties            = 8
	maxDutiesPerSchedule = 3
)

// Duty is a shift with its schedule.
type Duty struct {
	Schedule element.Ref
	oncall.Shift
}

// Duties are the current shifts of a person and the upcoming ones, by start.
func (req *Request) Duties(userID int64) (current, upcoming []Duty) {
	person := oncall.Person(userID)
	for _, s := range req.Config.Schedules {
		if !Mentions(s.Schedule, person) {
			continue
		}
		ref := element.Ref{Slug: s.Slug, Name: s.Name}
		for _, shift := range s.Schedule.OnCall(req.Clock.Now, "") {
			if shift.Person == person && !shift.Shadow {
				current = append(current, Duty{ref, shift})
			}
		}
		after := req.Clock.Now
		for range maxDutiesPerSchedule {
			shift, ok := s.Schedule.NextShift(person, after)
			if !ok {
				break
			}
			upcoming, after = append(upcoming, Duty{ref, shift}), shift.Start
		}
	}
	slices.SortStableFunc(upcoming, func(a, b Duty) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Schedule.Name, b.Schedule.Name))
	})
	return current, upcoming[:min(len(upcoming), maxDuties)]
}

// onCallUntil is whether a person is on call now and until when, zero for no known
// end. Of several shifts the longest counts; shadows do not.
func (k *Config) onCallUntil(userID int64, now time.Time) (on bool, until time.Time) {
	for _, s := range k.Schedules {
		if !Mentions(s.Schedule, oncall.Person(userID)) {
			continue
		}
		for _, shift := range s.Schedule.OnCall(now, "") {
			if int64(shift.Person) != userID || shift.Shadow {
				continue
			}
			if !on || shift.End.IsZero() || !until.IsZero() && shift.End.After(until) {
				until = shift.End
			}
			on = true
		}
	}
	return on, until
}

// Mentions reports whether a schedule names a person at all, so that most
// schedules need not be evaluated for a page.
func Mentions(s oncall.Schedule, person oncall.Person) bool {
	for p := range peopleIn(s) {
		if p == person {
			return true
		}
	}
	return false
}

// peopleIn are all whom a schedule names, in any version; some several times.
func peopleIn(s oncall.Schedule) iter.Seq[oncall.Person] {
	return func(yield func(oncall.Person) bool) {
		for _, v := range s.Versions {
			for _, l := range v.Layers {
				members := l.Members
				if l.Held != nil {
					members = append(slices.Clone(members), l.Held.Members...)
				}
				for _, p := range members {
					if !yield(p) {
						return
					}
				}
			}
			for _, shadow := range v.Shadows {
				if !yield(shadow.Person) {
					return
				}
			}
		}
		for _, o := range s.Overrides {
			if o.In != 0 && !yield(o.In) {
				return
			}
		}
	}
}
