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
	var paged, now, failing []string
	var later []Recipient
	for _, r := range p.Paged {
		if r.State != Paging || r.Shadow {
			continue
		}
		paged = append(paged, r.Person.First())
		switch {
		case r.waitsForOthers():
			later = append(later, r)
		case r.failing():
			failing = append(failing, notReached(p.Frame.Clock, r))
		default:
			now = append(now, r.Person.First())
		}
	}
	var sentences []string
	if len(now) > 0 {
		sentences = append(sentences, "Paging "+element.And(now)+".")
	}
	sentences = append(sentences, failing...)
	if len(later) > 0 {
		sentences = append(sentences, bundleSentence(p.Frame.Clock, later))
	}
	if len(paged) == 0 {
		sentences = append(sentences, "Nobody is paged right now.")
	}
	if len(p.Next) > 0 {
		u := p.Next[0]
		who := nextWho(u)
		if len(paged) > 0 && who == element.And(paged) {
			who = "again" // the same people once more
		}
		if who != "" {
			sentences = append(sentences, upper(who)+" at "+p.Frame.Clock.When(u.At)+".")
		}
	}
	return strings.Join(sentences, " ")
}

// failing reports whether nothing has got through to somebody who is paged.
func (r Recipient) failing() bool { return r.Last != nil && r.Last.State == Failed && !r.Reached }

// notReached says so, and when it is tried again: "Ada has not been reached: email
// does not work. It is tried again every few seconds."
func notReached(c element.Clock, r Recipient) string {
	words := r.Person.First() + " has not been reached: " + midSentence(element.Medium(r.Last.Medium)) + " failed."
	if r.Last.Waits {
		words = r.Person.First() + " has not been reached: " + midSentence(element.Medium(r.Last.Medium)) + " does not work."
	}
	if again := r.Last.nextTry(c); again != "" {
		words += " It is " + again + "."
	}
	return words
}

// nextTry is when a failed attempt is made again: "tried again every few seconds"; empty
// where it is not.
func (a Attempt) nextTry(c element.Clock) string {
	switch {
	case a.Waits:
		return "tried again every few seconds"
	case a.RetryAt.After(c.Now):
		return "tried again at " + c.When(a.RetryAt)
	}
	return ""
}

// nextWho is who is paged next, by first names where it is known who that is.
func nextWho(u Upcoming) string {
	switch {
	case len(u.People) > 0:
		return firstNames(u.People)
	case len(u.Targets) == 0 && u.Kind == NextAdministrators:
		return "the administrators"
	}
	return element.And(u.Targets)
}

// NextSentence is who is paged next and when: "Next: Ben at 04:00." It is empty where
// nobody is.
func NextSentence(c element.Clock, next []Upcoming) string {
	if len(next) == 0 || nextWho(next[0]) == "" {
		return ""
	}
	return "Next: " + nextWho(next[0]) + " at " + c.When(next[0].At) + "."
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
		return "Nobody was paged."
	case p.Status == Acknowledged:
		return "Nobody is paged while it is acknowledged."
	case len(p.Next) > 0 && !p.unreachable():
		return "Nobody was paged so far."
	}
	return "Nobody can be reached."
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
		(p.unreachable() || p.Frame.Clock.Now.Sub(p.CreatedAt) >= alarmAfter) &&
		!slices.ContainsFunc(p.Paged, func(r Recipient) bool { return r.State == Paging && !r.Shadow })
}

// byHand reports whether people were asked by name, and no policy was run.
func (p IncidentPage) byHand() bool { return p.PagedByHand || p.Service.Name == "" }

// hasFirst reports whether there is a place for a runbook, or something in it.
func (p IncidentPage) hasFirst() bool {
	_, fixed := p.lastFix()
	return p.Service.Name != "" || p.Runbook != Runbook{} || fixed
}

// waits reports whether paging begins in the morning.
func (p IncidentPage) waits() bool { return len(p.Next) > 0 && p.Next[0].Kind == NextMorning }

// unreachable reports whether nobody can be reached as things are: in the policy, or
// among the administrators.
func (p IncidentPage) unreachable() bool { return len(p.Next) > 0 && p.Next[0].Kind == NextTry }

func (p IncidentPage) alarmTitle() string {
	if p.unreachable() {
		return "Nobody is paged: nobody can be reached."
	}
	return "Nobody is paged: nobody was reached so far."
}

func (p IncidentPage) alarmWords() string {
	switch {
	case !p.unreachable():
		return NextSentence(p.Frame.Clock, p.Next)
	case p.byHand():
		return "Whoever was asked cannot be reached, and no administrator can be either."
	case p.NoPolicy:
		return p.Service.Name + " has no escalation policy, and no administrator can be reached either."
	}
	return "The policy of " + p.Service.Name + " leads to nobody who can be, and no administrator can be reached either."
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
		return "Fallback: " + targets
	case NextAdministrators:
		return "The administrators are paged"
	case NextMorning:
		return "Paging starts: " + targets
	case NextTry:
		return "Tried again: nobody can be reached as things are"
	case NextStillOnIt:
		return "The owner is asked whether they still work on it"
	}
	words := fmt.Sprintf("Step %d: %s", u.Step, targets)
	if u.Run > 1 {
		words += fmt.Sprintf(", run %d", u.Run)
	}
	return words
}

func (e Earlier) words() string {
	if e.ResolvedAt.IsZero() {
		return "Still open"
	}
	if e.Resolution == "" {
		return "Resolved in " + e.took()
	}
	return "Resolved in " + e.took() + ": “" + e.Resolution + "”"
}

// took is how long it was open, of one that is resolved.
func (e Earlier) took() string { return element.Duration(e.ResolvedAt.Sub(e.CreatedAt)) }

// lastFix is the last earlier incident of which it was written what fixed it.
func (p IncidentPage) lastFix() (Earlier, bool) {
	for _, e := range p.Before {
		if !e.ResolvedAt.IsZero() && e.Resolution != "" {
			return e, true
		}
	}
	return Earlier{}, false
}

// buttonText names the runbook: its own name where it has one.
func (r Runbook) buttonText() string {
	if r.Link.Text == "" {
		return "Runbook"
	}
	return r.Link.Text
}

func (s Signal) hasContext() bool {
	return len(s.Environment)+len(s.Dependencies)+len(s.Labels)+len(s.Details) > 0
}

// firingWords is how many of the alerts fire: "2 of 5 firing".
func (p IncidentPage) firingWords() string {
	firing := 0
	for _, a := range p.Alerts {
		if a.Firing {
			firing++
		}
	}
	if p.MoreAlerts {
		return fmt.Sprintf("%d or more firing", firing)
	}
	return fmt.Sprintf("%d of %d firing", firing, len(p.Alerts))
}

func (d Dependency) words() string {
	var words []string
	if d.Availability != nil {
		words = append(words, element.Percent(*d.Availability)+" available")
	}
	if d.BudgetRemaining != nil {
		words = append(words, "error budget "+budgetWords(*d.BudgetRemaining))
	}
	return strings.Join(words, ", ")
}

// degraded reports whether a dependency is itself in trouble.
func (d Dependency) degraded() bool { return d.BudgetRemaining != nil && *d.BudgetRemaining < 0 }

// EscalateWords is whom an escalation pages.
func EscalateWords(c element.Clock, next []Upcoming) string {
	if len(next) == 0 || len(next[0].Targets) == 0 {
		return "This pages the next step of the policy at once."
	}
	u := next[0]
	return "This pages " + withPeople(u.Targets, u.People) + " at once instead of at " + c.When(u.At) + "."
}

func (p IncidentPage) priorityHint() string {
	if p.Priority.Unset() {
		return "Unset: nobody has decided yet, so it is of high urgency."
	}
	return "Now " + p.Priority.Name + ", " + p.PrioritySource + "."
}

func (p IncidentPage) level() element.Field {
	f := p.PriorityForm.Level
	if f.Value == "" && f.Error == "" && !p.Priority.Unset() {
		f.Value = fmt.Sprint(p.Priority.Level)
	}
	return f
}

func (p IncidentPage) levels() []element.Option {
	options := []element.Option{{Value: "", Text: "Unset"}}
	for _, l := range append(slices.Clip(p.Priorities), element.NoPriority) {
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
	if r.Last != nil && r.Last.written() {
		last = element.Say("Written to the server log ", element.Second(p.Frame.Clock, r.Last.At))
	} else if r.Last != nil {
		last = element.Say(element.Medium(r.Last.Medium)+" "+r.Last.stateWords()+" ", element.Second(p.Frame.Clock, r.Last.At))
		if again := r.Last.nextTry(p.Frame.Clock); again != "" {
			last = element.Say(last, ", "+again)
		}
	}
	if r.Waits != nil {
		waits := element.Say(" waits until ", element.Second(p.Frame.Clock, r.Waits.Until), " to go out with others")
		if r.Last == nil {
			last = element.Say(element.Medium(r.Waits.Medium), waits)
		} else {
			last = element.Say(last, ", "+midSentence(element.Medium(r.Waits.Medium)), waits)
		}
	}
	return element.Say(last, element.If(!r.NextTry.IsZero(), ", next "+nextMedium(r)+" ", element.Away(p.Frame.Clock, r.NextTry)))
}
