package paging

import (
	"context"
	"time"
)

// NextDue is the earliest instant at which something becomes due; ok is false
// where nothing ever will.
func (s *Store) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	for _, query := range []string{
		"SELECT min(next_action_at) FROM escalations WHERE next_action_at IS NOT NULL",
		"SELECT min(notify_at) FROM pages WHERE notify_at IS NOT NULL",
		"SELECT min(due_at) FROM messages WHERE state = '" + Queued + "'",
	} {
		due, err := s.db.Earliest(ctx, query)
		if err != nil {
			return at, ok, err
		}
		if due != nil && (!ok || due.Before(at)) {
			at, ok = *due, true
		}
	}
	return at, ok, nil
}

// Backlogs count the rows that are due and not claimed, by loop, which is named for
// the table of its rows.
func (s *Store) Backlogs() map[string]func(context.Context) (int64, error) {
	all := map[string]func(context.Context) (int64, error){}
	for table, due := range map[string]string{
		"escalations": "next_action_at <= ?",
		"pages":       "notify_at <= ?",
		"messages":    "state = '" + Queued + "' AND due_at <= ?",
		"timers":      "due_at <= ? AND lease_owner IS NULL",
	} {
		all[table] = func(ctx context.Context) (n int64, err error) {
			err = s.db.GormRead(ctx).Table(table).Where(due, s.db.Now()).Count(&n).Error
			return n, err
		}
	}
	return all
}
