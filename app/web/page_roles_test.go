package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
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

func TestWhoMaySeeAndDoWhat(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.breach("Availability")
		w.work()
		who := []*browser{w.browser(), w.person("stakeholder"), w.person("responder"), w.person("manager"), w.person("administrator")}
		for _, c := range pageRoles {
			for i, b := range who {
				answer := b.ask(c.method, c.path, nil)
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
func TestPagesOfAnEmptyHouse(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.unfurnish()
		admin := w.person("administrator")
		if to := admin.ask(http.MethodGet, "/", nil).Header().Get("Location"); to != "/start" {
			t.Errorf("home is %q", to)
		}
		for path, words := range map[string]string{
			"/start": "Name a first service", "/incidents": "No incident was ever recorded", "/incidents?tab=unanswered": "No incident was ever recorded",
			"/oncall": "no schedules yet", "/schedules": "", "/policies": "", "/services": "", "/teams": "", "/integrations": "", "/people": "", "/me": "",
		} {
			contains(t, admin.get(path, http.StatusOK), words, "Getting started")
		}
	})
}

// unfurnish takes the example's configuration away, but for its people.
func (w *town) unfurnish() {
	w.t.Helper()
	w.apply(`{"version": 1, "teams": [], "deployments": [], "schedules": [], "escalation_policies": [], "services": [], "integrations": []}`)
}

func TestAnErrorIsAPage(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana := w.person("ana@acme.example")
		contains(t, ana.get("/nothing-here", http.StatusNotFound), "Ana Ortiz", "nothing at this address")
		contains(t, w.browser().get("/nothing-here", http.StatusNotFound), "nothing at this address")
		contains(t, w.person("stakeholder").get("/incidents", http.StatusForbidden), "your role is stakeholder")
		w.must(w.deps.Auth.SetActive(t.Context(), auth.Tocsin, w.idOf("ana@acme.example"), false))
		if to := ana.ask(http.MethodGet, "/me", nil).Header().Get("Location"); to != "/sign-in?next=%2Fme" {
			t.Errorf("who was deactivated is led to %q", to)
		}
	})
}

func TestBannersSayWhatHoldsPagesBack(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana, stakeholder := w.person("ana@acme.example"), w.person("stakeholder")
		const some, all = "Not configured here: calls.", "Pages only reach the log until a channel is configured."
		contains(t, ana.get("/oncall", http.StatusOK), some)
		lacks(t, stakeholder.get("/oncall", http.StatusOK), some)
		w.deps.Pages.OnlyLog = true
		for _, b := range []*browser{ana, stakeholder} {
			b.edge = New(w.deps)
			page := b.get("/oncall", http.StatusOK)
			contains(t, page, all)
			lacks(t, page, some)
		}
	})
}

func TestDaysInWords(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"mon tue wed thu fri": "Mon–Fri", "sat sun": "Sat, Sun", "mon wed thu fri sun": "Mon, Wed–Fri, Sun", "": "Every day", "tue": "Tue",
	} {
		if got := days(strings.Fields(names)); got != want {
			t.Errorf("%q is %q, want %q", names, got, want)
		}
	}
}
