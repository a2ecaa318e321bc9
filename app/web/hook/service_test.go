package hook_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

func TestSignalsWithService(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		good := `{"service":"checkout-api","sli":"availability","slo":{"name":"a"}}`
		path := "/webhooks/slo/" + webtest.Key
		for _, c := range []struct {
			name, path, body, contentType string
			status, rejected              int
		}{
			{"good", path, good, "application/json", 202, 0},
			{"unknown key", "/webhooks/slo/none", good, "application/json", 401, 0},
			{"no key", "/webhooks/slo", good, "application/json", 401, 0},
			{"a missing field", path, `{"service":"checkout-api"}`, "application/json", 422, 1},
			{"no JSON", path, `{"service":`, "application/json", 400, 1},
			{"not UTF-8", path, "{\"service\":\"\xff\"}", "application/json", 400, 1},
			{"a form", path, good, "application/x-www-form-urlencoded", 415, 1},
			{"too large", path, `{"x":"` + strings.Repeat("x", ingest.MaxBody) + `"}`, "application/json", 413, 1},
			{"empty", path, "", "application/json", 400, 1},
		} {
			before := rejections(t, a)
			w := a.Do("POST", c.path, c.body, "Content-Type", c.contentType)
			if w.Code != c.status {
				t.Errorf("%s is answered %d, want %d: %s", c.name, w.Code, c.status, w.Body)
			}
			if n := rejections(t, a) - before; n != c.rejected {
				t.Errorf("%s: %d rejections are listed, want %d", c.name, n, c.rejected)
			}
		}
	})
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEncodedBodies(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		good := `{"service":"checkout-api","sli":"availability","slo":{"name":"a"}}`
		bomb := zipped(t, `{"x":"`+strings.Repeat("x", 64<<20)+`"}`)
		for _, c := range []struct {
			name, encoding, body string
			status               int
			words                string
		}{
			{"gzip", "gzip", zipped(t, good), 202, ""},
			{"GZIP", " GZIP ", zipped(t, good), 202, ""},
			{"as it is", "identity", good, 202, ""},
			{"no gzip", "gzip", good, 400, "The body is not gzip, though its Content-Encoding says so."},
			{"half of it", "gzip", zipped(t, good)[:30], 400, "The body is gzip that is broken or cut off."},
			{"a bomb", "gzip", bomb, 413, "The body is larger than 512 KiB."},
			{"brotli", "br", "\x0b\x02\x80", 415, `The content encoding \"br\" is not read here; send gzip, or the body as it is.`},
			{"twice", "gzip, gzip", zipped(t, zipped(t, good)), 415, "gzip, gzip"},
		} {
			before := rejections(t, a)
			w := a.Do("POST", "/webhooks/slo/"+webtest.Key, c.body, "Content-Type", "application/json", "Content-Encoding", c.encoding)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.words) {
				t.Errorf("%s is answered %d: %s", c.name, w.Code, w.Body)
			}
			if listed := rejections(t, a) - before; listed != 1 && c.status != 202 || listed != 0 && c.status == 202 {
				t.Errorf("%s: %d rejections are listed", c.name, listed)
			}
		}
	})
}

// TestUnknownKeyReadsNoBody, however large it is.
func TestUnknownKeyReadsNoBody(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for path, want := range map[string]bool{"/webhooks/slo/none": false, "/webhooks/slo": false, "/webhooks/slo/" + webtest.Key: true} {
			body := &unreadBody{left: ingest.MaxBody + 1}
			r := httptest.NewRequest("POST", path, body)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			a.Handler.ServeHTTP(w, r)
			if read := body.left <= ingest.MaxBody; read != want || (w.Code == http.StatusUnauthorized) == want {
				t.Errorf("%s is answered %d with %d bytes unread", path, w.Code, body.left)
			}
		}
	})
}

// unreadBody is a body that must not be read.
type unreadBody struct{ left int }

func (b *unreadBody) Read(p []byte) (int, error) {
	n := min(b.left, len(p))
	if b.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// rejections counts what is listed for the example's integration.
func rejections(t *testing.T, a *webtest.App) int {
	t.Helper()
	state, err := a.DB.Organization.Load(t.Context())
	a.Must(err)
	listed, err := a.DB.Incidents.Rejections(t.Context(), state.Integrations[0].ID, 0, 100)
	a.Must(err)
	return len(listed)
}
