package paging

import (
	"context"
	"time"
)

// dueTimes are the columns by which rows become due, by loop. Each is served by an index
// of its own, but for that of channel_states, which has few rows.
var dueTimes = []struct{ loop, table, column, condition string }{
	{"escalations", "escalations", "next_action_at", "next_action_at IS NOT NULL"},
	{"pages", "pages", "notify_at", "notify_at IS NOT NULL"},
	{"messages", "messages", "due_at", "state = '" + Queued + "'"},
	{"messages", "channel_states", "probe_at", "probe_at IS NOT NULL"},
}

// NextDue is the earliest instant at which something becomes due; ok is false
// where nothing ever will.
func (s *Store) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	for _, d := range dueTimes {
		due, err := s.db.Earliest(ctx, "SELECT min("+d.column+") FROM "+d.table+" WHERE "+d.condition)
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
	queries := map[string][]string{"timers": {"SELECT min(due_at) FROM timers WHERE due_at > $1"}}
	for _, d := range dueTimes {
		queries[d.loop] = append(queries[d.loop], "SELECT min("+d.column+") FROM "+d.table+" WHERE "+d.condition+" AND "+d.column+" > $1")
	}
	all := map[string]func(context.Context, time.Time) (*time.Time, error){}
	for loop, of := range queries {
		all[loop] = func(ctx context.Context, after time.Time) (*time.Time, error) {
			var first *time.Time
			for _, query := range of {
				due, err := s.db.Earliest(ctx, query, after)
				if err != nil {
					return nil, err
				}
				if due != nil && (first == nil || due.Before(*first)) {
					first = due
				}
			}
			return first, nil
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
