package store

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

func TestOpenIncidentsByService(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newReading(t, st)
		two, late := 2, p.now
		got, err := st.Incidents.OpenIncidents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]incident.ServiceCounts{
			1: {Open: 2, Unanswered: 1, OldestUnanswered: &late, First: 3, Worst: &two},
			2: {Open: 1, Unanswered: 1, OldestUnanswered: &late, First: 4},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		one, three, none := 1, 3, catalog.NoPriority
		for _, priority := range []*int{&three, &one, nil, &none} {
			p.now = p.now.Add(time.Minute)
			p.write(p.signal(fmt.Sprint("later ", p.now), func(s *ingest.Signal) { s.Event.Priority = priority }))
		}
		got, err = st.Incidents.OpenIncidents(t.Context())
		if diff := cmp.Diff(incident.ServiceCounts{Open: 6, Unanswered: 5, OldestUnanswered: &late, First: 7, Worst: &one}, got[1]); err != nil || diff != "" {
			t.Errorf("with more (-want +got):\n%s, %v", diff, err)
		}
		titles, err := st.Incidents.IncidentTitles(t.Context(), []int64{3, 4, 99})
		if err != nil || len(titles) != 2 || titles[3] == "" || titles[3] == titles[4] {
			t.Errorf("titles are %v, %v", titles, err)
		}
		if no, err := st.Incidents.IncidentTitles(t.Context(), nil); err != nil || len(no) != 0 {
			t.Errorf("no titles are %v, %v", no, err)
		}
	})
}

func TestSignalCountsByIntegration(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		if none, err := st.Incidents.SignalCounts(t.Context()); err != nil || len(none) != 0 {
			t.Fatalf("before anything came: %+v, %v", none, err)
		}
		p := newReading(t, st)
		p.exec(`INSERT INTO integrations (id, slug, name, kind, key_hmac, key_sealed, created_at) VALUES (2, 'quiet', 'Quiet', 'slo', $1, $1, $2)`, []byte("q"), p.now)
		for _, r := range []ingest.Rejection{{IntegrationID: 1}, {IntegrationID: 1}, {IntegrationID: 2}} {
			r.ReceivedAt, r.Status, r.Reason = p.now, 422, "No."
			if err := st.Incidents.Reject(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if err := st.Incidents.Replayed(t.Context(), ingest.Rejection{ID: 1, ReplayedAt: &p.now, ReplayedBy: "ana@acme.example", ReplayResult: "created"}); err != nil {
			t.Fatal(err)
		}
		got, err := st.Incidents.SignalCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		last := p.now
		want := map[int64]ingest.SignalCounts{1: {LastAt: &last, Rejected: 1}, 2: {Rejected: 1}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
}

func TestRevealKeyIsAudited(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		keys, err := auth.NewKeyring(bytes.Repeat([]byte{1}, auth.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		_, err = st.Write.ExecContext(t.Context(), st.Rebind(`INSERT INTO integrations (slug, name, kind, key_hmac, key_sealed, created_at) VALUES ('sre', 'SRE', 'slo', $1, $2, $3)`),
			keys.IntegrationHMAC("the key"), keys.Seal("the key"), time.Now().UTC())
		if err != nil {
			t.Fatal(err)
		}
		ana := auth.Actor{Kind: auth.Person, UserID: 1, Email: "ana@acme.example"}
		if key, err := st.Organization.RevealKey(t.Context(), ana, keys, "sre"); key != "the key" || err != nil {
			t.Errorf("the key is %q, %v", key, err)
		}
		if key, err := st.Organization.RevealKey(t.Context(), ana, keys, "none"); key != "" || err == nil {
			t.Errorf("no integration's key is %q", key)
		}
		entries, err := st.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 10})
		if err != nil || len(entries) != 1 || entries[0].Action != "integration.reveal_key" || entries[0].Actor != "ana@acme.example" || entries[0].Subject != "integration:sre" {
			t.Errorf("the audit log is %+v, %v", entries, err)
		}
	})
}

func TestShowKeyIsAuditedOncePerPerson(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		keys, err := auth.NewKeyring(bytes.Repeat([]byte{1}, auth.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		_, err = st.Write.ExecContext(t.Context(), st.Rebind(`INSERT INTO integrations (slug, name, kind, key_hmac, key_sealed, created_at) VALUES ('sre', 'SRE', 'slo', $1, $2, $3)`),
			keys.IntegrationHMAC("the key"), keys.Seal("the key"), time.Now().UTC())
		if err != nil {
			t.Fatal(err)
		}
		written := func(shows int, email string) int {
			t.Helper()
			for range shows {
				if key, err := st.Organization.ShowKey(t.Context(), auth.Actor{Kind: auth.Person, Email: email}, keys, "sre"); key != "the key" || err != nil {
					t.Fatalf("the key is %q, %v", key, err)
				}
			}
			entries, err := st.Access.AuditLog(t.Context(), auth.AuditQuery{Actor: email, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(entries)
		}
		if a, b := written(3, "ana@acme.example"), written(2, "ben@acme.example"); a != 1 || b != 1 {
			t.Errorf("%d entries of Ana and %d of Ben, want one each", a, b)
		}
		err = st.InTx(t.Context(), func(tx *db.Tx) error {
			return access.Audit(t.Context(), tx, auth.Entry{Actor: "tocsin", Action: "integration.update", Subject: "integration:sre"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := written(2, "ana@acme.example"); n != 2 {
			t.Errorf("%d entries of Ana after the key may have changed, want another", n)
		}
	})
}
