package incidents_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// A person who was asked to join by one and to take over by another declines each by
// itself, and each decline is one line.
func TestDeclineAnswersOneRequest(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		ana, ben, chiara := a.SignIn("ana@acme.example"), a.SignIn("ben@acme.example"), a.SignIn("chiara@acme.example")
		ben.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		asked := web.FormatInt(a.UserID("chiara@acme.example"))
		ben.Post("/incidents/1/responders", http.StatusSeeOther, "users", asked)
		a.RunDue()
		ana.Post("/incidents/1/handover", http.StatusSeeOther, "user", asked)
		a.RunDue()
		page := chiara.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "asks you to take this over.", `name="kind" value="handover"`)
		chiara.Post("/incidents/1/decline", http.StatusSeeOther, "kind", "handover")
		a.RunDue()
		page = chiara.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "asks you to join.", `name="kind" value="join"`)
		chiara.Post("/incidents/1/decline", http.StatusSeeOther, "kind", "join")
		a.RunDue()
		page = chiara.Get("/incidents/1", http.StatusOK)
		webtest.Lacks(t, page, "You are asked", "nobody else is asked")
		if n := strings.Count(page, "</strong> declined"); n != 2 {
			t.Errorf("the timeline tells of %d declines, want 2", n)
		}
		webtest.Contains(t, page, ", asked by Ben Adeyemi", ", asked by Ana Ortiz")
	})
}

// Asking the person who was asked to join to take over leaves one request.
func TestHandOverReplacesRequestToJoin(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		ben, chiara := a.SignIn("ben@acme.example"), a.SignIn("chiara@acme.example")
		ben.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		asked := web.FormatInt(a.UserID("chiara@acme.example"))
		ben.Post("/incidents/1/responders", http.StatusSeeOther, "users", asked)
		a.RunDue()
		ben.Post("/incidents/1/handover", http.StatusSeeOther, "user", asked)
		a.RunDue()
		chiara.Post("/incidents/1/decline", http.StatusSeeOther, "kind", "handover")
		a.RunDue()
		page := chiara.Get("/incidents/1", http.StatusOK)
		webtest.Lacks(t, page, "You are asked", "nobody else is asked")
		webtest.Contains(t, page, "No longer asked", "</strong> declined")
	})
}
