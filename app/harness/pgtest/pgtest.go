// Package pgtest gives tests PostgreSQL databases that are theirs alone.
//
// The server behind them is the one that TOCSIN_TEST_POSTGRES names, which
// `make test` starts once for all packages. Without it, the first test that
// asks starts a throwaway cluster for its process. A test never skips for want
// of PostgreSQL: it fails and says what to install.
package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Variable names the environment variable with the URL of a server whose user
// may create databases.
const Variable = "TOCSIN_TEST_POSTGRES"

// statementTimeout bounds one statement on the server. Making a database takes a tenth
// of a second; a loaded machine takes longer.
const statementTimeout = time.Minute

// Database makes an empty database, which lives as long as the test, and
// returns its URL.
func Database(t testing.TB) string {
	t.Helper()
	return create(t, "template1")
}

// DatabaseFrom makes a copy of a database that prepare has filled, which costs
// a fraction of filling it anew. The key names what prepare makes: prepare runs
// once for each key on a server, whichever test or process comes first, and
// the others wait for it. It must close its connections.
func DatabaseFrom(t testing.TB, key string, prepare func(url string) error) string {
	t.Helper()
	sum := sha256.Sum256([]byte(key))
	template := "template_" + hex.EncodeToString(sum[:8])
	if err := ensureTemplate(t.Context(), server(t), template, prepare); err != nil {
		t.Fatalf("prepare the template database of %q: %v", key, err)
	}
	return create(t, template)
}

func create(t testing.TB, template string) string {
	t.Helper()
	admin := server(t)
	name := "test_" + uuid.NewString()
	if err := execute(t.Context(), admin, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	t.Cleanup(func() {
		// The test's context has ended by now.
		if err := execute(context.Background(), admin, "DROP DATABASE "+quote(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return withDatabase(admin, name)
}

// ensureTemplate fills a database under another name and renames it when it is
// whole, so that a preparation that failed or was killed is never copied.
func ensureTemplate(ctx context.Context, admin, template string, prepare func(url string) error) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	// The lock is the connection's and ends with it.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", template); err != nil {
		return err
	}
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", template).Scan(&exists)
	if err != nil || exists {
		return err
	}
	draft := template + "_draft"
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(draft)+" WITH (FORCE)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+quote(draft)); err != nil {
		return err
	}
	if err := prepare(withDatabase(admin, draft)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quote(draft)+" RENAME TO "+quote(template))
	return err
}

func execute(ctx context.Context, url, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// ownCluster is never stopped by hand: it ends with the process.
var ownCluster = sync.OnceValues(func() (*Cluster, error) { return Start(Options{}) })

// server is the URL of the server to make databases on.
func server(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(Variable); given != "" {
		return given
	}
	c, err := ownCluster()
	if err != nil {
		t.Fatal(err)
	}
	return c.URL
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// withDatabase replaces the database that a URL names.
func withDatabase(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(fmt.Sprintf("%s is not a URL", Variable)) // its words may hold a password
	}
	u.Path = "/" + name
	return u.String()
}
