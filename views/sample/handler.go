package sample

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"

	"github.com/tocsin-oncall/tocsin/static"
)

// Policy is the Content-Security-Policy that the pages are made for: nothing
// inline, nothing from elsewhere.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Handler serves every page under its name, the static files, and a list of
// all at "/".
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, static.Handler())
	mux.HandleFunc("GET /{$}", index)
	for _, page := range Pages() {
		mux.HandleFunc("GET /"+page.Name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", Policy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := page.Show.Render(r.Context(), w); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	return mux
}

func index(w http.ResponseWriter, _ *http.Request) {
	var list strings.Builder
	list.WriteString("<!doctype html><meta charset=utf-8><title>Gallery</title><ul>")
	for _, page := range Pages() {
		fmt.Fprintf(&list, "<li><a href=\"/%[1]s\">%[1]s</a>", html.EscapeString(page.Name))
	}
	_, _ = io.WriteString(w, list.String()) // a browser that has gone needs no list
}
