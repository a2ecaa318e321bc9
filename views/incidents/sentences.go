package incidents

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// maxLines bounds how many lines of a timeline are shown before the rest is opened.
// Up to minFolded more are shown all the same.
const (
	maxLines  = 10
	minFolded = 3
)

// timelineLine is a line with its id, which a live refresh finds it by.
type timelineLine struct {
	Event
	anchor string
	// newDay is set where the line above is of another day, or is missing and this
	// one is not of today.
	newDay bool
}

// newestFirst is the timeline from its end, and those of its lines that are folded.
func (p IncidentPage) newestFirst() (lines, folded []timelineLine) {
	for i := len(p.Timeline) - 1; i >= 0; i-- {
		e, above := p.Timeline[i], p.Frame.Clock.Now
		if i < len(p.Timeline)-1 {
			above = p.Timeline[i+1].At
		}
		lines = append(lines, timelineLine{Event: e, anchor: e.anchor(i), newDay: !p.Frame.Clock.SameDay(e.At, above)})
	}
	if len(lines) <= maxLines+minFolded {
		return lines, nil
	}
	return lines[:maxLines], lines[maxLines:]
}

// anchor identifies a line, so that a live refresh moves none.
func (e Event) anchor(index int) string {
	if e.ID == 0 {
		return fmt.Sprintf("line-%d", index)
	}
	return fmt.Sprintf("%s-%d", e.Kind, e.ID)
}

// tone is what colours the line's dot.
func (e Event) tone() string {
	switch e.Kind {
	case "repeated", "raised", "joined", "worse", "flapping", "still_firing":
		return "signal"
	case "received":
		if e.Sender == "" {
			return "person" // who opened it by hand
		}
		return "signal"
	case "recovered", "settled":
		return "recovery"
	case "reopened":
		if e.Sender != "" {
			return "signal"
		}
		return "person"
	case "resolved":
		if e.automatic() {
			return "recovery"
		}
		return "person"
	case "acknowledged", "shadow_ack", "unacknowledged", "resolve_undone", "escalated", "priority", "note",
		"requested", "responder_joined", "declined", "taken_over", "snoozed", "ack_undone":
		return "person"
	case "passed_over", "exhausted", "ack_expired", "channel_failed", "trouble", "request_ended":
		return "failed"
	case KindAttempt:
		if e.Attempt.State == Failed {
			return "failed"
		}
	}
	return "system"
}

func (e Event) automatic() bool { return e.By == "" || e.By == "Tocsin" || e.Sender != "" }

// received is what opened the incident: only an SLO is breached.
func (f Facts) received() string {
	if f.SLO == "" {
		return "Alert received"
	}
	return "Breach received"
}

// again is what reopened the incident.
func (f Facts) again() string {
	if f.SLO == "" {
		return "Fires again"
	}
	return "Breached again"
}

// recovered is what stopped firing.
func (e Event) recovered() string {
	if e.OfSeveral {
		return "An alert of the group recovered"
	}
	return "Recovered"
}

func via(channel string) string {
	switch channel {
	case "sms":
		return " by SMS"
	case "link":
		return " by the link in a message"
	case "api":
		return " through the API"
	case "slack":
		return " in Slack"
	case "email":
		return " by email"
	}
	return ""
}

func fromTo(e Event) string {
	switch {
	case e.From == "":
		return "to " + e.To
	case e.To == "":
		return "from " + e.From + " to unset"
	}
	return "from " + e.From + " to " + e.To
}

// passedOver is a step that led to nobody, and why.
func (e Event) passedOver() string {
	step := "Skipped"
	if e.Step > 0 {
		step = fmt.Sprintf("Step %d skipped", e.Step)
	}
	switch {
	case e.Text != "":
		return step + ": " + midSentence(e.Text)
	case len(e.Targets) > 0:
		return step + ": " + unreached(e.Targets)
	}
	return step + ": nobody to page"
}

// asked is how far a policy was run before it was exhausted.
func (e Event) asked() string {
	if e.Count == 0 {
		return " in the policy can be reached"
	}
	return " acknowledged in " + element.Count(e.Run, "run") + " of the policy"
}

func isAre(people []element.Person) string {
	if len(people) == 1 {
		return "is"
	}
	return "are"
}

func newDay(c element.Clock, list []Attempt, i int) bool {
	if i == 0 {
		return !c.SameDay(list[0].At, c.Now)
	}
	return !c.SameDay(list[i-1].At, list[i].At)
}

// to is whom a message went to: a first name, or a channel's address.
func (a Attempt) to() string {
	if a.Person.ID == 0 {
		return a.Contact
	}
	return a.Person.First()
}

// head is what went to whom: "SMS to Ana", "Written to the server log for Ana".
func (a Attempt) head() string {
	switch {
	case a.written():
		return "Written to the server log for " + a.to()
	case a.Medium == "log":
		return element.Medium(a.Medium) + " for " + a.to()
	}
	return element.Medium(a.Medium) + " to " + a.to()
}

// written reports whether the message is a line of the server's log.
func (a Attempt) written() bool {
	return a.Medium == "log" && (a.State == Sent || a.State == Delivered)
}

func (a Attempt) stateWords() string {
	if a.written() {
		return "at"
	}
	switch a.State {
	case Queued:
		return "leaves at"
	case Sending:
		return "being sent since"
	case AttemptWithdrawn:
		return "withdrawn"
	}
	return string(a.State)
}

// extras are what else there is to know of an attempt.
func (a Attempt) extras() string {
	words := ""
	if a.Number > 1 {
		words += fmt.Sprintf(", attempt %d", a.Number)
	}
	if a.InsteadOf != "" {
		words += ", instead of the failed " + midSentence(element.Medium(a.InsteadOf))
	}
	if a.With > 0 {
		words += ", together with " + element.Count(a.With, "other incident")
	}
	if a.Again {
		words += ", possibly for the second time"
	}
	return words
}

func (e Event) stepSentence() templ.Component {
	step := fmt.Sprintf("step %d", e.Step)
	if e.Run > 1 {
		step += fmt.Sprintf(" in run %d", e.Run)
	}
	start := element.Say(upper(step) + ": ")
	if e.Policy.Name != "" {
		start = element.Say("Policy ", element.To("/policies/", e.Policy), ", "+step+": ")
	}
	return element.Say(start, stand(e.Targets, e.People))
}

// sentence is what became of a message, without its time where that stands beside it.
func (a Attempt) sentence(c element.Clock, beside time.Time) templ.Component {
	said := element.Say(a.reason())
	if a.State != Failed {
		said = element.Say(a.stateWords(), element.If(a.At.Sub(beside).Abs() >= time.Minute, " ", element.SecondOfDay(c, a.At)))
	}
	return element.Say(said, a.extras(), a.again(c))
}

// again is when a failed attempt was tried again, or is going to be.
func (a Attempt) again(c element.Clock) templ.Component {
	switch {
	case a.Waits:
		return element.Say("; it is tried again every few seconds until its step is over")
	case a.RetryAt.IsZero():
		return templ.NopComponent
	case a.RetryAt.After(c.Now):
		return element.Say("; tried again ", element.Away(c, a.RetryAt))
	}
	return element.Say("; tried again ", element.Second(c, a.RetryAt))
}

// reason is why it failed, in words and without a full stop, since a sentence
// goes on after it: what a library says of a connection is for the log.
func (a Attempt) reason() string {
	reason := strings.TrimSuffix(a.Error, ".")
	carrier := element.Carrier(a.Medium)
	if carrier == "" {
		return reason
	}
	said := strings.ToLower(a.Error)
	for _, part := range []string{"deadline exceeded", "i/o timeout", "timed out", "timeout awaiting"} {
		if strings.Contains(said, part) {
			return carrier + " did not answer in time"
		}
	}
	for _, part := range []string{"dial tcp", "connection refused", "no such host", "connection reset", "network is unreachable", "no route to host", "broken pipe", "unexpected eof"} {
		if strings.Contains(said, part) {
			return carrier + " could not be reached"
		}
	}
	return reason
}
