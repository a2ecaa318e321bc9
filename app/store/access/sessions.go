package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Sessions keeps browser sessions; it implements scs.CtxStore. Like their cookies,
// sessions expire by the wall clock, whatever clock the database was opened with.
type Sessions struct{ db *db.DB }

var _ scs.CtxStore = Sessions{}

// session is a row of sessions.
type session struct {
	Token     string `gorm:"primaryKey"`
	Data      []byte
	ExpiresAt time.Time
}

// Sessions is the store of browser sessions.
func (s *Store) Sessions() Sessions { return Sessions{db: s.db} }

// FindCtx implements scs.CtxStore.
func (s Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	var row session
	err = s.db.GormRead(ctx).Where("token = ? AND expires_at > ?", token, wallClock()).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("find a session: %w", err)
	}
	return row.Data, true, nil
}

// CommitCtx implements scs.CtxStore.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	row := session{Token: token, Data: data, ExpiresAt: expiry.UTC().Truncate(time.Microsecond)}
	replace := clause.OnConflict{Columns: []clause.Column{{Name: "token"}}, DoUpdates: clause.AssignmentColumns([]string{"data", "expires_at"})}
	if err := s.db.GormWrite(ctx).Clauses(replace).Create(&row).Error; err != nil {
		return fmt.Errorf("save a session: %w", err)
	}
	return nil
}

// DeleteCtx implements scs.CtxStore.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	if err := s.db.GormWrite(ctx).Where("token = ?", token).Delete(&session{}).Error; err != nil {
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

// SweepAccess deletes expired sessions, links, saved answers and verification codes. Any
// process may call it at any time.
func (s *Store) SweepAccess(ctx context.Context) error {
	now := s.db.Now()
	for _, sweep := range []struct {
		expired string
		before  time.Time
		of      any
	}{
		{"expires_at <= ?", wallClock(), &session{}},
		// Kept a day longer, so that late use is answered with "expired".
		{"expires_at <= ?", now.Add(-24 * time.Hour), &auth.OneTimeLink{}},
		{"expires_at <= ? AND used_at IS NULL", now.Add(-30 * 24 * time.Hour), &auth.Invitation{}},
		{"created_at <= ? AND actor <> '" + auth.TextsActor + "'", now.Add(-auth.IdempotencyLifetime), &idempotencyKey{}},
	} {
		if err := s.db.GormWrite(ctx).Where(sweep.expired, sweep.before).Delete(sweep.of).Error; err != nil {
			return fmt.Errorf("delete expired rows: %w", err)
		}
	}
	return paging.ForgetCodes(ctx, s.db, now.Add(-notify.CodeLasts))
}
