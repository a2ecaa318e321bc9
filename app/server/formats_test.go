package server_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/server"
)

// TestKindsHaveFormats compares the kinds that a configuration may name with the
// formats that are registered.
func TestKindsHaveFormats(t *testing.T) {
	t.Parallel()
	formats, err := server.Formats()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(catalog.Kinds, formats.Kinds()); diff != "" {
		t.Error(diff)
	}
}
