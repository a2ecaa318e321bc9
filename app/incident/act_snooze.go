package incident

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var snooze = ActKind{
	Name:   "snooze",
	Web:    true,
	API:    true,
	Fields: []string{"until", "for"},
	Read:   readSnooze,
}

// MaxSnooze bounds how far ahead a snooze may end.
const MaxSnooze = 7 * 24 * time.Hour

// ActSnooze stops paging until a time. Whoever snoozes what nobody has acknowledged
// becomes its owner. At that time the incident is triggered again and its policy starts
// again. A raise by a signal and another alert of the group end the snooze.
type ActSnooze struct {
	// Until is the end, or zero where For is set, which is counted from now.
	Until time.Time
	For   time.Duration
}

func readSnooze(f Fields) (Act, error) {
	until, length := f.Text("until"), f.Text("for")
	var act ActSnooze
	var err error
	switch {
	case (until == "") == (length == ""):
		return nil, fault.Invalid("Say until when.").With(fault.Field{Path: "until", Message: "Send either until or for."})
	case until != "":
		if act.Until, err = time.Parse(time.RFC3339, until); err != nil {
			return nil, fault.Invalid("The time cannot be read.").With(fault.Field{Path: "until", Message: "Write a time such as 2026-11-28T09:00:00Z."})
		}
	default:
		if act.For, err = time.ParseDuration(length); err != nil {
			return nil, fault.Invalid("The length cannot be read.").With(fault.Field{Path: "for", Message: "Write a length such as 30m or 4h."})
		}
	}
	return act, nil
}

func (a ActSnooze) validate() error { return nil }

func (a ActSnooze) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	until := a.Until.UTC()
	if a.Until.IsZero() {
		until = by.At.Add(a.For)
	}
	switch {
	case !inc.Open():
		return c, isResolved(inc), nil
	case inc.Status == Triggered && k.Shadow:
		return c, Outcome{Kind: Shadow}, nil
	case !until.After(by.At):
		return c, Outcome{}, invalidSnooze("The end of a snooze lies in the future.")
	case until.Sub(by.At) > MaxSnooze:
		return c, Outcome{}, invalidSnooze("A snooze lasts at most 7 days.")
	}
	i := &c.Incident
	if i.Status == Triggered {
		c.own(Known{}, by)
	}
	i.AskedAt, i.MutedUntil, i.SnoozedUntil = nil, nil, &until
	c.Changed, c.Escalate = true, EscalateStop
	c.record(by.At, by.Actor, SnoozedPayload{Via: by.Via, Until: wholeSecond(until)})
	c.timer(TimerSnooze, until)
	return c, done(), nil
}

func invalidSnooze(words string) error {
	return fault.Invalid("%s", words).With(fault.Field{Path: "until", Message: words})
}

// SnoozeDue is what TimerSnooze leads to: the snooze ends, and the policy starts
// again.
func SnoozeDue(now time.Time, inc Incident) Change {
	c := Change{Incident: inc}
	if inc.Status != Acknowledged || inc.SnoozedUntil == nil {
		return c
	}
	if now.Before(*inc.SnoozedUntil) {
		c.timer(TimerSnooze, *inc.SnoozedUntil)
		return c
	}
	over := SnoozeOverPayload{}
	if inc.OwnerID != nil {
		over.People = []int64{*inc.OwnerID}
	}
	c.giveBack()
	c.record(now, Tocsin, over)
	return c
}
