package oncall_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestOnCallPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		b := a.SignIn("stakeholder")
		all := b.Get("/oncall", http.StatusOK)
		webtest.Contains(t, all, "Payments", "Incident coordinators", "Ben Adeyemi", "Chiara Conti")
		webtest.Lacks(t, all, "/schedules/payments")
		for query, want := range map[string]bool{"payments": true, "CHECKOUT": true, "ben": true, "coordinators": false, "nobody there": false} {
			page := b.Get("/oncall?q="+strings.ReplaceAll(query, " ", "+"), http.StatusOK)
			if found := strings.Contains(page, "Ben Adeyemi"); found != want {
				t.Errorf("%q finds Ben: %t, want %t", query, found, want)
			}
		}
		ana := a.SignIn("ana@acme.example")
		page := ana.Get("/schedules/payments?from=2026-12-20", http.StatusOK)
		webtest.Contains(t, page, "weekly", "Ben Adeyemi", "from=2026-12-06", "from=2027-01-03", "Today")
		webtest.Contains(t, ana.Get("/schedules/payments?from=no+day", http.StatusOK), "from=2026-12-07")
		webtest.Contains(t, ana.Get("/schedules", http.StatusOK), "Payments", "Europe/Madrid")
		page = ana.Get("/schedules/payments", http.StatusOK)
		webtest.Contains(t, page, "Effective since ", "<time datetime=")
		webtest.Lacks(t, page, "earlier versions")
		webtest.Contains(t, ana.Get("/me", http.StatusOK), "Payments", "+34600000001")
		webtest.Contains(t, ana.Get("/people", http.StatusOK), "Chiara Conti")
		a.Advance(7 * 24 * time.Hour)
		webtest.Contains(t, ana.Get("/oncall", http.StatusOK), "on call until")
	})
}

func TestSearchExplainsNoMatch(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		_, err := a.Auth.CreateUser(t.Context(), auth.Tocsin, auth.Profile{Email: "noel@acme.example", Name: "Noel Phone", Role: auth.Responder})
		a.Must(err)
		a.Apply("version: 1\nteams:\n  - slug: idle\n    name: Idle hands\n")
		webtest.Contains(t, ana.Get("/oncall?q=noel", http.StatusOK), "Noel Phone", "In no schedule")
		webtest.Contains(t, ana.Get("/oncall?q=idle", http.StatusOK), "The team Idle hands has no schedule.")
		webtest.Contains(t, ana.Get("/oncall?q=nonsuch", http.StatusOK), "No team, schedule, service or person is called")
		webtest.Lacks(t, a.SignIn("stakeholder").Get("/oncall?q=noel", http.StatusOK), "Noel Phone")
	})
}

func TestOverrideIsRemovedOnThePage(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		now := a.Now()
		applied, err := a.DB.Organization.Editor(a.Keys).Edit(t.Context(), auth.Tocsin, &organization.AddOverride{Schedule: "payments", Override: organization.Override{
			From: organization.MomentIn(now.Add(-time.Hour), "UTC"), To: organization.MomentIn(now.Add(48*time.Hour), "UTC"), Position: "main", Add: "ana@acme.example"}})
		a.Must(err)
		path := fmt.Sprintf("/schedules/payments/overrides/%d/end", applied.Overrides[0])
		webtest.Lacks(t, a.SignIn("responder").Get("/schedules/payments", http.StatusOK), path)
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/schedules/payments", http.StatusOK), path, "Ana Ortiz is added as main")
		ana.Post(path, http.StatusSeeOther, "reason", "No longer needed")
		page := ana.Get("/schedules/payments", http.StatusOK)
		webtest.Contains(t, page, "The override was removed.")
		webtest.Lacks(t, page, path, "Ana Ortiz is added as main")
	})
}

// TestContactsOnCall shows numbers to responders unless their owner hides them, and
// no contact details to stakeholders.
func TestContactsOnCall(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana, stakeholder := a.SignIn("ana@acme.example"), a.SignIn("stakeholder")
		ben, err := a.Auth.UserByEmail(t.Context(), auth.Tocsin, "ben@acme.example")
		a.Must(err)
		pageBen := fmt.Sprintf("/page?user=%d", ben.ID)
		webtest.Contains(t, ana.Get("/oncall", http.StatusOK), `href="tel:+447700900002"`, "mailto:ben@acme.example", pageBen, "Page Ben now")
		webtest.Contains(t, ana.Get(fmt.Sprintf("/people/%d", ben.ID), http.StatusOK), `href="tel:+447700900002"`, pageBen)
		page := stakeholder.Get("/oncall", http.StatusOK)
		webtest.Contains(t, page, "Ben Adeyemi")
		webtest.Lacks(t, page, "tel:", "mailto:", "/page?user=", "acme.example<", "/schedules", "/teams")
		webtest.Lacks(t, stakeholder.Get("/oncall?q=ben%40acme", http.StatusOK), "Ben Adeyemi") // an address is not found either

		a.Must(a.Auth.SetHidePhone(t.Context(), ben.Actor(), ben.ID, true))
		page = ana.Get("/oncall", http.StatusOK)
		webtest.Contains(t, page, "mailto:ben@acme.example", pageBen)
		webtest.Lacks(t, page, "tel:+447700900002")
		webtest.Lacks(t, ana.Get(fmt.Sprintf("/people/%d", ben.ID), http.StatusOK), "tel:")
	})
}

// TestSearchLooksAhead finds somebody whose turn comes after the next.
func TestSearchLooksAhead(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Apply(`
version: 1
users:
  - {email: kim@acme.example, name: Kim Novak, role: responder}
  - {email: lee@acme.example, name: Lee Tan, role: responder}
  - {email: mia@acme.example, name: Mia Berg, role: responder}
schedules:
  - slug: nights
    name: Nights
    timezone: Europe/Madrid
    positions: [main]
    layers:
      - {name: turns, members: [kim@acme.example, lee@acme.example, mia@acme.example], rotate: {every: 1, unit: day}, start: "2026-11-01 00:00"}
`)
		for _, who := range []string{"ana@acme.example", "stakeholder"} {
			b, ahead := a.SignIn(who), 0
			for _, name := range []string{"Novak", "Tan", "Berg"} {
				page := b.Get("/oncall?q="+name, http.StatusOK)
				webtest.Contains(t, page, name)
				if strings.Contains(page, " from <time") {
					ahead++
				}
			}
			if ahead != 1 {
				t.Errorf("%s finds %d people ahead, want the one who is neither on call nor next", who, ahead)
			}
		}
	})
}

func TestScheduleFollowsDaysShown(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		now := ana.Get("/schedules/payments", http.StatusOK)
		webtest.Contains(t, now, "Next shifts", "Only mine", "tocsin apply")
		later := ana.Get("/schedules/payments?from=2027-01-04", http.StatusOK)
		webtest.Contains(t, later, "Shifts, 4 Jan – 17 Jan")
		webtest.Lacks(t, later, "Next shifts")
		shifts := later[strings.Index(later, `id="upcoming"`):]
		if !strings.Contains(shifts, "2027-01-11") || strings.Contains(shifts, "2026-12") {
			t.Errorf("the shifts are not of the days shown: %s", shifts)
		}
		mine := ana.Get("/schedules/payments?from=2027-01-04&mine=1", http.StatusOK)
		mine = mine[strings.Index(mine, `class="shifts"`):]
		if mine = mine[:strings.Index(mine, "</ol>")]; !strings.Contains(mine, "Ana Ortiz") || strings.Contains(mine, "Ben Adeyemi") {
			t.Errorf("the reader's own shifts are %s", mine)
		}
	})
}
