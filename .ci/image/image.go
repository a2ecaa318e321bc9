package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the number of a user without a name or rights, as other images without a
// shell use it.
const user = 65532

// release is one build of Tocsin.
type release struct {
	binary, arch, version string
	created               time.Time
}

// notInTag are the characters that a tag may not contain.
var notInTag = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// reference is the name that the image gets where it is loaded.
func (r release) reference() string {
	return "docker.io/library/tocsin:" + notInTag.ReplaceAllString(r.version, "-")
}

// image returns the image: one layer with the binary, and an empty /data to work in.
func (r release) image() (v1.Image, error) {
	layer, err := r.layer()
	if err != nil {
		return nil, err
	}
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: v1.Time{Time: r.created}, CreatedBy: "tocsin " + r.version},
	})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, r.config(img))
}

func (r release) config(img v1.Image) *v1.ConfigFile {
	c, err := img.ConfigFile()
	if err != nil { // it was made above, and is in memory
		panic(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Created = "linux", r.arch, v1.Time{Time: r.created}
	c.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		WorkingDir:   "/data",
		Volumes:      map[string]struct{}{"/data": {}},
		Env:          []string{"PATH=/usr/local/bin", "TOCSIN_LISTEN=:8080"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Entrypoint:   []string{"tocsin"},
		Cmd:          []string{"serve"},
		StopSignal:   "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title":    "Tocsin",
			"org.opencontainers.image.version":  r.version,
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return c
}

func (r release) layer() (v1.Layer, error) {
	binary, err := os.ReadFile(r.binary)
	if err != nil {
		return nil, err
	}
	if err := checkStatic(binary, r.arch); err != nil {
		return nil, fmt.Errorf("%s: %w", r.binary, err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	directory := func(name string, mode int64, owner int) tar.Header {
		return tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: owner, Gid: owner}
	}
	for _, h := range []tar.Header{
		directory("usr", 0o755, 0), directory("usr/local", 0o755, 0), directory("usr/local/bin", 0o755, 0),
		directory("data", 0o700, user), directory("tmp", 0o1777, 0),
		{Typeflag: tar.TypeReg, Name: "usr/local/bin/tocsin", Mode: 0o755, Size: int64(len(binary))},
	} {
		h.ModTime, h.Format = r.created, tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(binary); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// machines are the processors of the architectures that images are made for.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// checkStatic refuses a binary that could not run alone in the image.
func checkStatic(binary []byte, arch string) error {
	want, known := machines[arch]
	if !known {
		return fmt.Errorf("no image is made for %s, only for amd64 and arm64", arch)
	}
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("it is no program for Linux: %w", err)
	}
	if f.Machine != want {
		return fmt.Errorf("it is a program for %v, not for %s", f.Machine, arch)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("it is not static: build it with CGO_ENABLED=0")
		}
	}
	return nil
}
