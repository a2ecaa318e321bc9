package incidents_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestUnknownPriorityFilter(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/incidents?tab=open&priority=2", http.StatusOK), `id="incident-1"`)
		for _, level := range []string{"99999999999", "-99999999999", "99999999999999999999", "77"} {
			webtest.Lacks(t, ana.Get("/incidents?tab=open&priority="+level, http.StatusOK), `id="incident-1"`)
			if p := webtest.Decode[web.Problem](t, a.As(auth.Read, "GET", "/api/v1/incidents?priority="+level, ""), 422); len(p.Errors) != 1 || p.Errors[0].Path != "priority" {
				t.Errorf("priority %s: %+v", level, p)
			}
		}
	})
}

func TestListGroupsManyIncidents(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for i := range 25 {
			a.PostBreach("SLO " + web.FormatInt(int64(i)))
		}
		ben := a.SignIn("ben@acme.example")
		webtest.Contains(t, ben.Get("/incidents?tab=unanswered", http.StatusOK), "25 incidents", "Checkout API")
		plain := ben.Get("/incidents?tab=unanswered&q=SLO", http.StatusOK)
		webtest.Contains(t, plain, "SLO 24", "SLO 0")
		ben.Post("/incidents/acknowledge", http.StatusSeeOther, "tab", "unanswered", "number", "1", "number", "2", "number", "99")
		webtest.Contains(t, ben.Get("/incidents?tab=unanswered", http.StatusOK), "Acknowledged 2 incidents.")
		ben.Post("/incidents/acknowledge", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents", http.StatusOK), "Nothing was selected")
		ben.Post("/incidents/acknowledge", http.StatusBadRequest, "number", "one")
	})
}

// The field says "Title, number, key", and that is what it finds.
func TestSearchFindsInOtherTabs(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.PostBreach("Latency")
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		ana.Post("/incidents/1/resolve", http.StatusSeeOther, "resolution", "")
		row, err := a.DB.Incidents.Incident(t.Context(), 1)
		a.Must(err)
		for _, number := range []string{"1", "%231", "+1+"} {
			page := ana.Get("/incidents?tab=open&q="+number, http.StatusOK)
			webtest.Contains(t, page, `id="incident-1"`)
			webtest.Lacks(t, page, "Nothing matches")
		}
		webtest.Contains(t, ana.Get("/incidents?tab=resolved&q=2", http.StatusOK), `id="incident-2"`)
		webtest.Contains(t, ana.Get("/incidents?tab=resolved&q="+row.DedupKey[:4], http.StatusOK), `id="incident-1"`)
		webtest.Contains(t, ana.Get("/incidents?tab=open&q=avail", http.StatusOK), "Nothing matches", "Found in other tabs", "1 resolved")
		webtest.Lacks(t, ana.Get("/incidents?tab=open&q=nowhere", http.StatusOK), "Found in other tabs")
		webtest.Lacks(t, ana.Get("/incidents?tab=resolved&q=avail", http.StatusOK), "Found in other tabs")
	})
}

// A service is shown with its most urgent incident, however many of another come first.
func TestEveryGroupShowsAnIncident(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for i := range 101 {
			a.PostBreach("SLO " + web.FormatInt(int64(i)))
		}
		a.Apply("version: 1\nservices: [{slug: rare, name: Rare, escalation_policy: payments}]\n")
		opened := webtest.Decode[struct{ Number int64 }](t, a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"Rare","service":"rare","priority":3}`), http.StatusCreated)
		ana := a.SignIn("ana@acme.example")
		for _, tab := range []string{"open", "unanswered"} {
			list := ana.Get("/incidents?tab="+tab, http.StatusOK)
			webtest.Contains(t, list, `id="incident-`+web.FormatInt(opened.Number)+`"`, `id="incident-1"`)
			webtest.Lacks(t, list, `id="incident-11"`) // of ten
		}
	})
}

// Of more than fifty services, the least urgent are links to their incidents.
func TestFurtherGroupsAreLinks(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for i := range 101 {
			a.PostBreach("SLO " + web.FormatInt(int64(i)))
		}
		services := "version: 1\nservices:\n"
		for i := range 50 {
			services += fmt.Sprintf("  - {slug: rare-%02[1]d, name: Rare %02[1]d, escalation_policy: payments}\n", i)
		}
		a.Apply(services)
		for i := range 50 {
			a.As(auth.Responder, "POST", "/api/v1/incidents", fmt.Sprintf(`{"title":"Rare %02[1]d","service":"rare-%02[1]d","priority":3}`, i))
			a.Advance(time.Second)
		}
		list := a.SignIn("ana@acme.example").Get("/incidents?tab=open", http.StatusOK)
		webtest.Contains(t, list, `id="incident-150"`, `<a class="group-head" href="/incidents?service=rare-49&tab=open"`)
		webtest.Lacks(t, list, `id="incident-151"`, "service=rare-48")
	})
}
