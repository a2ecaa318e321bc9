package effect

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Off forgets a consumer that this process has switched off, once no other
// process has had it switched on for UnusedAfter: while servers are changed one
// by one, another may still work on it. Should it be switched on again later, it
// starts at the end of the timeline.
type Off struct {
	Name  string
	Store Store
	// Now is the clock of due times.
	Now func() time.Time

	next time.Time // before then it does not look
}

// Sweep looks every SeenEvery whether the consumer is unused. It is not safe for
// concurrent use. The number is always 0.
func (o *Off) Sweep(ctx context.Context) (int, error) {
	now := o.Now()
	if now.Before(o.next) {
		return 0, nil
	}
	cursor, err := o.Store.Cursor(ctx, o.Name)
	if err == nil && !cursor.Held && now.Sub(cursor.SeenAt) > UnusedAfter {
		err = o.Store.Unregister(ctx, o.Name, now.Add(-UnusedAfter))
	}
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return 0, err
	}
	o.next = now.Add(SeenEvery)
	return 0, nil
}
