package search_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestSearch(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		latency := a.PostBreach("Latency")
		a.Must(a.Auth.SetActive(t.Context(), auth.Tocsin, a.UserID("chiara@acme.example"), false))
		ana := a.SignIn("ana@acme.example")
		for query, want := range map[string][]string{
			"":              {"New incident", "Page somebody", "Who is on call", "Your account"},
			"adey":          {"Ben Adeyemi", fmt.Sprintf("/people/%d", a.UserID("ben@acme.example"))},
			"ben@acme":      {"Ben Adeyemi"},
			"pay":           {"/teams/payments", "/schedules/payments", "/policies/payments"},
			"checkout":      {"/services/checkout-api", "Latency", "Availability"},
			"#2":            {fmt.Sprintf("/incidents/%d", latency), "Triggered"},
			"LATEN":         {fmt.Sprintf("/incidents/%d", latency), "/incidents?q=LATEN&tab=resolved"},
			"declare":       {"/incidents/new"},
			"SRE":           {"/integrations/sre"},
			"escalation po": {`href="/policies"`},
		} {
			page := ana.Get("/search?q="+strings.NewReplacer("#", "%23", " ", "+").Replace(query), http.StatusOK)
			webtest.Contains(t, hits(page), want...)
		}
		webtest.Lacks(t, hits(ana.Get("/search?q=chiara", http.StatusOK)), "/people/") // deactivated
		webtest.Lacks(t, hits(ana.Get("/search?q=%232", http.StatusOK)), "/incidents/1\"")
		webtest.Contains(t, ana.Get("/search?q=nothing+like+it&x", http.StatusOK), "Resolved incidents with", "Nothing is called “nothing like it”.")
		webtest.Lacks(t, ana.Get("/search?q=checkout", http.StatusOK), "Nothing is called")
	})
}

// hits is what a search found, without the page around it.
func hits(page string) string {
	_, page, _ = strings.Cut(page, `<main`)
	page, _, _ = strings.Cut(page, `</main>`)
	return page
}

// TestSearchShowsWhatOneMaySee finds for stakeholders nothing that they may not open.
func TestSearchShowsWhatOneMaySee(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		number := a.PostBreach("Availability")
		stakeholder := a.SignIn("stakeholder")
		for _, query := range []string{"", "a", "pay", "Availability", "ben", fmt.Sprint(number)} {
			found := hits(stakeholder.Get("/search?q="+query, http.StatusOK))
			webtest.Lacks(t, found, "/incidents", "/people", "/teams", "/policies", "/schedules", "/integrations", "/page", "acme.example")
		}
		webtest.Contains(t, hits(stakeholder.Get("/search", http.StatusOK)), "Who is on call", "Your account")
		if to := a.Browser().Do(http.MethodGet, "/search?q=ben", nil).Header().Get("Location"); to != "/sign-in?next=%2Fsearch%3Fq%3Dben" {
			t.Errorf("without a session it leads to %q", to)
		}
	})
}

func TestAcknowledgeMineIsOffered(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		webtest.Contains(t, hits(a.SignIn("ben@acme.example").Get("/search?q=ack", http.StatusOK)), "Acknowledge mine…", "/incidents?tab=mine", "1 incident")
		webtest.Lacks(t, hits(a.SignIn("manager").Get("/search?q=ack", http.StatusOK)), "Acknowledge mine")
		a.PostBreach("Latency")
		a.RunDue()
		ben := a.SignIn("ben@acme.example")
		ben.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		webtest.Contains(t, hits(ben.Get("/search?q=ack", http.StatusOK)), "Acknowledge mine…", "1 incident")
		ben.Post("/incidents/2/acknowledge", http.StatusSeeOther)
		webtest.Lacks(t, hits(ben.Get("/search?q=ack", http.StatusOK)), "Acknowledge mine")
	})
}

func TestInvitingIsOfferedToWhoMay(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for who, may := range map[string]bool{"administrator": true, "dev.manager@acme.example": true, "manager": false, "ana@acme.example": false} {
			if found := hits(a.SignIn(who).Get("/search?q=invite", http.StatusOK)); strings.Contains(found, "/people#invite") != may {
				t.Errorf("%s finds %s", who, found)
			}
		}
	})
}
