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

// maxPeopleLines bounds the lines on people that one change has.
const maxPeopleLines = 8

// shiftChange is a change of a schedule in terms of its shifts.
type shiftChange struct {
	before, after map[post][]span
	uncovered     []oncall.Gap // afterwards
	// in are the times that are compared, by start, apart from one another.
	in []span
	// now is when the plan is made, loc where times are read.
	now  time.Time
	loc  *time.Location
	name func(oncall.Person) string
}

// shiftChange compares a schedule with what it will be. ok is false where its
// shifts stay as they are.
func (d *draft) shiftChange(r ScheduleRecord, next oncall.Schedule, c ScheduleChange) (s shiftChange, ok bool) {
	in := d.comparedTimes(r, next, c)
	if len(in) == 0 {
		return s, false
	}
	s = shiftChange{now: d.state.At, loc: locationOf(c.Schedule.Timezone), name: d.personName}
	if c.redefines() {
		// Overrides of the same change do not hide that the definition changes later.
		was, is := oncall.Schedule{Versions: r.Schedule.Versions, Left: r.Schedule.Left}, oncall.Schedule{Versions: next.Versions, Left: next.Left}
		if s.compare(was, is, in); len(s.changes()) == 0 {
			start := d.startOf(c)
			s.compare(was, is, []span{{start, start.Add(maxShiftHorizon)}})
			if changes := s.changes(); len(changes) > 0 {
				first := slices.MinFunc(changes, comparePersonChanges).spans[0].from
				in = joinedTimes(union(append(in, span{first, first.Add(shiftHorizon)})))
			}
		}
	}
	s.compare(r.Schedule, next, in)
	return s, true
}

func (c *shiftChange) compare(before, after oncall.Schedule, in []span) {
	c.in, c.before, c.after, c.uncovered = in, posts(before, in), posts(after, in), nil
	for _, s := range in {
		c.uncovered = append(c.uncovered, after.Gaps(s.from, s.to)...)
	}
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

func postOf(s oncall.Shift) post { return post{s.Person, s.Position, s.Shadow} }

// words are such as "main" or "shadow of main".
func (p post) words() string {
	if p.shadow {
		return "shadow of " + string(p.position)
	}
	return string(p.position)
}

// posts are the times of each post within spans, as a schedule has them.
func posts(s oncall.Schedule, in []span) map[post][]span {
	times := map[post][]span{}
	for _, within := range in {
		for _, shift := range s.Shifts(within.from, within.to) {
			p := postOf(shift)
			times[p] = append(times[p], span{shift.Start, shift.End})
		}
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

// comparePersonChanges orders by the first span.
func comparePersonChanges(a, b personChange) int {
	return cmp.Or(a.spans[0].from.Compare(b.spans[0].from), cmp.Compare(a.position, b.position), cmp.Compare(a.sign, b.sign))
}

// changes are what people gain and lose, in any order.
func (c shiftChange) changes() []personChange {
	var changes []personChange
	add := func(sign string, has, other map[post][]span) {
		for p, spans := range has {
			if differ := without(spans, other[p]); len(differ) > 0 {
				changes = append(changes, personChange{p, sign, differ})
			}
		}
	}
	add("+", c.after, c.before)
	add("-", c.before, c.after)
	return changes
}

// lines say who gains and who loses which shifts, a line a person, by the first
// shift that changes.
func (c shiftChange) lines() []string {
	people := map[oncall.Person][]personChange{}
	for _, change := range c.changes() {
		people[change.person] = append(people[change.person], change)
	}
	var order []oncall.Person
	for person, changes := range people {
		slices.SortFunc(changes, comparePersonChanges)
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
	as := p.words()
	if n := len(p.spans); n > 1 {
		first := "first now"
		if from := p.spans[0].from; !from.Equal(c.now) {
			first = "first on " + c.moment(from)
		}
		return fmt.Sprintf("%s%d shifts, %s as %s", p.sign, n, first, as)
	}
	return fmt.Sprintf("%s1 shift, %s as %s", p.sign, c.time(p.spans[0]), as)
}

// time is such as "5 Dec 09:00 to 6 Dec 09:00", or "from 5 Dec 09:00 until at
// least 2 Jan 09:00" for what lasts as long as is compared.
func (c shiftChange) time(s span) string {
	if c.isOpen(s) {
		return fmt.Sprintf("from %s until at least %s", c.moment(s.from), c.moment(s.to))
	}
	return fmt.Sprintf("%s to %s", c.moment(s.from), c.moment(s.to))
}

// isOpen reports whether a span may last longer than is compared.
func (c shiftChange) isOpen(s span) bool {
	return slices.ContainsFunc(c.in, func(in span) bool { return in.to.Equal(s.to) })
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
		when := c.fromTime(spans[0])
		switch n := len(spans) - 1; {
		case n == 1:
			when += ", and " + c.fromTime(spans[1])
		case n > 1:
			when += fmt.Sprintf(", and %d more times by %s", n, c.moment(c.in[len(c.in)-1].to))
		}
		notes = append(notes, fmt.Sprintf("nobody is %s %s", position, when))
	}
	return notes
}

// fromTime is time with "from" before it.
func (c shiftChange) fromTime(s span) string {
	if c.isOpen(s) {
		return c.time(s)
	}
	return "from " + c.time(s)
}

// bounded leaves out lines behind the first n, and says how many.
func bounded(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(slices.Clone(lines[:n]), "and "+strconv.Itoa(len(lines)-n)+" more")
}
