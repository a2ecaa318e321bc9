package incidents

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (p IncidentPage) path(action string) string {
	return fmt.Sprintf("/incidents/%d/%s", p.Number, action)
}

func variant(main bool) string {
	if main {
		return "default"
	}
	return "outline"
}

// pagingSentence sums up in one line who is paged and who is next.
func pagingSentence(p IncidentPage) string {
	var paged, now []string
	var later []Recipient
	for _, r := range p.Paged {
		if r.State != Paging || r.Shadow {
			continue
		}
		paged = append(paged, r.Person.First())
		if r.waitsForOthers() {
			later = append(later, r)
		} else {
			now = append(now, r.Person.First())
		}
	}
	var sentences []string
	if len(now) > 0 {
		sentences = append(sentences, "Paging "+element.And(now)+".")
	}
	if len(later) > 0 {
		sentences = append(sentences, bundleSentence(p.Frame.Clock, later))
	}
	if len(paged) == 0 {
		sentences = append(sentences, "Nobody is paged right now.")
	}
	if len(p.Next) > 0 {
		u := p.Next[0]
		who := element.And(u.Targets)
		if len(u.People) > 0 {
			who = firstNames(u.People)
		}
		switch {
		case len(paged) > 0 && who == element.And(paged):
			who = "again" // the same people once more
		case who == "" && u.Kind == NextAdministrators:
			who = "the administrators"
		}
		if who != "" {
			sentences = append(sentences, upper(who)+" at "+p.Frame.Clock.When(u.At)+".")
		}
	}
	return strings.Join(sentences, " ")
}

// waitsForOthers reports whether nothing was sent to somebody so far, since their page
// waits for others.
func (r Recipient) waitsForOthers() bool { return r.Waits != nil && r.Last == nil }

// bundleSentence is when those are told whose pages gather: "Ben is told at 07:07,
// together with other pages."
func bundleSentence(c element.Clock, list []Recipient) string {
	var times []string
	names := map[string][]string{}
	for _, r := range list {
		at := c.When(r.Waits.Until)
		if names[at] == nil {
			times = append(times, at)
		}
		names[at] = append(names[at], r.Person.First())
	}
	parts := make([]string, len(times))
	for i, at := range times {
		verb := " is"
		if len(names[at]) > 1 {
			verb = " are"
		}
		parts[i] = element.And(names[at]) + verb + " told at " + at
	}
	return element.And(parts) + ", together with other pages."
}

func firstNames(people []element.Person) string {
	names := make([]string, len(people))
	for i, person := range people {
		names[i] = person.First()
	}
	return element.And(names)
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func nobodyPaged(p IncidentPage) string {
	switch {
	case p.Status == Resolved:
		return "Nobody was."
	case p.Status == Acknowledged:
		return "Nobody any more: it is acknowledged."
	case len(p.Next) > 0:
		return "Nobody yet."
	}
	return "Nobody: nobody can be reached."
}

// ResolvedBy says who ended an incident, the same in its head, on its timeline
// and behind a link in a message: the person, else the sender that told of the
// recovery, else Tocsin, which found nothing firing any more.
func ResolvedBy(person, sender string, f Facts) string {
	switch {
	case person != "":
		return "by " + person
	case sender != "":
		if f.SLO == "" {
			return "by " + sender + ": nothing fires any more"
		}
		return "by " + sender + ": the SLO recovered"
	}
	return "by Tocsin: nothing fires any more"
}

// alarmAfter is how old an incident is before nobody being paged is told of: the
// first page takes a moment.
const alarmAfter = 10 * time.Second

// alarming reports whether somebody should be paged and nobody is.
func (p IncidentPage) alarming() bool {
	return p.Status == Triggered && p.FlappingSince.IsZero() && p.MutedUntil.IsZero() && !p.waits() &&
		p.Frame.Clock.Now.Sub(p.CreatedAt) >= alarmAfter &&
		!slices.ContainsFunc(p.Paged, func(r Recipient) bool { return r.State == Paging && !r.Shadow })
}

// waits reports whether paging begins in the morning.
func (p IncidentPage) waits() bool { return len(p.Next) > 0 && p.Next[0].Kind == NextMorning }

func (p IncidentPage) alarmWords() string {
	cannot := "no administrator can be reached either."
	if len(p.Next) == 0 || p.Next[0].Kind != NextAdministrators {
		cannot = "nobody else was reached so far."
	}
	if p.NoPolicy {
		return p.Service.Name + " has no escalation policy, and " + cannot
	}
	return "The policy of " + p.Service.Name + " leads to nobody who can be, and " + cannot
}

func (f Facts) any() bool {
	return f.Observed != nil || f.BrokenBy != nil || f.BudgetRemaining != nil ||
		f.BurnRate != nil || !f.StartedAt.IsZero()
}

// period writes "28d" as "28 days"; what it does not know it leaves.
func period(s string) string {
	for suffix, unit := range map[string]string{"d": "days", "h": "hours", "m": "min", "w": "weeks"} {
		if n, ok := strings.CutSuffix(s, suffix); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			if n == "1" {
				return "1 " + strings.TrimSuffix(unit, "s")
			}
			return n + " " + unit
		}
	}
	return s
}

// promise is what the observed is measured against: "of 99.7 %, 28 days".
func (f Facts) promise() string {
	words := ""
	if f.Objective != nil {
		words = "of " + element.Percent(*f.Objective)
	}
	if f.Window != "" {
		words += ", " + period(f.Window)
	}
	return strings.TrimPrefix(words, ", ")
}

// began is the day on which it did, where that is not today, and how long ago
// that is.
func (f Facts) began(c element.Clock) templ.Component {
	switch {
	case c.SameDay(f.StartedAt, c.Now):
		return element.Ago(c, f.StartedAt)
	case c.Now.Sub(f.StartedAt) >= 14*24*time.Hour:
		return element.Say(c.Day(f.StartedAt))
	}
	return element.Say(c.Day(f.StartedAt)+", ", element.Ago(c, f.StartedAt))
}

func (f Facts) burning() string {
	if f.BurnRate == nil {
		return ""
	}
	return "burning " + element.Number(*f.BurnRate) + "\u00a0× too fast"
}

// depletion is how quickly the budget went: "12 % gone in 60 min".
func (f Facts) depletion() string {
	if f.BudgetDepleted == nil {
		return ""
	}
	words := element.Percent(*f.BudgetDepleted) + " gone"
	if f.DepletionWindow != "" {
		words += " in " + period(f.DepletionWindow)
	}
	return words
}

// leftOut names the contacts that nothing is sent by, since what carries them is
// not set up.
func (r Recipient) leftOut() string {
	if len(r.NotSetUp) == 0 {
		return ""
	}
	names := make([]string, len(r.NotSetUp))
	for i, m := range r.NotSetUp {
		names[i] = element.Channel(m)
	}
	if len(names) == 1 {
		return upper(names[0]) + " is not set up here, so it is left out."
	}
	return upper(element.And(names)) + " are not set up here, so they are left out."
}

// whyWaits is why a page does not leave by itself.
func (r Recipient) whyWaits() string {
	switch {
	case r.Waits == nil:
		return ""
	case r.Waits.Digest:
		return "What waited for the support hours goes out together."
	}
	return r.Person.First() + " was paged three times within five minutes, so further pages go out together."
}

func (r Recipient) role() string {
	if r.Shadow {
		return r.Role + ", shadow"
	}
	return r.Role
}

func lastError(r Recipient) string {
	if r.Last == nil || r.Last.Error == "" {
		return "no verified contact on a working channel"
	}
	return midSentence(element.Medium(r.Last.Medium)) + " failed, " + midSentence(r.Last.reason())
}

func nextMedium(r Recipient) string {
	if r.NextMedium == "" {
		return "next try"
	}
	return midSentence(element.Medium(r.NextMedium))
}

// midSentence lowers the first letter of what is no abbreviation.
func midSentence(s string) string {
	if s == "SMS" || s == "" {
		return s
	}
	if strings.HasPrefix(s, "Slack") {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func (u Upcoming) words() string {
	targets := element.And(u.Targets)
	switch u.Kind {
	case NextFallback:
		return "The fallback is paged: " + targets
	case NextAdministrators:
		return "The administrators are paged"
	case NextMorning:
		return "Paging begins, with " + targets
	case NextStillOnIt:
		return "The owner is asked: still on it?"
	}
	words := fmt.Sprintf("Step %d: %s", u.Step, targets)
	if u.Run > 1 {
		words += fmt.Sprintf(", run %d", u.Run)
	}
	return words
}

func (e Earlier) words() string {
	if e.ResolvedAt.IsZero() {
		return "Still open."
	}
	took := "Over after " + element.Duration(e.ResolvedAt.Sub(e.CreatedAt)) + "."
	if e.Resolution == "" {
		return took
	}
	return took + " “" + e.Resolution + "”"
}

func (d Dependency) words() string {
	var words []string
	if d.Availability != nil {
		words = append(words, element.Percent(*d.Availability)+" available")
	}
	if d.BudgetRemaining != nil {
		if *d.BudgetRemaining < 0 {
			words = append(words, "error budget overspent by "+element.Percent(-*d.BudgetRemaining))
		} else {
			words = append(words, element.Percent(*d.BudgetRemaining)+" of its error budget left")
		}
	}
	return strings.Join(words, ", ")
}

// degraded reports whether a dependency is itself in trouble.
func (d Dependency) degraded() bool { return d.BudgetRemaining != nil && *d.BudgetRemaining < 0 }

func (p IncidentPage) priorityHint() string {
	if p.PrioritySource == "" {
		return "None so far."
	}
	return "Now " + p.Priority.Name + ", " + p.PrioritySource + "."
}

func (p IncidentPage) level() element.Field {
	f := p.PriorityForm.Level
	if f.Value == "" && f.Error == "" && p.Priority.Level > 0 {
		f.Value = fmt.Sprint(p.Priority.Level)
	}
	return f
}

func (p IncidentPage) levels() []element.Option {
	options := []element.Option{{Value: "", Text: "None"}}
	for _, l := range p.Priorities {
		options = append(options, element.Option{Value: fmt.Sprint(l.Level), Text: l.Name})
	}
	return options
}

// Tagline is what stands beside the state: number, age, how often.
func Tagline(c element.Clock, number int64, created time.Time, occurrences int64) templ.Component {
	return element.Say(fmt.Sprintf("#%d · ", number), element.Ago(c, created),
		element.If(occurrences > 1, fmt.Sprintf(" · seen %d times", occurrences)))
}

func (p IncidentPage) tagline() templ.Component {
	return element.Say(Tagline(p.Frame.Clock, p.Number, p.CreatedAt, p.Occurrences),
		element.If(p.LowUrgency, " · low urgency"))
}

func (p IncidentPage) resolvedWords() string {
	words := " " + ResolvedBy(p.ResolvedBy, p.RecoveredBy, p.Facts) + ", after " + element.Duration(p.ResolvedAt.Sub(p.CreatedAt)) + "."
	if p.Resolution != "" {
		words += " “" + p.Resolution + "”"
	}
	return words
}

// tries is what was tried last and what is tried next.
func (p IncidentPage) tries(r Recipient) templ.Component {
	last := element.Say("Being paged")
	if r.Last != nil {
		last = element.Say(element.Medium(r.Last.Medium)+" "+r.Last.stateWords()+" ", element.Second(p.Frame.Clock, r.Last.At))
	}
	if r.Waits != nil {
		waits := element.Say(" waits until ", element.Second(p.Frame.Clock, r.Waits.Until), " to go out with others")
		if r.Last == nil {
			last = element.Say(element.Medium(r.Waits.Medium), waits)
		} else {
			last = element.Say(last, ", "+midSentence(element.Medium(r.Waits.Medium)), waits)
		}
	}
	return element.Say(last, element.If(!r.NextTry.IsZero(), ", "+nextMedium(r)+" ", element.Away(p.Frame.Clock, r.NextTry)))
}
