package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// TestCrashLosesNoAcceptedSignal kills a backend of PostgreSQL, which
// makes the server throw away all that it has in memory, while signals come in
// from many sides.
func TestCrashLosesNoAcceptedSignal(t *testing.T) {
	t.Parallel()
	cluster, err := pgtest.Start(pgtest.Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	if err := migrateAt(t.Context(), cluster.URL); err != nil {
		t.Fatal(err)
	}
	p := newPipeline(t, opened(t, cluster.URL))
	b := ingest.NewBatcher(p.db.Incidents, ingest.BatcherOptions{Log: slog.New(slog.DiscardHandler)})
	answered := map[string]bool{}
	for _, disk := range []struct {
		name string
		slow func(n int) bool
	}{
		{"slow", func(int) bool { return true }},
		{"fast", func(int) bool { return false }},
		{"unsteady", func(n int) bool { return n%2 == 0 }},
	} {
		p.sendUntilItCrashes(b, disk.name, disk.slow, answered, func() { kill(t, cluster.URL) })
		p.awaken(b)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	rows, err := p.db.Read.QueryContext(t.Context(), "SELECT a.dedup_key FROM alerts a JOIN incidents i ON i.number = a.incident_number JOIN escalations e ON e.incident_number = i.number")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		kept[key] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lost := 0
	for key := range answered {
		if !kept[key] {
			lost++
		}
	}
	if lost > 0 || len(answered) < 1000 {
		t.Errorf("%d of %d signals that were answered are lost", lost, len(answered))
	}
}

// sendUntilItCrashes has 32 senders send one signal after the other until the
// server, which is made to crash after some hundreds, has refused one, and notes
// what was answered. slow says how the disk is taken to be when a sender sends
// its n-th.
func (p *pipeline) sendUntilItCrashes(b *ingest.Batcher, name string, slow func(n int) bool, answered map[string]bool, crash func()) {
	p.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	enough, refused := make(chan struct{}), make(chan struct{})
	var atEnough, atRefused sync.Once
	for sender := range 32 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-refused:
					return
				default:
				}
				p.db.Flusher.Latency.Force(slow(n), time.Now().Add(time.Hour))
				key := fmt.Sprintf("%s-%d-%d", name, sender, n)
				if _, err := b.Submit(p.t.Context(), []ingest.Signal{p.signal(key)}); err != nil {
					atRefused.Do(func() { close(refused) })
					return
				}
				mu.Lock()
				answered[key] = true
				mu.Unlock()
				if n == 20 {
					atEnough.Do(func() { close(enough) })
				}
			}
		})
	}
	select {
	case <-enough:
		crash()
	case <-refused:
		p.t.Error("a signal was refused before the crash")
	}
	all.Wait()
}

// kill ends a connection's backend as a crash does, to which the server answers
// by starting afresh.
func kill(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var pid int
	if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// awaken waits until the server is there again. That one signal is stored says
// that no connection which the crash broke is in use any more.
func (p *pipeline) awaken(b *ingest.Batcher) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := b.Submit(ctx, []ingest.Signal{p.signal("awake")}); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatal("the server did not come back")
		}
	}
}
