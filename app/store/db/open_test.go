package db

import (
	"path/filepath"
	"testing"
)

// TestSQLiteKeepsNoStatistics: a database that somebody has analysed plans by its
// indexes alone once it is opened again.
func TestSQLiteKeepsNoStatistics(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db")
	count := func(then ...string) (n int) {
		db, err := Open(t.Context(), address, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, statement := range then {
			if _, err := db.Write.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_master WHERE name LIKE 'sqlite\\_stat%' ESCAPE '\\'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count("CREATE TABLE a (b INTEGER)", "CREATE INDEX a_b ON a (b)", "INSERT INTO a VALUES (1), (2)", "ANALYZE"); n == 0 {
		t.Fatal("ANALYZE left no statistics to drop")
	}
	if n := count(); n != 0 {
		t.Errorf("%d tables of statistics are left", n)
	}
}
