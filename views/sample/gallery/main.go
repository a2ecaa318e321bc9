// Command gallery serves every sample page on this machine, for whoever works
// on the looks: go run ./views/sample/gallery
package main

import (
	"flag"
	"fmt"
	"html"
	"log"
	"net/http"
	"time"

	"github.com/tocsin-oncall/tocsin/static"
	"github.com/tocsin-oncall/tocsin/views/sample"
)

// policy is the Content-Security-Policy that the server sends too, so that a
// page which breaks it is seen here.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func main() {
	listen := flag.String("listen", "127.0.0.1:8099", "address to serve on")
	flag.Parse()
	server := &http.Server{Addr: *listen, Handler: handler(), ReadHeaderTimeout: 5 * time.Second}
	log.Printf("The gallery is at http://%s/", *listen)
	log.Fatal(server.ListenAndServe())
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, static.Handler())
	mux.HandleFunc("GET /{$}", index)
	for _, page := range sample.Pages() {
		mux.HandleFunc("GET /"+page.Name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := page.Show.Render(r.Context(), w); err != nil {
				log.Print(err)
			}
		})
	}
	return mux
}

func index(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, "<!doctype html><meta charset=utf-8><title>Gallery</title><ul>")
	for _, page := range sample.Pages() {
		name := html.EscapeString(page.Name)
		fmt.Fprintf(w, "<li><a href=%q>%s</a>", "/"+name, name)
	}
}
