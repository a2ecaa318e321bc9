package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// TimerOutage is the kind of the timer that tells the administrators of channels
// that do not work, and that they work again. Its subject is 0.
const TimerOutage = "outage"

// TellOutage implements notify.OutageStore.
func (s *Store) TellOutage(ctx context.Context, m notify.Medium, notices []notify.OutageNotice, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE channel_states SET told_at = $1 WHERE medium = $2 AND broken_since IS NOT NULL", now, m)
		if err != nil {
			return fmt.Errorf("record that administrators were told: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil // it works again
		}
		return queueNotices(ctx, tx, notices, now)
	})
}

func queueNotices(ctx context.Context, tx *db.Tx, notices []notify.OutageNotice, now time.Time) error {
	for _, n := range notices {
		if err := QueueNotice(ctx, tx, notify.KindNotice, n.To, incident.High, n.Text, now); err != nil {
			return err
		}
	}
	return nil
}

// Recoveries implements notify.OutageStore.
func (s *Store) Recoveries(ctx context.Context) ([]notify.Recovery, error) {
	var all []notify.Recovery
	if err := s.db.GormRead(ctx).Order("id").Find(&all).Error; err != nil {
		return nil, fmt.Errorf("read recoveries of channels: %w", err)
	}
	return all, nil
}

// TellRecovery implements notify.OutageStore.
func (s *Store) TellRecovery(ctx context.Context, id int64, notices []notify.OutageNotice, now time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		deleted := tx.Gorm.Delete(&notify.Recovery{ID: id})
		if deleted.Error != nil {
			return fmt.Errorf("delete a channel's recovery: %w", deleted.Error)
		}
		if deleted.RowsAffected == 0 {
			return nil // another process tells of it
		}
		return queueNotices(ctx, tx, notices, now)
	})
}

// TellAgain implements notify.OutageStore.
func (s *Store) TellAgain(ctx context.Context, at time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error { return tellBy(ctx, tx, at) })
}

// tellBy sets the timer of outages, unless it is set to an earlier time and not being
// carried out: another channel may have broken before, or meanwhile.
func tellBy(ctx context.Context, tx *db.Tx, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ($1, 0, 0, $2)
		ON CONFLICT (kind, subject, occurrence) DO UPDATE SET tries = 0, lease_owner = NULL, lease_until = NULL,
			due_at = CASE WHEN timers.lease_owner IS NULL AND timers.due_at < excluded.due_at THEN timers.due_at ELSE excluded.due_at END`, TimerOutage, at)
	if err != nil {
		return fmt.Errorf("set the timer of outages: %w", err)
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToTime})
}
