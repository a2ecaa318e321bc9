package pgtest

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"sync"
	"testing"

	"github.com/tocsin-oncall/tocsin/migrations"
)

// Migrated makes a database with the present schema and returns its URL. It
// copies a template named after the migrations, so that a server that outlives a
// run never hands out an older schema. Migrate runs once for each schema on a
// server, and must close its connections.
func Migrated(t testing.TB, migrate func(url string) error) string {
	t.Helper()
	return DatabaseFrom(t, "migrated "+schema(), migrate)
}

// schema names the present schema by its migrations.
var schema = sync.OnceValue(func() string {
	sum := sha256.New()
	err := fs.WalkDir(migrations.Postgres, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(migrations.Postgres, path)
		sum.Write(content)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the binary
	}
	return hex.EncodeToString(sum.Sum(nil))
})
