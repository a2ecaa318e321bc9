package page_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

// pageRoles is what each page answers to nobody, stakeholders, responders,
// managers and administrators.
var pageRoles = []struct {
	method, path string
	want         [5]int
}{
	{"GET", "/", [5]int{303, 303, 303, 303, 303}},
	{"GET", "/oncall", [5]int{303, 200, 200, 200, 200}},
	{"GET", "/me", [5]int{303, 200, 200, 200, 200}},
	{"GET", "/start", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/incidents", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/incidents/1", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/incidents/1/pages/1", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/schedules", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/schedules/payments?from=2026-12-20", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/policies", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/policies/payments", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/services", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/services/checkout-api", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/teams", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/teams/payments", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/integrations", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/integrations/sre", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/people", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/people/1", [5]int{303, 403, 200, 200, 200}},
	{"GET", "/services/nothing", [5]int{303, 403, 404, 404, 404}},
	{"GET", "/teams/nothing", [5]int{303, 403, 404, 404, 404}},
	{"GET", "/schedules/nothing", [5]int{303, 403, 404, 404, 404}},
	{"GET", "/policies/nothing", [5]int{303, 403, 404, 404, 404}},
	{"GET", "/integrations/nothing", [5]int{303, 403, 404, 404, 404}},
	{"GET", "/people/99999", [5]int{303, 403, 404, 404, 404}},
	{"GET", "/incidents/x", [5]int{303, 403, 404, 404, 404}},
	{"POST", "/incidents/1/notes", [5]int{303, 403, 422, 422, 422}},
	{"POST", "/incidents/1/priority", [5]int{303, 403, 422, 422, 422}},
	{"POST", "/incidents/1/acknowledge", [5]int{303, 403, 303, 303, 303}},
	{"POST", "/incidents/acknowledge", [5]int{303, 403, 303, 303, 303}},
	// The manager of this test manages no team.
	{"POST", "/integrations/sre/key", [5]int{303, 403, 403, 403, 200}},
	{"POST", "/integrations/sre/rejected/1/replay", [5]int{303, 403, 403, 403, 404}},
	{"POST", "/start/service", [5]int{303, 403, 403, 403, 303}},
	{"POST", "/people", [5]int{303, 403, 403, 403, 422}},
	{"POST", "/people/1", [5]int{303, 403, 403, 403, 422}},
	{"POST", "/people/1/link", [5]int{303, 403, 403, 403, 200}},
	{"POST", "/me/profile", [5]int{303, 422, 422, 422, 422}},
	{"POST", "/me/contacts", [5]int{303, 422, 422, 422, 422}},
	{"POST", "/me/contacts/1/verify", [5]int{303, 422, 422, 422, 422}}, // and says nothing of whose it is
	{"POST", "/me/contacts/1/code", [5]int{303, 404, 404, 404, 404}},
	{"POST", "/me/contacts/1/remove", [5]int{303, 404, 404, 404, 404}},
	{"POST", "/me/rules", [5]int{303, 400, 400, 400, 400}},
	{"POST", "/me/password", [5]int{303, 422, 422, 422, 422}},
}

func TestPagePermissions(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		who := []*webtest.Browser{a.Browser(), a.SignIn("stakeholder"), a.SignIn("responder"), a.SignIn("manager"), a.SignIn("administrator")}
		for _, c := range pageRoles {
			for i, b := range who {
				answer := b.Do(c.method, c.path, nil)
				if answer.Code != c.want[i] {
					t.Errorf("%s %s was answered %d to number %d, want %d: %.600s", c.method, c.path, answer.Code, i, c.want[i], answer.Body)
				}
				if to := answer.Header().Get("Location"); i == 0 && !strings.HasPrefix(to, "/sign-in") {
					t.Errorf("%s %s leads nobody to %q", c.method, c.path, to)
				}
			}
		}
	})
}

// Nothing is configured, and nothing has happened.
func TestPagesWithoutConfiguration(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Clear()
		admin := a.SignIn("administrator")
		if to := admin.Do(http.MethodGet, "/", nil).Header().Get("Location"); to != "/start" {
			t.Errorf("home is %q", to)
		}
		for path, words := range map[string]string{
			"/start": "Name a first service", "/incidents": "No incident was ever recorded", "/incidents?tab=unanswered": "No incident was ever recorded",
			"/oncall": "no schedules yet", "/schedules": "", "/policies": "", "/services": "", "/teams": "", "/integrations": "", "/people": "", "/me": "",
		} {
			webtest.Contains(t, admin.Get(path, http.StatusOK), words, "Getting started")
		}
	})
}

func TestErrorPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/nothing-here", http.StatusNotFound), "Ana Ortiz", "nothing at this address")
		webtest.Contains(t, a.Browser().Get("/nothing-here", http.StatusNotFound), "nothing at this address")
		webtest.Contains(t, a.SignIn("stakeholder").Get("/incidents", http.StatusForbidden), "your role is stakeholder")
		a.Must(a.Auth.SetActive(t.Context(), auth.Tocsin, a.UserID("ana@acme.example"), false))
		if to := ana.Do(http.MethodGet, "/me", nil).Header().Get("Location"); to != "/sign-in?next=%2Fme" {
			t.Errorf("who was deactivated is led to %q", to)
		}
	})
}

func TestBannersAboutDelivery(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana, stakeholder := a.SignIn("ana@acme.example"), a.SignIn("stakeholder")
		const some, all = "Not configured here: calls.", "Pages only reach the log until a channel is configured."
		webtest.Contains(t, ana.Get("/oncall", http.StatusOK), some)
		webtest.Lacks(t, stakeholder.Get("/oncall", http.StatusOK), some)
		a.Slices.Page.OnlyLog = true
		a.Remount()
		for _, b := range []*webtest.Browser{ana, stakeholder} {
			b.Handler = a.Handler
			page := b.Get("/oncall", http.StatusOK)
			webtest.Contains(t, page, all)
			webtest.Lacks(t, page, some)
		}
	})
}

// A name cannot turn round what is written beside it.
func TestBidiControlsAreDropped(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Avail\u202eability\u2067")
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		for _, path := range []string{"/incidents?tab=open", "/incidents/1"} {
			page := ana.Get(path, http.StatusOK)
			webtest.Contains(t, page, "Availability")
			webtest.Lacks(t, page, "\u202e", "\u2067")
		}
	})
}
