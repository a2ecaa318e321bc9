package organization

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

const (
	// shiftHorizon is how long after its beginning the shifts of a change are
	// compared.
	shiftHorizon = 4 * week
	// maxPeopleLines bounds the lines on people that one change has.
	maxPeopleLines = 8
)

// shiftChange is a change of a schedule in terms of its shifts.
type shiftChange struct {
	before, after map[post][]span
	uncovered     []oncall.Gap // afterwards
	in            span
	// now is when the plan is made, loc where times are read.
	now  time.Time
	loc  *time.Location
	name func(oncall.Person) string
}

// shiftChange compares a schedule with what it will be. ok is false where its
// shifts stay as they are.
func (d *draft) shiftChange(r ScheduleRecord, next oncall.Schedule, c ScheduleChange) (s shiftChange, ok bool) {
	from := d.changeBegins(r, c)
	if from.IsZero() {
		return s, false
	}
	loc, err := time.LoadLocation(c.Schedule.Timezone)
	if err != nil {
		loc = time.UTC
	}
	in := span{from, from.Add(shiftHorizon)}
	return shiftChange{before: posts(r.Schedule, in), after: posts(next, in), uncovered: next.Gaps(in.from, in.to), in: in,
		now: d.state.At, loc: loc, name: d.personName}, true
}

// changeBegins is the first instant at which a change can lead to other shifts;
// zero where it leads to none.
func (d *draft) changeBegins(r ScheduleRecord, c ScheduleChange) time.Time {
	var begins time.Time
	from := func(at time.Time) {
		if at = later(at, d.state.At); begins.IsZero() || at.Before(begins) {
			begins = at
		}
	}
	if c.Definition {
		from(d.startOf(c))
	}
	for _, v := range r.Schedule.Versions {
		if c.Withdraw && v.Effective.After(d.startOf(c)) {
			from(v.Effective)
		}
	}
	for _, o := range c.Add {
		from(o.From.In(c.Schedule.Timezone))
	}
	for _, id := range c.End {
		from(overrideOf(r, id).From)
	}
	return begins
}

// personName is the name of a person; the address too where somebody else has the
// same name.
func (d *draft) personName(id oncall.Person) string {
	if d.people == nil {
		d.people = map[int64]string{}
		count := map[string]int{}
		for _, u := range d.desired.Users {
			count[cmp.Or(u.Name, u.Email)]++
		}
		for _, u := range d.desired.Users {
			name := cmp.Or(u.Name, u.Email)
			if count[name] > 1 {
				name = fmt.Sprintf("%s (%s)", name, u.Email)
			}
			d.people[d.number(u.Email)] = name
		}
	}
	return cmp.Or(d.people[int64(id)], nameByID(int64(id)))
}

// post is what a shift is of.
type post struct {
	person   oncall.Person
	position oncall.Position
	shadow   bool
}

// posts are the times of each post within a span, as a schedule has them.
func posts(s oncall.Schedule, in span) map[post][]span {
	times := map[post][]span{}
	for _, shift := range s.Shifts(in.from, in.to) {
		p := post{shift.Person, shift.Position, shift.Shadow}
		times[p] = append(times[p], span{shift.Start, shift.End})
	}
	for p, spans := range times {
		times[p] = union(spans)
	}
	return times
}

// personChange is what one person gains or loses in one post.
type personChange struct {
	post
	sign  string
	spans []span
}

// lines say who gains and who loses which shifts, a line a person, by the first
// shift that changes.
func (c shiftChange) lines() []string {
	people := map[oncall.Person][]personChange{}
	add := func(sign string, has, other map[post][]span) {
		for p, spans := range has {
			if differ := without(spans, other[p]); len(differ) > 0 {
				people[p.person] = append(people[p.person], personChange{p, sign, differ})
			}
		}
	}
	add("+", c.after, c.before)
	add("-", c.before, c.after)
	var order []oncall.Person
	for person, changes := range people {
		slices.SortFunc(changes, func(a, b personChange) int {
			return cmp.Or(a.spans[0].from.Compare(b.spans[0].from), cmp.Compare(a.position, b.position), cmp.Compare(a.sign, b.sign))
		})
		order = append(order, person)
	}
	slices.SortFunc(order, func(a, b oncall.Person) int {
		return cmp.Or(people[a][0].spans[0].from.Compare(people[b][0].spans[0].from), cmp.Compare(c.name(a), c.name(b)))
	})
	var lines []string
	for _, person := range order {
		var phrases []string
		for _, change := range people[person] {
			phrases = append(phrases, c.phrase(change))
		}
		lines = append(lines, c.name(person)+": "+strings.Join(phrases, "; "))
	}
	return bounded(lines, maxPeopleLines)
}

// phrase is such as "+2 shifts, first on 3 Dec 09:00 as main".
func (c shiftChange) phrase(p personChange) string {
	as := string(p.position)
	if p.shadow {
		as = "shadow of " + as
	}
	if n := len(p.spans); n > 1 {
		first := "first now"
		if from := p.spans[0].from; !from.Equal(c.now) {
			first = "first on " + c.moment(from)
		}
		return fmt.Sprintf("%s%d shifts, %s as %s", p.sign, n, first, as)
	}
	return fmt.Sprintf("%s1 shift, %s as %s", p.sign, c.time(p.spans[0]), as)
}

// time is such as "5 Dec 09:00 to 6 Dec 09:00". What goes beyond the horizon has
// no end.
func (c shiftChange) time(s span) string {
	if !s.to.Before(c.in.to) {
		return fmt.Sprintf("from %s on", c.moment(s.from))
	}
	return fmt.Sprintf("%s to %s", c.moment(s.from), c.moment(s.to))
}

// moment is such as "3 Dec 09:00"; it has the year where that is not plain.
func (c shiftChange) moment(at time.Time) string {
	layout := "2 Jan 15:04"
	switch {
	case at.Equal(c.now):
		return "now"
	case at.Sub(c.now) > 26*week:
		layout = "2 Jan 2006 15:04"
	}
	return at.In(c.loc).Format(layout)
}

// gaps are the notes on times in which somebody was on call and nobody will be, one
// a position.
func (c shiftChange) gaps() []string {
	covered := map[oncall.Position][]span{}
	for p, spans := range c.before {
		if !p.shadow {
			covered[p.position] = append(covered[p.position], spans...)
		}
	}
	empty := map[oncall.Position][]span{}
	var order []oncall.Position
	for _, g := range c.uncovered {
		// What was covered in the gap is what is not left of it by what was covered.
		gap := []span{{g.Start, g.End}}
		spans := without(gap, without(gap, union(covered[g.Position])))
		if len(spans) > 0 && empty[g.Position] == nil {
			order = append(order, g.Position)
		}
		empty[g.Position] = append(empty[g.Position], spans...)
	}
	var notes []string
	for _, position := range order {
		spans := empty[position]
		when := c.time(spans[0])
		if spans[0].to.Before(c.in.to) {
			when = "from " + when
		}
		switch n := len(spans) - 1; {
		case n == 1:
			when += ", and once more by " + c.moment(c.in.to)
		case n > 1:
			when += fmt.Sprintf(", and %d more times by %s", n, c.moment(c.in.to))
		}
		notes = append(notes, fmt.Sprintf("nobody is %s %s", position, when))
	}
	return notes
}

// bounded leaves out lines behind the first n, and says how many.
func bounded(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(slices.Clone(lines[:n]), "and "+strconv.Itoa(len(lines)-n)+" more")
}
