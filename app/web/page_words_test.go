package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// also adds to the configuration.
func (w *town) also(text string) {
	w.t.Helper()
	ctx := w.t.Context()
	file, err := blueprint.Parse("test", []byte(text), func(string) (string, bool) { return "", false })
	w.must(err)
	state, err := w.db.Organization.Configuration(ctx, w.keys)
	w.must(err)
	plan, err := file.Plan(state, blueprint.Options{TrustVerified: true})
	w.must(err)
	w.must(w.db.Organization.Apply(ctx, auth.Tocsin, w.keys, plan))
}

// A service without a policy asks nobody; where nobody at all can be reached,
// that is the loudest thing on the page and in the list.
func TestNobodyCanBeReached(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.also("version: 1\nservices:\n  - slug: orphan\n    name: Orphan\n    team: payments\n")
		opened := w.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":"It smells","service":"orphan","description":"Of smoke.\nIn the lobby."}`)
		if opened.Code != http.StatusCreated {
			t.Fatalf("opening was answered %d %s", opened.Code, opened.Body)
		}
		w.work()
		w.advance(time.Minute)
		ana := w.person("ana@acme.example")
		page := ana.get("/incidents/1", http.StatusOK)
		contains(t, page, "Opened by <strong>API token test-responder", "What was reported", "Of smoke.\nIn the lobby.", "Orphan has no escalation policy",
			"Nobody was asked:", "The administrators are paged instead", `class="alarm"`, "Nobody is paged: nobody can be reached.")
		lacks(t, page, "Breach received", "Nobody answered")
		contains(t, ana.get("/incidents?tab=open", http.StatusOK), "nobody can be reached")
	})
}

func TestWhatIsInNoScheduleIsSaid(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana := w.person("ana@acme.example")
		_, err := w.deps.Auth.CreateUser(t.Context(), auth.Tocsin, auth.Profile{Email: "noel@acme.example", Name: "Noel Phone", Role: auth.Responder})
		w.must(err)
		w.also("version: 1\nteams:\n  - slug: idle\n    name: Idle hands\n")
		contains(t, ana.get("/oncall?q=noel", http.StatusOK), "Noel Phone is in no schedule.")
		contains(t, ana.get("/oncall?q=idle", http.StatusOK), "The team Idle hands has no schedule.")
		contains(t, ana.get("/oncall?q=nonsuch", http.StatusOK), "No team, schedule, service or person is called")
		lacks(t, w.person("stakeholder").get("/oncall?q=noel", http.StatusOK), "Noel Phone")
	})
}

// A key without a service goes by the body, and says what a test does.
func TestAKeyWithoutAService(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.also("version: 1\nintegrations:\n  - {slug: anything, name: Anything, kind: slo, key: any0000000000000000000000000key9}\n")
		page := w.person("ana@acme.example").get("/integrations/anything", http.StatusOK)
		contains(t, page, "The service comes from the body of each signal", "catch-all")
		lacks(t, page, "would reach nobody")
	})
}

// Where a code is, is said as it is: in the log, on its way, or nowhere.
func TestWhereTheCodeIs(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana := w.person("ana@acme.example")
		ana.post("/me/contacts", http.StatusSeeOther, "medium", "slack", "address", "U012AB3CD")
		page := ana.get("/me", http.StatusOK)
		contains(t, page, "Slack is not set up here, so", "can not be verified until it is", "It can be verified once that is set up.")
		lacks(t, page, `name="code"`)
		ana.post("/me/contacts", http.StatusSeeOther, "medium", "sms", "address", "+34 600 000 077")
		contains(t, ana.get("/me", http.StatusOK), "A code is on its way to", `name="code"`)
		w.deps.Pages.OnlyLog = true
		w.deps.Works = func(notify.Medium) bool { return true }
		w.edge = New(w.deps)
		ben := w.person("ben@acme.example")
		ben.post("/me/contacts", http.StatusSeeOther, "medium", "sms", "address", "+34 600 000 078")
		contains(t, ben.get("/me", http.StatusOK), "Nothing is connected yet, so the code stands in the log of the server, in the line with kind=verify.",
			"in the line with <code>kind=verify</code>")
	})
}

// A name cannot turn round what is written beside it.
func TestANameCannotTurnTheLineRound(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.breach("Avail\u202eability\u2067")
		w.work()
		ana := w.person("ana@acme.example")
		for _, path := range []string{"/incidents?tab=open", "/incidents/1"} {
			page := ana.get(path, http.StatusOK)
			contains(t, page, "Availability")
			lacks(t, page, "\u202e", "\u2067")
		}
	})
}

// A target that is a person is named once.
func TestAPersonAsATargetIsNamedOnce(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.also(`version: 1
users:
  - email: zoe@acme.example
    name: Zoë Ångström
    role: responder
    contacts: [{id: sms, type: sms, value: "+34600000099", verified: true}]
escalation_policies:
  - slug: solo
    name: Solo
    steps:
      - {timeout: 10m, targets: [{user: chiara@acme.example}]}
      - {timeout: 10m, targets: [{user: zoe@acme.example}]}
services:
  - slug: one
    name: One
    escalation_policy: solo
`)
		if a := w.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":"Alone","service":"one"}`); a.Code != http.StatusCreated {
			t.Fatal(a.Body)
		}
		w.work()
		w.advance(11 * time.Minute)
		w.work()
		page := w.person("ana@acme.example").get("/incidents/1", http.StatusOK)
		contains(t, page, "step 2: <strong>Zoë Ångström</strong>", "named in the policy")
		lacks(t, page, "Zoë Ångström is", "Zoë Ångström (")
	})
}
