package main

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store"
)

func TestDoctorNamesBrokenChannels(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.ok("apply", "-f", write(t, healthy))
		db, err := store.Open(t.Context(), k.vars["TOCSIN_DATABASE_URL"], store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		since := time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)
		insert := "INSERT INTO channel_states (medium, failing_since, failed_at, broken_since, holds, reason) VALUES ($1, $2, $2, $3, true, 'Twilio: 20003, the account SID or the auth token is wrong')"
		for medium, broken := range map[string]*time.Time{"sms": &since, "slack": nil} {
			if _, err := db.Write.ExecContext(t.Context(), db.Rebind(insert), medium, since, broken); err != nil {
				t.Fatal(err)
			}
		}
		s := k.run("doctor")
		wantWords(t, s.out, "BROKEN    SMS: SMS has not worked since 03:02 on 23 November (UTC). Twilio: 20003, the account SID or the auth token is wrong.")
	})
}
