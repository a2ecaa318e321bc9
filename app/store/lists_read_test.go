package store

import (
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// A list reads about as many incidents as it shows, or all that are open, whatever was
// open when the statistics were gathered and however rare it is what it asks for.
func TestListsReadFewRows(t *testing.T) {
	for name, parameters := range map[string]string{"plans by the values": "&plan_cache_mode=force_custom_plan", "plans for any values": "&plan_cache_mode=force_generic_plan"} {
		for _, vacuum := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, vacuumed: %v", name, vacuum), func(t *testing.T) {
				t.Parallel()
				testListsReadFewRows(t, newPostgres(t)+parameters, vacuum)
			})
		}
	}
}

func testListsReadFewRows(t *testing.T, address string, vacuum bool) {
	const (
		incidents = 30_000
		everyOpen = 7 // one in so many
		open      = incidents / everyOpen
		shown     = 51
	)
	st, err := Open(t.Context(), address, Options{MaxConns: 1})
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

	// Everybody but Ben was paged for all of them; he was for three, in two runs.
	p.exec(`INSERT INTO pages (incident_number, escalation_id, user_id, step, run, urgency, priority, shadow, digest, why, state, rule, created_at)
		SELECT i, i, CASE WHEN i IN (77, 777, 7777) THEN $1::bigint ELSE 1000 + i % 7 END, 0, r, 'high', 1, false, false, '{}', 'ended', 0, $2::timestamptz
		FROM generate_series(1, $3::int) AS i, generate_series(1, 2) AS r`, ben, p.now, incidents)
	anyOpen, resolved := openStatuses(), []incident.Status{incident.Resolved}
	lists := map[string]struct {
		filter incident.ListFilter
		max    int64
	}{
		"open":                         {incident.ListFilter{Statuses: anyOpen}, shown},
		"open, the most urgent first":  {incident.ListFilter{Statuses: anyOpen, Sort: incident.MostUrgentFirst}, shown},
		"triggered, most urgent first": {incident.ListFilter{Statuses: anyOpen[:1], Sort: incident.MostUrgentFirst}, shown},
		"mine":                         {incident.ListFilter{Statuses: anyOpen, MineOf: ben, Sort: incident.MostUrgentFirst}, 10},
		"urgent, of a service":         {incident.ListFilter{Statuses: anyOpen, Service: "v2", Sort: incident.MostUrgentFirst}, open},
		"urgent, of a team":            {incident.ListFilter{Statuses: anyOpen, Team: "common", Sort: incident.MostUrgentFirst}, open},
		"urgent, of a priority":        {incident.ListFilter{Statuses: anyOpen, Priority: new(3), Sort: incident.MostUrgentFirst}, shown},
		"urgent, unset":                {incident.ListFilter{Statuses: anyOpen, Unset: true, Sort: incident.MostUrgentFirst}, shown},
		"urgent, by text":              {incident.ListFilter{Statuses: anyOpen, Search: "nowhere", Sort: incident.MostUrgentFirst}, open},
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
			p.exec("UPDATE pages SET state = 'active' WHERE incident_number % $1 = 0", everyOpen)
		} else {
			p.exec("UPDATE pages SET state = 'ended' WHERE state <> 'ended'")
			p.exec("UPDATE incidents SET status = 'resolved' WHERE status <> 'resolved'")
		}
		p.exec("UPDATE incidents SET owner_id = NULL WHERE owner_id IS NOT NULL")
		if vacuum { // which counts the rows of indexes, and makes no statistics
			p.exec("VACUUM incidents")
		}
		if state.analyze {
			p.exec("ANALYZE")
		}
		if n := p.incidentsRead(func() error { _, err := st.Incidents.CountIncidents(t.Context(), ben); return err }); n > 2*incident.MaxCounted+20 {
			t.Errorf("%s: %d incidents were read for the counts of the navigation, before anybody owns one", state.name, n)
		}
		p.exec("UPDATE incidents SET owner_id = $1 WHERE number IN (70, 7000)", ben)
		counts := map[string]struct {
			count func() error
			max   int64
		}{
			"of the navigation": {func() error {
				got, err := st.Incidents.CountIncidents(t.Context(), ben)
				if want := 5; state.open && got.Mine != want {
					t.Errorf("%s: %+v, want %d of Ben", state.name, got, want)
				}
				return err
			}, 2*incident.MaxCounted + 20},
			"by service": {func() error {
				_, err := st.Incidents.OpenIncidents(t.Context())
				return err
			}, open + 80},
			"elsewhere": {func() error {
				_, err := st.Incidents.MatchingIncidents(t.Context(), incident.ListFilter{Statuses: append(openStatuses(), incident.Resolved), Team: "common"}, ben)
				return err
			}, 2*open + 5*2*incident.MaxMatches + 20},
		}
		for name, c := range counts {
			before := p.rowsRead()
			if err := c.count(); err != nil {
				t.Fatal(err)
			}
			after := p.rowsRead()
			if n := after["incidents"] - before["incidents"]; n > c.max {
				t.Errorf("%s: %d incidents were read for the counts %s", state.name, n, name)
			}
			if n := after["pages"] - before["pages"]; n > 20 {
				t.Errorf("%s: %d pages were read for the counts %s", state.name, n, name)
			}
		}
		for name, list := range lists {
			list.filter.Limit = shown
			before := p.rowsRead()
			if _, err := st.Incidents.ListIncidents(t.Context(), list.filter); err != nil {
				t.Fatal(err)
			}
			after := p.rowsRead()
			// The rows that are shown are read a second time where they are found by number.
			if n := after["incidents"] - before["incidents"]; n > list.max+shown {
				t.Errorf("%s: %s: %d incidents were read", state.name, name, n)
			}
			if n := after["pages"] - before["pages"]; n > 4*shown+20 {
				t.Errorf("%s: %s: %d pages were read", state.name, name, n)
			}
		}
	}
}

func openStatuses() []incident.Status {
	return []incident.Status{incident.Triggered, incident.Acknowledged}
}

// SQLite reads these lists in the order of an index, up to the last that is shown.
func TestListsAreNotSortedOnSQLite(t *testing.T) {
	t.Parallel()
	st := opened(t, newSQLite(t))
	var query string
	note := func(tx *gorm.DB) { query = tx.Dialector.Explain(tx.Statement.SQL.String(), tx.Statement.Vars...) }
	if err := st.GormRead(t.Context()).Callback().Query().After("gorm:query").Register("note", note); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]incident.ListFilter{
		"open":      {Statuses: openStatuses()},
		"triggered": {Statuses: openStatuses()[:1]},
		"a service": {Statuses: openStatuses(), Service: "v2"},
		"a level":   {Statuses: openStatuses(), Priority: new(3)},
	} {
		f.Sort, f.Limit = incident.MostUrgentFirst, 51
		if _, err := st.Incidents.ListIncidents(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		plan := planOnSQLite(t, st, query)
		// What is listed is sorted once more when its names were added.
		if !strings.Contains(plan, "incidents_urgent") || strings.Count(plan, "TEMP B-TREE") > 1 {
			t.Errorf("%s:\n%s\n%s", name, query, plan)
		}
	}
}

func planOnSQLite(t *testing.T, st *Store, query string) string {
	t.Helper()
	rows, err := st.Read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}

// incidentsRead is how many incidents were read while something was done.
func (p *pipeline) incidentsRead(do func() error) int64 {
	p.t.Helper()
	before := p.rowsRead()
	if err := do(); err != nil {
		p.t.Fatal(err)
	}
	return p.rowsRead()["incidents"] - before["incidents"]
}
