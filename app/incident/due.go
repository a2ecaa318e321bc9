package incident

import "time"

// QuietPeriodDue is what TimerQuietPeriod leads to: the quiet period of an
// incident that is open without paging, because it flaps or because its sender
// asked for quiet, ends. firing counts its alerts that fire. Where none does, it
// resolves; where one does and nobody has acknowledged, it pages, so that no
// page is lost. escalating says that its policy runs already, such as by FiringDue:
// then it goes on where it is.
func QuietPeriodDue(now time.Time, inc Incident, firing int, escalating bool) Change {
	c := Change{Incident: inc}
	i := &c.Incident
	switch {
	case !i.Open():
		return c
	case i.FlappingSince != nil:
		if due := i.ChangedAt.Add(FlapQuiet); now.Before(due) {
			c.timer(TimerQuietPeriod, due)
			return c
		}
		// The count starts anew: what reopens after the quiet pages again.
		i.FlappingSince = nil
		i.ReopenedAt = nil
	case i.MutedUntil != nil:
		if now.Before(*i.MutedUntil) {
			c.timer(TimerQuietPeriod, *i.MutedUntil)
			return c
		}
	default:
		return c
	}
	i.MutedUntil = nil
	c.Changed = true
	c.record(now, Tocsin, QuietPeriodOverPayload{Firing: int64(firing)})
	switch {
	case firing == 0:
		i.resolve(now, Tocsin, "")
		c.record(now, Tocsin, ResolvedPayload{})
		c.Escalate = EscalateStop
	case i.Status == Triggered && !escalating:
		c.Escalate = EscalateStart
	}
	return c
}

// FiringDue is what TimerFiring leads to: a flapping incident has been firing for the
// service's reopen window without a recovery. It pages, unless somebody has
// acknowledged or is paged already, such as by a raise.
func FiringDue(now time.Time, inc Incident, firing int, escalating bool) Change {
	c := Change{Incident: inc}
	if inc.FlappingSince == nil || inc.Status != Triggered || firing == 0 || escalating {
		return c
	}
	c.Changed = true
	c.Escalate = EscalateStart
	c.record(now, Tocsin, StillFiringPayload{Since: inc.ChangedAt.UTC().Truncate(time.Second)})
	return c
}

// AckDue is what TimerAck leads to. It asks the owner of an acknowledged
// incident whether they are still on it once the acknowledgment is older than
// expires (0 for never), and starts the policy again once they have been asked,
// by it or by a raise, and have not answered within AnswerWithin.
func AckDue(now time.Time, inc Incident, expires time.Duration) Change {
	c := Change{Incident: inc}
	i := &c.Incident
	if i.Status != Acknowledged || i.SnoozedUntil != nil { // SnoozeDue ends both
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
	c.record(now, Tocsin, StillOnItPayload{People: []int64{*i.OwnerID}})
	c.timer(TimerAck, now.Add(AnswerWithin))
	return c
}

func (c *Change) expire(now time.Time) {
	var people []int64
	if id := c.Incident.OwnerID; id != nil {
		people = []int64{*id}
	}
	c.record(now, Tocsin, AckExpiredPayload{People: people})
	c.giveBack()
}

// giveBack ends an acknowledgment and starts the policy again.
func (c *Change) giveBack() {
	c.Incident.unacknowledge()
	c.Incident.MutedUntil = nil
	c.Changed = true
	c.Escalate = EscalateStart
}
