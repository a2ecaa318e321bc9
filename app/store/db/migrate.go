package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/migrations"
)

// Migrate brings the schema up to date, under a lock, and returns how many
// migrations it ran.
func (db *DB) Migrate(ctx context.Context) (int, error) {
	p, end, err := db.Migrator()
	if err != nil {
		return 0, err
	}
	defer end()
	done, err := p.Up(ctx)
	if failed, ok := errors.AsType[*goose.PartialError](err); ok {
		return len(failed.Applied), fault.Unavailable("The migration %s failed, and the schema is as it was before it: %v. The version of Tocsin that ran before may go on with this database.",
			path.Base(failed.Failed.Source.Path), failed.Err).Because(err)
	}
	if err != nil {
		return len(done), fmt.Errorf("migrate the database: %w", err)
	}
	return len(done), nil
}

// Migrated reports whether the schema is the one this program needs.
func (db *DB) Migrated(ctx context.Context) (bool, error) {
	p, end, err := db.Migrator()
	if err != nil {
		return false, err
	}
	defer end()
	pending, err := p.HasPending(ctx)
	return !pending, err
}

// Migrator uses, on PostgreSQL, a connection of its own without timeouts: the time to
// build an index on a large table has no bound.
func (db *DB) Migrator() (p *goose.Provider, end func(), err error) {
	files, dialect, options := migrations.SQLite, goose.DialectSQLite3, []goose.ProviderOption{}
	handle, end := db.Write, func() {}
	if db.Dialect == Postgres {
		files, dialect = migrations.Postgres, goose.DialectPostgres
		unlimited := db.Pool.Config().ConnConfig
		for _, limit := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
			unlimited.RuntimeParams[limit] = "0"
		}
		handle = stdlib.OpenDB(*unlimited)
		end = func() { _ = handle.Close() }
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("prepare the migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	sub, err := fs.Sub(files, string(db.Dialect))
	if err == nil {
		p, err = goose.NewProvider(dialect, handle, sub, options...)
	}
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("prepare the migrations: %w", err)
	}
	return p, end, nil
}
