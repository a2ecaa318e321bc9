package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsDuplicate reports whether a unique constraint was violated.
func IsDuplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return errors.Is(err, gorm.ErrDuplicatedKey)
}

// DecisionError is an error of a decision function about rows that were read
// without one, so that no row is its cause.
type DecisionError struct{ Err error }

func (e DecisionError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e DecisionError) Unwrap() error { return e.Err }

// IsDataError reports whether the content of rows caused an error: a value cannot be
// decoded, or the schema refuses it. Lost races, an unavailable database and invalid
// statements are not data errors.
func IsDataError(err error) bool {
	var other DecisionError
	if err == nil || IsRace(err) || IsUnavailable(err) || errors.As(err, &other) {
		return false
	}
	for _, known := range []error{context.Canceled, sql.ErrTxDone, sql.ErrNoRows} {
		if errors.Is(err, known) {
			return false
		}
	}
	if text := err.Error(); strings.Contains(text, "database is closed") || strings.Contains(text, "closed pool") {
		return false // these errors are not exported
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		class := pg.Code[:2]
		return class == "22" || class == "23"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
			return true
		}
		return false
	}
	return true // a value that Go could not take
}

// IsRace reports whether the whole transaction should be run again: after a
// serialization failure, a deadlock, a lock timeout, or where another process
// inserted the same dedup key or opened the same group first.
func IsRace(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01", "55P03":
			return true
		}
		return pg.Code == "23505" && (pg.ConstraintName == alertKeyConstraint || pg.ConstraintName == openGroupIndex)
	}
	return errors.Is(err, ErrRaced) || err != nil && strings.Contains(err.Error(), "SQLITE_BUSY")
}

// ErrRaced is a lost race that the store itself detects.
var ErrRaced = errors.New("another writer was faster")

// alertKeyConstraint is PostgreSQL's unique constraint on dedup keys. SQLite has one
// writer, so that no race for it can be lost.
const alertKeyConstraint = "alerts_service_id_dedup_key_key"

// openGroupIndex is PostgreSQL's unique index on the open incidents of groups.
const openGroupIndex = "incidents_group"

// IsUnavailable reports whether the database cannot be reached, is shutting down or
// has no space, so that the error says nothing about the data.
func IsUnavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		class := pg.Code[:2]
		return class == "08" || class == "53" || class == "57" || class == "58" ||
			pg.Code == "25P03" || pg.Code == "25006" // idle in transaction timeout; read-only server
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
