// Package hook takes the signals that senders post.
package hook

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Signals accepts signals: ingest.Service.
type Signals interface {
	Accept(ctx context.Context, req ingest.Request) (ingest.Answer, error)
}

// Deps is what the routes need.
type Deps struct {
	Signals Signals
}

// Mount adds the routes of signals.
func Mount(r *web.Router, d Deps) {
	h := handlers{d}
	routes := r.Signals()
	routes.Post(web.SignalPath+"/:key", h.acceptSLO)
	routes.Post(web.SignalPath+"/:key/", h.acceptSLO)
	routes.Post(web.SignalPath, h.acceptSLO)
}

type handlers struct{ Deps }

// acceptSLO takes a native SLO breach. The key is in the path or a bearer token,
// and is checked before the body is read. The answer is sent once the signal is
// durable.
func (h handlers) acceptSLO(c echo.Context) error {
	r := c.Request()
	key := c.Param("key")
	if key == "" {
		key, _ = web.BearerToken(r)
	}
	answer, err := h.Signals.Accept(r.Context(), ingest.Request{
		Key: key, Kind: catalog.KindSLO, ContentType: r.Header.Get("Content-Type"), Remote: c.RealIP(),
		Read: func() ([]byte, error) { return readSignal(r) },
	})
	if err != nil {
		return err
	}
	buffer, _ := answers.Get().(*[]byte)
	defer answers.Put(buffer)
	*buffer = appendAnswer((*buffer)[:0], &answer)
	header := c.Response().Header()
	header["Content-Type"] = jsonType
	c.Response().WriteHeader(http.StatusAccepted)
	_, err = c.Response().Write(*buffer)
	return err
}

var (
	jsonType = []string{"application/json"}
	answers  = sync.Pool{New: func() any { return new([]byte) }}
)

// readSignal reads a body, and one byte more than allowed where it is too large,
// so that Accept rejects and lists it. A body that was cut off is returned as far
// as it came: Accept lists it as invalid JSON. The signal owns the memory. Faults:
// Unsupported for an encoding other than gzip, Malformed for a body that is not
// gzip though its encoding says so, both with the body as it was sent; Malformed
// for a broken connection and Unavailable for a timeout, with what was read.
func readSignal(r *http.Request) ([]byte, error) {
	body, err := readBounded(r)
	encoding := r.Header["Content-Encoding"]
	if err != nil || len(encoding) == 0 || len(body) > ingest.MaxBody {
		return body, err
	}
	switch strings.ToLower(strings.TrimSpace(strings.Join(encoding, ","))) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return gunzip(body)
	}
	return body, fault.Unsupported("The content encoding %q is not read here; send gzip, or the body as it is.", strings.Join(encoding, ", "))
}

// maxRead bounds what is read of a body, as sent and unzipped, in bytes.
const maxRead = ingest.MaxBody + 1

func readBounded(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRead))
		return body, ignoreEOF(err)
	}
	body := make([]byte, min(r.ContentLength, maxRead))
	n, err := io.ReadFull(r.Body, body)
	return body[:n], ignoreEOF(err)
}

// gunzip unzips at most maxRead bytes, however large the content is.
func gunzip(body []byte) ([]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body, fault.Malformed("The body is not gzip, though its Content-Encoding says so.").Because(err)
	}
	plain, err := io.ReadAll(io.LimitReader(zipped, maxRead))
	if err != nil {
		return body, fault.Malformed("The body is gzip that is broken or cut off.").Because(err)
	}
	return plain, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil
	}
	return web.BodyError(err)
}

// appendAnswer writes what json.Marshal would, without its allocations.
func appendAnswer(b []byte, a *ingest.Answer) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, a.Status...)
	b = append(b, '"')
	if a.Incident != nil {
		b = append(b, `,"incident":{"number":`...)
		b = strconv.AppendInt(b, a.Incident.Number, 10)
		b = append(b, `,"url":`...)
		b = appendText(b, a.Incident.URL)
		b = append(b, '}')
	}
	b = append(b, `,"dedup_key":`...)
	b = appendText(b, a.DedupKey)
	b = append(b, `,"warnings":[`...)
	for i, w := range a.Warnings {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, w)
	}
	return append(b, "]}\n"...)
}

// appendText writes a JSON string; one of plain ASCII as it stands.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always can be
				panic(err)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
