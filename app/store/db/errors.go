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

// IsDuplicate reports whether a value is taken that may be there once.
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

// DecisionError is an error of whoever decides about rows that were read well, so
// that no row is to blame.
type DecisionError struct{ Err error }

func (e DecisionError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e DecisionError) Unwrap() error { return e.Err }

// IsDataError reports whether an error lies in what stands in rows: what cannot
// be read as what it should be, or is refused by the schema. A lost race, a
// database that is away, and a statement that the database does not understand
// say nothing about rows.
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
	if said := err.Error(); strings.Contains(said, "database is closed") || strings.Contains(said, "closed pool") {
		return false // these have no names
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

// IsRace reports whether the whole transaction deserves another try: a
// serialization failure, a deadlock, a lock that was not given in time, a dedup
// key or a group that somebody else saw first.
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

// ErrRaced is our own word for a lost race.
var ErrRaced = errors.New("another writer was faster")

// alertKeyConstraint is the constraint of PostgreSQL that lets a dedup key have one
// alert. SQLite, with its one writer, loses no race for it.
const alertKeyConstraint = "alerts_service_id_dedup_key_key"

// openGroupIndex is the index of PostgreSQL that lets a group have one open
// incident.
const openGroupIndex = "incidents_group"

// IsUnavailable reports whether the database could not be reached, or is
// shutting down or full, so that nothing can be said about the data.
func IsUnavailable(err error) bool {
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
