package oncall

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (t Team) name() string {
	if t.Team.Name == "" {
		return "Without a team"
	}
	return t.Team.Name
}

// heading is a target in words, empty where its person stands for it: "everyone in
// Payments", "Ana Ortiz: cannot be reached".
func (t Target) heading() string {
	switch {
	case len(t.People) > 0 && t.OnePerson:
		return ""
	case len(t.People) > 0:
		return t.Words
	case t.OnePerson:
		return t.Words + ": cannot be reached"
	}
	return t.Words + ": nobody can be reached"
}

// localTime is what the person's own clock shows: "local time 21:14".
func (h Holder) localTime(c element.Clock) string {
	return "local time " + c.Now.In(h.Zone).Format("15:04")
}

// idle says that a person has no shift.
func (f PersonFound) idle() string {
	if len(f.Schedules) == 0 {
		return "In no schedule"
	}
	names := make([]string, len(f.Schedules))
	for i, s := range f.Schedules {
		names[i] = s.Name
	}
	return "In " + element.And(names) + ", without a planned shift"
}

// sentence is a shift of a person in a line: "main in Payments from 00:00 until Mon
// 09:00".
func (s PersonShift) sentence(p NowPage) templ.Component {
	c := p.Frame.Clock
	schedule := element.Say(s.Schedule.Name)
	if p.Frame.User.Sees.Schedules {
		schedule = element.To("/schedules/", s.Schedule)
	}
	from := element.If(s.From.After(c.Now), " from ", element.When(c, s.From))
	until := element.If(!s.Until.IsZero(), " until ", element.When(c, s.Until))
	return element.Say(s.Position+" in ", schedule, from, until)
}

// clock reads in the schedule's zone.
func (p SchedulePage) clock() element.Clock {
	return element.Clock{Now: p.Frame.Clock.Now, Zone: p.Zone}
}

// at is the page from a day on, with the same shifts.
func (p SchedulePage) at(from string) templ.SafeURL { return p.address(from, p.Mine) }

func (p SchedulePage) address(from string, mine bool) templ.SafeURL {
	query := url.Values{}
	if from != "" {
		query.Set("from", from)
	}
	if mine {
		query.Set("mine", "1")
	}
	address := "/schedules/" + p.Schedule.Slug
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return templ.URL(address)
}

// whose is the page with all shifts or the reader's, on the same days.
func (p SchedulePage) whose(mine bool) templ.SafeURL {
	return p.address(p.From.In(p.Zone).Format(time.DateOnly), mine)
}

// showsToday reports whether today is one of the days shown.
func (p SchedulePage) showsToday() bool {
	_, ok := p.now()
	return ok
}

// days shown in words: "23 Nov – 6 Dec".
func (p SchedulePage) daysShown() string {
	first, last := p.From.In(p.Zone), p.To.In(p.Zone).Add(-time.Nanosecond)
	return first.Format("2 Jan") + " – " + last.Format("2 Jan")
}

// zoneNote says which zone the days are in, and how far that is from the reader's:
// "Times in Europe/Madrid (CET), 1 h ahead of yours".
func (p SchedulePage) zoneNote() string {
	note := "Times in " + p.clock().ZoneName()
	if p.Reader == nil {
		return note
	}
	_, there := p.Frame.Clock.Now.In(p.Zone).Zone()
	_, here := p.Frame.Clock.Now.In(p.Reader).Zone()
	switch ahead := time.Duration(there-here) * time.Second; {
	case ahead > 0:
		return note + ", " + element.Duration(ahead) + " ahead of yours"
	case ahead < 0:
		return note + ", " + element.Duration(-ahead) + " behind yours"
	case p.Zone.String() != p.Reader.String():
		return note + ", now the same as yours"
	}
	return note
}

// sentence says who is on now: "Ana Ortiz is main until Mon 09:00, Ben Adeyemi
// is backup until Mon 09:00."
func (p SchedulePage) sentence() string {
	var parts []string
	for _, pos := range p.Positions {
		var names []string
		until := ""
		for _, h := range pos.Now {
			if h.Shadow {
				continue
			}
			names = append(names, h.Person.Name)
			if !h.Until.IsZero() {
				until = " until " + p.clock().When(h.Until)
			}
		}
		switch len(names) {
		case 0:
			if pos.Agreed {
				parts = append(parts, pos.Name+" is not covered by agreement")
				continue
			}
			parts = append(parts, "nobody is "+pos.Name)
		case 1:
			parts = append(parts, names[0]+" is "+pos.Name+until)
		default:
			parts = append(parts, element.And(names)+" are "+pos.Name+until)
		}
	}
	if len(parts) == 0 {
		return "No positions yet."
	}
	s := element.And(parts)
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func (p SchedulePage) gapWords() string {
	if len(p.Gaps) == 0 {
		return "no gap"
	}
	return element.Count(len(p.Gaps), "gap")
}

func (p SchedulePage) unmatched() bool {
	for _, o := range p.Overrides {
		if o.Unmatched {
			return true
		}
	}
	return false
}

// sentence says how a layer rotates: "Rotates weekly, Monday 09:00: Ana → Ben →
// Chiara." Where members take turns, it says what becomes of hours when clocks change
// and of turns outside the restrictions.
func (l Layer) sentence(p SchedulePage) string {
	clock := p.clock()
	if l.Zone != nil {
		clock.Zone = l.Zone
	}
	names := make([]string, len(l.Members))
	for i, m := range l.Members {
		names[i] = m.Name
	}
	var s string
	rotates := l.Every != 0 && len(l.Members) > 1
	switch {
	case len(l.Members) == 0:
		s = "No members, so nobody is on call by this layer"
	case !rotates:
		s = "Always " + element.And(names)
	default:
		s = "Rotates " + l.period() + l.handoff(clock) + l.counting() + ": " + strings.Join(names, " → ")
	}
	if rotates && l.Unit == "hour" {
		s += ". Hours are elapsed hours, so the time of day of a handoff moves when clocks change"
	}
	if len(l.Positions) > 0 {
		s += ". Covers " + element.And(l.Positions)
	}
	if len(l.Restrictions) > 0 {
		s += ". Only " + element.And(l.Restrictions)
		if rotates && !l.CountsOnlyCovered && (l.Unit == "hour" || l.Unit == "day") { // longer periods are never excluded as a whole
			s += "; turns outside these hours are used up too"
		}
	}
	if l.Zone != nil {
		s += ". Times in " + l.Zone.String()
	}
	return s + "."
}

func (l Layer) period() string {
	if l.Every != 1 {
		return fmt.Sprintf("every %d %ss", l.Every, l.Unit)
	}
	if l.Unit == "day" {
		return "daily"
	}
	return l.Unit + "ly" // hourly, weekly, monthly
}

func (l Layer) counting() string {
	if l.CountsOnlyCovered && len(l.Restrictions) > 0 {
		return ", counting only covered periods"
	}
	return ""
}

func (l Layer) handoff(c element.Clock) string {
	if l.Handoff.IsZero() {
		return ""
	}
	switch l.Unit {
	case "week":
		return ", " + c.In(l.Handoff).Format("Monday 15:04")
	case "day", "month":
		return " at " + c.Minute(l.Handoff)
	}
	return ""
}

// span is from when to when: "Mon 09:00 to Mon 7 Dec 09:00".
func (s Shift) span(c element.Clock) templ.Component {
	if s.End.IsZero() {
		return element.Say(element.When(c, s.Start), ", no end date")
	}
	return element.Say(element.When(c, s.Start), " to ", element.When(c, s.End))
}

func (o Override) words() string {
	position := orEvery(o.Position)
	switch o.Kind {
	case "add":
		return fmt.Sprintf("%s is added as %s", o.With.Name, position)
	case "remove":
		if o.Replaced.ID == 0 {
			return "Everyone is taken off " + position
		}
		return fmt.Sprintf("%s is taken off %s", o.Replaced.Name, position)
	}
	return fmt.Sprintf("%s covers for %s as %s", o.With.Name, o.Replaced.Name, position)
}

// removal says what removing the override leads to.
func (o Override) removal(c element.Clock) string {
	if o.From.After(c.Now) {
		return "Removes this override before it begins. The people who are on call without it are on call again."
	}
	return "Ends this override now. The people who are on call without it take over at once; what was before stays as it was."
}

func orEvery(position string) string {
	if position == "" {
		return "every position"
	}
	return position
}

func (h Holder) sentence(c element.Clock) templ.Component {
	until := element.Say("no end date")
	if !h.Until.IsZero() {
		until = element.Say("until ", element.When(c, h.Until))
	}
	if h.Zone == nil {
		return until
	}
	return element.Say(until, "\u00a0· "+h.localTime(c))
}

func (pos Position) gap(c element.Clock) templ.Component {
	if pos.Agreed {
		return element.Say(notCovered, element.If(!pos.GapUntil.IsZero(), " until ", element.When(c, pos.GapUntil)))
	}
	since := element.If(!pos.GapSince.IsZero(), " since ", element.When(c, pos.GapSince))
	if pos.GapUntil.IsZero() {
		return element.Say("Nobody", since, ", no end date")
	}
	left := pos.GapUntil.Sub(c.Now)
	if left > time.Minute {
		left = left.Round(time.Minute)
	}
	return element.Say("Nobody", since, " until ", element.When(c, pos.GapUntil),
		" ("+element.Duration(left)+" left)")
}

func (o Override) origin() string {
	words := ""
	if o.By != "" {
		words = ", by " + o.By
	}
	if o.Reason != "" {
		words += ": “" + o.Reason + "”"
	}
	return words
}
