package db

import (
	"context"
	"errors"
	"time"
)

// One row that cannot be read or written must not keep its neighbours from
// being paged. Whoever works on many rows at once works on them one by one
// after a data error, ends the row that it is about in whatever way still tells
// somebody, and goes on with the others.

// PostponeFor is how long a row is put off that could not even be ended.
const PostponeFor = time.Minute

// OneByOne works on rows alone that could not be worked on together. one works
// on a row and returns how much it found; a row with a data error is given up,
// and where that fails by a data error too, put off. It returns how much was
// found that is not put off, and stops where the database is away or nobody can
// decide; any other error keeps the rows behind it from nothing.
func OneByOne(ctx context.Context, ids []int64, one func(id int64) (int, error), giveUp func(id int64, cause error) error, putOff func(id int64) error) (int, error) {
	found := 0
	var failed error
	for _, id := range ids {
		n, err := one(id)
		found += n
		if IsDataError(err) {
			found++
			if err = giveUp(id, err); IsDataError(err) {
				found--
				err = putOff(id)
			}
		}
		var other DecisionError
		if errors.As(err, &other) || IsUnavailable(err) || ctx.Err() != nil {
			return found, errors.Join(failed, err)
		}
		failed = errors.Join(failed, err)
	}
	return found, failed
}

// Postpone puts a row off that could not even be ended, so that the others do not
// wait for it. Should that fail by a data error as well, only the log says so.
func (db *DB) Postpone(ctx context.Context, what string, id int64, putOff func(tx *Tx) error) error {
	err := db.InTx(ctx, putOff)
	if IsDataError(err) {
		db.Log.ErrorContext(ctx, "a row cannot even be put off", "what", what, "id", id, "error", err)
		return nil
	}
	return err
}

// PostponeRow is putting off by one statement.
func (tx *Tx) PostponeRow(ctx context.Context, query string, until time.Time, id int64) error {
	_, err := tx.ExecContext(ctx, query, until, id)
	return err
}
