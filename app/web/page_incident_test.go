package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

func TestTheIncidentPage(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		n := w.breach("Availability")
		w.work()
		ana, ben := w.person("ana@acme.example"), w.person("ben@acme.example")
		page := ana.get("/incidents/1", http.StatusOK)
		contains(t, page, "Checkout API", "Production Europe", "P2", "from the signal", "SRE infrastructure",
			"SMS to Ben", "backup on call in Payments", "https://dash.acme.example/checkout", "incident_priority")
		contains(t, ben.get("/incidents?tab=mine", http.StatusOK), "Availability")
		lacks(t, ana.get("/incidents?tab=mine", http.StatusOK), `id="incident-1"`)
		why := ben.get("/incidents/1/pages/1", http.StatusOK)
		contains(t, why, "Why me?", "main", "Payments", "+44 ••• 002")
		ben.get("/incidents/1/pages/9", http.StatusNotFound)
		ben.get("/incidents/9", http.StatusNotFound)

		if to := ben.post("/incidents/1/acknowledge", http.StatusSeeOther); to != "/incidents/1" {
			t.Errorf("acknowledging led to %q", to)
		}
		contains(t, ben.get("/incidents/1", http.StatusOK), "It is yours")
		ana.post("/incidents/1/acknowledge", http.StatusSeeOther)
		contains(t, ana.get("/incidents/1", http.StatusOK), "Ben Adeyemi was first, at 19:04:05")

		contains(t, ana.post("/incidents/1/notes", http.StatusUnprocessableEntity, "note", " "), "Write what others should know")
		long := strings.Repeat("x", incident.MaxText+1)
		contains(t, ana.post("/incidents/1/notes", http.StatusUnprocessableEntity, "note", long), long)
		ana.post("/incidents/1/notes", http.StatusSeeOther, "note", "The <rollback> runs.")
		contains(t, ana.post("/incidents/1/priority", http.StatusUnprocessableEntity, "priority", "1", "reason", ""), "Say why")
		contains(t, ana.post("/incidents/1/priority", http.StatusUnprocessableEntity, "priority", "8", "reason", "Worse."), "must be ", "Worse.")
		ana.post("/incidents/1/priority", http.StatusSeeOther, "priority", "1", "reason", "Everybody calls.")
		contains(t, ana.get("/incidents/1", http.StatusOK), "The <rollback> runs.", "set by Ana Ortiz", "Everybody calls.")

		ben.post("/incidents/1/reopen", http.StatusSeeOther)
		contains(t, ben.get("/incidents/1", http.StatusOK), "nothing to reopen")
		ben.post("/incidents/1/escalate", http.StatusSeeOther)
		ben.post("/incidents/1/escalate", http.StatusSeeOther) // clicked twice
		contains(t, ben.get("/incidents/1", http.StatusOK), "Incident 1 was escalated by Ben Adeyemi a moment ago")
		ben.post("/incidents/1/resolve", http.StatusSeeOther, "resolution", "Rolled back.")
		contains(t, ben.get("/incidents/1", http.StatusOK), "Rolled back.", "Reopen")
		ben.post("/incidents/1/acknowledge", http.StatusSeeOther)
		contains(t, ben.get("/incidents/1", http.StatusOK), "was resolved by")
		contains(t, ben.get("/incidents?tab=resolved&q=avail", http.StatusOK), "Availability")
		if row, err := w.db.Incidents.Incident(t.Context(), n); err != nil || row.Status != incident.Resolved || row.ResolvedBy != "ben@acme.example" {
			t.Errorf("it is %s by %s, %v", row.Status, row.ResolvedBy, err)
		}
	})
}

// A page that waits for others is told of with the time at which it leaves, and
// as any other once it has left.
func TestAPageThatGathersSaysWhenItLeaves(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		for i := range notify.BundleAfter + 1 {
			w.breach("SLO " + formatInt(int64(i)))
		}
		w.work()
		ana := w.person("ana@acme.example")
		waits := []string{"waits until", "Ben was paged three times within five minutes, so further pages go out together.", "Ben is told at 19:05, together with other pages."}
		lacks(t, ana.get("/incidents/1", http.StatusOK), waits...)
		page := ana.get("/incidents/4", http.StatusOK)
		contains(t, page, waits...)
		contains(t, page, "SMS waits until <time", ">19:05:05</time> to go out with others")
		lacks(t, page, "Being paged", "Paging Ben.")
		w.advance(notify.GatherFor)
		page = ana.get("/incidents/4", http.StatusOK)
		contains(t, page, "Paging Ben.")
		lacks(t, page, waits...)
	})
}

func TestTheListInAStorm(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		for i := range stormUnanswered + 5 {
			w.breach("SLO " + formatInt(int64(i)))
		}
		ben := w.person("ben@acme.example")
		contains(t, ben.get("/incidents?tab=unanswered", http.StatusOK), "25 incidents", "Checkout API")
		plain := ben.get("/incidents?tab=unanswered&q=SLO", http.StatusOK)
		contains(t, plain, "SLO 24", "SLO 0")
		ben.post("/incidents/acknowledge", http.StatusSeeOther, "tab", "unanswered", "number", "1", "number", "2", "number", "99")
		contains(t, ben.get("/incidents?tab=unanswered", http.StatusOK), "Acknowledged 2 incidents.")
		ben.post("/incidents/acknowledge", http.StatusSeeOther)
		contains(t, ben.get("/incidents", http.StatusOK), "Nothing was selected")
		ben.post("/incidents/acknowledge", http.StatusBadRequest, "number", "one")
	})
}

func TestTheLinkInAMessage(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		n := w.breach("Availability")
		w.work()
		link := func(who string, life time.Duration) string {
			return "/a/" + w.keys.SignLink(auth.PageLink{Incident: n, UserID: w.idOf(who), MessageID: 1, Expires: w.deps.Now().Add(life)})
		}
		b := w.browser()
		bens, anas := link("ben@acme.example", time.Hour), link("ana@acme.example", time.Hour)
		contains(t, b.get(bens, http.StatusOK), "Availability", "You act as Ben Adeyemi", "Acknowledge")
		status := func() incident.Status {
			row, err := w.db.Incidents.Incident(t.Context(), n)
			w.must(err)
			return row.Status
		}
		if status() != incident.Triggered {
			t.Fatal("opening a link acted")
		}
		b.post(bens, http.StatusBadRequest)
		contains(t, b.post(bens, http.StatusOK, "action", "acknowledge"), "It is yours")
		events, err := w.db.Incidents.Timeline(t.Context(), n, 0, 0)
		w.must(err)
		if last := events[len(events)-1]; last.Payload != (incident.AcknowledgedPayload{Via: "link"}) || last.Actor != "ben@acme.example" {
			t.Errorf("the timeline ends with %+v", last)
		}
		contains(t, b.post(anas, http.StatusOK, "action", "acknowledge"), "Ben Adeyemi was first")
		contains(t, b.get(anas, http.StatusOK), "Ben Adeyemi acknowledged it")
		contains(t, b.post(anas, http.StatusOK, "action", "resolve", "resolution", "Rolled back."), "Resolved")
		contains(t, b.post(bens, http.StatusOK, "action", "acknowledge"), "Resolved", ", by Ana Ortiz.")
		if status() != incident.Resolved {
			t.Error("it is not resolved")
		}
		b.get(bens[:len(bens)-1], http.StatusNotFound)
		b.post(bens[:len(bens)-1], http.StatusNotFound, "action", "resolve")
		b.get(link("ben@acme.example", -2*time.Hour), http.StatusGone)
		w.must(w.deps.Auth.SetActive(t.Context(), auth.Tocsin, w.idOf("ben@acme.example"), false))
		b.get(bens, http.StatusGone)
	})
}

// TestTheHeadAndTheTimelineAgreeOnWhoEndedIt has the sender tell of the recovery.
func TestTheHeadAndTheTimelineAgreeOnWhoEndedIt(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.breach("Availability")
		w.work()
		w.ask("POST", "/webhooks/slo/"+exampleKey, `{"status":"recovered","service":"checkout-api","deployment":"prod-eu","sli":"availability","slo":{"name":"Availability"}}`)
		page := w.person("ana@acme.example").get("/incidents/1", http.StatusOK)
		if n := strings.Count(page, "by SRE infrastructure: the SLO recovered"); n != 2 {
			t.Errorf("the page says %d times who ended it, want once in the head and once on the timeline", n)
		}
	})
}

func TestWhatWaitsForOthers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	bundled := func(medium string, after time.Duration) incident.PageRecord {
		due := now.Add(after)
		return incident.PageRecord{MessageID: 1, Medium: medium, State: incident.AttemptBundled, RetryAt: &due}
	}
	queued := incident.PageRecord{MessageID: 2, Medium: "email", State: incident.AttemptQueued}
	sent := incident.PageRecord{MessageID: 3, AttemptID: 1, Medium: "email", State: incident.AttemptSent}
	for name, test := range map[string]struct {
		records []incident.PageRecord
		medium  string // of what waits; empty where nothing does
	}{
		"nothing is made so far":         {[]incident.PageRecord{{State: incident.AttemptQueued}}, ""},
		"the first of two":               {[]incident.PageRecord{bundled("sms", 40*time.Second), bundled("slack", 20*time.Second)}, "slack"},
		"another one was sent":           {[]incident.PageRecord{sent, bundled("sms", time.Second)}, "sms"},
		"another one is about to leave":  {[]incident.PageRecord{bundled("sms", time.Second), queued}, ""},
		"it is due":                      {[]incident.PageRecord{bundled("sms", 0)}, ""},
		"one is due, and another is not": {[]incident.PageRecord{bundled("sms", -time.Second), bundled("slack", time.Second)}, "slack"},
	} {
		medium := ""
		if w := waiting(now, test.records); w != nil {
			medium = w.Medium
		}
		if medium != test.medium {
			t.Errorf("%s: %q waits, want %q", name, medium, test.medium)
		}
	}
}
