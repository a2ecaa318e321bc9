package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// safely is a server's connection as it is outside of tests, where a commit
// waits for the log to be written.
func safely(t *testing.T) *pipeline {
	t.Helper()
	address := newPostgres(t)
	return newPipeline(t, opened(t, address+"&synchronous_commit=on"))
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
	written, err := p.db.WriteSignals(p.t.Context(), p.batch(name, n))
	if err != nil {
		p.t.Fatal(err)
	}
	return written.Mark
}

func TestABatchIsOnTheDiskOnceItIsSettled(t *testing.T) {
	t.Parallel()
	p := safely(t)
	for round := range 20 {
		mark := p.mustWrite(fmt.Sprint("round", round), settleFrom)
		if mark == ingest.Durable {
			t.Fatal("the batch waited for the disk by itself")
		}
		var written string
		if err := p.db.pool.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&written); err != nil {
			t.Fatal(err)
		}
		if err := p.db.Settle(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		var behind int64
		if err := p.db.pool.QueryRow(t.Context(), "SELECT pg_wal_lsn_diff($1::text::pg_lsn, pg_current_wal_flush_lsn())::bigint", written).Scan(&behind); err != nil {
			t.Fatal(err)
		}
		if behind > 0 {
			t.Fatalf("round %d: %d bytes of the log are not on the disk", round, behind)
		}
	}
}

func TestASmallBatchWaitsByItself(t *testing.T) {
	t.Parallel()
	p := safely(t)
	if mark := p.mustWrite("small", settleFrom-1); mark != ingest.Durable {
		t.Errorf("mark %d", mark)
	}
	if p.db.settler.conn != nil {
		t.Error("a connection was opened for it")
	}
}

// A server that crashed has lost what it had in memory, and a wait that is begun
// on a new connection would find nothing missing.
func TestABatchIsNotSettledByALaterConnection(t *testing.T) {
	t.Parallel()
	p := safely(t)
	before := p.mustWrite("before", settleFrom)
	pid := p.db.settler.conn.PgConn().PID()
	p.exec("SELECT pg_terminate_backend($1, 5000)", int(pid))
	err := p.db.Settle(t.Context(), before)
	if !errors.Is(err, ingest.ErrUnavailable) || !strings.Contains(err.Error(), "wait for the disk") {
		t.Fatalf("got %v", err)
	}
	after := p.mustWrite("after", settleFrom)
	if after == before {
		t.Fatal("the new connection has the mark of the old one")
	}
	if err := p.db.Settle(t.Context(), before); !errors.Is(err, ingest.ErrUnavailable) {
		t.Errorf("what was written before the crash is settled: %v", err)
	}
	if err := p.db.Settle(t.Context(), after); err != nil {
		t.Error(err)
	}
}

func TestALostConnectionIsReplacedBeforeABatchDependsOnIt(t *testing.T) {
	t.Parallel()
	p := safely(t)
	before := p.mustWrite("before", settleFrom)
	if err := p.db.Settle(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	p.exec("SELECT pg_terminate_backend($1, 5000)", int(p.db.settler.conn.PgConn().PID()))
	p.db.settler.used = p.db.settler.used.Add(-settleIdle)
	after := p.mustWrite("after", settleFrom)
	if err := p.db.Settle(t.Context(), after); err != nil || after == before {
		t.Errorf("mark %d after %d: %v", after, before, err)
	}
}

func TestTwoProcessesThatSeeAKeyFirstMakeOneAlert(t *testing.T) {
	t.Parallel()
	address := newPostgres(t)
	p := newPipeline(t, opened(t, address))
	other := opened(t, address)
	other.clock.fixed = p.db.clock.fixed
	const rounds = 30
	for round := range rounds {
		name := fmt.Sprint("round", round)
		failed := make(chan error, 1)
		go func() {
			_, err := other.WriteSignals(t.Context(), p.batch(name, settleFrom))
			failed <- err
		}()
		_, mine := p.db.WriteSignals(t.Context(), p.batch(name, settleFrom))
		for _, err := range []error{mine, <-failed} {
			if err != nil && !errors.Is(err, ingest.ErrRetry) {
				t.Fatal(err)
			}
		}
	}
	if n := p.count("SELECT count(*) FROM alerts"); n != rounds*settleFrom {
		t.Errorf("%d alerts", n)
	}
	if n := p.count("SELECT count(*) FROM alerts a WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.number = a.incident_number)"); n != 0 {
		t.Errorf("%d alerts without an incident", n)
	}
}

func TestABatchWaitsByItselfWhereNobodyElseCan(t *testing.T) {
	t.Parallel()
	p := safely(t)
	connect := p.db.settler.connect
	p.db.settler.connect = func(context.Context) (*pgx.Conn, error) { return nil, errors.New("too many connections") }
	if mark := p.mustWrite("without a connection", settleFrom); mark != ingest.Durable {
		t.Errorf("mark %d", mark)
	}
	p.db.settler.connect = connect
	if mark := p.mustWrite("with one", settleFrom); mark == ingest.Durable {
		t.Error("the connection was not tried again")
	}
	// A pooler answers for a server's process that the connection does not name.
	p.db.settler.close()
	p.db.settler.connect = func(ctx context.Context) (*pgx.Conn, error) {
		cfg := p.db.pool.Config().ConnConfig
		cfg.DialFunc = misnaming(cfg.DialFunc)
		return pgx.ConnectConfig(ctx, cfg)
	}
	for range 2 {
		if mark := p.mustWrite("through a pooler", settleFrom); mark != ingest.Durable {
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
