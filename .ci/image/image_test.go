package main

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var testDate = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// program builds a small static program for an architecture.
func program(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"ran\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-o", path, source)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// write writes the archive of a release and returns its path.
func write(t *testing.T, r release) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tocsin.tar")
	if err := run(r, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// unpack unpacks a tar file into a new folder.
func unpack(t *testing.T, r io.Reader) string {
	t.Helper()
	dir := t.TempDir()
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, h.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// fromLayout reads the image as podman and containerd do.
func fromLayout(t *testing.T, path string) v1.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	index, err := layout.ImageIndexFromPath(unpack(t, f))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(manifest.Manifests); n != 1 {
		t.Fatalf("%d images in the layout, want 1", n)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestArchiveIsReadAsLayoutAndByDocker(t *testing.T) {
	path := write(t, release{program(t, "arm64"), "arm64", "v1.2+3", testDate})
	byDocker, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]v1.Image{"layout": fromLayout(t, path), "docker": byDocker} {
		if err := validate.Image(img); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if c.OS != "linux" || c.Architecture != "arm64" || c.Config.User != "65532:65532" || !c.Created.Equal(testDate) {
			t.Errorf("%s: it is for %s/%s by user %s of %v", name, c.OS, c.Architecture, c.Config.User, c.Created)
		}
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		t.Fatal(err)
	}
	if tags := manifest[0].RepoTags; len(tags) != 1 || tags[0] != "docker.io/library/tocsin:v1.2-3" {
		t.Errorf("it is tagged %v", tags)
	}
}

func TestImageHoldsProgramAndFolders(t *testing.T) {
	img := fromLayout(t, write(t, release{program(t, "amd64"), "amd64", "v1", testDate}))
	files := tar.NewReader(mutate.Extract(img))
	found := map[string]*tar.Header{}
	for {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(h.Name, "/")] = h
	}
	for name, want := range map[string]struct {
		mode  int64
		owner int
	}{"usr/local/bin/tocsin": {0o755, 0}, "data": {0o700, user}, "tmp": {0o1777, 0}} {
		h := found[name]
		if h == nil || h.Mode != want.mode || h.Uid != want.owner {
			t.Errorf("%s is %+v, want mode %o of user %d", name, h, want.mode, want.owner)
		}
	}
}

func TestArchiveIsReproducible(t *testing.T) {
	r := release{program(t, "amd64"), "amd64", "v1", testDate}
	first, err := os.ReadFile(write(t, r))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(write(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two archives of one binary differ")
	}
}

func TestBinaryThatCouldNotRunIsRefused(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shell, err := exec.LookPath("ls") // linked to the C library
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ binary, arch, want string }{
		"no program":        {text, "amd64", "no program for Linux"},
		"other processor":   {program(t, "arm64"), "amd64", "not for amd64"},
		"unknown processor": {text, "mips", "only for amd64 and arm64"},
		"dynamic":           {shell, hostArch(t), "CGO_ENABLED=0"},
	} {
		t.Run(name, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "tocsin.tar")
			err := run(release{c.binary, c.arch, "v1", testDate}, output)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if left, _ := filepath.Glob(output + "*"); left != nil {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func hostArch(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
