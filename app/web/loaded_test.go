package web_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// A process is ready once it has read the configuration, which it does once.
func TestReadyMeansLoaded(t *testing.T) {
	t.Parallel()
	loads, failing := 0, true
	health := healthy()
	health.Load = func(context.Context) error {
		if loads++; failing {
			return errors.New("too slow")
		}
		return nil
	}
	handler := newHandler(web.Deps{Health: health}, nil)
	probe := func(status int) string {
		t.Helper()
		return webtest.Decode[map[string]string](t, webtest.Do(handler, "GET", "/readyz", ""), status)["configuration"]
	}
	if got := probe(http.StatusServiceUnavailable); got != "not loaded" {
		t.Errorf("while it cannot be read: %q", got)
	}
	failing = false
	for range 2 {
		if got := probe(http.StatusOK); got != "loaded" {
			t.Errorf("once it is read: %q", got)
		}
	}
	if loads != 2 {
		t.Errorf("it was read %d times", loads)
	}
}
