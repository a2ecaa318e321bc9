package db

import (
	"context"
	"errors"
	"time"
)

// One row that cannot be read or written must not stop the paging for other rows.
// After a data error a batch is processed one by one: the row that causes the error
// is given up in a way that somebody still learns of, and the others are processed.

// PostponeFor is how long a row is postponed that could not be given up.
const PostponeFor = time.Minute

// OneByOne processes rows singly that could not be processed together. one processes
// a row and returns how many were due; a row with a data error is given up, and
// where that fails by a data error too, postponed. It returns how many were due and
// not postponed. It stops where the database is unavailable or the decision function
// fails; after any other error it goes on, and returns the error at the end.
func OneByOne(ctx context.Context, ids []int64, one func(id int64) (int, error), giveUp func(id int64, cause error) error, postpone func(id int64) error) (int, error) {
	count := 0
	var failed error
	for _, id := range ids {
		n, err := one(id)
		count += n
		if IsDataError(err) {
			count++
			if err = giveUp(id, err); IsDataError(err) {
				count--
				err = postpone(id)
			}
		}
		var other DecisionError
		if errors.As(err, &other) || IsUnavailable(err) || ctx.Err() != nil {
			return count, errors.Join(failed, err)
		}
		failed = errors.Join(failed, err)
	}
	return count, failed
}

// Postpone postpones a row that could not be given up, so that the others do not
// wait for it. A data error is logged and not returned.
func (db *DB) Postpone(ctx context.Context, what string, id int64, postpone func(tx *Tx) error) error {
	err := db.InTx(ctx, postpone)
	if IsDataError(err) {
		db.Log.ErrorContext(ctx, "postpone failed", "what", what, "id", id, "error", err)
		return nil
	}
	return err
}

// PostponeRow postpones a row by a statement with the parameters until and id.
func (tx *Tx) PostponeRow(ctx context.Context, query string, until time.Time, id int64) error {
	_, err := tx.ExecContext(ctx, query, until, id)
	return err
}
