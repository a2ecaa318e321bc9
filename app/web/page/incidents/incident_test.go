package incidents_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestIncidentPage(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		ana, ben := a.SignIn("ana@acme.example"), a.SignIn("ben@acme.example")
		page := ana.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "Checkout API", "Production Europe", "P2", "from the signal", "SRE infrastructure",
			"SMS to Ben", "backup on call in Payments", "https://dash.acme.example/checkout", "incident_priority")
		webtest.Contains(t, ben.Get("/incidents?tab=mine", http.StatusOK), "Availability")
		webtest.Lacks(t, ana.Get("/incidents?tab=mine", http.StatusOK), `id="incident-1"`)
		why := ben.Get("/incidents/1/pages/1", http.StatusOK)
		webtest.Contains(t, why, "Why me?", "main", "Payments", "+44 ••• 002")
		ben.Get("/incidents/1/pages/9", http.StatusNotFound)
		ben.Get("/incidents/9", http.StatusNotFound)

		if to := ben.Post("/incidents/1/acknowledge", http.StatusSeeOther); to != "/incidents/1" {
			t.Errorf("acknowledging led to %q", to)
		}
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "You own this incident")
		ana.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Ben Adeyemi was first, at 19:04:05")

		webtest.Contains(t, ana.Post("/incidents/1/notes", http.StatusUnprocessableEntity, "note", " "), "Write what others should know")
		long := strings.Repeat("x", incident.MaxText+1)
		webtest.Contains(t, ana.Post("/incidents/1/notes", http.StatusUnprocessableEntity, "note", long), long)
		ana.Post("/incidents/1/notes", http.StatusSeeOther, "note", "The <rollback> runs.")
		webtest.Contains(t, ana.Post("/incidents/1/priority", http.StatusUnprocessableEntity, "priority", "1", "reason", ""), "Say why")
		missing := ana.Post("/incidents/1/priority", http.StatusUnprocessableEntity, "reason", "Worse.")
		webtest.Contains(t, missing, "Choose one of the priorities.", "Worse.")
		webtest.Lacks(t, missing, "or null for none")
		webtest.Contains(t, ana.Post("/incidents/1/priority", http.StatusUnprocessableEntity), "Choose one of the priorities.", "Say why")
		webtest.Contains(t, ana.Post("/incidents/1/priority", http.StatusUnprocessableEntity, "priority", "8", "reason", "Worse."), "must be ", "Worse.")
		ana.Post("/incidents/1/priority", http.StatusSeeOther, "priority", "1", "reason", "Everybody calls.")
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "The <rollback> runs.", "set by Ana Ortiz", "Everybody calls.")

		ben.Post("/incidents/1/reopen", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "nothing to reopen")
		ben.Post("/incidents/1/escalate", http.StatusSeeOther)
		ben.Post("/incidents/1/escalate", http.StatusSeeOther) // clicked twice
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "Incident 1 was escalated by Ben Adeyemi a moment ago")
		ben.Post("/incidents/1/resolve", http.StatusSeeOther, "resolution", "Rolled back.")
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "Rolled back.", "Reopen")
		ben.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), "was resolved by")
		webtest.Contains(t, ben.Get("/incidents?tab=resolved&q=avail", http.StatusOK), "Availability")
		if row, err := a.DB.Incidents.Incident(t.Context(), n); err != nil || row.Status != incident.Resolved || row.ResolvedBy != "ben@acme.example" {
			t.Errorf("it is %s by %s, %v", row.Status, row.ResolvedBy, err)
		}
	})
}

// A page that waits for others is told of with the time at which it leaves, and
// as any other once it has left.
func TestBundledPageShowsDueTime(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for i := range notify.BundleAfter + 1 {
			a.PostBreach("SLO " + web.FormatInt(int64(i)))
		}
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		waits := []string{"waits until", "Ben was paged three times within five minutes, so further pages go out together.", "Ben is told at 19:05, together with other pages."}
		webtest.Lacks(t, ana.Get("/incidents/1", http.StatusOK), waits...)
		page := ana.Get("/incidents/4", http.StatusOK)
		webtest.Contains(t, page, waits...)
		webtest.Contains(t, page, "SMS waits until <time", ">19:05:05</time> to go out with others")
		webtest.Lacks(t, page, "Being paged", "Paging Ben.")
		a.Advance(notify.GatherFor)
		page = ana.Get("/incidents/4", http.StatusOK)
		webtest.Contains(t, page, "Paging Ben.")
		webtest.Lacks(t, page, waits...)
	})
}

// TestHeadAndTimelineNameSameResolver has the sender tell of the recovery.
func TestHeadAndTimelineNameSameResolver(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		a.Do("POST", "/webhooks/slo/"+webtest.Key, `{"status":"recovered","service":"checkout-api","deployment":"prod-eu","sli":"availability","slo":{"name":"Availability"}}`)
		page := a.SignIn("ana@acme.example").Get("/incidents/1", http.StatusOK)
		if n := strings.Count(page, "by SRE infrastructure: the SLO recovered"); n != 2 {
			t.Errorf("the page says %d times who ended it, want once in the head and once on the timeline", n)
		}
	})
}

// A service without a policy asks nobody; where nobody at all can be reached,
// that is the loudest thing on the page and in the list.
func TestNobodyReachable(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Apply("version: 1\nservices:\n  - slug: orphan\n    name: Orphan\n    team: payments\n")
		opened := a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"It smells","service":"orphan","description":"Of smoke.\nIn the lobby."}`)
		if opened.Code != http.StatusCreated {
			t.Fatalf("opening was answered %d %s", opened.Code, opened.Body)
		}
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		for range 2 { // at once, and later
			webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Nobody is paged: nobody can be reached.", "Tried again: nobody can be reached as things are")
			webtest.Lacks(t, ana.Get("/incidents/1", http.StatusOK), "Nobody is paged right now.", "The administrators are paged</p>")
			a.Advance(time.Minute)
		}
		page := ana.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "Opened by <strong>API token test-responder", "Description</h2>", "Of smoke.\nIn the lobby.", "Orphan has no escalation policy",
			"Nobody on call was paged:", "The administrators are paged instead", `class="alarm"`, "Nobody is paged: nobody can be reached.")
		webtest.Lacks(t, page, "Alert received", "Breach received", "Nobody answered")
		webtest.Contains(t, ana.Get("/incidents?tab=open", http.StatusOK), "nobody can be reached")
	})
}

// A target that is a person is named once.
func TestTargetPersonIsNamedOnce(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Apply(`version: 1
users:
  - email: zoe@acme.example
    name: Zoë Ångström
    role: responder
    contacts: [{id: sms, type: sms, value: "+34600000099", verified: true}]
escalation_policies:
  - slug: solo
    name: Solo
    steps:
      - {timeout: 10m, targets: [{user: chiara@acme.example}]}
      - {timeout: 10m, targets: [{user: zoe@acme.example}]}
services:
  - slug: one
    name: One
    escalation_policy: solo
`)
		if a := a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"Alone","service":"one"}`); a.Code != http.StatusCreated {
			t.Fatal(a.Body)
		}
		a.RunDue()
		a.Advance(11 * time.Minute)
		a.RunDue()
		page := a.SignIn("ana@acme.example").Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "step 2: <strong>Zoë Ångström</strong>", "named in the policy")
		webtest.Lacks(t, page, "Zoë Ångström is", "Zoë Ångström (")
	})
}
