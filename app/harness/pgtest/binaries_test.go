package pgtest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIncompleteBinaries(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if complete(dir) {
			t.Errorf("taken without %s", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if !complete(dir) {
		t.Error("not taken though complete")
	}
	t.Setenv("PATH", dir)
	if got, err := binaries(); got != dir || err != nil {
		t.Errorf("binaries() = %q, %v, want those in PATH, %q", got, err, dir)
	}
}

func TestVersionOfADirectory(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]int{
		"/usr/lib/postgresql/9/bin":  9,
		"/usr/lib/postgresql/15/bin": 15,
		"/usr/local/bin":             0,
	} {
		if got := version(dir); got != want {
			t.Errorf("version(%q) = %d, want %d", dir, got, want)
		}
	}
}
