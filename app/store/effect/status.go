package effect

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Status is the status of each consumer, by name.
func (s *Store) Status(ctx context.Context) ([]effect.Status, error) {
	var rows []struct {
		Consumer consumer `gorm:"embedded"`
		SetAside int64
	}
	err := s.db.GormRead(ctx).Table("effect_consumers AS c").
		Select("c.*, (SELECT count(*) FROM effect_failures f WHERE f.consumer = c.name) AS set_aside").Order("c.name").Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	all := make([]effect.Status, len(rows))
	for i, r := range rows {
		c := r.Consumer
		all[i] = effect.Status{Name: c.Name, Tries: c.Tries, RetryAt: c.RetryAt, Error: c.LastError, SetAside: r.SetAside}
		if c.FailedEvent != nil {
			all[i].EventID = *c.FailedEvent
		}
		if err := s.behind(ctx, &all[i], c); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// behind counts the events that a consumer has not received yet. Served by
// timeline_events_id.
func (s *Store) behind(ctx context.Context, into *effect.Status, c consumer) error {
	g := s.db.GormRead(ctx).Table("timeline_events").Where("id > ?", c.Cursor)
	if kinds := splitKinds(c.Kinds); kinds != nil {
		g = g.Where("kind IN ?", kinds)
	}
	g = g.Session(&gorm.Session{}) // used twice
	if err := s.db.GormRead(ctx).Table("(?) AS behind", g.Select("1").Limit(effect.MaxBehind)).Count(&into.Behind).Error; err != nil {
		return fmt.Errorf("count the events of consumer %s: %w", into.Name, err)
	}
	if into.Behind == 0 {
		return nil
	}
	var oldest []time.Time
	if err := g.Order("id").Limit(1).Pluck("at", &oldest).Error; err != nil {
		return fmt.Errorf("read the events of consumer %s: %w", into.Name, err)
	}
	if len(oldest) > 0 {
		into.Oldest = &oldest[0]
	}
	return nil
}

// TimerStatus counts timers.
func (s *Store) TimerStatus(ctx context.Context) (effect.TimerStatus, error) {
	var t effect.TimerStatus
	now := s.db.Now()
	err := s.db.GormRead(ctx).Table("timers").Select(`count(CASE WHEN due_at > ? THEN 1 END) AS waiting,
		count(CASE WHEN due_at <= ? THEN 1 END) AS late, count(CASE WHEN tries > 0 THEN 1 END) AS failing`, now, now.Add(-effect.LateAfter)).Scan(&t).Error
	if err != nil {
		return t, fmt.Errorf("count timers: %w", err)
	}
	return t, nil
}

// NextDue is the earliest instant at which a timer of some kinds or a failed
// consumer is due; ok is false where none ever will be. Other kinds are left out: this
// process does not act on them.
func (s *Store) NextDue(ctx context.Context, timers, consumers []string) (at time.Time, ok bool, err error) {
	ofKind, kinds := db.InTexts("kind", 1, timers)
	named, names := db.InTexts("name", 1, consumers)
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"SELECT min(due_at) FROM timers WHERE " + ofKind, kinds},
		{"SELECT min(retry_at) FROM effect_consumers WHERE " + named, names},
	} {
		due, err := s.db.Earliest(ctx, q.query, q.args...)
		if err != nil {
			return at, ok, err
		}
		if due != nil && (!ok || due.Before(at)) {
			at, ok = *due, true
		}
	}
	return at, ok, nil
}
