package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
)

// TestMigrationsKeepRows brings a database that holds data of the first
// version up to date.
func TestMigrationsKeepRows(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := opened(t, address(t))
			migrateTo(t, st, 1)
			_, err := st.Write.ExecContext(t.Context(), st.Rebind(`INSERT INTO integrations (slug, name, kind, key_hmac, key_sealed, rate_limit, created_at)
				VALUES ('sre', 'SRE', 'slo', $1, $2, 7, $3)`), []byte{1}, []byte{2}, time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := st.Migrate(t.Context()); err != nil || n < 1 {
				t.Fatalf("%d migrations ran: %v", n, err)
			}
			if fresh, err := st.Migrated(t.Context()); err != nil || !fresh {
				t.Fatalf("the schema is not up to date: %v", err)
			}
			i, err := viewOf(t, st).IntegrationBySlug("sre")
			if err != nil || i.Name != "SRE" || i.RateLimit != 7 || i.Dedup != "" {
				t.Errorf("the integration became %+v, %v", i, err)
			}
		})
	}
}

// TestFailedMigrationIsNamed has a table in the way of a later migration.
func TestFailedMigrationIsNamed(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := opened(t, address(t))
			migrateTo(t, st, 10)
			if _, err := st.Write.ExecContext(t.Context(), "CREATE TABLE heartbeats (id integer)"); err != nil {
				t.Fatal(err)
			}
			_, err := st.Migrate(t.Context())
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.KindUnavailable {
				t.Fatalf("got %v", err)
			}
			for _, words := range []string{"00012_robustness.sql", "heartbeats", "already exists", "may go on with this database"} {
				if !strings.Contains(f.Message, words) {
					t.Errorf("%q is not in: %s", words, f.Message)
				}
			}
			// The failed migration left nothing behind, so it runs once the cause is gone.
			if _, err := st.Write.ExecContext(t.Context(), "DROP TABLE heartbeats"); err != nil {
				t.Fatal(err)
			}
			if n, err := st.Migrate(t.Context()); err != nil || n < 1 {
				t.Fatalf("%d migrations ran: %v", n, err)
			}
		})
	}
}

func migrateTo(t *testing.T, st *Store, version int64) {
	t.Helper()
	p, end, err := st.Migrator()
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

func TestDatabaseFileModeIsPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := opened(t, "sqlite:"+filepath.Join(dir, "tocsin.db"))
	if _, err := st.Write.ExecContext(t.Context(), "CREATE TABLE things (id integer)"); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 { // the log and its index beside it
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}
