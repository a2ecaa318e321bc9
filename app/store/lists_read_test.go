package store

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// A list reads about as many incidents as it shows, or all that are open, whatever was
// open when the statistics were gathered and however rare it is what it asks for.
func TestListsReadFewRows(t *testing.T) {
	t.Parallel()
	const (
		incidents = 30_000
		everyOpen = 7 // one in so many
		open      = incidents / everyOpen
		shown     = 51
	)
	st, err := Open(t.Context(), newPostgres(t), Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	p := newPipeline(t, st)
	p.exec("INSERT INTO teams (id, slug, name) VALUES (1, 'common', 'Common'), (2, 'rare', 'Rare')")
	p.exec("INSERT INTO services (id, slug, name, team_id) SELECT i, 'v' || i, 'Service ' || i, CASE WHEN i = 40 THEN 2 WHEN i % 10 = 2 THEN 1 END FROM generate_series(2, 40) AS i")
	// Half are of service 2. The very first are of service 40 and of priority 5.
	p.exec(`INSERT INTO incidents (version, title, status, urgency, service_id, deployment, dedup_key, priority, priority_source, severity, occurrences, facts,
			created_at, last_seen_at, acknowledged_by, resolved_by, resolution, reopened_at, changed_at)
		SELECT 1, 'Availability of API ' || i % 997, 'resolved', 'high', CASE WHEN i <= 20 THEN 40 WHEN i % 2 = 0 THEN 2 ELSE 3 + i % 36 END, '', 'k' || i,
			CASE WHEN i <= 20 THEN 5 WHEN i % 10 = 0 THEN NULL ELSE 1 + i % 4 END, 'signal', '', 1, '{}', $1::timestamptz, $1, '', '', '', '[]', $1 FROM generate_series(1, $2::int) AS i`, p.now, incidents)

	anyOpen, resolved := openStatuses(), []incident.Status{incident.Resolved}
	lists := map[string]struct {
		filter incident.ListFilter
		max    int64
	}{
		"open":                         {incident.ListFilter{Statuses: anyOpen}, shown},
		"open, the most urgent first":  {incident.ListFilter{Statuses: anyOpen, Sort: incident.MostUrgentFirst}, shown},
		"triggered, most urgent first": {incident.ListFilter{Statuses: anyOpen[:1], Sort: incident.MostUrgentFirst}, shown},
		"mine":                         {incident.ListFilter{Statuses: anyOpen, MineOf: ben, Sort: incident.MostUrgentFirst}, 10},
		"open of a service":            {incident.ListFilter{Statuses: anyOpen, Service: "v2"}, open},
		"open of a team":               {incident.ListFilter{Statuses: anyOpen, Team: "common"}, open},
		"open of a priority":           {incident.ListFilter{Statuses: anyOpen, Priority: new(3)}, open},
		"open by text":                 {incident.ListFilter{Statuses: anyOpen, Search: "nowhere"}, open},
		"resolved":                     {incident.ListFilter{Statuses: resolved}, 2 * shown},
		"resolved of a service":        {incident.ListFilter{Statuses: resolved, Service: "v7"}, 2 * shown},
		"resolved of a rare service":   {incident.ListFilter{Statuses: resolved, Service: "v40"}, 2 * shown},
		"resolved of a team":           {incident.ListFilter{Statuses: resolved, Team: "common"}, 5 * 2 * shown},
		"resolved of a rare team":      {incident.ListFilter{Statuses: resolved, Team: "rare"}, 2 * shown},
		"resolved of team, priority":   {incident.ListFilter{Statuses: resolved, Team: "common", Priority: new(5)}, 2 * shown},
		"resolved of service, rare P5": {incident.ListFilter{Statuses: resolved, Service: "v2", Priority: new(5)}, 2 * shown},
		"resolved of a priority":       {incident.ListFilter{Statuses: resolved, Priority: new(3)}, 2 * shown},
		"resolved of a rare priority":  {incident.ListFilter{Statuses: resolved, Priority: new(5)}, 2 * shown},
		"resolved of no priority":      {incident.ListFilter{Statuses: resolved, Priority: new(catalog.NoPriority)}, 2 * shown},
		"resolved, unset":              {incident.ListFilter{Statuses: resolved, Unset: true}, 2 * shown},
		"resolved by a service's name": {incident.ListFilter{Statuses: resolved, Search: "service 40"}, incident.SearchedBack + 3*shown},
		"resolved by text":             {incident.ListFilter{Statuses: resolved, Search: "nowhere"}, incident.SearchedBack + shown},
		"all of a team":                {incident.ListFilter{Team: "rare"}, 2 * shown},
	}
	for _, state := range []struct {
		name          string
		open, analyze bool
	}{
		{"many open", true, true}, {"none open, statistics of many", false, false},
		{"none open", false, true}, {"many open, statistics of none", true, false},
	} {
		if state.open {
			p.exec("UPDATE incidents SET status = 'triggered' WHERE number % $1 = 0", everyOpen)
		} else {
			p.exec("UPDATE incidents SET status = 'resolved' WHERE status <> 'resolved'")
		}
		p.exec("VACUUM incidents") // which counts the rows of indexes, and no statistics
		if state.analyze {
			p.exec("ANALYZE")
		}
		p.exec("UPDATE incidents SET owner_id = $1 WHERE number IN (70, 7000)", ben)
		before := p.rowsRead()["incidents"]
		if _, err := st.Incidents.CountIncidents(t.Context(), ben); err != nil {
			t.Fatal(err)
		}
		if n := p.rowsRead()["incidents"] - before; n > 2*incident.MaxCounted+10 {
			t.Errorf("%s: %d incidents were read to count them", state.name, n)
		}
		for name, list := range lists {
			list.filter.Limit = shown
			before := p.rowsRead()["incidents"]
			if _, err := st.Incidents.ListIncidents(t.Context(), list.filter); err != nil {
				t.Fatal(err)
			}
			// The rows that are shown are read a second time where they are found by number.
			if n := p.rowsRead()["incidents"] - before; n > list.max+shown {
				t.Errorf("%s: %s: %d incidents were read", state.name, name, n)
			}
		}
	}
}

func openStatuses() []incident.Status {
	return []incident.Status{incident.Triggered, incident.Acknowledged}
}
