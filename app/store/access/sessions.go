package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Sessions keeps browser sessions; it implements scs.CtxStore. Like their cookies,
// sessions expire by the wall clock, whatever clock the database was opened with.
type Sessions struct{ db *db.DB }

var _ scs.CtxStore = Sessions{}

// Sessions is the store of browser sessions.
func (s *Store) Sessions() Sessions { return Sessions{db: s.db} }

// FindCtx implements scs.CtxStore.
func (s Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	query := s.db.Rebind("SELECT data FROM sessions WHERE token = $1 AND expires_at > $2")
	err = s.db.Read.QueryRowContext(ctx, query, token, wallClock()).Scan(&data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("find a session: %w", err)
	}
	return data, true, nil
}

// CommitCtx implements scs.CtxStore.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	_, err := s.db.Write.ExecContext(ctx, s.db.Rebind(`INSERT INTO sessions (token, data, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`),
		token, data, expiry.UTC().Truncate(time.Microsecond))
	if err != nil {
		return fmt.Errorf("save a session: %w", err)
	}
	return nil
}

// DeleteCtx implements scs.CtxStore.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	if _, err := s.db.Write.ExecContext(ctx, s.db.Rebind("DELETE FROM sessions WHERE token = $1"), token); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// Find, Commit and Delete complete scs.Store, which is called only where there
// is no context.

// Find implements scs.Store.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit implements scs.Store.
func (s Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete implements scs.Store.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

func wallClock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// SweepAccess deletes expired sessions, links and saved answers. Any process may call
// it at any time.
func (s *Store) SweepAccess(ctx context.Context) error {
	now := s.db.Now()
	for _, sweep := range []struct {
		query  string
		before time.Time
	}{
		{"DELETE FROM sessions WHERE expires_at <= $1", wallClock()},
		// Kept a day longer, so that late use is answered with "expired".
		{"DELETE FROM one_time_links WHERE expires_at <= $1", now.Add(-24 * time.Hour)},
		{"DELETE FROM idempotency_keys WHERE created_at <= $1", now.Add(-auth.IdempotencyLifetime)},
	} {
		if _, err := s.db.Write.ExecContext(ctx, s.db.Rebind(sweep.query), sweep.before); err != nil {
			return fmt.Errorf("delete expired rows: %w", err)
		}
	}
	return nil
}
