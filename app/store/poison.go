package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// One row that cannot be read or written must not keep its neighbours from
// being paged. Whoever works on many rows at once works on them one by one
// after a data error, ends the row that it is about in whatever way still tells
// somebody, and goes on with the others.

// tryAgainAfter is how long a row is put off that could not even be ended.
const tryAgainAfter = time.Minute

// undecided is an error of whoever decides about rows that were read well, so
// that no row is to blame.
type undecided struct{ error }

func (u undecided) Unwrap() error { return u.error }

// isDataError reports whether an error lies in what stands in rows: what cannot
// be read as what it should be, or is refused by the schema. A lost race, a
// database that is away, and a statement that the database does not understand
// say nothing about rows.
func isDataError(err error) bool {
	var other undecided
	if err == nil || isRace(err) || isUnavailable(err) || errors.As(err, &other) {
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

// oneByOne works on rows alone that could not be worked on together. one works
// on a row and returns how much it found; a row with a data error is given up,
// and where that fails by a data error too, put off. It returns how much was
// found that is not put off, and stops where the database is away or nobody can
// decide; any other error keeps the rows behind it from nothing.
func oneByOne(ctx context.Context, ids []int64, one func(id int64) (int, error), giveUp func(id int64, cause error) error, putOff func(id int64) error) (int, error) {
	found := 0
	var failed error
	for _, id := range ids {
		n, err := one(id)
		found += n
		if isDataError(err) {
			found++
			if err = giveUp(id, err); isDataError(err) {
				found--
				err = putOff(id)
			}
		}
		var other undecided
		if errors.As(err, &other) || isUnavailable(err) || ctx.Err() != nil {
			return found, errors.Join(failed, err)
		}
		failed = errors.Join(failed, err)
	}
	return found, failed
}

// quietly puts a row off that could not even be ended, so that the others do not
// wait for it. Should that fail by a data error as well, only the log says so.
func (db *DB) quietly(ctx context.Context, what string, id int64, putOff func(tx *Tx) error) error {
	err := db.inTx(ctx, putOff)
	if isDataError(err) {
		db.log.ErrorContext(ctx, "a row cannot even be put off", "what", what, "id", id, "error", err)
		return nil
	}
	return err
}

// postpone is putting off by one statement.
func (tx *Tx) postpone(ctx context.Context, query string, until time.Time, id int64) error {
	_, err := tx.ExecContext(ctx, query, until, id)
	return err
}

// noteTrouble tells on the timeline of incidents what went wrong in Tocsin
// itself.
func (tx *Tx) noteTrouble(ctx context.Context, now time.Time, numbers []int64, text string) error {
	events := make([]incident.TimelineEvent, len(numbers))
	for i, n := range numbers {
		events[i] = incident.TimelineEvent{IncidentNo: n, At: now, Actor: incident.Tocsin, Payload: incident.TroublePayload{Text: text}}
	}
	return tx.insertEvents(ctx, events)
}

// readOrganization reads the organisation for a picture that pages go by, without
// its support hours where those cannot be read.
func readOrganization(g *gorm.DB, log *slog.Logger, o *catalog.Organization) error {
	err := readAll(g, "", o)
	if !isDataError(err) {
		return err
	}
	log.ErrorContext(g.Statement.Context, "the organisation's support hours cannot be read; paging goes on without them", "error", err)
	*o = catalog.Organization{}
	return readAll(g.Omit("support_hours"), "", o)
}

// readEach reads a whole table by id for a picture that pages go by. A row that
// cannot be read is left out and told of: whoever it is about counts as
// unreachable, and nobody else does.
func readEach[T any](g *gorm.DB, log *slog.Logger, rows *[]T) error {
	err := g.Order("id").Find(rows).Error
	if !isDataError(err) {
		if err != nil {
			err = fmt.Errorf("read the configuration: %w", err)
		}
		return err
	}
	*rows = nil
	var ids []int64
	if err := g.Model(new(T)).Order("id").Pluck("id", &ids).Error; err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	for _, id := range ids {
		var row T
		switch err := g.Where("id = ?", id).Take(&row).Error; {
		case err == nil:
			*rows = append(*rows, row)
		case isDataError(err):
			log.ErrorContext(g.Statement.Context, "a part of the configuration cannot be read; paging goes on without it", "what", fmt.Sprintf("%T", row), "id", id, "error", err)
		default:
			return fmt.Errorf("read the configuration: %w", err)
		}
	}
	return nil
}
