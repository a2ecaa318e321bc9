package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// TestSimulationsAreLimited: a third waits for its turn, and is told to come again
// where it comes to none.
func TestSimulationsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulating := make(semaphore, maxSimulations)
		var releases []func()
		for range maxSimulations {
			release, err := simulating.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		if _, err := simulating.acquire(t.Context()); !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("one too many is answered %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := simulating.acquire(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever left is answered %v", err)
		}
		time.AfterFunc(maxWait/2, releases[0])
		if _, err := simulating.acquire(t.Context()); err != nil {
			t.Errorf("whoever waited is answered %v", err)
		}
	})
}

// TestSimulateKeepsInternalErrors: what is neither the answers' nor the
// breach's stays what it is, and is logged.
func TestSimulateKeepsInternalErrors(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{errors.New("the disk is gone"), fault.Internal(errors.New("the disk is gone")), context.DeadlineExceeded} {
		var s simulation
		if err := s.mapFault(cause); !errors.Is(err, cause) || s.errors != nil {
			t.Errorf("%v became %v", cause, err)
		}
	}
}

func TestBodyErrors(t *testing.T) {
	t.Parallel()
	for status, cause := range map[int]error{
		400: io.ErrUnexpectedEOF,
		503: os.ErrDeadlineExceeded,
		413: &http.MaxBytesError{Limit: 1 << 10},
	} {
		r := httptest.NewRequest("POST", "/api/v1/incidents/1/notes", io.MultiReader(strings.NewReader(`{"note"`), iotest.ErrReader(cause)))
		_, err := readBody(echo.New().NewContext(r, httptest.NewRecorder()), &struct{}{})
		if p := web.ProblemOf(err); p.Status != status || p.Detail == "" {
			t.Errorf("%v is answered %+v", cause, p)
		}
	}
}
