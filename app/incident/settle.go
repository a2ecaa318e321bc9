package incident

import "time"

// Settle is what TimerSettle leads to: an incident that stands open in silence,
// because it flaps or because its sender asked for quiet, is looked at again.
// firing counts its alerts that fire. Where nothing fires any more it resolves;
// where something does and nobody has taken it, it pages: a page is never lost
// in silence.
func Settle(now time.Time, inc Incident, firing int) Change {
	c := Change{Incident: inc}
	i := &c.Incident
	switch {
	case !i.Open():
		return c
	case i.FlappingSince != nil:
		if due := i.ChangedAt.Add(FlapQuiet); now.Before(due) {
			c.timer(TimerSettle, due)
			return c
		}
		// The count starts anew: what reopens after the quiet pages again.
		i.FlappingSince = nil
		i.ReopenedAt = nil
	case i.MutedUntil != nil:
		if now.Before(*i.MutedUntil) {
			c.timer(TimerSettle, *i.MutedUntil)
			return c
		}
	default:
		return c
	}
	i.MutedUntil = nil
	c.Changed = true
	c.note(now, EvSettled, Tocsin, Detail{Count: int64(firing)})
	switch {
	case firing == 0:
		i.resolve(now, Tocsin, "")
		c.note(now, EvResolved, Tocsin, Detail{})
		c.Escalate = EscalateStop
	case i.Status == Triggered:
		c.Escalate = EscalateStart
	}
	return c
}

// AckDue is what TimerAck leads to. It asks the owner of an acknowledged
// incident whether they are still on it once the acknowledgment is older than
// expires (0 for never), and starts the policy again once they have been asked,
// by it or by a raise, and have not answered within AnswerWithin.
func AckDue(now time.Time, inc Incident, expires time.Duration) Change {
	c := Change{Incident: inc}
	i := &c.Incident
	if i.Status != Acknowledged {
		return c
	}
	if i.AskedAt != nil {
		if due := i.AskedAt.Add(AnswerWithin); now.Before(due) {
			c.timer(TimerAck, due)
			return c
		}
		c.expire(now)
		return c
	}
	if expires <= 0 || i.AcknowledgedAt == nil {
		return c
	}
	if due := i.AcknowledgedAt.Add(expires); now.Before(due) {
		c.timer(TimerAck, due)
		return c
	}
	if i.OwnerID == nil { // acknowledged by a token: there is nobody to ask
		c.expire(now)
		return c
	}
	c.Changed = true
	i.AskedAt = &now
	c.AskOwner = true
	c.note(now, EvStillOnIt, Tocsin, Detail{People: []int64{*i.OwnerID}})
	c.timer(TimerAck, now.Add(AnswerWithin))
	return c
}

func (c *Change) expire(now time.Time) {
	var people []int64
	if id := c.Incident.OwnerID; id != nil {
		people = []int64{*id}
	}
	c.Changed = true
	c.note(now, EvAckExpired, Tocsin, Detail{People: people})
	c.Incident.unacknowledge()
	c.Incident.MutedUntil = nil
	c.Escalate = EscalateStart
}
