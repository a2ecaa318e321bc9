package incidents_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestIncidentShowsChangesBeforeIt(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.AddPagerDuty()
		a.PostBreach("Availability")
		ana := a.SignIn("ana@acme.example")
		webtest.Lacks(t, ana.Get("/incidents/1", http.StatusOK), "Changes before it")
		a.RunDue()

		a.PostChange("checkout-api", "A day and a minute before", a.Now().Add(-24*time.Hour-time.Minute))
		a.PostChange("online-shop", "Of another service", a.Now().Add(-time.Minute))
		a.PostChange("checkout-api", "Just under a day before", a.Now().Add(-24*time.Hour+time.Minute))
		a.Advance(time.Minute)
		a.PostChange("checkout-api", "After it began", a.Now())
		page := ana.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "Changes before it", `<p dir="auto">Just under a day before</p>`, "from <bdi>ci</bdi>", `href="https://ci.example.com/runs/1"`,
			`title="Sun 22 Nov 2026, 19:05:05 CET (UTC+01:00)" data-ago>`)
		webtest.Lacks(t, page, "A day and a minute before", "Of another service", "After it began", "javascript:")
		if sent := a.RunDue(); len(sent) != 0 {
			t.Errorf("the changes paged: %v", sent)
		}

		for i := range 5 {
			a.PostChange("checkout-api", fmt.Sprintf("Change %d of five", i+1), webtest.Start.Add(time.Duration(i-10)*time.Minute))
		}
		page = ana.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "Change 1 of five")
		webtest.Lacks(t, page, "Just under a day before")
		if strings.Index(page, "Change 5 of five") > strings.Index(page, "Change 4 of five") {
			t.Error("the last change is not the first of the list")
		}
	})
}
