package incidents_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

var undoAddress = regexp.MustCompile(`action="(/incidents/undo\?[^"]+)"`)

func status(t *testing.T, a *webtest.App, n int64) incident.Status {
	t.Helper()
	row, err := a.DB.Incidents.Incident(t.Context(), n)
	a.Must(err)
	return row.Status
}

// The undo is for exactly those that the act changed: what somebody else had
// acknowledged before stays.
func TestBulkActIsUndoneForThoseItChanged(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		one, two, three := a.PostBreach("a"), a.PostBreach("b"), a.PostBreach("c")
		a.RunDue()
		ana, ben := a.SignIn("ana@acme.example"), a.SignIn("ben@acme.example")
		ben.Post(fmt.Sprintf("/incidents/%d/acknowledge", two), http.StatusSeeOther)
		for _, act := range []struct {
			name   string
			after  incident.Status
			undone incident.Status
		}{{"acknowledge", incident.Acknowledged, incident.Triggered}, {"resolve", incident.Resolved, incident.Triggered}} {
			ana.Post("/incidents/"+act.name, http.StatusSeeOther, "number", fmt.Sprint(one), "number", fmt.Sprint(three), "number", fmt.Sprint(three), "tab", "open")
			if got := status(t, a, one); got != act.after {
				t.Fatalf("%s: it is %s", act.name, got)
			}
			page := ana.Get("/incidents?tab=open", http.StatusOK)
			found := undoAddress.FindStringSubmatch(page)
			if found == nil {
				t.Fatalf("%s: the page offers no undo", act.name)
			}
			a.Advance(10 * time.Second)
			ana.Post(strings.ReplaceAll(found[1], "&amp;", "&"), http.StatusSeeOther)
			if first, other, third := status(t, a, one), status(t, a, two), status(t, a, three); first != act.undone || other != incident.Acknowledged || third != act.undone {
				t.Errorf("%s undone: they are %s, %s, %s", act.name, first, other, third)
			}
		}
	})
}

func TestBulkActAsksForOtherTeams(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("a")
		a.Apply(`{"version": 1, "users": [{"email": "olga@acme.example", "name": "Olga Berg", "role": "responder"}]}`)
		olga := a.SignIn("olga@acme.example")
		page := olga.Post("/incidents/acknowledge", http.StatusOK, "number", fmt.Sprint(n), "tab", "open")
		webtest.Contains(t, page, "All 1, 1 of them other teams’", "Payments", `name="others" value="yes"`)
		if got := status(t, a, n); got != incident.Triggered {
			t.Fatalf("it is %s before the answer", got)
		}
		olga.Post("/incidents/acknowledge", http.StatusSeeOther, "number", fmt.Sprint(n), "tab", "open", "others", "yes")
		if got := status(t, a, n); got != incident.Acknowledged {
			t.Errorf("it is %s after the answer", got)
		}
	})
}

func TestAskPageFindsPeople(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/incidents/1/responders?q="+url.QueryEscape("chiara"), http.StatusOK), "Chiara Conti", `name="users"`)
		webtest.Contains(t, ana.Get("/incidents/1/responders?q=zzz", http.StatusOK), "Nobody matches “zzz”")
		webtest.Contains(t, ana.Post("/incidents/1/responders", http.StatusUnprocessableEntity, "message", "typed"), "Name at least one person", "typed")
		ana.Post("/incidents/1/responders", http.StatusSeeOther, "users", fmt.Sprint(a.UserID("chiara@acme.example")), "message", "look")
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Asked to join", "Chiara Conti", "“look”")
	})
}
