package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// statement is one of several that travel together.
type statement struct {
	what  string // for errors: "read alerts"
	query string
	args  []any
	// each takes the rows of a query one by one; nil for a write.
	each func(scan func(into ...any) error) error
}

// piping is what a pipelined transaction has yet to send.
type piping struct {
	queue  []statement
	begun  bool // something was sent
	broken error
	raw    func(func(driver any) error) error
}

var (
	begin  = statement{what: "begin", query: "BEGIN"}
	commit = statement{what: "commit", query: "COMMIT"}
	// inMemory has PostgreSQL commit without waiting for the disk.
	inMemory = statement{what: "leave the disk alone", query: "SET LOCAL synchronous_commit TO off"}
	// inAHurry has the others go on without a process that stands still in the
	// middle, as one does whose machine is suspended.
	inAHurry = statement{what: "promise to hurry", query: "SET LOCAL idle_in_transaction_session_timeout TO '3s'"}
)

// rollbackWithin bounds the wait for a server that may be gone: the connection is
// given up after it, and the transaction with it.
const rollbackWithin = 2 * time.Second

// piped is once for the hot paths. On PostgreSQL the transaction begins
// together with the first statements of fn, its writes wait for one another,
// and the last of them travel with the commit: two round trips where nothing
// depends on what a write returns.
func (db *DB) piped(ctx context.Context, fn func(tx *Tx) error, first ...statement) error {
	if db.dialect == onSQLite {
		return db.once(ctx, fn)
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = conn.Close() }()
	tx := &Tx{handle: conn, db: db, piping: &piping{raw: conn.Raw}}
	tx.piping.queue = append(append(tx.piping.queue, begin), first...)
	if err = fn(tx); err == nil && tx.piping.broken == nil {
		err = tx.commit(ctx)
	}
	if tx.piping.broken != nil {
		err = tx.piping.broken
	}
	if err != nil {
		if tx.piping.begun {
			rollback, end := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
			defer end()
			_, _ = conn.ExecContext(rollback, "ROLLBACK")
		}
		return err
	}
	tx.runAfter()
	return nil
}

// derived is inTx for a transaction that writes only what follows from what
// stands there already: firing a step, planning a page. PostgreSQL need not
// wait for the disk with it. Should the machine die, it is still due and done
// again; and before a message goes out, its claim waits for the disk, and with
// it for all that came before.
func (db *DB) derived(ctx context.Context, fn func(tx *Tx) error) error {
	return again(func() error { return db.piped(ctx, fn, inMemory, inAHurry) })
}

// write runs a statement: at once, or, in a transaction that is pipelined,
// together with the others that wait, before the next read or with the commit.
func (tx *Tx) write(ctx context.Context, what, query string, args ...any) error {
	if tx.piping != nil {
		tx.piping.queue = append(tx.piping.queue, statement{what: what, query: query, args: args})
		return nil
	}
	if _, err := tx.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// reads runs queries that do not depend on one another: in one round trip
// where the transaction is pipelined. What a write before them changed, they
// see.
func (tx *Tx) reads(ctx context.Context, queries ...statement) error {
	if tx.piping != nil {
		tx.piping.queue = append(tx.piping.queue, queries...)
		return tx.flush(ctx)
	}
	for _, q := range queries {
		if err := tx.readOne(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
	}
	return nil
}

func (tx *Tx) readOne(ctx context.Context, q statement) error {
	rows, err := tx.QueryContext(ctx, q.query, q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := q.each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// commit sends what is left, and the commit with it. A transaction that was
// never begun has nothing to commit.
func (tx *Tx) commit(ctx context.Context) error {
	if !tx.piping.begun && !tx.piping.hasWork() {
		return nil
	}
	tx.piping.queue = append(tx.piping.queue, commit)
	return tx.flush(ctx)
}

// hasWork reports whether more than the beginning is waiting.
func (p *piping) hasWork() bool {
	for _, s := range p.queue {
		if !slices.Contains([]string{begin.what, inMemory.what, inAHurry.what}, s.what) {
			return true
		}
	}
	return false
}

// flush sends what is queued in one round trip. The server stops at the first
// statement that fails, so that a commit behind it does not happen.
func (tx *Tx) flush(ctx context.Context) error {
	if tx.piping == nil || len(tx.piping.queue) == 0 {
		return nil
	}
	queue := tx.piping.queue
	tx.piping.queue, tx.piping.begun = nil, true
	return tx.piping.raw(func(driver any) error {
		batch := &pgx.Batch{}
		for _, s := range queue {
			batch.Queue(s.query, s.args...)
		}
		results := driver.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		for _, s := range queue {
			if err := s.take(results); err != nil {
				_ = results.Close()
				return fmt.Errorf("%s: %w", s.what, err)
			}
		}
		return results.Close()
	})
}

// take reads what became of a statement.
func (s *statement) take(results pgx.BatchResults) error {
	if s.each == nil {
		tag, err := results.Exec()
		if err == nil && s.what == commit.what && tag.String() != commit.query {
			err = fmt.Errorf("the server answered %q", tag)
		}
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := s.each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
