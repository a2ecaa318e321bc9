package main

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store"
)

func TestDoctorLooksAtEffects(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.ok("apply", "-f", write(t, healthy))
		db, err := store.Open(t.Context(), k.vars["TOCSIN_DATABASE_URL"], store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		now := db.Now()
		exec := func(query string, args ...any) {
			if _, err := db.Write.ExecContext(t.Context(), db.Rebind(query), args...); err != nil {
				t.Fatal(err)
			}
		}
		exec("INSERT INTO timeline_events (incident_number, at, kind, actor, data) VALUES (1, $1, 'note', 'tocsin', '{}')", now.Add(-time.Hour))
		for name, position := range map[string]int{"behind": 0, "failing": 0, "fine": 1, "other": 1} {
			exec("INSERT INTO effect_consumers (name, kinds, cursor, tries, last_error, changed_at) VALUES ($1, '', $2, 0, '', $3)", name, position, now)
		}
		exec("UPDATE effect_consumers SET tries = 9, last_error = 'no such table', failed_event = 1 WHERE name = 'failing'")
		exec("INSERT INTO effect_failures (consumer, event_id, error, tries, at) VALUES ('other', 1, 'x', 8, $1)", now)
		exec("INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ('ack', 1, 0, $1)", now.Add(-time.Hour))
		s := k.run("doctor")
		wantWords(t, s.out,
			"look at   effect behind: It is behind: 1 event, the first from "+now.Add(-time.Hour).Format("2006-01-02T15:"),
			"look at   effect failing: It failed 9 times in a row (first at event 1); 1 event waiting: no such table",
			"ok        effect fine: it follows the timeline",
			"look at   effect other: 1 event is set aside",
			"look at   timers: 1 timer is due for more than a minute.")
		exec("DELETE FROM effect_consumers")
		exec("UPDATE timers SET due_at = $1, tries = 2", now.Add(time.Hour))
		s = k.run("doctor")
		wantWords(t, s.out, "look at   timers: 1 timer failed and will be tried again")
	})
}
