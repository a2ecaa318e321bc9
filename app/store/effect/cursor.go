package effect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

var _ effect.Store = (*Store)(nil)

// consumer is a row of effect_consumers, without its lease. What changes a lease, or
// depends on one, is plain SQL: leases go by a clock of their own.
type consumer struct {
	Name        string `gorm:"primaryKey"`
	Kinds       string // joined by commas; empty for all
	Cursor      int64
	Tries       int
	RetryAt     *time.Time
	LastError   string
	FailedEvent *int64
	ChangedAt   time.Time
}

func (consumer) TableName() string { return "effect_consumers" }

// Register implements effect.Store.
func (s *Store) Register(ctx context.Context, name string, kinds []incident.EventKind) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		// PostgreSQL's index of ids does not find the highest; the sequence knows it.
		end := "(SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'timeline_events'), 0))"
		if tx.DB.Dialect == db.Postgres {
			end = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM timeline_events_id_seq)"
		}
		known := clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"kinds", "changed_at"})}
		err := tx.Gorm.WithContext(ctx).Model(&consumer{}).Clauses(known).Create(map[string]any{
			"name": name, "kinds": joinKinds(kinds), "cursor": gorm.Expr(end), "tries": 0, "last_error": "", "changed_at": tx.DB.Now(),
		}).Error
		if err != nil {
			return fmt.Errorf("register consumer %s: %w", name, err)
		}
		return nil
	})
}

func joinKinds(kinds []incident.EventKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

func splitKinds(joined string) []incident.EventKind {
	if joined == "" {
		return nil
	}
	var kinds []incident.EventKind
	for name := range strings.SplitSeq(joined, ",") {
		kinds = append(kinds, incident.EventKind(name))
	}
	return kinds
}

// See implements effect.Store.
func (s *Store) See(ctx context.Context, name string) error {
	_, err := s.set(ctx, "changed_at = $2", "name = $1", name, s.db.Now())
	return err
}

// Unregister implements effect.Store.
func (s *Store) Unregister(ctx context.Context, name string, before time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		free, args := s.db.Unleased(3, name, before.UTC())
		if _, err := tx.ExecContext(ctx, "DELETE FROM effect_consumers WHERE name = $1 AND changed_at < $2 AND "+free, args...); err != nil {
			return fmt.Errorf("unregister consumer %s: %w", name, err)
		}
		return nil
	})
}

// Cursor implements effect.Store.
func (s *Store) Cursor(ctx context.Context, name string) (effect.Cursor, error) {
	var c effect.Cursor
	free, args := s.db.Unleased(2, name)
	err := s.db.Read.QueryRowContext(ctx, s.db.Rebind("SELECT cursor, tries, retry_at, changed_at, NOT "+free+" FROM effect_consumers WHERE name = $1"), args...).
		Scan(&c.Position, &c.Tries, &c.RetryAt, &c.SeenAt, &c.Held)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, fault.NotFound("No consumer %s is registered.", name)
	case err != nil:
		return c, fmt.Errorf("read cursor of %s: %w", name, err)
	}
	return c, nil
}

// Skip implements effect.Store.
func (s *Store) Skip(ctx context.Context, name string, from, to int64) error {
	free, args := s.db.Unleased(5, name, from, to, s.db.Now())
	_, err := s.set(ctx, "cursor = $3, changed_at = $4", "name = $1 AND cursor = $2 AND "+free, args...)
	return err
}

// Claim implements effect.Store.
func (s *Store) Claim(ctx context.Context, name string, position int64) (effect.Claim, bool, error) {
	free, args := s.db.Unleased(4, name, position, s.db.Owner)
	until, args := s.db.LeaseEnd(len(args)+1, args...)
	ok, err := s.set(ctx, "lease_owner = $3, lease_until = "+until, "name = $1 AND cursor = $2 AND "+free, args...)
	return effect.Claim{Name: name, Position: position}, ok, err
}

// fence is true of the consumer of a claim while its lease is this process's.
const fence = "name = $1 AND cursor = $2 AND lease_owner = $3"

// Renew implements effect.Store.
func (s *Store) Renew(ctx context.Context, c effect.Claim) (bool, error) {
	until, args := s.db.LeaseEnd(4, c.Name, c.Position, s.db.Owner)
	return s.set(ctx, "lease_until = "+until, fence, args...)
}

// Advance implements effect.Store.
func (s *Store) Advance(ctx context.Context, c effect.Claim, to int64, aside []effect.SetAside) (bool, error) {
	held := false
	err := s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		now := tx.DB.Now()
		var err error
		held, err = setConsumer(ctx, tx, `cursor = $4, lease_owner = NULL, lease_until = NULL, tries = 0, retry_at = NULL, last_error = '', failed_event = NULL,
			changed_at = $5`, fence, c.Name, c.Position, s.db.Owner, to, now)
		if err != nil || !held {
			return err
		}
		return tx.InsertRows(ctx, "effect_failures", len(aside), "ON CONFLICT (consumer, event_id) DO NOTHING",
			db.ColOf("consumer", "text", aside, func(*effect.SetAside) string { return c.Name }),
			db.ColOf("event_id", "bigint", aside, func(a *effect.SetAside) int64 { return a.EventID }),
			db.ColOf("error", "text", aside, func(a *effect.SetAside) string { return readable(a.Error) }),
			db.ColOf("tries", "int", aside, func(a *effect.SetAside) int { return a.Tries }),
			db.ColOf("at", "timestamptz", aside, func(*effect.SetAside) time.Time { return now }))
	})
	return held, err
}

// Fail implements effect.Store.
func (s *Store) Fail(ctx context.Context, c effect.Claim, f effect.Failure) error {
	var event *int64
	if f.EventID != 0 {
		event = &f.EventID
	}
	_, err := s.set(ctx, "lease_owner = NULL, lease_until = NULL, tries = $4, retry_at = $5, last_error = $6, failed_event = $7, changed_at = $8", fence,
		c.Name, c.Position, s.db.Owner, f.Tries, f.RetryAt.UTC(), readable(f.Error), event, s.db.Now())
	return err
}

// Release implements effect.Store.
func (s *Store) Release(ctx context.Context, c effect.Claim) error {
	_, err := s.set(ctx, "lease_owner = NULL, lease_until = NULL", fence, c.Name, c.Position, s.db.Owner)
	return err
}

// Unavailable implements effect.Store.
func (s *Store) Unavailable(err error) bool { return db.IsUnavailable(err) || db.IsRace(err) }

// set updates one consumer in a transaction of its own and reports whether the
// condition was true of it.
func (s *Store) set(ctx context.Context, set, where string, args ...any) (bool, error) {
	changed := false
	err := s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		var err error
		changed, err = setConsumer(ctx, tx, set, where, args...)
		return err
	})
	return changed, err
}

func setConsumer(ctx context.Context, tx *db.Tx, set, where string, args ...any) (bool, error) {
	result, err := tx.ExecContext(ctx, "UPDATE effect_consumers SET "+set+" WHERE "+where, args...)
	if err != nil {
		return false, fmt.Errorf("update consumer %s: %w", args[0], err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// maxError bounds the error texts that are kept, in bytes.
const maxError = 2000

// readable cuts an error's text to what every database takes.
func readable(text string) string {
	if len(text) > maxError {
		text = text[:maxError]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "�")
}
