// Command gallery serves every sample page on this machine, for whoever works
// on the looks: go run ./views/sample/gallery
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/tocsin-oncall/tocsin/views/sample"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8099", "address to serve on")
	flag.Parse()
	server := &http.Server{Addr: *listen, Handler: sample.Handler(), ReadHeaderTimeout: 5 * time.Second}
	log.Printf("The gallery is at http://%s/", *listen)
	log.Fatal(server.ListenAndServe())
}
