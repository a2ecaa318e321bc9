package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"sync"

	"github.com/tocsin-oncall/tocsin/migrations"
)

// schema names the schema by its migrations, so that a template is made anew
// when they change.
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
