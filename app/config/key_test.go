package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func onFile(t *testing.T, dir string) config.Config {
	t.Helper()
	c, err := load(t, variables{"TOCSIN_DATABASE_URL": "sqlite:" + filepath.Join(dir, "tocsin.db")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := onFile(t, dir)
	if err := first.EnsureSecretKey(); err != nil {
		t.Fatal(err)
	}
	if got := len(first.SecretKey.Reveal()); got != config.KeySize {
		t.Errorf("the key has %d bytes", got)
	}
	info, err := os.Stat(filepath.Join(dir, "tocsin.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("the key's file has mode %o, want 600", got)
	}
	if err := os.WriteFile(first.Database.File, []byte("a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := onFile(t, dir)
	if err := second.EnsureSecretKey(); err != nil {
		t.Fatal(err)
	}
	if !second.SecretKey.Equal(first.SecretKey) {
		t.Error("the second start has another key")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestConcurrentProcessesShareKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := make([]config.Config, 16)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range all {
		all[i] = onFile(t, dir)
		done.Go(func() {
			start.Wait()
			if err := all[i].EnsureSecretKey(); err != nil {
				t.Error(err)
			}
		})
	}
	start.Done()
	done.Wait()
	for _, c := range all {
		if c.SecretKey.IsZero() || !c.SecretKey.Equal(all[0].SecretKey) {
			t.Fatal("they have different keys")
		}
	}
}

func TestGivenKeyWritesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := onFile(t, dir)
	c.SecretKey = keyBytes(t)
	if err := c.EnsureSecretKey(); err != nil {
		t.Fatal(err)
	}
	if !c.SecretKey.Equal(keyBytes(t)) {
		t.Error("the key that was given is not used")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("made %v, %v", files, err)
	}
}

func TestMissingKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, dir string) config.Config
		says    string
	}{
		{"lost, though there is a database", func(t *testing.T, dir string) config.Config {
			c := onFile(t, dir)
			if err := os.WriteFile(c.Database.File, []byte("a database"), 0o600); err != nil {
				t.Fatal(err)
			}
			return c
		}, "has no key"},
		{"broken", func(t *testing.T, dir string) config.Config {
			if err := os.WriteFile(filepath.Join(dir, "tocsin.db.key"), []byte("c2hvcnQ=\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return onFile(t, dir)
		}, "has 5 bytes"},
		{"a directory", func(t *testing.T, dir string) config.Config {
			if err := os.Mkdir(filepath.Join(dir, "tocsin.db.key"), 0o700); err != nil {
				t.Fatal(err)
			}
			return onFile(t, dir)
		}, "cannot be read"},
		{"in a directory that does not exist", func(t *testing.T, dir string) config.Config {
			return onFile(t, filepath.Join(dir, "absent"))
		}, "cannot be made"},
		{"PostgreSQL", func(*testing.T, string) config.Config {
			return config.Config{Database: config.Database{URL: config.NewSecret("postgres://db/tocsin")}}
		}, "must be given"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := test.prepare(t, t.TempDir())
			err := c.EnsureSecretKey()
			if !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
			if !c.SecretKey.IsZero() {
				t.Error("there is a key all the same")
			}
		})
	}
}

func TestKeyEncodings(t *testing.T) {
	t.Parallel()
	for _, written := range []string{keyBase64, strings.TrimRight(keyBase64, "="), keyHex, strings.ToUpper(keyHex)} {
		c, err := load(t, variables{"TOCSIN_SECRET_KEY": written})
		if err != nil || !c.SecretKey.Equal(keyBytes(t)) {
			t.Errorf("%s: %v, or another key", written, err)
		}
	}
	urlSafe := strings.Repeat("-_", 21) + "8"
	if c, err := load(t, variables{"TOCSIN_SECRET_KEY": urlSafe}); err != nil || len(c.SecretKey.Reveal()) != config.KeySize {
		t.Errorf("base64 for URLs: %v", err)
	}
}
