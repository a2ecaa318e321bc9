package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// flusher makes batches durable together while the next ones are already being
// written, where PostgreSQL's disk is slow: see CommitLatency. A batch commits
// asynchronously, which makes it visible, and one small synchronous transaction
// flushes the write-ahead log up to itself, and so all that committed before it. A
// batch with a synchronous commit does the same: the sender of a repeat is not
// answered before the signal that it repeats is durable too.
//
// A server that crashes loses what it had not flushed, and a flush begun after the
// restart would succeed all the same. So the flush uses a connection that was opened
// before the batch was written: a crash breaks every connection, and then the batch
// is not reported as stored.
type flusher struct {
	Connect func(context.Context) (*pgx.Conn, error)
	Clock   func() time.Time // measures how long things take

	Latency CommitLatency
	waiting sync.Mutex // serializes use of Conn

	mu   sync.Mutex // guards what follows
	Conn *pgx.Conn  // nil for none
	at   Mark
	busy bool // Conn is in use
	Used time.Time
	// pooled says that Conn goes through a pooler; every batch then commits
	// synchronously.
	pooled bool
}

// Mark identifies the connection through which a batch is flushed: one that was
// open before the batch was written.
type Mark uint64

// Durable is the mark of a batch that needs no flush.
const Durable Mark = 0

// MinMeasured is the fewest signals of a batch whose times are measured.
const MinMeasured = 4

// flushConnectTimeout bounds how long a batch waits for the connection; after it the
// batch commits synchronously.
const flushConnectTimeout = 500 * time.Millisecond

// FlushIdle is how long the connection may be unused before it is pinged.
const FlushIdle = time.Second

// BatchCommit is the mark to flush a batch of n signals with, and the statements
// that its transaction begins with for that. Without a connection the batch commits
// synchronously.
func (db *DB) BatchCommit(ctx context.Context, n int) (Mark, []Statement) {
	if db.Dialect != Postgres || !db.Flusher.Latency.FlushSeparately(db.Flusher.Clock(), n) {
		return Durable, nil
	}
	mark, err := db.Flusher.mark(ctx)
	if err != nil {
		db.Log.WarnContext(ctx, "flush connection failed", "error", err)
	}
	if err != nil || mark == Durable {
		return Durable, nil
	}
	return mark, []Statement{asyncCommit}
}

// mark opens the connection where there is none, and returns the mark of batches
// that are written from now on; Durable where they have to commit synchronously.
func (s *flusher) mark(ctx context.Context) (Mark, error) {
	ctx, cancel := context.WithTimeout(ctx, flushConnectTimeout)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Conn != nil && !s.pooled && (s.busy || s.Clock().Sub(s.Used) < FlushIdle) {
		return s.at, nil
	}
	if s.Conn != nil && s.Conn.Ping(ctx) != nil {
		s.drop(ctx)
	}
	if s.Conn == nil {
		conn, err := s.Connect(ctx)
		if err != nil {
			return 0, err
		}
		s.Conn = conn
		s.at++
		if s.pooled, err = throughPooler(ctx, conn); err != nil {
			s.drop(ctx)
			return 0, err
		}
	}
	if s.pooled {
		return Durable, nil
	}
	s.Used = s.Clock()
	return s.at, nil
}

// throughPooler reports whether the connection goes through a pooler, which may give
// each transaction another connection to the server: then a crash need not break it.
func throughPooler(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// WaitForFlush waits until every batch with the mark that has committed is durable.
func (s *flusher) WaitForFlush(ctx context.Context, mark Mark) error {
	s.waiting.Lock()
	defer s.waiting.Unlock()
	conn := s.acquire(mark)
	if conn == nil {
		return errors.New("flush connection lost")
	}
	began := s.Clock()
	// A logical message that nobody reads is the smallest transaction to commit.
	_, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'tocsin', '')")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.Used = false, s.Clock()
	if err != nil {
		s.drop(ctx)
		return fmt.Errorf("flush the write-ahead log: %w", err)
	}
	s.Latency.Waited(s.Used, s.Used.Sub(began))
	return nil
}

func (s *flusher) acquire(mark Mark) *pgx.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Conn == nil || s.at != mark {
		return nil
	}
	s.busy = true
	return s.Conn
}

// CheckConnections replaces all connections where one broke: a server that crashed
// or was restarted has broken them all, and each would fail one batch of signals.
func (db *DB) CheckConnections(err error) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !strings.HasPrefix(pg.Code, "57P0") {
		return // the server answered: the connection lives
	}
	if db.Dialect == Postgres {
		db.Flusher.expire()
		db.Pool.Reset()
	}
}

// expire has the connection pinged before a batch depends on it.
func (s *flusher) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Used = time.Time{}
}

func (s *flusher) drop(ctx context.Context) {
	_ = s.Conn.Close(context.WithoutCancel(ctx))
	s.Conn = nil
}

func (s *flusher) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Conn != nil {
		s.drop(context.Background())
	}
}
