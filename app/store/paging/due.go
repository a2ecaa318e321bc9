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

// Backlogs count the rows that are due and not claimed, by loop.
func (s *Store) Backlogs() map[string]func(context.Context) (int64, error) {
	all := map[string]func(context.Context) (int64, error){}
	for loop, query := range map[string]string{
		"escalations": "SELECT count(*) FROM escalations WHERE next_action_at <= $1",
		"pages":       "SELECT count(*) FROM pages WHERE notify_at <= $1",
		"messages":    "SELECT count(*) FROM messages WHERE state = '" + Queued + "' AND due_at <= $1",
		"timers":      "SELECT count(*) FROM timers WHERE due_at <= $1 AND lease_owner IS NULL",
	} {
		all[loop] = func(ctx context.Context) (n int64, err error) {
			err = s.db.Read.QueryRowContext(ctx, s.db.Rebind(query), s.db.Now()).Scan(&n)
			return n, err
		}
	}
	return all
}
