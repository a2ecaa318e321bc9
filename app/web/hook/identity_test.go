package hook_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

func TestLongNamePages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		long := strings.Repeat("ä", 1024) + "the end"
		a.PostBreach(long)
		if sent := a.RunDue(); len(sent) == 0 || !strings.HasPrefix(long, sent[0].Subjects[0].Title) {
			t.Errorf("sent %+v", sent)
		}
		if page := a.SignIn("ana@acme.example").Get("/incidents/1", 200); !strings.Contains(page, long) {
			t.Error("the page does not show the whole name")
		}
	})
}

func TestRecoveryByKeyAlone(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		post := func(body string) ingest.Answer {
			t.Helper()
			return webtest.Decode[ingest.Answer](t, a.Do("POST", "/webhooks/slo/"+webtest.Key, body), 202)
		}
		post(`{"service":"checkout-api","sli":"availability","slo":{"name":"a"},"dedup_key":"U"}`)
		if got := post(`{"dedup_key":"U","status":"recovered"}`); got.Status != incident.ResultResolved || got.Incident.Number != 1 || len(got.Warnings) != 0 {
			text, _ := json.Marshal(got)
			t.Errorf("answered %s", text)
		}
		shown := webtest.Decode[struct{ Title, Status string }](t, a.As(auth.Read, "GET", "/api/v1/incidents/1", ""), 200)
		if shown.Title != "a" || shown.Status != "resolved" {
			t.Errorf("the incident is %+v", shown)
		}
		if got := post(`{"dedup_key":"none","status":"recovered"}`); got.Status != incident.ResultIgnored || len(got.Warnings) != 1 {
			t.Errorf("a recovery of nothing is answered %+v", got)
		}
	})
}
