package store

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

func TestHeartbeatIsKept(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		if at, err := st.LastHeartbeat(t.Context()); err != nil || !at.IsZero() {
			t.Errorf("before the first: %v, %v", at, err)
		}
		now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
		st.Clock.Fixed = func() time.Time { return now }
		for range 2 {
			now = now.Add(time.Second)
			if err := st.Heartbeat(t.Context(), db.Serving); err != nil {
				t.Fatal(err)
			}
			if err := st.Heartbeat(t.Context(), "doctor"); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Hour)
		if at, err := st.LastHeartbeat(t.Context()); err != nil || !at.Equal(now.Add(-time.Hour)) {
			t.Errorf("the last is %v, %v", at, err)
		}
	})
}
