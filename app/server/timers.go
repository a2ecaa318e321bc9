package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// timers carries out what was put off. What each kind leads to may happen more
// than once: it looks at the state it finds.
type timers struct {
	db        *store.DB
	incidents *incident.Service
	now       func() time.Time
	log       *slog.Logger
}

func (t *timers) sweep(ctx context.Context) (int, error) {
	due, err := t.db.DueTimers(ctx, t.now(), 100)
	if err != nil {
		return 0, err
	}
	done := 0
	var failed error
	for _, d := range due {
		if err := t.carryOut(ctx, d); err != nil {
			// The others must not wait for this one.
			failed = errors.Join(failed, fmt.Errorf("timer %s of %d: %w", d.Kind, d.Subject, err))
			continue
		}
		if err := t.db.DoneTimer(ctx, d); err != nil {
			return done, err
		}
		done++
	}
	return done, failed
}

func (t *timers) carryOut(ctx context.Context, d store.Timer) error {
	var err error
	switch d.Kind {
	case incident.TimerSettle:
		err = t.incidents.Settle(ctx, d.Subject)
	case incident.TimerAck:
		err = t.incidents.AckDue(ctx, d.Subject)
	case store.TimerPassOver:
		err = t.db.PassOver(ctx, d.Subject, escalation.MayPassOver)
	default:
		t.log.WarnContext(ctx, "a timer of a kind that nobody knows was dropped", "kind", d.Kind, "subject", d.Subject)
	}
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	return err
}
