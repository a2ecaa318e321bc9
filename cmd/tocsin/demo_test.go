package main

import (
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	k := empty(t)
	k.vars["TOCSIN_LISTEN"] = "127.0.0.1:0"
	// Whatever is configured, nothing leaves the machine.
	k.vars["TOCSIN_SMTP_URL"], k.vars["TOCSIN_SMTP_FROM"] = "smtp://127.0.0.1:1", "a@acme.example"
	file := t.TempDir() + "/demo.db"
	s := serve(t, k.vars, "keep this on your own machine", "demo", "--database", file)
	wantWords(t, s.said, "Lumen Books is at http://127.0.0.1:", "ana@lumen.example", "dana@lumen.example", "mira@lumen.example")
	k.vars["TOCSIN_DATABASE_URL"] = "sqlite:" + file
	wantWords(t, k.ok("oncall"), "Payments · main: ", "Platform · backup: Ivo Novak (Etc/UTC)", "Data · main: ")
	wantWords(t, k.fails(1, "demo", "--database", file), "Another Tocsin already serves ")
	if got := s.stop(); got.code != 0 {
		t.Errorf("stopped: %+v", got)
	}
	checkSample(t, "sqlite:"+file)
}

// checkSample looks whether a visitor sees something of everything.
func checkSample(t *testing.T, address string) {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Incidents.ListIncidents(ctx, incident.ListFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rows); n < 100 || n > 150 {
		t.Errorf("%d incidents", n)
	}
	statuses, kinds, attempts := map[incident.Status]int{}, map[incident.EventKind]int{}, map[incident.AttemptState]int{}
	for _, r := range rows {
		statuses[r.Status]++
		events, err := db.Incidents.Timeline(ctx, r.Number, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			kinds[e.Kind()]++
		}
		pages, err := db.Paging.IncidentPages(ctx, r.Number)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pages {
			attempts[p.State]++
		}
	}
	if statuses[incident.Triggered] < 3 || statuses[incident.Acknowledged] < 1 || statuses[incident.Resolved] < 90 {
		t.Errorf("statuses: %v", statuses)
	}
	for _, kind := range []incident.EventKind{incident.EvReceived, incident.EvStep, incident.EvAcknowledged, incident.EvNote, incident.EvPriority,
		incident.EvRecovered, incident.EvResolved, incident.EvReopened, incident.EvFlapping, incident.EvWaiting, incident.EvExhausted} {
		if kinds[kind] == 0 {
			t.Errorf("nothing was %s: %v", kind, kinds)
		}
	}
	if attempts[incident.AttemptDelivered] < 200 || attempts[incident.AttemptFailed] < 10 {
		t.Errorf("attempts: %v", attempts)
	}
}

func TestDemoReplacesOnlySamples(t *testing.T) {
	t.Parallel()
	k := empty(t)
	k.ok("migrate")
	own := strings.TrimPrefix(k.vars["TOCSIN_DATABASE_URL"], "sqlite:")
	wantWords(t, k.fails(1, "demo", "--database", own), "is no sample that `tocsin demo` has made")
	wantWords(t, k.ok("user", "list"), "nobody yet")
}
