package simulate

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Text prints a timeline: under a heading for each day, a line for each entry with the
// local time, the time since the signal, and a sentence. Repeats, such as the hourly
// fallback, are printed once. names returns the name of a person.
func Text(out io.Writer, t Timeline, zone *time.Location, names func(id int64) string) error {
	p := printer{zone: zone, names: names}
	if len(t.Entries) > 0 {
		p.began = t.Entries[0].At
	}
	for rest := rounds(t.Entries); len(rest) > 0; {
		for _, e := range rest[0].entries {
			p.entry(e)
		}
		n := p.alike(rest)
		if n < minFolded {
			n = 0
		} else {
			p.again(rest[1:n+1], rest[1].at.Sub(rest[0].at), t.Cut && n+1 == len(rest))
		}
		rest = rest[n+1:]
	}
	if t.Cut {
		p.line(t.Until, "…", "It would go on.")
	} else if len(t.Entries) > 0 {
		p.line(t.Until, "", "Nothing more happens.")
	}
	_, err := io.WriteString(out, p.text.String())
	return err
}

type printer struct {
	zone  *time.Location
	names func(int64) string
	began time.Time
	day   string
	text  strings.Builder
}

// line prints one line, and the further lines below it.
func (p *printer) line(at time.Time, mark, sentence string, more ...string) {
	local := at.In(p.zone)
	if day := local.Format("Monday, 2 January 2006"); day != p.day {
		if p.day != "" {
			p.text.WriteString("\n")
		}
		fmt.Fprintf(&p.text, "%s (%s)\n", day, p.zone)
		p.day = day
	}
	fmt.Fprintf(&p.text, "  %-13s  %-10s  %s\n", local.Format("15:04:05 MST"), cmp.Or(mark, "+"+short(at.Sub(p.began))), sentence)
	for _, m := range more {
		fmt.Fprintf(&p.text, "%29s%s\n", "", m)
	}
}

func (p *printer) entry(e Entry) {
	switch e.Kind {
	case Received, Ignored:
		p.signal(e)
	case Waiting:
		p.line(e.At, "", "Low urgency waits for the support hours, which begin on "+e.Until.In(p.zone).Format("Monday, 2 January at 15:04")+".")
	case Held:
		p.line(e.At, "", placeName(e.Place)+" is held until required cover begins, on "+e.Until.In(p.zone).Format("Monday, 2 January at 15:04")+": "+
			and(e.Place.Targets)+" has nobody outside it.")
	case Fired, PassedOver, HandedOver, Exhausted:
		p.line(e.At, "", p.placeSentence(e.Kind, e.Place), p.late(e.Place)...)
	case Told:
		p.line(e.At, "", p.messageSentence(e.Person, e.Message))
	case Acknowledged:
		p.line(e.At, "", p.names(e.Person)+" acknowledges.")
	case ShadowAck:
		p.line(e.At, "", p.names(e.Person)+" acknowledges, which stops nothing: they are a shadow.")
	case StillOnIt:
		p.line(e.At, "", p.names(e.Person)+" is asked: still on it?")
	case AckExpired:
		p.line(e.At, "", p.names(e.Person)+" does not answer. The policy starts again.")
	case ResolvedBy:
		p.line(e.At, "", p.names(e.Person)+" resolves.")
	case LeftOut:
		p.line(e.At, "", e.Text)
	case Unchanged:
		p.line(e.At, "", p.names(e.Person)+"'s answer changes nothing. "+e.Text)
	}
}

func (p *printer) signal(e Entry) {
	s := e.Signal
	where := s.Service.Name
	if s.Deployment != "" {
		where += " in " + s.Deployment
	}
	if e.Kind == Ignored {
		more := []string{}
		for _, w := range s.Warnings {
			more = append(more, "Warning: "+w)
		}
		p.line(e.At, "", where+": "+s.Title+". "+cmp.Or(e.Text, "Nothing fires, so a recovery changes nothing."), more...)
		return
	}
	priority := "Priority unset"
	if s.Priority != nil {
		source := s.Source
		if source == incident.SourceSLO {
			source = "SLO"
		}
		priority = s.PriorityName + " from the " + source
	}
	more := []string{fmt.Sprintf("%s, %s urgency, key %q", priority, s.Urgency, s.DedupKey)}
	for _, w := range s.Warnings {
		more = append(more, "Warning: "+w)
	}
	p.line(e.At, "", where+": "+s.Title+".", more...)
}

func (p *printer) placeSentence(kind Kind, place *Place) string {
	switch {
	case kind == Exhausted && place.Policy == "":
		return "There is no escalation policy."
	case kind == Exhausted:
		return place.Policy + " is exhausted."
	case kind == PassedOver && place.FailedToSend:
		return "It is passed over: nobody can be told."
	case kind == PassedOver:
		return placeName(place) + " is passed over, since nobody can be reached: " + and(place.Targets) + "." + p.unreached(place)
	case kind == HandedOver:
		return placeName(place) + " is handed over to " + p.people(place.People) + ". The timer goes on."
	default:
		targets, people := and(place.Targets), p.people(place.People)
		if targets == people { // the people are named already
			return placeName(place) + " pages " + people + "."
		}
		return placeName(place) + " pages " + targets + ": " + people + "." + p.unreached(place)
	}
}

// late are lines on the personal rules that never fire in the step.
func (p *printer) late(place *Place) []string {
	var lines []string
	for _, r := range place.LateRules {
		lines = append(lines, fmt.Sprintf("Warning: %s's rule %s after %s never fires, since the step ends after %s.",
			p.names(r.Person), r.Medium.Phrase(), short(r.After), short(r.Ends)))
	}
	return lines
}

// unreached is such as " Gus Ek is skipped: no verified contact method."
func (p *printer) unreached(place *Place) string {
	var text string
	for _, u := range place.Unreached {
		text += " " + p.names(u.Person) + " is skipped: " + u.Reason + "."
	}
	return text
}

func placeName(p *Place) string {
	switch {
	case p.Phase == escalation.PhaseSteps && p.Runs > 1:
		return fmt.Sprintf("Step %d of %d in run %d of %d", p.Step, p.Steps, p.Run, p.Runs)
	case p.Phase == escalation.PhaseSteps:
		return fmt.Sprintf("Step %d of %d", p.Step, p.Steps)
	case p.Phase == escalation.PhaseAdministrators:
		return "The last resort"
	default:
		return "The fallback"
	}
}

func (p *printer) messageSentence(person int64, m *Message) string {
	told := p.names(person) + " " + m.Medium.Phrase()
	if m.Rule != RuleRepeat {
		return told + " — " + reason(m.Why, p.names(person)) + "; " + ruleWords(m)
	}
	told += " again"
	if m.Times > 1 {
		told += fmt.Sprintf(" every %s, %d times until %s", short(notify.RepeatEvery), m.Times, m.Last.In(p.zone).Format("Mon 15:04"))
	}
	return told
}

// reason is why somebody is paged, for others to read.
func reason(w escalation.Why, name string) string {
	var words []string
	switch {
	case w.Kind == "still_on_it":
		return "still on it?"
	case w.Kind == "administrators":
		return "administrator"
	case w.Kind == "fallback":
		words = append(words, "fallback")
	}
	if w.Target != name { // else the step has named the person
		words = append(words, target(w))
	}
	if w.Step > 0 {
		words = append(words, fmt.Sprintf("step %d of %d", w.Step, w.Steps))
	}
	return strings.Join(words, ", ")
}

func target(w escalation.Why) string {
	words := w.Target
	if w.Shadow {
		words = "shadow of " + words
	}
	switch {
	case w.Override != 0:
		words += fmt.Sprintf(" (override %d)", w.Override)
	case w.Layer != "":
		words += " (layer " + w.Layer + ")"
	}
	if w.Kind == "handover" {
		words += " from now on"
	}
	return words
}

func ruleWords(m *Message) string {
	when := "at once"
	if m.After > 0 {
		when = "after " + short(m.After)
	}
	words := map[Rule]string{
		RulePersonal: "personal rule, " + when,
		RuleInstead:  "personal rule, " + when + ", instead of what does not work",
		RuleNone:     "every method at once",
	}[m.Rule]
	if m.Gathered {
		words += ", gathered"
	}
	return words
}

func (p *printer) people(ids []int64) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = p.names(id)
	}
	return and(all)
}

// and lists in words: "a, b and c".
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// short is "1h" for what Go writes as "1h0m0s", and whole seconds.
func short(d time.Duration) string {
	text := d.Truncate(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
