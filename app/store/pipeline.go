package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// writing is a statement that nothing later in its transaction reads from.
type writing struct {
	what  string // for errors
	query string
	args  []any
	// all means that fewer than rows were a lost race.
	all  bool
	rows int64
}

// write runs a statement: at once, or, in a transaction that is pipelined,
// together with the other writes in one round trip to PostgreSQL, before the
// next read or the commit.
func (tx *Tx) write(ctx context.Context, w writing) error {
	if tx.pipelined {
		tx.queue = append(tx.queue, w)
		return nil
	}
	res, err := tx.ExecContext(ctx, w.query, w.args...)
	if err != nil {
		return fmt.Errorf("%s: %w", w.what, err)
	}
	n, err := res.RowsAffected()
	return w.check(n, err)
}

// derived prepares a transaction that writes only what follows from what stands
// there already: firing a step, planning a page. PostgreSQL need not wait for
// the disk with it. Should the machine die, it is still due and done again; and
// before a message goes out, its claim waits for the disk, and with it for all
// that came before.
func (tx *Tx) derived(ctx context.Context) error {
	if tx.db.dialect != onPostgres {
		return nil
	}
	tx.pipelined = true
	return tx.write(ctx, writing{what: "leave the disk alone", query: "SET LOCAL synchronous_commit TO off"})
}

func (w writing) check(rows int64, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", w.what, err)
	}
	if w.all && rows != w.rows {
		return errRaced
	}
	return nil
}

// flush sends what is queued.
func (tx *Tx) flush(ctx context.Context) error {
	if len(tx.queue) == 0 {
		return nil
	}
	queue := tx.queue
	tx.queue = nil
	return tx.conn.Raw(func(driver any) error {
		batch := &pgx.Batch{}
		for _, w := range queue {
			batch.Queue(w.query, w.args...)
		}
		results := driver.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		var failed error
		for _, w := range queue {
			tag, err := results.Exec()
			if failed == nil {
				failed = w.check(tag.RowsAffected(), err)
			}
		}
		if err := results.Close(); failed == nil {
			failed = err
		}
		return failed
	})
}
