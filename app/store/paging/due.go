package paging

import (
	"context"
	"time"
)

// dueTimes are the columns by which rows become due, by loop, which is named for the
// table of its rows. Each is served by an index of its own.
var dueTimes = map[string]struct{ column, condition string }{
	"escalations": {"next_action_at", "next_action_at IS NOT NULL"},
	"pages":       {"notify_at", "notify_at IS NOT NULL"},
	"messages":    {"due_at", "state = '" + Queued + "'"},
}

// NextDue is the earliest instant at which something becomes due; ok is false
// where nothing ever will.
func (s *Store) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	for table, d := range dueTimes {
		due, err := s.db.Earliest(ctx, "SELECT min("+d.column+") FROM "+table+" WHERE "+d.condition)
		if err != nil {
			return at, ok, err
		}
		if due != nil && (!ok || due.Before(at)) {
			at, ok = *due, true
		}
	}
	return at, ok, nil
}

// Upcoming are the earliest instants after another at which a row becomes due, by loop;
// nil where none does.
func (s *Store) Upcoming() map[string]func(ctx context.Context, after time.Time) (*time.Time, error) {
	all := map[string]func(context.Context, time.Time) (*time.Time, error){
		"timers": func(ctx context.Context, after time.Time) (*time.Time, error) {
			return s.db.Earliest(ctx, "SELECT min(due_at) FROM timers WHERE due_at > $1", after)
		},
	}
	for table, d := range dueTimes {
		query := "SELECT min(" + d.column + ") FROM " + table + " WHERE " + d.condition + " AND " + d.column + " > $1"
		all[table] = func(ctx context.Context, after time.Time) (*time.Time, error) {
			return s.db.Earliest(ctx, query, after)
		}
	}
	return all
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
