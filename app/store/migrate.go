package store

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/tocsin-oncall/tocsin/migrations"
)

// Migrate brings the schema up to date, under a lock, and returns how many
// migrations it ran.
func (db *DB) Migrate(ctx context.Context) (int, error) {
	p, err := db.migrator()
	if err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("migrate the database: %w", err)
	}
	return len(done), nil
}

// Migrated reports whether the schema is the one this program needs.
func (db *DB) Migrated(ctx context.Context) (bool, error) {
	p, err := db.migrator()
	if err != nil {
		return false, err
	}
	pending, err := p.HasPending(ctx)
	return !pending, err
}

func (db *DB) migrator() (*goose.Provider, error) {
	files, dialect, options := migrations.SQLite, goose.DialectSQLite3, []goose.ProviderOption{}
	if db.dialect == onPostgres {
		files, dialect = migrations.Postgres, goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, fmt.Errorf("prepare the migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	sub, err := fs.Sub(files, string(db.dialect))
	if err != nil {
		return nil, fmt.Errorf("prepare the migrations: %w", err)
	}
	p, err := goose.NewProvider(dialect, db.write, sub, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the migrations: %w", err)
	}
	return p, nil
}
