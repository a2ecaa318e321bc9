package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// safely is a server's connection as it is outside of tests, where a commit
// waits for the log to be written.
func safely(t *testing.T) *pipeline {
	t.Helper()
	address := newPostgres(t)
	p := newPipeline(t, opened(t, address+"&synchronous_commit=on"))
	p.db.Flusher.Latency.Force(true, time.Now().Add(time.Hour))
	return p
}

func (p *pipeline) batch(name string, n int) []ingest.Signal {
	signals := make([]ingest.Signal, n)
	for i := range signals {
		signals[i] = p.signal(fmt.Sprintf("%s-%d", name, i))
	}
	return signals
}

func (p *pipeline) mustWrite(name string, n int) ingest.Mark {
	p.t.Helper()
	written, err := p.db.Incidents.WriteSignals(p.t.Context(), p.batch(name, n))
	if err != nil {
		p.t.Fatal(err)
	}
	return written.Mark
}

func TestSettledBatchIsDurable(t *testing.T) {
	t.Parallel()
	p := safely(t)
	for round := range 20 {
		mark := p.mustWrite(fmt.Sprint("round", round), db.MinMeasured)
		if mark == ingest.Durable {
			t.Fatal("the batch waited for the disk by itself")
		}
		var written string
		if err := p.db.Pool.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&written); err != nil {
			t.Fatal(err)
		}
		if err := p.db.Incidents.WaitForFlush(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		p.onDisk(written)
	}
}

// Whoever repeats a signal is answered by a batch that may find nothing to
// change.
func TestRepeatWaitsForDurableOriginal(t *testing.T) {
	t.Parallel()
	p := safely(t)
	for round := range 20 {
		p.db.Flusher.Latency.Force(true, time.Now().Add(time.Hour))
		batch := p.batch(fmt.Sprint("round", round), db.MinMeasured)
		for _, s := range slices.Clone(batch) {
			resolve(&s)
			batch = append(batch, s)
		}
		first, err := p.db.Incidents.WriteSignals(t.Context(), batch)
		if err != nil || first.Mark == ingest.Durable {
			t.Fatalf("mark %d, %v", first.Mark, err)
		}
		var written string
		if err := p.db.Pool.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&written); err != nil {
			t.Fatal(err)
		}
		p.db.Flusher.Latency.Force(false, time.Now().Add(time.Hour))
		repeat, err := p.db.Incidents.WriteSignals(t.Context(), batch[db.MinMeasured:])
		if err != nil || repeat.Mark != ingest.Durable {
			t.Fatalf("mark %d, %v", repeat.Mark, err)
		}
		if repeat.Results[0].Status != incident.ResultIgnored {
			t.Fatalf("the repeat was %s", repeat.Results[0].Status)
		}
		p.onDisk(written)
	}
}

// onDisk fails unless the log is on the disk up to a place.
func (p *pipeline) onDisk(written string) {
	p.t.Helper()
	var behind int64
	if err := p.db.Pool.QueryRow(p.t.Context(), "SELECT pg_wal_lsn_diff($1::text::pg_lsn, pg_current_wal_flush_lsn())::bigint", written).Scan(&behind); err != nil {
		p.t.Fatal(err)
	}
	if behind > 0 {
		p.t.Fatalf("%d bytes of the log are not on the disk", behind)
	}
}

// The first wait has a connection opened for it, which says nothing about how
// long batches take.
func TestSlowConnectionIsNotMeasured(t *testing.T) {
	t.Parallel()
	p := safely(t)
	p.db.Flusher.Latency = db.CommitLatency{}
	const opening, tick = 300 * time.Millisecond, time.Millisecond
	now := time.Now()
	p.db.Flusher.Clock = func() time.Time { now = now.Add(tick); return now }
	connect := p.db.Flusher.Connect
	p.db.Flusher.Connect = func(ctx context.Context) (*pgx.Conn, error) {
		now = now.Add(opening)
		return connect(ctx)
	}
	if mark := p.mustWrite("first", db.MinMeasured); mark == ingest.Durable {
		t.Fatal("the batch waited for the disk by itself")
	}
	if took, _ := p.db.Flusher.Latency.Measured(); took != tick {
		t.Errorf("writing a batch is said to take %s, not %s", took, tick)
	}
}

func TestFastDiskCommitsSynchronously(t *testing.T) {
	t.Parallel()
	p := safely(t)
	p.db.Flusher.Latency.Force(false, time.Now().Add(time.Hour))
	if mark := p.mustWrite("fast", 8*db.MinMeasured); mark != ingest.Durable {
		t.Errorf("mark %d", mark)
	}
	if p.db.Flusher.Conn != nil {
		t.Error("a connection was opened for it")
	}
}

// The first batches of a storm wait apart, and say how slow the disk is.
func TestSeparateFlushesMeasureDisk(t *testing.T) {
	t.Parallel()
	p := safely(t)
	p.db.Flusher.Latency = db.CommitLatency{}
	if mark := p.mustWrite("small", db.MinMeasured-1); mark != ingest.Durable {
		t.Error("a small batch, of which there may be no other, waited apart")
	}
	for i := range 8 { // as many as are measured
		mark := p.mustWrite(fmt.Sprint("measured", i), db.MinMeasured)
		if mark == ingest.Durable {
			t.Fatalf("batch %d was not measured", i)
		}
		if err := p.db.Incidents.WaitForFlush(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
	}
	if _, decided := p.db.Flusher.Latency.Measured(); !decided {
		t.Error("after enough batches it is not known how slow the disk is")
	}
}

// A server that crashed has lost what it had in memory, and a wait that is begun
// on a new connection would find nothing missing.
func TestLaterConnectionDoesNotSettle(t *testing.T) {
	t.Parallel()
	p := safely(t)
	before := p.mustWrite("before", db.MinMeasured)
	pid := p.db.Flusher.Conn.PgConn().PID()
	p.exec("SELECT pg_terminate_backend($1, 5000)", int(pid))
	err := p.db.Incidents.WaitForFlush(t.Context(), before)
	if !errors.Is(err, ingest.ErrUnavailable) || !strings.Contains(err.Error(), "flush the write-ahead log") {
		t.Fatalf("got %v", err)
	}
	after := p.mustWrite("after", db.MinMeasured)
	if after == before {
		t.Fatal("the new connection has the mark of the old one")
	}
	if err := p.db.Incidents.WaitForFlush(t.Context(), before); !errors.Is(err, ingest.ErrUnavailable) {
		t.Errorf("what was written before the crash is settled: %v", err)
	}
	if err := p.db.Incidents.WaitForFlush(t.Context(), after); err != nil {
		t.Error(err)
	}
}

func TestLostFlushConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	p := safely(t)
	before := p.mustWrite("before", db.MinMeasured)
	if err := p.db.Incidents.WaitForFlush(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	p.exec("SELECT pg_terminate_backend($1, 5000)", int(p.db.Flusher.Conn.PgConn().PID()))
	p.db.Flusher.Used = p.db.Flusher.Used.Add(-db.FlushIdle)
	after := p.mustWrite("after", db.MinMeasured)
	if err := p.db.Incidents.WaitForFlush(t.Context(), after); err != nil || after == before {
		t.Errorf("mark %d after %d: %v", after, before, err)
	}
}

func TestConcurrentNewKeyMakesOneAlert(t *testing.T) {
	t.Parallel()
	address := newPostgres(t)
	p := newPipeline(t, opened(t, address))
	other := opened(t, address)
	other.Clock.Fixed = p.db.Clock.Fixed
	const rounds = 30
	for round := range rounds {
		name := fmt.Sprint("round", round)
		failed := make(chan error, 1)
		go func() {
			_, err := other.Incidents.WriteSignals(t.Context(), p.batch(name, db.MinMeasured))
			failed <- err
		}()
		_, mine := p.db.Incidents.WriteSignals(t.Context(), p.batch(name, db.MinMeasured))
		for _, err := range []error{mine, <-failed} {
			if err != nil && !errors.Is(err, ingest.ErrRetry) {
				t.Fatal(err)
			}
		}
	}
	if n := p.count("SELECT count(*) FROM alerts"); n != rounds*db.MinMeasured {
		t.Errorf("%d alerts", n)
	}
	if n := p.count("SELECT count(*) FROM alerts a WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.number = a.incident_number)"); n != 0 {
		t.Errorf("%d alerts without an incident", n)
	}
}

func TestNoFlushConnectionCommitsSynchronously(t *testing.T) {
	t.Parallel()
	p := safely(t)
	connect := p.db.Flusher.Connect
	p.db.Flusher.Connect = func(context.Context) (*pgx.Conn, error) { return nil, errors.New("too many connections") }
	if mark := p.mustWrite("without a connection", db.MinMeasured); mark != ingest.Durable {
		t.Errorf("mark %d", mark)
	}
	p.db.Flusher.Connect = connect
	if mark := p.mustWrite("with one", db.MinMeasured); mark == ingest.Durable {
		t.Error("the connection was not tried again")
	}
	// A pooler answers for a server's process that the connection does not name.
	p.db.Flusher.Close()
	p.db.Flusher.Connect = func(ctx context.Context) (*pgx.Conn, error) {
		cfg := p.db.Pool.Config().ConnConfig
		cfg.DialFunc = misnaming(cfg.DialFunc)
		return pgx.ConnectConfig(ctx, cfg)
	}
	for range 2 {
		if mark := p.mustWrite("through a pooler", db.MinMeasured); mark != ingest.Durable {
			t.Errorf("mark %d through a pooler", mark)
		}
	}
}

// misnaming has a connection's process told by another number, as poolers do.
func misnaming(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &misnamed{Conn: conn}, err
	}
}

type misnamed struct{ net.Conn }

// Read changes the first BackendKeyData that comes, whose form is K, its length
// of twelve, the process and its secret.
func (m *misnamed) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if i := bytes.Index(b[:n], []byte{'K', 0, 0, 0, 12}); i >= 0 && i+8 < n {
		b[i+8] ^= 0x55
	}
	return n, err
}
