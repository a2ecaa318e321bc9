package db

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Change is an incident's new version. Number 0 stands for all incidents, where too
// many changed to list them.
type Change struct {
	Number  int64 `json:"number"`
	Version int64 `json:"version"`
}

// Wakeup is what a transaction publishes to all processes once it has committed: the
// loops to run and the incidents to read again.
type Wakeup struct {
	// From is the process that wrote.
	From string `json:"from"`
	// Work names the loops for which something may be due.
	Work    Work     `json:"work,omitempty"`
	Changes []Change `json:"changes,omitempty"`
}

// Work is a set of loops.
type Work uint8

// The loops. Each also polls every second, so that a lost notification delays work
// by a second at most.
const (
	ToEscalate Work = 1 << iota
	ToPlan
	ToSend
	ToTime    // timers
	ToEffects // consumers of the timeline
	ToReload
	AllWork Work = 1<<iota - 1
)

// Bus distributes wakeups to the listeners of this process. It never waits for a
// slow listener: where the listener's buffer is full, the oldest wakeup is replaced by
// one that says that everything may have changed.
type Bus struct {
	mu        sync.Mutex
	listeners map[chan Wakeup]struct{}
}

func newBus() *Bus { return &Bus{listeners: map[chan Wakeup]struct{}{}} }

// Listen returns a channel of wakeups until stop is called.
func (b *Bus) Listen() (wakeups <-chan Wakeup, stop func()) {
	c := make(chan Wakeup, 64)
	b.mu.Lock()
	b.listeners[c] = struct{}{}
	b.mu.Unlock()
	return c, func() {
		b.mu.Lock()
		delete(b.listeners, c)
		b.mu.Unlock()
	}
}

func (b *Bus) publish(n Wakeup) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.listeners {
		select {
		case c <- n:
		default:
			// Full: replace the oldest by "everything may have changed".
			select {
			case <-c:
			default:
			}
			select {
			case c <- Wakeup{From: n.From, Work: AllWork, Changes: []Change{{}}}:
			default:
			}
		}
	}
}

// Bus is this process's bus.
func (db *DB) Bus() *Bus { return db.bus }

// MaxNamed bounds how many changes are listed. For more, readers are asked to reload
// everything, which in a storm is less work.
const MaxNamed = 10

// Publish publishes a wakeup when the transaction has committed: to this
// process directly, to the others by NOTIFY.
func (tx *Tx) Publish(ctx context.Context, n Wakeup) error {
	n.From = tx.DB.Owner
	if tx.wroteEvents {
		n.Work |= ToEffects
	}
	if len(n.Changes) > MaxNamed {
		n.Changes = []Change{{}}
	}
	tx.After = append(tx.After, func() { tx.DB.bus.publish(n) })
	if tx.DB.Dialect == SQLite {
		return nil
	}
	payload, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return tx.Write(ctx, "notify the other processes", "SELECT pg_notify('tocsin', $1)", n.From+" "+string(payload))
}

// WroteEvents has the consumers of the timeline woken when the transaction has
// committed: those of this process, and those of the others by the next wakeup that
// it publishes. Without one, the others find the events at their next poll.
func (tx *Tx) WroteEvents() {
	if tx.wroteEvents {
		return
	}
	tx.wroteEvents = true
	tx.After = append(tx.After, func() { tx.DB.bus.publish(Wakeup{From: tx.DB.Owner, Work: ToEffects}) })
}

// Listen listens to the other processes, on a connection of its own, until ctx
// ends. A lost connection is opened again after a second, and every listener is woken
// once, since wakeups may have been missed.
func (db *DB) Listen(ctx context.Context) {
	if db.Dialect == SQLite {
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		if err := db.listenOnce(ctx); err != nil && ctx.Err() == nil {
			db.Log.WarnContext(ctx, "notification connection lost", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (db *DB) listenOnce(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, db.Pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN tocsin"); err != nil {
		return err
	}
	db.bus.publish(Wakeup{Work: AllWork, Changes: []Change{{}}})
	for {
		note, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		from, payload, _ := strings.Cut(note.Payload, " ")
		if from == db.Owner {
			continue // it was published when it was committed
		}
		var n Wakeup
		if json.Unmarshal([]byte(payload), &n) == nil {
			db.bus.publish(n)
		}
	}
}
