package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// timers carries out what was put off. What each kind leads to may happen more
// than once: it looks at the state it finds.
type timers struct {
	db        *store.Store
	incidents *incident.Service
	now       func() time.Time
	log       *slog.Logger
}

func (t *timers) sweep(ctx context.Context) (int, error) {
	due, err := t.db.Paging.DueTimers(ctx, t.now(), 100)
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		end := t.db.Paging.DoneTimer
		if err := t.carryOut(ctx, d); err != nil {
			// It is tried again, and the others do not wait for it.
			t.log.ErrorContext(ctx, "a timer could not be carried out; it is tried again in a minute", "kind", d.Kind, "subject", d.Subject, "error", err)
			end = func(ctx context.Context, d paging.Timer) error {
				return t.db.Paging.PostponeTimer(ctx, d, t.now().Add(time.Minute))
			}
		}
		if err := end(ctx, d); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func (t *timers) carryOut(ctx context.Context, d paging.Timer) error {
	var err error
	switch d.Kind {
	case incident.TimerQuietPeriod:
		err = t.incidents.QuietPeriodDue(ctx, d.Subject)
	case incident.TimerAck:
		err = t.incidents.AckDue(ctx, d.Subject)
	case paging.TimerPassOver:
		err = t.db.Paging.PassOver(ctx, d.Subject)
	default:
		// A newer version's, perhaps, that runs beside this one.
		return fmt.Errorf("nobody here knows timers of kind %q", d.Kind)
	}
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	return err
}
