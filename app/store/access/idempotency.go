package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// idempotencyKey is a row of idempotency_keys.
type idempotencyKey struct {
	Actor       string `gorm:"primaryKey"`
	Key         string `gorm:"primaryKey"`
	RequestHash []byte
	Status      int // 0 while the request is in progress
	Body        []byte
	CreatedAt   time.Time
}

// begun selects the row of a request that is in progress.
func begun(g *gorm.DB, r *auth.IdempotentRequest) *gorm.DB {
	return g.Model(&idempotencyKey{}).Where("actor = ? AND key = ? AND created_at = ? AND status = 0", r.Actor, r.Key, r.BegunAt)
}

// BeginRequest claims a request's key and sets BegunAt. An answer that is not nil
// was given to the same request before and must be returned again. Fault: Conflict
// where the key belongs to another request, or the same one is still in progress.
func (s *Store) BeginRequest(ctx context.Context, r *auth.IdempotentRequest) (*auth.KeptAnswer, error) {
	if r.Key == "" || len(r.Key) > auth.MaxIdempotencyKey {
		return nil, fault.Invalid("An Idempotency-Key has 1 to %d characters.", auth.MaxIdempotencyKey)
	}
	return db.Returning(ctx, s.db, func(tx *db.Tx) (*auth.KeptAnswer, error) {
		r.BegunAt = s.db.Now()
		// Keys of requests that never finished or were answered long ago are reused; of
		// texts, those that never finished, for as long as the provider may send them again.
		long, abandoned := r.BegunAt.Add(-auth.IdempotencyLifetime), r.BegunAt.Add(-auth.IdempotencyAbandoned)
		reused := tx.Gorm.Where("created_at <= ? OR status = 0 AND created_at <= ?", long, abandoned)
		if r.Actor == auth.TextsActor {
			reused = tx.Gorm.Where("status = 0 AND created_at <= ? AND created_at > ?", abandoned, long)
		}
		err := tx.Gorm.Where("actor = ? AND key = ?", r.Actor, r.Key).Where(reused).Delete(&idempotencyKey{}).Error
		if err != nil {
			return nil, fmt.Errorf("claim an idempotency key: %w", err)
		}
		res := tx.Gorm.Clauses(clause.OnConflict{DoNothing: true}).
			Create(&idempotencyKey{Actor: r.Actor, Key: r.Key, RequestHash: r.Hash, CreatedAt: r.BegunAt})
		if err := res.Error; err != nil {
			return nil, fmt.Errorf("claim an idempotency key: %w", err)
		}
		if res.RowsAffected == 1 {
			return nil, nil
		}
		return keptAnswer(tx, r)
	})
}

func keptAnswer(tx *db.Tx, r *auth.IdempotentRequest) (*auth.KeptAnswer, error) {
	var kept idempotencyKey
	err := tx.Gorm.Where("actor = ? AND key = ?", r.Actor, r.Key).Take(&kept).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound): // deleted meanwhile
		return nil, db.ErrRaced
	case err != nil:
		return nil, fmt.Errorf("read a saved answer: %w", err)
	case !bytes.Equal(kept.RequestHash, r.Hash):
		return nil, fault.Conflict("This Idempotency-Key was used for another request. Use a new key for each.")
	case kept.Status == 0:
		return nil, fault.Conflict("The same request is still in progress. Retry in a few seconds.")
	}
	return &auth.KeptAnswer{Status: kept.Status, Body: kept.Body}, nil
}

// FinishRequest saves the answer to a request that was begun.
func (s *Store) FinishRequest(ctx context.Context, r *auth.IdempotentRequest, answer auth.KeptAnswer) error {
	err := begun(s.db.GormWrite(ctx), r).Updates(map[string]any{"status": answer.Status, "body": answer.Body}).Error
	if err != nil {
		return fmt.Errorf("save an answer: %w", err)
	}
	return nil
}

// ForgetRequest releases the key of a request that changed nothing, so that it may
// be tried again.
func (s *Store) ForgetRequest(ctx context.Context, r *auth.IdempotentRequest) error {
	if err := begun(s.db.GormWrite(ctx), r).Delete(&idempotencyKey{}).Error; err != nil {
		return fmt.Errorf("release an idempotency key: %w", err)
	}
	return nil
}
