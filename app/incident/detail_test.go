package incident_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestDetail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		title, want string
		facts       incident.Facts
	}{
		{"Availability of get data API", "GET /api/data", incident.Facts{SLOName: "x", Endpoint: "GET /api/data", SLI: "availability", Source: "probe"}},
		{"Fast", "GET /x, latency", incident.Facts{SLOName: "Fast", Endpoint: "GET /x", SLI: "latency"}},
		{"Fast", "", incident.Facts{SLOName: "Fast"}},
		{"Fast", "GET /x, SLA", incident.Facts{SLOName: "Fast", Endpoint: "GET /x", SLA: true}},
		{"Translation API", "SLA", incident.Facts{SLOName: "Translation API", SLA: true}},
		{"Disk is full", "db, host-7", incident.Facts{Component: "db", Source: "host-7"}},
		{"Disk of HOST-7 is full", "", incident.Facts{Source: "host-7"}},
		{"Disk is full", "", incident.Facts{Source: "https://alerts.example/"}},
	} {
		if got := test.facts.Detail(test.title); got != test.want {
			t.Errorf("%q: %q, want %q", test.title, got, test.want)
		}
	}
}
