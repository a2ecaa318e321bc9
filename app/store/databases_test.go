package store

import (
	"context"
	"errors"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
	"github.com/tocsin-oncall/tocsin/app/harness/sqlitetest"
)

// forEachDatabase runs a test on a migrated database of each kind, in
// parallel. Each has the real clock; a test may put another in its place.
func ForEachDatabase(t *testing.T, test func(t *testing.T, st *Store)) {
	t.Helper()
	t.Parallel()
	for name, address := range map[string]func(t testing.TB) string{
		"sqlite":   newSQLite,
		"postgres": newPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, opened(t, address(t)))
		})
	}
}

// opened is a database that is closed after the test.
func opened(t *testing.T, address string) *Store {
	t.Helper()
	st, err := Open(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return st
}

func newSQLite(t testing.TB) string {
	t.Helper()
	return sqlitetest.Migrated(t, func(address string) error { return migrateAt(t.Context(), address) })
}

// newPostgres is a new, migrated database.
func newPostgres(t testing.TB) string {
	t.Helper()
	return pgtest.Migrated(t, func(url string) error { return migrateAt(t.Context(), url) })
}

func migrateAt(ctx context.Context, address string) error {
	st, err := Open(ctx, address, Options{})
	if err != nil {
		return err
	}
	_, err = st.Migrate(ctx)
	return errors.Join(err, st.Close())
}
