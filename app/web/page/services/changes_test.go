package services_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestServiceShowsLatestChanges(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.AddPagerDuty()
		ana := a.SignIn("ana@acme.example")
		webtest.Lacks(t, ana.Get("/services/checkout-api", http.StatusOK), "Latest changes")

		long := strings.Repeat("A long summary. ", 20) + "It ends here."
		a.PostChange("checkout-api", long, a.Now().Add(-48*time.Hour))
		a.PostChange("checkout-api", "By a clock that is ahead", a.Now().Add(time.Minute))
		page := ana.Get("/services/checkout-api", http.StatusOK)
		webtest.Contains(t, page, "Latest changes", "By a clock that is ahead", "just now", "Pipeline", `<summary dir="auto">A long summary.`, `<p dir="auto">`+long)

		for i := range 9 {
			a.PostChange("checkout-api", fmt.Sprintf("Change %d of nine", i+1), webtest.Start.Add(time.Duration(i-10)*time.Minute))
		}
		page = ana.Get("/services/checkout-api", http.StatusOK)
		webtest.Contains(t, page, "Change 1 of nine", "By a clock that is ahead")
		webtest.Lacks(t, page, "It ends here.")
	})
}
