package ingest_test

import (
	_ "embed"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

//go:embed slo/testdata/breach.json
var fullBreach []byte

func decode(t *testing.T, body string) ingest.Event {
	t.Helper()
	ev, err := slo.Decode([]byte(body), "application/json")
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// breach is the least that is accepted, with further members.
func breach(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"service":"api","sli":"latency","slo":{"name":"Fast"}` + members + `}`
}
