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

// flusher has many batches wait for PostgreSQL's disk together, while the next
// ones are already being written, where the disk is slow: see pace. A batch
// commits in memory, where everybody sees it, and one small transaction that
// waits for the disk brings all there that came before it, since the log is
// written in its order. So does a batch that waits by itself: whoever repeats
// what is only in memory is not answered before that is on the disk too.
//
// A server that crashes loses what it had in memory, and a wait begun after that
// would find nothing missing. So the wait goes through a connection that is
// older than the batch: a crash breaks every connection, and then nobody is told
// that the batch is stored.
type flusher struct {
	Connect func(context.Context) (*pgx.Conn, error)
	Clock   func() time.Time // measures how long things take

	Latency CommitLatency
	waiting sync.Mutex // held by the one who speaks on the connection

	mu   sync.Mutex // guards what follows
	Conn *pgx.Conn  // nil for none
	at   Mark
	busy bool // it is being spoken on
	Used time.Time
	// pooled has every batch wait by itself.
	pooled bool
}

// Mark names the connection through which a batch is flushed: one that was open
// before the batch was written.
type Mark uint64

// Durable needs no waiting.
const Durable Mark = 0

// ErrUnavailable is a database that cannot be reached now.
var ErrUnavailable = errors.New("the database is unavailable")

// MinMeasured is how many signals a batch has that tells whether the disk is slow.
const MinMeasured = 4

// flushConnectTimeout bounds how long a batch waits for the connection before it goes
// without.
const flushConnectTimeout = 500 * time.Millisecond

// FlushIdle is after how long the connection is asked whether it still lives.
const FlushIdle = time.Second

// BatchCommit is what a batch of n signals is to be settled with, and what its
// transaction begins with for that. A connection that cannot be had makes the
// batch wait by itself.
func (db *DB) BatchCommit(ctx context.Context, n int) (Mark, []Statement) {
	if db.Dialect != Postgres || !db.Flusher.Latency.Apart(db.Flusher.Clock(), n) {
		return Durable, nil
	}
	mark, err := db.Flusher.mark(ctx)
	if err != nil {
		db.Log.WarnContext(ctx, "no connection to wait for the disk with; batches wait by themselves", "error", err)
	}
	if err != nil || mark == Durable {
		return Durable, nil
	}
	return mark, []Statement{asyncCommit}
}

// mark opens the connection where there is none, and returns what a batch that
// is written from now on is to be settled with; Durable where it has to wait by
// itself.
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

// throughPooler reports whether a pooler stands between, which may give each
// transaction another connection to the server: then ours says nothing about a
// crash.
func throughPooler(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// WaitForFlush waits until all is on the disk that was written before, up to a mark.
func (s *flusher) WaitForFlush(ctx context.Context, mark Mark) error {
	s.waiting.Lock()
	defer s.waiting.Unlock()
	conn := s.take(mark)
	if conn == nil {
		return fmt.Errorf("%w: the connection that waits for the disk was lost", ErrUnavailable)
	}
	began := s.Clock()
	// A message in the log that nobody reads: the smallest thing to commit.
	_, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'tocsin', '')")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.Used = false, s.Clock()
	if err != nil {
		s.drop(ctx)
		return errors.Join(ErrUnavailable, fmt.Errorf("wait for the disk: %w", err))
	}
	s.Latency.Waited(s.Used, s.Used.Sub(began))
	return nil
}

func (s *flusher) take(mark Mark) *pgx.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Conn == nil || s.at != mark {
		return nil
	}
	s.busy = true
	return s.Conn
}

// CheckConnections makes the others anew where one broke: a server that crashed
// or was restarted has broken them all, and each would cost a sender its signal.
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

// expire has the connection asked whether it lives before a batch depends on it.
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
