// Package db is the kernel of the store: it opens PostgreSQL or an embedded SQLite
// file, runs transactions on either, sends statements together, and classifies
// the errors of both. The tables belong to the packages beside it.
//
// Every writer locks in one order: alerts, incident, escalations, pages,
// messages. Times are UTC with microseconds on both databases.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver "sqlite", without cgo

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Options say how to open a database.
type Options struct {
	// Now replaces the clock that due times are compared with, but not the clock of
	// leases. Nil takes the database's clock.
	Now func() time.Time
	// Exclusive claims a SQLite file for a server; a second claim is refused.
	Exclusive bool
	// MaxConns bounds the connections to PostgreSQL; 0 takes 20.
	MaxConns int32
	Log      *slog.Logger
}

// DB is an open database.
type DB struct {
	// Owner names this process in leases; new at each start.
	Owner string

	Dialect Dialect
	Pool    *pgxpool.Pool // PostgreSQL only
	Write   *sql.DB
	Read    *sql.DB // on SQLite a read-only pool, on PostgreSQL the same as Write
	gorm    *gorm.DB
	gormRO  *gorm.DB
	Clock   clock
	bus     *Bus
	Log     *slog.Logger
	unlock  func()
	Flusher flusher // PostgreSQL only
	shapes  shapes  // PostgreSQL only
}

// Dialect is the kind of a database.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// Open connects to a database, which is not migrated by it: see Migrate. The
// address is "sqlite:PATH" or "postgres://…".
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConns == 0 {
		o.MaxConns = 20
	}
	db := &DB{Owner: uuid.NewString(), Log: o.Log, bus: newBus(), unlock: func() {}}
	db.Clock.Fixed = o.Now
	db.Flusher.Clock = time.Now
	var err error
	switch {
	case strings.HasPrefix(address, "sqlite:"):
		err = db.openSQLite(ctx, strings.TrimPrefix(address, "sqlite:"), o)
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		err = db.openPostgres(ctx, address, o)
	default:
		err = fault.Invalid("TOCSIN_DATABASE_URL must be sqlite:FILE or postgres://…")
	}
	if err == nil {
		err = db.SyncClock(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) openPostgres(ctx context.Context, address string, o Options) error {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The driver's error may contain the password.
		return fault.Invalid("TOCSIN_DATABASE_URL is not a PostgreSQL address that can be read.")
	}
	cfg.MaxConns = o.MaxConns
	for name, value := range map[string]string{
		"application_name": "tocsin",
		// Every query has its index. A plan that was made while a table was
		// still empty must not go on scanning it when it has grown.
		// So it is with joins: each looks up by an index, and reads no whole table to
		// hash or sort it.
		"enable_seqscan":   "off",
		"enable_hashjoin":  "off",
		"enable_mergejoin": "off",
		"jit":              "off",
		// A query of some milliseconds does not wait for processes to start.
		"max_parallel_workers_per_gather":     "0",
		"timezone":                            "UTC",
		"lock_timeout":                        "3s",
		"statement_timeout":                   "15s",
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, given := cfg.ConnConfig.RuntimeParams[name]; !given {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	db.Pool = pool
	db.Flusher.Connect = func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, cfg.ConnConfig.Copy()) }
	if err := pool.Ping(ctx); err != nil {
		return fmt.Errorf("connect to the database at %s: %w", cfg.ConnConfig.Host, err)
	}
	db.Dialect = Postgres
	db.Write = stdlib.OpenDBFromPool(pool)
	db.Write.SetMaxIdleConns(0) // the pool below keeps them
	db.Read = db.Write
	if db.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: db.Write}), gormConfig()); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	db.gormRO = db.gorm
	return nil
}

func (db *DB) openSQLite(ctx context.Context, path string, o Options) error {
	if path == "" {
		return fault.Invalid("TOCSIN_DATABASE_URL names no file: write sqlite:tocsin.db.")
	}
	if o.Exclusive {
		unlock, err := lockFile(path + ".lock")
		if err != nil {
			return fault.Conflict("Another Tocsin already serves %s. SQLite is for one process; several need PostgreSQL.", path).Because(err)
		}
		db.unlock = unlock
	}
	createPrivate(path)
	pragmas := "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate&_time_format=sqlite&_timezone=UTC"
	file := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path)}).String()
	file = strings.ReplaceAll(file, "%2F", "/")
	var err error
	if db.Write, err = sql.Open("sqlite", file+"?"+pragmas); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	db.Write.SetMaxOpenConns(1) // with eight writers, latencies reached a second
	if err := db.Write.PingContext(ctx); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	db.dropStatistics(ctx)
	readOnly := "mode=ro&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=query_only(1)&_time_format=sqlite&_timezone=UTC"
	if db.Read, err = sql.Open("sqlite", file+"?"+readOnly); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	db.Read.SetMaxOpenConns(8)
	db.Dialect = SQLite
	if db.gorm, err = gorm.Open(&sqlite.Dialector{DriverName: "sqlite", Conn: db.Write}, gormConfig()); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if db.gormRO, err = gorm.Open(&sqlite.Dialector{DriverName: "sqlite", Conn: db.Read}, gormConfig()); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// dropStatistics removes what ANALYZE has gathered, so that SQLite plans each query
// by its indexes alone. Statistics of an instant mislead it: taken while few
// incidents were open, or in the first seconds of a new database, they made
// deduplicating a signal four times and listing incidents eighty times as slow,
// until they were taken again.
func (db *DB) dropStatistics(ctx context.Context) {
	for _, table := range []string{"sqlite_stat1", "sqlite_stat4"} {
		if _, err := db.Write.ExecContext(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
			db.Log.WarnContext(ctx, "drop statistics failed", "table", table, "error", err)
		}
	}
}

// createPrivate creates a missing database file with mode 0600, which SQLite's files beside
// it inherit. Errors are ignored: SQLite reports why it cannot open the file.
func createPrivate(path string) {
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil {
		_ = f.Close()
	}
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard, // errors are returned, and logged where they are handled
		SkipDefaultTransaction: true,
		TranslateError:         true,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	}
}

// Close releases every connection there is.
func (db *DB) Close() error {
	var err error
	if db.Read != nil && db.Read != db.Write {
		err = db.Read.Close()
	}
	if db.Write != nil {
		err = errors.Join(err, db.Write.Close())
	}
	db.Flusher.Close()
	if db.Pool != nil {
		db.Pool.Close()
	}
	db.unlock()
	return err
}

// Embedded reports whether this is SQLite, which serves one process only.
func (db *DB) Embedded() bool { return db.Dialect == SQLite }

// Ping answers whether the database can be reached.
func (db *DB) Ping(ctx context.Context) error { return db.Read.PingContext(ctx) }
