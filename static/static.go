// Package static holds the stylesheets, scripts and icons, embedded in the
// binary and served under addresses that change with their content, so that
// browsers keep them for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed app.css nav.css app.js controls.js search.js favicon.svg
//go:embed vendor/basecoat.min.css vendor/htmx.min.js vendor/idiomorph-ext.min.js vendor/icons.svg
var embedded embed.FS

// Prefix is where Handler expects to be mounted.
const Prefix = "/static/"

// asset is one file, ready to be sent.
type asset struct {
	url     string
	kind    string
	plain   []byte
	zipped  []byte
	etagged string
}

// library finds assets by name and by address.
type library struct {
	byName map[string]*asset
	byURL  map[string]*asset
}

// names are what templates call the files by.
var names = map[string]string{
	"app.css":           "app.css",
	"nav.css":           "nav.css",
	"search.js":         "search.js",
	"app.js":            "app.js",
	"controls.js":       "controls.js",
	"favicon.svg":       "favicon.svg",
	"basecoat.css":      "vendor/basecoat.min.css",
	"htmx.js":           "vendor/htmx.min.js",
	"idiomorph-htmx.js": "vendor/idiomorph-ext.min.js",
	"icons.svg":         "vendor/icons.svg",
}

// kinds are the media types; the machine's own table would differ from one to
// the next.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

var assets = sync.OnceValue(func() library {
	lib := library{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	for name, file := range names {
		content, err := embedded.ReadFile(file)
		if err != nil { // the file was embedded at build time
			panic(err)
		}
		a := newAsset(name, content)
		lib.byName[name], lib.byURL[a.url] = a, a
	}
	return lib
})

func newAsset(name string, content []byte) *asset {
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:6])
	ext := path.Ext(name)
	return &asset{
		url:     Prefix + strings.TrimSuffix(name, ext) + "." + hash + ext,
		kind:    kinds[ext],
		plain:   content,
		zipped:  compress(content),
		etagged: `"` + hash + `"`,
	}
}

func compress(content []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil { // the level is a constant that exists
		panic(err)
	}
	// A bytes.Buffer takes everything.
	_, _ = w.Write(content)
	_ = w.Close()
	return buf.Bytes()
}

// URL is the address of a file, such as "/static/app.1f2e3d4c5b6a.css" for
// "app.css". It panics on a name that does not exist: only templates call it,
// with constants.
func URL(name string) string {
	a, ok := assets().byName[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q", name))
	}
	return a.url
}

// Weight is how many bytes the file takes on the wire, compressed.
func Weight(name string) int { return len(assets().byName[name].zipped) }

// Text is the file as it is.
func Text(name string) string { return string(assets().byName[name].plain) }

// Handler serves the files below Prefix: compressed where the client takes
// gzip, and to be kept for ever, since another content has another address.
// An address of an earlier release answers 404; the page that named it is
// gone with its release.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets().byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		a.serve(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", a.etagged)
	if r.Header.Get("If-None-Match") == a.etagged {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.plain
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// A client that hangs up is its own matter.
	_, _ = w.Write(body)
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3) as far as gzip is
// concerned.
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" || coding == "*" {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}
