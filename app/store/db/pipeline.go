package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Statement is one of several that are sent together.
type Statement struct {
	Name  string // for errors: "read alerts"
	Query string
	Args  []any
	// Each takes the rows of a query one by one; nil for a write.
	Each func(scan func(into ...any) error) error
}

// pipeline is what a pipelined transaction has yet to send.
type pipeline struct {
	queue  []Statement
	begun  bool // something was sent
	broken error
	raw    func(func(driver any) error) error
}

var (
	begin  = Statement{Name: "begin", Query: "BEGIN"}
	commit = Statement{Name: "commit", Query: "COMMIT"}
	// asyncCommit has PostgreSQL commit without waiting for the disk.
	asyncCommit = Statement{Name: "set synchronous_commit", Query: "SET LOCAL synchronous_commit TO off"}
	// idleTimeout releases the locks of a process that stops in the middle of a
	// transaction, such as one whose machine is suspended.
	idleTimeout = Statement{Name: "set idle_in_transaction_session_timeout", Query: "SET LOCAL idle_in_transaction_session_timeout TO '3s'"}
)

// rollbackWithin bounds the wait for a server that may not answer; after it the
// connection is closed, which ends the transaction too.
const rollbackWithin = 2 * time.Second

// Pipelined is Once for the hot paths. On PostgreSQL BEGIN is sent together with the
// first statements of fn, writes are queued, and the last of them are sent with the
// commit: two round trips where nothing depends on what a write returns.
func (db *DB) Pipelined(ctx context.Context, fn func(tx *Tx) error, first ...Statement) error {
	if db.Dialect == SQLite {
		return db.Once(ctx, fn)
	}
	conn, err := db.Write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = conn.Close() }()
	tx := &Tx{handle: conn, DB: db, pipeline: &pipeline{raw: conn.Raw}}
	tx.pipeline.queue = append(append(tx.pipeline.queue, begin), first...)
	if err = fn(tx); err == nil && tx.pipeline.broken == nil {
		err = tx.commit(ctx)
	}
	if tx.pipeline.broken != nil {
		err = tx.pipeline.broken
	}
	if err != nil {
		if tx.pipeline.begun {
			rollback, end := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
			defer end()
			_, _ = conn.ExecContext(rollback, "ROLLBACK")
		}
		return err
	}
	tx.runAfter()
	return nil
}

// InAsyncTx is InTx for a transaction that writes only what can be derived again from
// rows that are durable: firing a step, planning a page. PostgreSQL does not wait for
// the disk with it. After a crash the row is still due and processed again; and
// before a message is sent, the commit of its claim flushes all earlier ones.
func (db *DB) InAsyncTx(ctx context.Context, fn func(tx *Tx) error) error {
	return retryRaces(func() error { return db.Pipelined(ctx, fn, asyncCommit, idleTimeout) })
}

// Write runs a statement: at once, or, in a transaction that is pipelined,
// together with the others that wait, before the next read or with the commit.
func (tx *Tx) Write(ctx context.Context, what, query string, args ...any) error {
	if tx.pipeline != nil {
		tx.pipeline.queue = append(tx.pipeline.queue, Statement{Name: what, Query: query, Args: args})
		return nil
	}
	if _, err := tx.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Query runs queries that do not depend on one another: in one round trip
// where the transaction is pipelined. What a write before them changed, they
// see.
func (tx *Tx) Query(ctx context.Context, queries ...Statement) error {
	if tx.pipeline != nil {
		tx.pipeline.queue = append(tx.pipeline.queue, queries...)
		return tx.flush(ctx)
	}
	for _, q := range queries {
		if err := tx.readOne(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q.Name, err)
		}
	}
	return nil
}

func (tx *Tx) readOne(ctx context.Context, q Statement) error {
	rows, err := tx.QueryContext(ctx, q.Query, q.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := q.Each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// commit sends the queued statements together with the commit. A transaction that
// sent nothing and queued nothing but its beginning is not sent at all.
func (tx *Tx) commit(ctx context.Context) error {
	if !tx.pipeline.begun && !tx.pipeline.hasWork() {
		return nil
	}
	tx.pipeline.queue = append(tx.pipeline.queue, commit)
	return tx.flush(ctx)
}

// hasWork reports whether more than the beginning is queued.
func (p *pipeline) hasWork() bool {
	for _, s := range p.queue {
		if !slices.Contains([]string{begin.Name, asyncCommit.Name, idleTimeout.Name}, s.Name) {
			return true
		}
	}
	return false
}

// flush sends what is queued in one round trip. The server stops at the first
// statement that fails, so that a commit behind it does not happen.
func (tx *Tx) flush(ctx context.Context) error {
	if tx.pipeline == nil || len(tx.pipeline.queue) == 0 {
		return nil
	}
	queue := tx.pipeline.queue
	tx.pipeline.queue, tx.pipeline.begun = nil, true
	return tx.pipeline.raw(func(driver any) error {
		batch := &pgx.Batch{}
		for _, s := range queue {
			batch.Queue(s.Query, s.Args...)
		}
		results := driver.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		for _, s := range queue {
			if err := s.take(results); err != nil {
				_ = results.Close()
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		return results.Close()
	})
}

// take reads the result of a statement.
func (s *Statement) take(results pgx.BatchResults) error {
	if s.Each == nil {
		tag, err := results.Exec()
		if err == nil && s.Name == commit.Name && tag.String() != commit.Query {
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
		if err := s.Each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
