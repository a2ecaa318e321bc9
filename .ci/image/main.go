// Command image writes a container image of Tocsin as an archive, without a daemon:
//
//	image --binary tocsin --arch amd64 --version v1.2.3 --output tocsin.tar
//
// The binary is the only program in the image, so it has to be static and to carry
// its time zones and root certificates. The archive is an OCI layout for podman,
// skopeo and containerd, with the manifest that `docker load` reads beside it.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("image: ")
	var r release
	var output string
	flag.StringVar(&r.binary, "binary", "tocsin", "the static binary")
	flag.StringVar(&r.arch, "arch", "amd64", "its architecture, as Go names it")
	flag.StringVar(&r.version, "version", "unknown", "its version, a label and the tag of the image")
	flag.StringVar(&output, "output", "tocsin.tar", "the archive to write")
	created := flag.Int64("created", 0, "seconds since 1970 that the image is dated; the same input gives the same archive")
	flag.Parse()
	r.created = time.Unix(*created, 0).UTC()
	if err := run(r, output); err != nil {
		log.Fatal(err)
	}
}

// run writes to a temporary file first, so that no half an archive is left behind.
func run(r release, output string) error {
	img, err := r.image()
	if err != nil {
		return err
	}
	temporary := output + ".part"
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary) }()
	if err := writeArchive(f, img, r.reference()); err != nil {
		_ = f.Close()
		return fmt.Errorf("%s: %w", output, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temporary, output)
}
