package db

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Change says that an incident is now at a version. Number 0 says that too
// many changed to name them.
type Change struct {
	Number  int64 `json:"number"`
	Version int64 `json:"version"`
}

// News is what a transaction tells the processes once it has committed.
type News struct {
	// From is the process that wrote.
	From string `json:"from"`
	// Work says where something may be due.
	Work    Work     `json:"work,omitempty"`
	Changes []Change `json:"changes,omitempty"`
}

// Work names the loops that a transaction has made work for.
type Work uint8

// The loops. Each sweeps every second besides, so that a lost word costs a
// second and nothing else.
const (
	ToEscalate Work = 1 << iota
	ToPlan
	ToSend
	ToTime    // timers
	ToEffects // consumers of the timeline
	ToReload
	AllWork Work = 1<<iota - 1
)

// Bus hands news to whoever in this process listens. It never waits for a
// slow listener: what does not fit is dropped, and the listener is told that
// too much happened.
type Bus struct {
	mu        sync.Mutex
	listeners map[chan News]struct{}
}

func newBus() *Bus { return &Bus{listeners: map[chan News]struct{}{}} }

// Listen returns a channel of news until stop is called.
func (b *Bus) Listen() (news <-chan News, stop func()) {
	c := make(chan News, 64)
	b.mu.Lock()
	b.listeners[c] = struct{}{}
	b.mu.Unlock()
	return c, func() {
		b.mu.Lock()
		delete(b.listeners, c)
		b.mu.Unlock()
	}
}

func (b *Bus) publish(n News) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.listeners {
		select {
		case c <- n:
		default:
			// Full: the oldest gives way to "everything may have changed".
			select {
			case <-c:
			default:
			}
			select {
			case c <- News{From: n.From, Work: AllWork, Changes: []Change{{}}}:
			default:
			}
		}
	}
}

// Bus is this process's news.
func (db *DB) Bus() *Bus { return db.bus }

// MaxNamed bounds how many changes are named one by one. Of more, whoever
// looks is told to look again, which in a storm is less work for everybody.
const MaxNamed = 10

// Publish has the news published when the transaction has committed: to this
// process directly, to the others by NOTIFY.
func (tx *Tx) Publish(ctx context.Context, n News) error {
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
	return tx.Write(ctx, "tell the others", "SELECT pg_notify('tocsin', $1)", n.From+" "+string(payload))
}

// WroteEvents has the consumers of the timeline woken when the transaction has
// committed: those of this process, and those of the others by the next news that
// it publishes. Where there are none, they find out within a second.
func (tx *Tx) WroteEvents() {
	if tx.wroteEvents {
		return
	}
	tx.wroteEvents = true
	tx.After = append(tx.After, func() { tx.DB.bus.publish(News{From: tx.DB.Owner, Work: ToEffects}) })
}

// Listen listens to the other processes, on a connection of its own, until ctx
// ends. A lost connection is made again after a second, and everybody is told
// to look once, since something may have been missed.
func (db *DB) Listen(ctx context.Context) {
	if db.Dialect == SQLite {
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		if err := db.hearOnce(ctx); err != nil && ctx.Err() == nil {
			db.Log.WarnContext(ctx, "lost the connection that listens for news; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (db *DB) hearOnce(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, db.Pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN tocsin"); err != nil {
		return err
	}
	db.bus.publish(News{Work: AllWork, Changes: []Change{{}}})
	for {
		note, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		from, payload, _ := strings.Cut(note.Payload, " ")
		if from == db.Owner {
			continue // it was published when it was committed
		}
		var n News
		if json.Unmarshal([]byte(payload), &n) == nil {
			db.bus.publish(n)
		}
	}
}
