package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
)

// effects checks the consumers of the timeline and the timers. A late timer delays a
// page; the others stop no page.
func (d *diagnosis) effects(ctx context.Context, in *installation) error {
	consumers, err := in.db.Effects.Status(ctx)
	if err != nil {
		return err
	}
	for _, c := range consumers {
		d.consumer(c, in.db.Now())
	}
	timers, err := in.db.Effects.TimerStatus(ctx)
	if err != nil {
		return err
	}
	switch {
	case timers.Late > 0:
		d.warning("timers", "%s due for more than a minute. Is `tocsin serve` running?", are(int(timers.Late), "timer"))
	case timers.Failing > 0:
		d.warning("timers", "%s failed and will be tried again; the server's log has the errors.", counted(int(timers.Failing), "timer"))
	default:
		d.ok("timers", "none is late")
	}
	return nil
}

func (d *diagnosis) consumer(c effect.Status, now time.Time) {
	subject := "effect " + c.Name
	fine := true
	if c.SetAside > 0 {
		fine = false
		d.warning(subject, "%s set aside, since the consumer fails with them; the table effect_failures has the errors.", are(int(c.SetAside), "event"))
	}
	switch waiting := counted(int(c.Behind), "event"); {
	case c.Tries > 0:
		at := ""
		if c.EventID != 0 {
			at = fmt.Sprintf(" (first at event %d)", c.EventID)
		}
		d.warning(subject, "It failed %s in a row%s; %s waiting: %s", counted(c.Tries, "time"), at, waiting, c.Error)
	case c.Oldest != nil && now.Sub(*c.Oldest) > effect.LateAfter:
		d.warning(subject, "It is behind: %s, the first from %s. Is `tocsin serve` running?", waiting, c.Oldest.UTC().Format(time.RFC3339))
	case fine:
		d.ok(subject, "it follows the timeline")
	}
}
