package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestIsUnavailable(t *testing.T) {
	t.Parallel()
	_, noConnection := pgconn.Connect(t.Context(), "postgres://127.0.0.1:1/none?connect_timeout=1")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "no", "such", "folder.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	noFile := db.PingContext(t.Context())
	full, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "full.db")+"?_pragma=max_page_count(2)")
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	_, noSpace := full.ExecContext(t.Context(), "CREATE TABLE a (b blob); INSERT INTO a VALUES (zeroblob(100000))")
	_, nonsense := full.ExecContext(t.Context(), "SELECT nothing")
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"a refused connection", noConnection, true},
		{"a file that cannot be opened", noFile, true},
		{"a full disk", noSpace, true},
		{"a statement that SQLite does not understand", nonsense, false},
		{"a broken connection", &pgconn.PgError{Code: "08006"}, true},
		{"a full server", &pgconn.PgError{Code: "53100"}, true},
		{"a server that shuts down", &pgconn.PgError{Code: "57P01"}, true},
		{"a server that was demoted", &pgconn.PgError{Code: "25006"}, true},
		{"a transaction that stood still for too long", &pgconn.PgError{Code: "25P03"}, true},
		{"a server whose disk fails", &pgconn.PgError{Code: "58030"}, true},
		{"a violated constraint", &pgconn.PgError{Code: "23505"}, false},
		{"a lost race", &pgconn.PgError{Code: "40001"}, false},
		{"a closed connection", sql.ErrConnDone, true},
		{"a connection that the driver gave up", driver.ErrBadConn, true},
		{"time that ran out", context.DeadlineExceeded, true},
		{"a caller who left", context.Canceled, false},
		{"a stream that ended", io.ErrUnexpectedEOF, true},
		{"a stream that ended at its end", io.EOF, true},
		{"a network that failed", &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true},
		{"no rows", sql.ErrNoRows, false},
		{"anything else", errors.New("a bug"), false},
	} {
		if got := IsUnavailable(fmt.Errorf("write: %w", c.err)); got != c.want {
			t.Errorf("%s (%v): unavailable %t, want %t", c.name, c.err, got, c.want)
		}
	}
}
