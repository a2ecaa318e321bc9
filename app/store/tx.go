package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Tx is a transaction: plain SQL through its own methods, gorm through Gorm.
// Nothing inside it may use the outer handle: on SQLite, with its one writer,
// that would wait for itself.
type Tx struct {
	handle
	Gorm *gorm.DB // nil in a pipelined transaction
	db   *DB
	// after runs once the transaction has committed.
	after []func()

	piping     *piping // nil where every statement goes by itself
	planAtOnce bool    // the pages that it makes
}

// handle is what statements go through: an *sql.Tx, or the *sql.Conn of a
// transaction that is pipelined.
type handle interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// tries is how often a transaction that lost a race is run again.
const tries = 4

// inTx runs fn in a transaction that writes, again if it lost a race.
func (db *DB) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	return again(func() error { return db.once(ctx, fn) })
}

// again runs a transaction until it has lost no race.
func again(transaction func() error) error {
	var err error
	for range tries {
		if err = transaction(); !isRace(err) {
			return err
		}
	}
	return err
}

// once runs fn in a transaction that writes.
func (db *DB) once(ctx context.Context, fn func(tx *Tx) error) error {
	raw, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{handle: raw, db: db, Gorm: db.gormOn(ctx, raw)}
	if err := fn(tx); err != nil {
		_ = raw.Rollback()
		return err
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	tx.committed()
	return nil
}

func (tx *Tx) committed() {
	for _, f := range tx.after {
		f()
	}
}

// gormOn is gorm speaking through a transaction that we began ourselves.
func (db *DB) gormOn(ctx context.Context, tx *sql.Tx) *gorm.DB {
	g := db.gorm.Session(&gorm.Session{Context: ctx, NewDB: true})
	g.Statement.ConnPool = tx
	return g
}

// reading is gorm for a page's queries.
func (db *DB) reading(ctx context.Context) *gorm.DB { return db.gormRO.WithContext(ctx) }

// forUpdate is the lock clause of a SELECT; SQLite has one writer and needs
// none.
func (db *DB) forUpdate(skipLocked bool) string {
	switch {
	case db.dialect == onSQLite:
		return ""
	case skipLocked:
		return " FOR UPDATE SKIP LOCKED"
	default:
		return " FOR UPDATE"
	}
}

// skipping locks rows of some of a SELECT's tables, and leaves out those that
// somebody else holds.
func (db *DB) skipping(tables string) string {
	if db.dialect == onSQLite {
		return ""
	}
	return " FOR UPDATE OF " + tables + " SKIP LOCKED"
}

// isRace reports whether the whole transaction deserves another try: a
// serialization failure, a deadlock, a lock that was not given in time, a dedup
// key or group that somebody else saw first.
func isRace(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01", "55P03":
			return true
		}
		return pg.Code == "23505" && (pg.ConstraintName == seenFirst || pg.ConstraintName == openGroup)
	}
	return errors.Is(err, errRaced) || err != nil && strings.Contains(err.Error(), "SQLITE_BUSY")
}

// errRaced is our own word for a lost race.
var errRaced = errors.New("another writer was faster")

// seenFirst is the constraint of PostgreSQL that lets a dedup key have one
// alert. SQLite, with its one writer, loses no race for it.
const seenFirst = "alerts_service_id_dedup_key_key"

// openGroup is the index of PostgreSQL that lets a group have one open incident.
const openGroup = "incidents_group"

// isUnavailable reports whether the database could not be reached, or is
// shutting down or full, so that nothing can be said about the data.
func isUnavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		class := pg.Code[:2]
		return class == "08" || class == "53" || class == "57" || class == "58" ||
			pg.Code == "25P03" || pg.Code == "25006" // idle for too long; a server that only reads now
	}
	var netErr net.Error
	var connect *pgconn.ConnectError
	for _, known := range []error{sql.ErrConnDone, driver.ErrBadConn, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &netErr) || errors.As(err, &connect) || pgconn.SafeToRetry(err) || isFull(err)
}

// isFull reports whether SQLite's file cannot be written: the disk is full or
// failing.
func isFull(err error) bool {
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return false
	}
	switch s.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// QueryContext, ExecContext and QueryRowContext take parameters as $1, $2… on
// both databases.

// QueryContext runs a query.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return tx.handle.QueryContext(ctx, tx.db.rebind(query), args...)
}

// QueryRowContext runs a query for one row. A write that was queued and fails
// fails the query, since the transaction is broken then, and the commit.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := tx.flush(ctx); err != nil {
		tx.piping.broken = err
	}
	return tx.handle.QueryRowContext(ctx, tx.db.rebind(query), args...)
}

// ExecContext runs a statement.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return tx.handle.ExecContext(ctx, tx.db.rebind(query), args...)
}

func (db *DB) rebind(query string) string {
	if db.dialect == onPostgres {
		return query
	}
	return strings.ReplaceAll(query, "$", "?")
}
