package oncall

import (
	"fmt"
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

// localTime is what the person's own clock shows: "21:14 there".
func (h Holder) localTime(c element.Clock) string {
	return c.Now.In(h.Zone).Format("15:04") + " for " + h.Person.First()
}

// clock reads in the schedule's zone.
func (p SchedulePage) clock() element.Clock {
	return element.Clock{Now: p.Frame.Clock.Now, Zone: p.Zone}
}

func (p SchedulePage) at(from string) templ.SafeURL {
	if from == "" {
		return templ.URL("/schedules/" + p.Schedule.Slug)
	}
	return templ.URL("/schedules/" + p.Schedule.Slug + "?from=" + from)
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
		return "No gap in the next 14 days"
	}
	return element.Count(len(p.Gaps), "gap") + " in the next 14 days"
}

func (p SchedulePage) unmatched() bool {
	for _, o := range p.Overrides {
		if o.Unmatched {
			return true
		}
	}
	return false
}

// sentence says how a layer turns: "Hands over every week, Mon 09:00: Ana → Ben
// → Chiara."
func (l Layer) sentence(p SchedulePage) string {
	clock := p.clock()
	if l.Zone != nil {
		clock.Zone = l.Zone
	}
	names := make([]string, len(l.Members))
	for i, m := range l.Members {
		names[i] = m.Name
	}
	order := strings.Join(names, " → ")
	var s string
	switch {
	case len(l.Members) == 0:
		s = "Has no members, so nobody is on by it"
	case l.Every == 0 || len(l.Members) == 1:
		s = "Always " + element.And(names)
	default:
		s = "Hands over every " + l.period() + l.handoff(clock) + ": " + order
	}
	if len(l.Positions) > 0 {
		s += ". Fills " + element.And(l.Positions)
	}
	if len(l.Restrictions) > 0 {
		s += ". Only " + element.And(l.Restrictions)
	}
	if l.Zone != nil {
		s += ". Times in " + l.Zone.String()
	}
	return s + "."
}

func (l Layer) period() string {
	if l.Every == 1 {
		return l.Unit
	}
	return fmt.Sprintf("%d %ss", l.Every, l.Unit)
}

func (l Layer) handoff(c element.Clock) string {
	if l.Handoff.IsZero() {
		return ""
	}
	switch l.Unit {
	case "week":
		return ", " + c.In(l.Handoff).Format("Monday 15:04")
	case "day", "month":
		return ", at " + c.Minute(l.Handoff)
	}
	return ""
}

// span is from when to when: "Mon 09:00 to Mon 7 Dec 09:00".
func (s Shift) span(c element.Clock) templ.Component {
	if s.End.IsZero() {
		return element.Say(element.When(c, s.Start), ", no end in sight")
	}
	return element.Say(element.When(c, s.Start), " to ", element.When(c, s.End))
}

func (o Override) words() string {
	position := orEvery(o.Position)
	switch o.Kind {
	case "add":
		return fmt.Sprintf("%s is added as %s", o.With.Name, position)
	case "remove":
		return fmt.Sprintf("%s is taken off %s", o.Replaced.Name, position)
	}
	return fmt.Sprintf("%s covers for %s as %s", o.With.Name, o.Replaced.Name, position)
}

func orEvery(position string) string {
	if position == "" {
		return "every position"
	}
	return position
}

func (h Holder) sentence(c element.Clock) templ.Component {
	until := element.Say("no end in sight")
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
		return element.Say("Nobody", since, ", and no end in sight")
	}
	left := pos.GapUntil.Sub(c.Now)
	if left > time.Minute {
		left = left.Round(time.Minute)
	}
	return element.Say("Nobody", since, " until ", element.When(c, pos.GapUntil),
		", for "+element.Duration(left)+" more")
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
