package main

import (
	"archive/tar"
	"encoding/json"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// archive writes the files of an image to a tar file, as the OCI image layout
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) has them.
type archive struct{ *tar.Writer }

// writeArchive writes an OCI layout of one image. manifest.json is for `docker load`,
// which reads a layout by itself from version 25 only.
func writeArchive(w io.Writer, img v1.Image, reference string) error {
	a := archive{tar.NewWriter(w)}
	config, layers, err := a.image(img)
	if err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return err
	}
	index, err := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: img,
		Descriptor: v1.Descriptor{Annotations: map[string]string{
			"io.containerd.image.name":          reference,
			"org.opencontainers.image.ref.name": reference[len("docker.io/library/tocsin:"):],
		}},
	}).RawManifest()
	if err != nil {
		return err
	}
	docker, err := json.Marshal([]map[string]any{{"Config": config, "RepoTags": []string{reference}, "Layers": layers}})
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{blobPath(digest), manifest}, {"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)}, {"index.json", index}, {"manifest.json", docker},
	} {
		if err := a.file(file.name, file.content); err != nil {
			return err
		}
	}
	return a.Close()
}

// image writes the layers and the configuration, and returns their paths.
func (a archive) image(img v1.Image) (config string, paths []string, err error) {
	layers, err := img.Layers()
	if err != nil {
		return "", nil, err
	}
	for _, layer := range layers {
		path, err := a.layer(layer)
		if err != nil {
			return "", nil, err
		}
		paths = append(paths, path)
	}
	name, err := img.ConfigName()
	if err != nil {
		return "", nil, err
	}
	raw, err := img.RawConfigFile()
	if err != nil {
		return "", nil, err
	}
	return blobPath(name), paths, a.file(blobPath(name), raw)
}

func (a archive) layer(layer v1.Layer) (path string, err error) {
	digest, err := layer.Digest()
	if err != nil {
		return "", err
	}
	r, err := layer.Compressed()
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	return blobPath(digest), a.file(blobPath(digest), content)
}

func (a archive) file(name string, content []byte) error {
	if err := a.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := a.Write(content)
	return err
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
