package db

import (
	"path/filepath"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
)

// forEachDatabase runs a test on an empty database of each kind, in parallel.
func forEachDatabase(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	t.Parallel()
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := Open(t.Context(), address(t), Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Errorf("close the database: %v", err)
				}
			})
			test(t, db)
		})
	}
}
