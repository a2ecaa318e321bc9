package catalog_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

func TestSLOMeant(t *testing.T) {
	t.Parallel()
	s := catalog.NewSnapshot(catalog.Contents{SLOs: []catalog.SLO{
		{ID: 4, ServiceID: 1, Slug: "d", Name: "Fast", Endpoint: "POST /x", SLI: "latency"},
		{ID: 1, ServiceID: 1, Slug: "a", Name: "Fast", Endpoint: "GET /x", SLI: "latency"},
		{ID: 2, ServiceID: 1, Slug: "b", Name: "Fast", Endpoint: "GET /x", SLI: "availability"},
		{ID: 3, ServiceID: 2, Slug: "c", Name: "Fast"},
		{ID: 5, ServiceID: 3, Slug: "other", Name: "Rest", SLI: "latency", Default: true},
		{ID: 6, ServiceID: 3, Slug: "one", Name: "One", Endpoint: "GET /one", SLI: "latency"},
		{ID: 7, ServiceID: 3, Slug: "two-a", Name: "Two A", Endpoint: "GET /two", SLI: "latency"},
		{ID: 8, ServiceID: 3, Slug: "two-b", Name: "Two B", Endpoint: "GET /two", SLI: "latency"},
		{ID: 9, ServiceID: 4, Slug: "eu", Name: "Up", SLI: "availability", Deployments: []string{"prod-eu"}},
		{ID: 10, ServiceID: 4, Slug: "us", Name: "Up", SLI: "availability", Deployments: []string{"prod-us"}},
		{ID: 11, ServiceID: 5, Slug: "up", Name: "fast", SLI: "availability"},
		{ID: 12, ServiceID: 5, Slug: "fast", Name: "Up", SLI: "availability"},
	}})
	for _, test := range []struct {
		service                         int64
		name, deployment, endpoint, sli string
		want                            int64
	}{
		// By slug or name; the endpoint and the SLI decide between equal names.
		{1, "b", "", "", "", 2}, {1, "fast", "", "GET /x", "Availability", 2}, {1, "Fast", "", "GET /x", "latency", 1},
		{1, "Fast", "", "POST /x", "other", 4}, {1, "Fast", "", "", "", 1}, {2, "Fast", "", "GET /x", "latency", 3},
		{5, "fast", "", "", "", 12}, // a slug goes before a name
		// By endpoint and SLI, where only one fits.
		{1, "Quick", "", "GET /x", "latency", 1}, {3, "?", "", "GET /one", "Latency", 6}, {1, "?", "", "GET /y", "latency", 0},
		// The default is for endpoints without an SLO of their own, of the same SLI.
		{3, "?", "", "GET /three", "latency", 5}, {3, "?", "", "GET /two", "latency", 0}, {3, "?", "", "", "latency", 5},
		{3, "?", "", "GET /three", "availability", 0},
		// Of equal names, the one that applies in the deployment.
		{4, "Up", "prod-us", "", "availability", 10}, {4, "Up", "prod-eu", "", "", 9}, {4, "Up", "prod-ap", "", "", 9},
		// What names nothing means nothing.
		{2, "a", "", "", "", 0}, {6, "Fast", "", "", "", 0}, {1, "", "", "", "", 0}, {2, "", "", "", "", 0},
	} {
		got, ok := s.SLOMeant(test.service, test.name, test.deployment, test.endpoint, test.sli)
		if got.ID != test.want || ok != (test.want != 0) {
			t.Errorf("%+v: got %d, %v", test, got.ID, ok)
		}
	}
}

func TestSLOAppliesInItsDeployments(t *testing.T) {
	t.Parallel()
	everywhere, eu := catalog.SLO{}, catalog.SLO{Deployments: []string{"prod-eu"}}
	if !everywhere.AppliesIn("prod-us") || !eu.AppliesIn("prod-eu") || eu.AppliesIn("prod-us") {
		t.Error("an SLO applies in other deployments than those selected")
	}
}
