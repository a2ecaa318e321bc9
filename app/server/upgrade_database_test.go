package server_test

import (
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// filled is a database as the first build left it, and a connection to it that
// knows nothing of the application.
type filled struct {
	address string
	raw     *sql.DB
}

func restoreSQLite(t *testing.T) filled {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tocsin.db")
	return restore(t, "sqlite:"+file, "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
}

func restorePostgres(t *testing.T) filled {
	t.Helper()
	address := pgtest.Database(t)
	return restore(t, address, "pgx", address+"&default_query_exec_mode=simple_protocol")
}

func restore(t *testing.T, address, driver, source string) filled {
	t.Helper()
	// The dump changes settings of the connection that loads it.
	loading := openRaw(t, driver, source)
	if _, err := loading.ExecContext(t.Context(), dump(t, driver)); err != nil {
		t.Fatalf("restore the first build's database: %v", err)
	}
	if err := loading.Close(); err != nil {
		t.Fatal(err)
	}
	return filled{address, openRaw(t, driver, source)}
}

func openRaw(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	raw, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

// dump is the SQL text of the database that the first build filled, by driver.
func dump(t *testing.T, driver string) string {
	t.Helper()
	name := map[string]string{"sqlite": "sqlite.sql.gz", "pgx": "postgres.sql.gz"}[driver]
	f, err := os.Open(filepath.Join("testdata", "first_build", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// migrate brings the schema up to date, as a start of the server would.
func (f filled) migrate(t *testing.T) {
	t.Helper()
	db, err := store.Open(t.Context(), f.address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Migrate(t.Context())
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// rows are the rows of a query, the columns of each separated by spaces, sorted.
func (f filled) rows(t *testing.T, query string, args ...any) []string {
	t.Helper()
	all, err := f.query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	slices.Sort(all)
	return all
}

func (f filled) query(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := f.raw.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	return all, rows.Err()
}

// tables are the names of the application's tables.
func (f filled) tables(t *testing.T) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'"
	if !strings.HasPrefix(f.address, "sqlite:") {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'goose_%'"
	}
	return f.rows(t, query)
}

// counts are how many rows each of the tables has, "table: rows".
func (f filled) counts(t *testing.T, tables []string) []string {
	t.Helper()
	var all []string
	for _, table := range tables {
		all = append(all, table+": "+f.rows(t, `SELECT count(*) FROM "`+table+`"`)[0])
	}
	return all
}
