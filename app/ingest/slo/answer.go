package slo

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// answer is the one event's answer as JSON.
func answer(_ ingest.Input, answers []ingest.Answer, reply *ingest.Reply) {
	reply.Status, reply.ContentType = http.StatusAccepted, "application/json"
	reply.Body = appendAnswer(reply.Body, &answers[0])
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
