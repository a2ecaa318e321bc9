package ingest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

func TestNewKeyWorksAtOnce(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.contents.Integrations = append(h.contents.Integrations, catalog.Integration{ID: 7, Kind: catalog.KindSLO, ServiceID: new(int64(2)), KeyHMAC: []byte("hmac:new")})
	if s, _ := h.last(t, "new", breach("")); s.ServiceID != 2 || h.reloads != 1 {
		t.Errorf("got %+v after %d reloads", s, h.reloads)
	}
}

// An event is refused by the current configuration only, never by a cached snapshot.
func TestRefusalUsesCurrentConfiguration(t *testing.T) {
	t.Parallel()
	const body = `{"service":"billing","sli":"availability","slo":{"name":"x"}}`
	catchAll := func(h *fixture) { h.contents.Organization.CatchAllServiceID = new(int64(3)) }
	added := func(h *fixture) {
		h.contents.Services = append(h.contents.Services, catalog.Service{ID: 8, Slug: "billing"})
	}
	for _, test := range []struct {
		name   string
		change func(*fixture)
		want   int64
	}{{"a service", added, 8}, {"a catch-all", catchAll, 3}} {
		h := newFixture(t)
		if _, err := h.post("any", body); !fault.Is(err, fault.KindInvalid) || h.reloads != 1 {
			t.Fatalf("%s: before: %v, %d reloads", test.name, err, h.reloads)
		}
		test.change(h)
		if s, _ := h.last(t, "any", body); s.ServiceID != test.want || h.reloads != 2 {
			t.Errorf("%s: the signal went to %d after %d reloads", test.name, s.ServiceID, h.reloads)
		}
		if h.last(t, "any", body); h.reloads != 2 {
			t.Errorf("%s: a signal that is taken cost a reload", test.name)
		}
		h.cached = newFixture(t).cached
		if answer, err := h.service.Replay(t.Context(), 1, "ana@example.com"); err != nil || answer[0].Status != incident.ResultCreated {
			t.Errorf("%s: the replay: %+v, %v", test.name, answer, err)
		}
	}
}

func TestReplayWithNewIntegration(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.contents.Integrations = append(h.contents.Integrations, catalog.Integration{ID: 7, Kind: catalog.KindSLO, ServiceID: new(int64(2))})
	h.rejections = []ingest.Rejection{{ID: 1, IntegrationID: 7, Endpoint: slo.Path, Status: 415, Body: []byte(breach(""))}}
	if answer, err := h.service.Replay(t.Context(), 1, "ana@example.com"); err != nil || answer[0].Status != incident.ResultCreated {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestStaleSignalIsResolvedAgain(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.stale = 1
	h.contents.Organization.ConfigVersion = 5
	h.contents.Integrations[0].ServiceID = new(int64(2))
	s, answer := h.last(t, "own", breach(`"deployment":"mars"`))
	if s.ConfigVersion != 5 || s.ServiceID != 2 || len(answer.Warnings) != 2 {
		t.Errorf("got %+v, %q", s, answer.Warnings)
	}
	h.stale = 100
	if _, err := h.post("own", breach("")); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("for ever stale: %v", err)
	}
	h.stale = 1
	h.contents.Integrations = h.contents.Integrations[1:]
	if _, err := h.post("own", breach("")); !fault.Is(err, fault.KindUnauthorized) {
		t.Errorf("a key that was removed meanwhile: %v", err)
	}
	if len(h.rejections) > 0 {
		t.Errorf("listed %+v", h.rejections)
	}
}

func TestResolveDoesNotChangeEvent(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	b := decode(t, breach(`"observed":"a","snooze":"b","started_at":"c"`))
	integration := h.contents.Integrations[1]
	h.contents.Organization.CatchAllServiceID = new(int64(3))
	first, err := ingest.Resolve(catalog.NewSnapshot(h.contents), integration, &slo.Format, &b, h.now)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(first.Event.Warnings)
	h.contents.Organization.CatchAllServiceID = new(int64(2))
	if _, err := ingest.Resolve(catalog.NewSnapshot(h.contents), integration, &slo.Format, &b, h.now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, first.Event.Warnings); diff != "" || len(b.Event.Warnings) != 3 {
		t.Errorf("%s, %q", diff, b.Event.Warnings)
	}
}
