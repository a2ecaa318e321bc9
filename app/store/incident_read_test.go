package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// newReading has three incidents of Checkout API (the first resolved, the
// second acknowledged by Ben, the third paging Ana) and one of Search.
func newReading(t *testing.T, st *Store) *pipeline {
	p := newPipeline(t, st)
	p.exec(`INSERT INTO teams (id, slug, name) VALUES (1, 'payments', 'Payments')`)
	p.exec(`UPDATE services SET team_id = 1, runbook = 'checkout-api' WHERE id = 1`)
	p.exec(`INSERT INTO services (id, slug, name) VALUES (2, 'search', 'Search_Engine')`)
	p.exec(`INSERT INTO deployments (id, slug, name) VALUES (1, 'prod-eu', 'Production Europe')`)
	p.exec(`INSERT INTO integrations (id, slug, name, kind, key_hmac, key_sealed, created_at) VALUES (1, 'sre', 'SRE', 'slo', $1, $1, $2)`, []byte("h"), p.now)
	two := 2
	p.write(p.signal("a"))
	p.write(p.signal("a", resolve))
	p.now = p.now.Add(time.Hour)
	p.write(p.signal("a"), p.signal("b", func(s *ingest.Signal) { s.Event.Priority, s.Event.Deployment = &two, "prod-eu" }),
		p.signal("c", func(s *ingest.Signal) {
			s.ServiceID, s.Rules.ServiceID, s.PolicyVersionID, s.Event.DedupKey = 2, 2, nil, "key-of_c"
			s.Event.Title = "Availability of Éclair"
		}))
	user := ben
	if _, err := p.actions.Do(t.Context(), incident.Command{Number: 2, By: incident.By{Actor: "ben@acme.example", UserID: &user, Via: "web"}, Act: incident.ActAcknowledge{}}); err != nil {
		t.Fatal(err)
	}
	p.settle()
	return p
}

func TestListIncidentsFilters(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		newReading(t, st)
		two, three := 2, 3
		open := []incident.Status{incident.Triggered, incident.Acknowledged}
		for name, c := range map[string]struct {
			filter incident.ListFilter
			want   []int64
		}{
			"everything":               {incident.ListFilter{}, []int64{4, 3, 2, 1}},
			"a page":                   {incident.ListFilter{Limit: 2}, []int64{4, 3}},
			"the next page":            {incident.ListFilter{Limit: 2, Before: 3}, []int64{2, 1}},
			"open":                     {incident.ListFilter{Statuses: open}, []int64{4, 3, 2}},
			"resolved":                 {incident.ListFilter{Statuses: []incident.Status{incident.Resolved}}, []int64{1}},
			"a service":                {incident.ListFilter{Service: "search"}, []int64{4}},
			"a service nobody has":     {incident.ListFilter{Service: "nobody's"}, nil},
			"a team":                   {incident.ListFilter{Team: "payments", Statuses: open}, []int64{3, 2}},
			"a priority":               {incident.ListFilter{Priority: &two}, []int64{3}},
			"an unused priority":       {incident.ListFilter{Priority: &three}, nil},
			"an unset priority":        {incident.ListFilter{Unset: true}, []int64{4, 2, 1}},
			"no priority":              {incident.ListFilter{Priority: new(catalog.NoPriority)}, nil},
			"Ana's, who is paged":      {incident.ListFilter{MineOf: ana}, []int64{3}},
			"Ben's, who took it":       {incident.ListFilter{MineOf: ben}, []int64{2}},
			"by number":                {incident.ListFilter{Search: "#3"}, []int64{3}},
			"by title, in any case":    {incident.ListFilter{Search: "AVAILABILITY of b"}, []int64{3}},
			"by a title's own letters": {incident.ListFilter{Search: "Éclair"}, []int64{4}},
			"by the dedup key":         {incident.ListFilter{Search: "KEY-OF"}, []int64{4}},
			"by a key's middle":        {incident.ListFilter{Search: "of_c"}, nil},
			"by a whole dedup key":     {incident.ListFilter{Search: "key-of_c", Statuses: open}, []int64{4}},
			"by the service's name":    {incident.ListFilter{Search: "search_e"}, []int64{4}},
			"with a sign that LIKE's":  {incident.ListFilter{Search: "%"}, nil},
		} {
			if c.filter.Limit == 0 {
				c.filter.Limit = 200
			}
			rows, err := st.Incidents.ListIncidents(t.Context(), c.filter)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var got []int64
			for _, r := range rows {
				got = append(got, r.Number)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		counts, err := st.Incidents.CountIncidents(t.Context(), ana)
		if want := (incident.Counts{Open: 3, Unanswered: 2, Mine: 1}); err != nil || counts != want {
			t.Errorf("counts are %+v, %v; want %+v", counts, err, want)
		}
	})
}

func TestMatchingIncidentsCountsByStatus(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		newReading(t, st)
		for search, want := range map[string]incident.Matches{
			"availability": {Open: 3, Unanswered: 2, Mine: 1, Resolved: 1},
			"key-of":       {Open: 1, Unanswered: 1},
			"1":            {Resolved: 1},
			"nothing":      {},
		} {
			// Where it is asked from does not matter.
			got, err := st.Incidents.MatchingIncidents(t.Context(), incident.ListFilter{Search: search, Statuses: append(openStatuses(), incident.Resolved), MineOf: ben, Before: 1, Limit: 1}, ana)
			if err != nil || got != want {
				t.Errorf("%q: got %+v, %v; want %+v", search, got, err, want)
			}
		}
	})
}

func TestIncidentHasItsReferences(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		newReading(t, st)
		row, err := st.Incidents.Incident(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(row.ServiceSlug, row.TeamName, row.DeploymentName, row.PriorityName, row.Runbook, row.Paged)
		if want := fmt.Sprint("checkout-api", "Payments", "Production Europe", "P2", "checkout-api", []incident.PagedPerson{{UserID: ana, Name: "Ana Ortiz", Email: "ana@acme.example"}}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if row, err = st.Incidents.Incident(t.Context(), 2); err != nil || row.OwnerEmail != "ben@acme.example" || row.Paged != nil {
			t.Errorf("the acknowledged one: owner %q, paged %v, %v", row.OwnerEmail, row.Paged, err)
		}
		if _, err := st.Incidents.Incident(t.Context(), 99); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("one that is not there: %v", err)
		}
		earlier, err := st.Incidents.EarlierIncidents(t.Context(), row.Incident, 5)
		if err != nil || len(earlier) != 1 || earlier[0].Number != 1 {
			t.Errorf("earlier ones: %v, %v", earlier, err)
		}
		alert, err := st.Incidents.LatestAlert(t.Context(), 3)
		if err != nil || string(alert.Body) != `{"service":"checkout-api"}` || alert.IntegrationSlug != "sre" {
			t.Errorf("the alert: %+v, %v", alert, err)
		}
		escalations, err := st.Paging.IncidentEscalations(t.Context(), 3)
		if err != nil || len(escalations) != 1 || escalations[0].PolicySlug != "payments" || escalations[0].NextActionAt == nil {
			t.Errorf("escalations: %+v, %v", escalations, err)
		}
	})
}

func TestTimelineIsPaginated(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		newReading(t, st)
		all, err := st.Incidents.Timeline(t.Context(), 2, 0, 0)
		if err != nil || len(all) < 2 {
			t.Fatalf("%d events, %v", len(all), err)
		}
		first, err := st.Incidents.Timeline(t.Context(), 2, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := st.Incidents.Timeline(t.Context(), 2, first[0].ID, 0)
		if diff := cmp.Diff(all, append(first, rest...)); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if last := all[len(all)-1]; last.Kind() != incident.EvAcknowledged || last.Actor != "ben@acme.example" {
			t.Errorf("the last event is %+v", last)
		}
	})
}

// pageLine is what matters of a record.
func pageLine(r incident.PageRecord) string {
	return fmt.Sprintf("%s %s %s %d %s step %d of run %d with %d", r.UserName, r.Medium, r.Contact, r.Number, r.State, r.Step, r.Run, r.With)
}

func TestIncidentPagesHaveAttempts(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.sms.fail = func(m notify.Message) *notify.Failure {
			if m.Medium == notify.SMS {
				return &notify.Failure{Reason: "busy"}
			}
			return nil
		}
		p.write(p.signal("a"))
		p.settle()
		expect := func(number int64, want ...string) []incident.PageRecord {
			t.Helper()
			records, err := st.Paging.IncidentPages(t.Context(), number)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range records {
				got = append(got, pageLine(r))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("incident %d (-want +got):\n%s", number, diff)
			}
			return records
		}
		failed := expect(1, "Ana Ortiz sms ••• 1 failed step 1 of run 1 with 0")[0]
		if failed.Error != "busy" || failed.RetryAt == nil || !failed.RetryAt.Equal(p.now.Add(2*time.Second)) {
			t.Errorf("the failed attempt: %q, again at %v", failed.Error, failed.RetryAt)
		}
		p.sms.fail = nil
		p.advance(2 * time.Second)
		expect(1, "Ana Ortiz sms ••• 1 failed step 1 of run 1 with 0", "Ana Ortiz sms ••• 2 sent step 1 of run 1 with 0")

		p.write(p.signal("b"), p.signal("c"), p.signal("d"), p.signal("e"))
		p.settle()
		bundled := expect(5, "Ana Ortiz sms ••• 0 bundled step 1 of run 1 with 1")[0]
		if bundled.RetryAt == nil || !bundled.RetryAt.Equal(p.now.Add(notify.GatherFor)) {
			t.Errorf("what gathers leaves at %v, want a minute from %v", bundled.RetryAt, p.now)
		}
		if _, err := p.actions.Do(t.Context(), incident.Command{Number: 5, By: incident.By{Actor: "token:x", Via: "api"}, Act: incident.ActAcknowledge{}}); err != nil {
			t.Fatal(err)
		}
		expect(5, "Ana Ortiz sms ••• 0 withdrawn step 1 of run 1 with 1")
		p.advance(time.Minute)
		expect(4, "Ana Ortiz sms ••• 1 sent step 1 of run 1 with 0")
		expect(5, "Ana Ortiz sms ••• 0 withdrawn step 1 of run 1 with 0")
	})
}

func TestListIncidentsByUrgency(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
			p.write(p.signal(key))
		}
		for number, set := range map[int]string{
			1: "priority = 0", 2: "priority = 2", 3: "priority = 1, status = 'acknowledged'", 4: "priority = 2", 5: "priority = 1", 6: "priority = NULL",
		} {
			p.exec(`UPDATE incidents SET `+set+` WHERE number = $1`, number)
		}
		for sort, want := range map[incident.Sort][]int64{
			incident.MostUrgentFirst: {6, 5, 2, 4, 1, 3},
			incident.OldestFirst:     {1, 2, 3, 4, 5, 6},
			incident.NewestFirst:     {6, 5, 4, 3, 2, 1},
		} {
			var got []int64
			for before := int64(0); len(got) < len(want); before = got[len(got)-1] {
				rows, err := st.Incidents.ListIncidents(t.Context(), incident.ListFilter{Statuses: []incident.Status{incident.Triggered, incident.Acknowledged}, Sort: sort, Before: before, Limit: 2})
				if err != nil {
					t.Fatal(err)
				}
				if len(rows) != 2 {
					t.Fatalf("order %q: %d rows after %d", sort, len(rows), before)
				}
				got = append(got, rows[0].Number, rows[1].Number)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("order %q in pages of two (-want +got):\n%s", sort, diff)
			}
		}
	})
}

func TestAlertsOfIncident(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		ofGroup := func(title string) func(*ingest.Signal) {
			return func(s *ingest.Signal) { s.Event.Group, s.Event.Title = "disks", title }
		}
		p.write(p.signal("a", ofGroup("Disk a is full")))
		p.write(p.signal("b", ofGroup("Disk b is full")))
		p.write(p.signal("a", ofGroup("Disk a is very full")))
		p.write(p.signal("b", ofGroup(""), resolve))
		alerts, err := st.Incidents.Alerts(t.Context(), 1, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range alerts {
			got = append(got, fmt.Sprint(a.Title, " ", a.Firing))
		}
		if diff := cmp.Diff([]string{"Disk a is very full true", "Disk b is full false"}, got); diff != "" {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
	})
}
