// Package sqlitetest gives tests SQLite databases that are theirs alone.
package sqlitetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// migrated is the file of a database with the present schema, once a test of this
// process has made it.
var migrated struct {
	sync.Mutex
	content []byte
}

// Migrated makes a database with the present schema, which lives as long as the test,
// and returns its address. It copies what migrate has made once for the process, which
// costs a fraction of the migrations; migrate must close its connections.
func Migrated(t testing.TB, migrate func(address string) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tocsin.db")
	address := "sqlite:" + path
	migrated.Lock()
	defer migrated.Unlock()
	if migrated.content != nil {
		if err := os.WriteFile(path, migrated.content, 0o600); err != nil {
			t.Fatal(err)
		}
		return address
	}
	if err := migrate(address); err != nil {
		t.Fatal(err)
	}
	// A log that is left holds what the file lacks.
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Fatalf("%s was not closed: its log is there", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	migrated.content = content
	return address
}
