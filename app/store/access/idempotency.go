package access

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// BeginRequest claims a request's key and sets BegunAt. An answer that is not nil
// was given to the same request before and must be returned again. Fault: Conflict
// where the key belongs to another request, or the same one is still in progress.
func (s *Store) BeginRequest(ctx context.Context, r *auth.IdempotentRequest) (*auth.KeptAnswer, error) {
	if r.Key == "" || len(r.Key) > auth.MaxIdempotencyKey {
		return nil, fault.Invalid("An Idempotency-Key has 1 to %d characters.", auth.MaxIdempotencyKey)
	}
	return db.Returning(ctx, s.db, func(tx *db.Tx) (*auth.KeptAnswer, error) {
		r.BegunAt = s.db.Now()
		// Keys of requests that never finished or were answered long ago are reused.
		_, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE actor = $1 AND key = $2
			AND (created_at <= $3 OR status = 0 AND created_at <= $4)`,
			r.Actor, r.Key, r.BegunAt.Add(-auth.IdempotencyLifetime), r.BegunAt.Add(-auth.IdempotencyAbandoned))
		if err != nil {
			return nil, fmt.Errorf("claim an idempotency key: %w", err)
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO idempotency_keys (actor, key, request_hash, created_at)
			VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, r.Actor, r.Key, r.Hash, r.BegunAt)
		if err != nil {
			return nil, fmt.Errorf("claim an idempotency key: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return nil, err
		}
		return keptAnswer(ctx, tx, r)
	})
}

func keptAnswer(ctx context.Context, tx *db.Tx, r *auth.IdempotentRequest) (*auth.KeptAnswer, error) {
	var hash []byte
	var kept auth.KeptAnswer
	err := tx.QueryRowContext(ctx, "SELECT request_hash, status, body FROM idempotency_keys WHERE actor = $1 AND key = $2",
		r.Actor, r.Key).Scan(&hash, &kept.Status, &kept.Body)
	switch {
	case errors.Is(err, sql.ErrNoRows): // deleted meanwhile
		return nil, db.ErrRaced
	case err != nil:
		return nil, fmt.Errorf("read a saved answer: %w", err)
	case !bytes.Equal(hash, r.Hash):
		return nil, fault.Conflict("This Idempotency-Key was used for another request. Use a new key for each.")
	case kept.Status == 0:
		return nil, fault.Conflict("The same request is still at work. Retry in a few seconds.")
	}
	return &kept, nil
}

// FinishRequest saves the answer to a request that was begun.
func (s *Store) FinishRequest(ctx context.Context, r *auth.IdempotentRequest, answer auth.KeptAnswer) error {
	_, err := s.db.Write.ExecContext(ctx, s.db.Rebind(`UPDATE idempotency_keys SET status = $1, body = $2
		WHERE actor = $3 AND key = $4 AND created_at = $5 AND status = 0`),
		answer.Status, answer.Body, r.Actor, r.Key, r.BegunAt)
	if err != nil {
		return fmt.Errorf("save an answer: %w", err)
	}
	return nil
}

// ForgetRequest releases the key of a request that changed nothing, so that it may
// be tried again.
func (s *Store) ForgetRequest(ctx context.Context, r *auth.IdempotentRequest) error {
	_, err := s.db.Write.ExecContext(ctx, s.db.Rebind(`DELETE FROM idempotency_keys
		WHERE actor = $1 AND key = $2 AND created_at = $3 AND status = 0`), r.Actor, r.Key, r.BegunAt)
	if err != nil {
		return fmt.Errorf("release an idempotency key: %w", err)
	}
	return nil
}
