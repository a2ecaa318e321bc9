package page_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Nothing is configured, and nothing has happened.
func TestPagesWithoutConfiguration(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Clear()
		admin := a.SignIn("administrator")
		if to := admin.Do(http.MethodGet, "/", nil).Header().Get("Location"); to != "/start" {
			t.Errorf("home is %q", to)
		}
		for path, words := range map[string]string{
			"/start": "Create your first service", "/incidents": "No incidents so far", "/incidents?tab=unanswered": "No incidents so far",
			"/oncall": "No schedules yet", "/schedules": "", "/policies": "", "/services": "", "/teams": "", "/integrations": "", "/people": "", "/me": "",
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
		const some, all = "You are not paged by voice: not set up.", "No channel is set up: pages go to the server log only."
		webtest.Contains(t, ana.Get("/oncall", http.StatusOK), some)
		webtest.Lacks(t, stakeholder.Get("/oncall", http.StatusOK), some)
		a.Slices.Page.OnlyLog = func() bool { return true }
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

func TestShadowIsNotShownOnCall(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.BenShadowsChiara()
		chiara, ben := a.SignIn("chiara@acme.example"), a.SignIn("ben@acme.example")
		for _, path := range []string{"/incidents", "/me", "/people/" + web.FormatInt(a.UserID("ben@acme.example"))} {
			webtest.Contains(t, chiara.Get(path, http.StatusOK), "responder, on call")
			page := ben.Get(path, http.StatusOK)
			webtest.Contains(t, page, "responder, not on call")
			webtest.Lacks(t, page, "responder, on call")
		}
	})
}
