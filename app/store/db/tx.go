package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// Tx is a transaction: plain SQL through its own methods, gorm through Gorm.
// Nothing inside it may use the outer handle: on SQLite, with its one writer,
// that would wait for itself.
type Tx struct {
	handle
	Gorm *gorm.DB // nil in a pipelined transaction
	DB   *DB
	// After runs once the transaction has committed.
	After []func()

	pipeline    *pipeline // nil where every statement is sent on its own
	wroteEvents bool      // to the timeline
}

// handle is what statements go through: an *sql.Tx, or the *sql.Conn of a
// transaction that is pipelined.
type handle interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// maxTries bounds how often a transaction is run that loses races.
const maxTries = 4

// InTx runs fn in a transaction that writes, and again where it lost a race.
func (db *DB) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	return retryRaces(func() error { return db.Once(ctx, fn) })
}

// Returning is InTx for a transaction that returns a value. On an error the value is
// zero, so that nobody acts on what was not committed.
func Returning[T any](ctx context.Context, db *DB, fn func(tx *Tx) (T, error)) (T, error) {
	var value T
	err := db.InTx(ctx, func(tx *Tx) error {
		var err error
		value, err = fn(tx)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return value, nil
}

// retryRaces runs a transaction until it loses no race, at most maxTries times.
func retryRaces(transaction func() error) error {
	var err error
	for range maxTries {
		if err = transaction(); !IsRace(err) {
			return err
		}
	}
	return err
}

// Once runs fn in a transaction that writes.
func (db *DB) Once(ctx context.Context, fn func(tx *Tx) error) error {
	conn, err := db.Write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = conn.Close() }()
	raw, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{handle: raw, DB: db, Gorm: db.gormOn(ctx, raw)}
	if err := fn(tx); err != nil {
		_ = raw.Rollback()
		return err
	}
	if err := raw.Commit(); err != nil {
		if db.Dialect == SQLite {
			rollbackFailedCommit(ctx, conn)
		}
		return fmt.Errorf("commit: %w", err)
	}
	tx.runAfter()
	return nil
}

// rollbackFailedCommit ends a transaction whose COMMIT failed. SQLite may leave it
// open (a deferred constraint, a full disk), and the one connection that writes
// could then begin no other. Where it has been rolled back already, the statement
// fails and changes nothing.
func rollbackFailedCommit(ctx context.Context, conn *sql.Conn) {
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
}

func (tx *Tx) runAfter() {
	for _, f := range tx.After {
		f()
	}
}

// gormOn is gorm on a transaction that was begun without it.
func (db *DB) gormOn(ctx context.Context, tx handle) *gorm.DB {
	g := db.gorm.Session(&gorm.Session{Context: ctx, NewDB: true})
	g.Statement.ConnPool = tx
	return g
}

// GormReads is gorm for reads in any transaction, a pipelined one too. They see
// what was written before them.
func (tx *Tx) GormReads(ctx context.Context) (*gorm.DB, error) {
	if tx.pipeline == nil {
		return tx.Gorm, nil
	}
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return tx.DB.gormOn(ctx, tx.handle), nil
}

// ForUpdate is the lock clause of a SELECT; SQLite has one writer and needs
// none.
func (db *DB) ForUpdate(skipLocked bool) string {
	switch {
	case db.Dialect == SQLite:
		return ""
	case skipLocked:
		return " FOR UPDATE SKIP LOCKED"
	default:
		return " FOR UPDATE"
	}
}

// SkipLocked locks rows of some of a SELECT's tables, and leaves out those that
// another transaction has locked.
func (db *DB) SkipLocked(tables string) string {
	if db.Dialect == SQLite {
		return ""
	}
	return " FOR UPDATE OF " + tables + " SKIP LOCKED"
}

// QueryContext, ExecContext and QueryRowContext take parameters as $1, $2… on
// both databases.

// QueryContext runs a query.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return tx.handle.QueryContext(ctx, tx.DB.Rebind(query), args...)
}

// QueryRowContext runs a query for one row. A write that was queued and fails
// fails the query, since the transaction is broken then, and the commit.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := tx.flush(ctx); err != nil {
		tx.pipeline.broken = err
	}
	return tx.handle.QueryRowContext(ctx, tx.DB.Rebind(query), args...)
}

// ExecContext runs a statement.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return tx.handle.ExecContext(ctx, tx.DB.Rebind(query), args...)
}

// Rebind writes a query's parameters as the dialect has them: ?1 on SQLite for $1.
func (db *DB) Rebind(query string) string {
	if db.Dialect == Postgres {
		return query
	}
	return strings.ReplaceAll(query, "$", "?")
}
