package server

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// changes are incidents that cannot be changed, by the number.
type changes struct {
	fails map[int64]error
	asked []int64
}

func (c *changes) ChangeIncident(_ context.Context, number int64, _ incident.By, _ func(incident.Incident, incident.Known) (incident.Change, error)) (incident.Incident, error) {
	c.asked = append(c.asked, number)
	return incident.Incident{}, c.fails[number]
}

func TestATimerThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "tocsin.db")
	db, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+file+"?_time_format=sqlite&_timezone=UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for i, kind := range []string{incident.TimerQuietPeriod, "of a newer version", incident.TimerQuietPeriod, incident.TimerAck} {
		due := now.Add(time.Duration(i-10) * time.Second)
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO timers (kind, subject, occurrence, due_at) VALUES (?, ?, 0, ?)", kind, i, due); err != nil {
			t.Fatal(err)
		}
	}
	broken := &changes{fails: map[int64]error{0: errors.New("the database is away"), 2: fault.NotFound("There is no incident with number 2.")}}
	sweeps := &timers{db: db, incidents: &incident.Service{Store: broken, Now: db.Now}, now: db.Now, log: slog.New(slog.DiscardHandler)}

	if n, err := sweeps.sweep(t.Context()); err != nil || n != 4 {
		t.Fatalf("%d timers were due: %v", n, err)
	}
	if !slices.Equal(broken.asked, []int64{0, 2, 3}) {
		t.Errorf("carried out: %v", broken.asked)
	}
	if n, err := sweeps.sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("%d timers are due again at once: %v", n, err)
	}
	now = now.Add(time.Minute)
	broken.fails = nil
	due, err := db.Paging.DueTimers(t.Context(), now, 10)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, d := range due {
		left = append(left, d.Kind)
	}
	slices.Sort(left)
	want := []string{"of a newer version", incident.TimerQuietPeriod}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("a minute later %v are due, want %v", left, want)
	}
	if n, err := sweeps.sweep(t.Context()); err != nil || n != 2 || !slices.Equal(broken.asked, []int64{0, 2, 3, 0}) {
		t.Errorf("%d timers were due: %v; carried out: %v", n, err, broken.asked)
	}
}
