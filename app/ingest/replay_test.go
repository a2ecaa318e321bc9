package ingest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// moveOn makes the next submission stale, by a configuration with these services.
func (h *fixture) moveOn(services ...catalog.Service) {
	h.stale = 1
	h.contents.Organization.ConfigVersion++
	h.contents.Services = services
}

func (h *fixture) submittedKeys() []string {
	var keys []string
	for _, s := range h.submitted {
		keys = append(keys, s.Event.DedupKey)
	}
	return keys
}

// refusedEvents are the numbers of the events that a rejection names.
func (h *fixture) refusedEvents(rejection int) []int {
	var events []int
	for _, f := range h.rejections[rejection].Fields {
		events = append(events, f.Event)
	}
	return events
}

func TestEventRefusedAfterReloadIsListed(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.moveOn(h.contents.Services[0])
	answers, err := h.postLines("lines", "/lines", "", "trigger checkout-api a g", "trigger ledger b g")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]incident.Result{"created", ingest.ResultRefused}, statuses(answers)); diff != "" {
		t.Error(diff)
	}
	if len(h.rejections) != 1 {
		t.Fatalf("listed %+v", h.rejections)
	}
	if diff := cmp.Diff([]int{2}, h.refusedEvents(0)); diff != "" || h.rejections[0].Status != 422 || h.rejections[0].Reason != `There is no service "ledger".` {
		t.Errorf("%s listed %+v", diff, h.rejections[0])
	}
}

func TestRequestRefusedAfterReload(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"two refused after the change":             "trigger ledger a g\ntrigger ledger b g",
		"one refused before, one after the change": "trigger nobody a g\ntrigger ledger b g",
	} {
		h := newFixture(t)
		h.moveOn(h.contents.Services[0])
		answers, err := h.postLines("lines", "/lines", "", body)
		if !fault.Is(err, fault.KindInvalid) || answers != nil || len(h.submitted) != 0 {
			t.Errorf("%s: got %+v, %v, submitted %+v", name, answers, err, h.submitted)
		}
		if len(h.rejections) != 1 {
			t.Errorf("%s: listed %+v", name, h.rejections)
			continue
		}
		if diff := cmp.Diff([]int{0}, h.refusedEvents(0)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReplaySendsOnlyRefusedEvents(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	if _, err := h.postLines("lines", "/lines", "", "trigger ledger a g", "trigger orders b g", "change ledger v1 -", "trigger bills c g"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2, 4}, h.refusedEvents(0)); diff != "" {
		t.Fatal(diff)
	}
	replay := func(services ...string) ([]ingest.Answer, error) {
		for _, slug := range services {
			h.contents.Services = append(h.contents.Services, catalog.Service{ID: int64(len(h.contents.Services) + 1), Slug: slug})
		}
		h.submitted, h.changes = nil, nil
		return h.service.Replay(t.Context(), 1, "ana@acme.example")
	}
	if _, err := replay(); !fault.Is(err, fault.KindInvalid) || h.submitted != nil {
		t.Errorf("both are still refused: %v, submitted %v", err, h.submittedKeys())
	}
	if diff := cmp.Diff([]int{2, 4}, h.refusedEvents(0)); diff != "" {
		t.Errorf("both are still refused: %s", diff)
	}
	// Once one of them is accepted, only the other is left.
	if _, err := replay("orders"); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"b"}, h.submittedKeys()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{4}, h.refusedEvents(0)); diff != "" {
		t.Error(diff)
	}
	answers, err := replay("bills")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c"}, h.submittedKeys()); diff != "" || len(answers) != 1 || h.changes != nil || h.rejections[0].ReplayResult != "created" {
		t.Errorf("%s answers %+v, changes %v, %+v", diff, answers, h.changes, h.rejections[0])
	}
}

func TestReplayOfRefusedRequestSendsAllEvents(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	if _, err := h.postLines("lines", "/lines", "", "trigger orders a g", "trigger bills b g"); !fault.Is(err, fault.KindInvalid) {
		t.Fatalf("got %v", err)
	}
	h.contents.Organization.CatchAllServiceID = new(int64(3))
	if _, err := h.service.Replay(t.Context(), 1, "ana@acme.example"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, h.submittedKeys()); diff != "" {
		t.Error(diff)
	}
}

func TestRejectedBodyHidesUnusedKey(t *testing.T) {
	t.Parallel()
	other := strings.Repeat("k", 16)
	for _, c := range []struct{ body, want string }{
		{other + "\nbroken", "***\nbroken"},
		{other + "\nlines " + other, "***\n*** ***"},
		{"broken\nbroken", "broken\nbroken"}, // too short to be a key
	} {
		h := newFixture(t)
		if _, err := h.postLines("lines", "/lines/keyed", c.body); !fault.Is(err, fault.KindMalformed) {
			t.Fatalf("%q: got %v, want malformed", c.body, err)
		}
		if len(h.rejections) != 1 || string(h.rejections[0].Body) != c.want {
			t.Errorf("%q: listed as %+v", c.body, h.rejections)
		}
	}
}

// The second event is resolved by a newer configuration than the first, so that it
// alone is written before the integration is deleted.
func TestRequestIsFinishedAfterItsIntegrationIsDeleted(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.contents.Organization.ConfigVersion++
	h.contents.Services = append(h.contents.Services, catalog.Service{ID: 4, Slug: "orders"})
	h.written = func() {
		h.contents.Organization.ConfigVersion++
		h.contents.Integrations = nil
		h.written = nil
	}
	answers, err := h.postLines("lines", "/lines", "", "trigger checkout-api a g", "trigger orders b g")
	if err != nil {
		t.Fatalf("%v, though %v is durable", err, h.submittedKeys())
	}
	if diff := cmp.Diff([]incident.Result{"created", "created"}, statuses(answers)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b", "a"}, h.submittedKeys()); diff != "" {
		t.Error(diff)
	}
}

func TestRequestOfADeletedIntegrationWritesNothing(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.contents.Organization.ConfigVersion++
	h.written = func() { h.contents.Integrations = nil }
	if _, err := h.postLines("lines", "/lines", "", "trigger checkout-api a g", "trigger ledger b g"); !fault.Is(err, fault.KindUnauthorized) {
		t.Errorf("got %v", err)
	}
	if len(h.submitted) > 0 {
		t.Errorf("wrote %v", h.submittedKeys())
	}
}
