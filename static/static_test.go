package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryFileIsServedPlainAndCompressed(t *testing.T) {
	t.Parallel()
	for name, file := range names {
		want, err := embedded.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plain := get(t, URL(name))
		if got := body(t, plain); !bytes.Equal(got, want) {
			t.Errorf("%s: the plain answer has %d bytes, want the file's %d", name, len(got), len(want))
		}
		if kind := plain.Header.Get("Content-Type"); kind == "" {
			t.Errorf("%s has no content type", name)
		}
		if cache := plain.Header.Get("Cache-Control"); !strings.Contains(cache, "immutable") {
			t.Errorf("%s: Cache-Control is %q", name, cache)
		}
		zipped := get(t, URL(name), "Accept-Encoding", "br, gzip;q=0.8")
		if got := zipped.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("%s: Content-Encoding is %q, want gzip", name, got)
		}
		r, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the compressed answer differs from the file (%v)", name, err)
		}
	}
}

func TestAnAddressNamesItsContent(t *testing.T) {
	t.Parallel()
	a, b := newAsset("app.css", []byte("a{}")), newAsset("app.css", []byte("b{}"))
	if a.url == b.url {
		t.Errorf("different contents share the address %s", a.url)
	}
	if !strings.HasPrefix(a.url, "/static/app.") || !strings.HasSuffix(a.url, ".css") {
		t.Errorf("the address is %s, want /static/app.HASH.css", a.url)
	}
}

func TestAnEarlierReleaseIsGone(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/static/app.css", "/static/app.000000000000.css", "/static/", "/static/../static.go"} {
		if res := get(t, target); res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s answers %d, want 404", target, res.StatusCode)
		}
	}
}

func TestUnchangedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	first := get(t, URL("app.css"))
	again := get(t, URL("app.css"), "If-None-Match", first.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified || len(body(t, again)) != 0 {
		t.Errorf("the second answer is %d, want an empty 304", again.StatusCode)
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, URL("app.css"), nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST answers %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"":                     false,
		"gzip":                 true,
		"br, gzip":             true,
		"gzip;q=0":             false,
		"gzip; q=0.000":        false,
		"gzip;q=0.5, br":       true,
		"identity":             false,
		"*":                    true,
		"deflate, *;q=0, zstd": false,
	} {
		if got := takesGzip(header); got != want {
			t.Errorf("takesGzip(%q) = %t, want %t", header, got, want)
		}
	}
}
