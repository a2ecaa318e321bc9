package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// settler has many batches wait for PostgreSQL's disk together, while the next
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
type settler struct {
	connect func(context.Context) (*pgx.Conn, error)
	clock   func() time.Time // measures how long things take

	pace    pace
	waiting sync.Mutex // held by the one who speaks on the connection

	mu   sync.Mutex // guards what follows
	conn *pgx.Conn  // nil for none
	at   ingest.Mark
	busy bool // it is being spoken on
	used time.Time
	// pooled has every batch wait by itself.
	pooled bool
}

// settleFrom is how many signals a batch has that tells whether the disk is slow.
const settleFrom = 4

// settleConnects bounds how long a batch waits for the connection before it goes
// without.
const settleConnects = 500 * time.Millisecond

// settleIdle is after how long the connection is asked whether it still lives.
const settleIdle = time.Second

// settleLater is what a batch of n signals is to be settled with, and what its
// transaction begins with for that. A connection that cannot be had makes the
// batch wait by itself.
func (db *DB) settleLater(ctx context.Context, n int) (ingest.Mark, []statement) {
	if db.dialect != onPostgres || !db.settler.pace.apart(db.settler.clock(), n) {
		return ingest.Durable, nil
	}
	mark, err := db.settler.mark(ctx)
	if err != nil {
		db.log.WarnContext(ctx, "no connection to wait for the disk with; batches wait by themselves", "error", err)
	}
	if err != nil || mark == ingest.Durable {
		return ingest.Durable, nil
	}
	return mark, []statement{inMemory}
}

// mark opens the connection where there is none, and returns what a batch that
// is written from now on is to be settled with; Durable where it has to wait by
// itself.
func (s *settler) mark(ctx context.Context) (ingest.Mark, error) {
	ctx, cancel := context.WithTimeout(ctx, settleConnects)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.pooled && (s.busy || s.clock().Sub(s.used) < settleIdle) {
		return s.at, nil
	}
	if s.conn != nil && s.conn.Ping(ctx) != nil {
		s.drop(ctx)
	}
	if s.conn == nil {
		conn, err := s.connect(ctx)
		if err != nil {
			return 0, err
		}
		s.conn = conn
		s.at++
		if s.pooled, err = throughPooler(ctx, conn); err != nil {
			s.drop(ctx)
			return 0, err
		}
	}
	if s.pooled {
		return ingest.Durable, nil
	}
	s.used = s.clock()
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

// settle waits until all is on the disk that was written before, up to a mark.
func (s *settler) settle(ctx context.Context, mark ingest.Mark) error {
	s.waiting.Lock()
	defer s.waiting.Unlock()
	conn := s.take(mark)
	if conn == nil {
		return fmt.Errorf("%w: the connection that waits for the disk was lost", ingest.ErrUnavailable)
	}
	began := s.clock()
	// A message in the log that nobody reads: the smallest thing to commit.
	_, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'tocsin', '')")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.used = false, s.clock()
	if err != nil {
		s.drop(ctx)
		return errors.Join(ingest.ErrUnavailable, fmt.Errorf("wait for the disk: %w", err))
	}
	s.pace.waited(s.used, s.used.Sub(began))
	return nil
}

func (s *settler) take(mark ingest.Mark) *pgx.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || s.at != mark {
		return nil
	}
	s.busy = true
	return s.conn
}

// doubtConnections makes the others anew where one broke: a server that crashed
// or was restarted has broken them all, and each would cost a sender its signal.
func (db *DB) doubtConnections(err error) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !strings.HasPrefix(pg.Code, "57P0") {
		return // the server answered: the connection lives
	}
	if db.dialect == onPostgres {
		db.settler.doubt()
		db.pool.Reset()
	}
}

// doubt has the connection asked whether it lives before a batch depends on it.
func (s *settler) doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = time.Time{}
}

func (s *settler) drop(ctx context.Context) {
	_ = s.conn.Close(context.WithoutCancel(ctx))
	s.conn = nil
}

func (s *settler) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.drop(context.Background())
	}
}
