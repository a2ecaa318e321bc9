package effect

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

var errAway = errors.New("the database is away")

// memory is a Store of several processes in memory. Leases go by time.Now,
// which a synctest bubble moves.
type memory struct {
	mu      sync.Mutex
	events  []Event
	rows    map[string]*memoryRow
	skips   int
	down    bool // renewals fail
	failing error
}

type memoryRow struct {
	cursor  Cursor
	owner   *process
	until   time.Time
	seen    time.Time
	failure Failure
	aside   []SetAside
}

// process is one process's view of the store.
type process struct{ *memory }

func newMemory() *memory { return &memory{rows: map[string]*memoryRow{}} }

func (m *memory) happen(kinds ...incident.EventKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range kinds {
		m.events = append(m.events, Event{ID: int64(len(m.events) + 1), IncidentNo: 1, Payload: incident.Unknown{EventKind: k}})
	}
}

func (m *memory) position(name string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[name].cursor.Position
}

func (p *process) Register(_ context.Context, name string, _ []incident.EventKind) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows[name] == nil {
		p.rows[name] = &memoryRow{cursor: Cursor{Position: int64(len(p.events))}}
	}
	p.rows[name].seen = time.Now()
	return nil
}

func (p *process) See(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows[name].seen = time.Now()
	return nil
}

func (p *process) Unregister(_ context.Context, name string, before time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if row := p.rows[name]; row != nil && row.seen.Before(before) && !time.Now().Before(row.until) {
		delete(p.rows, name)
	}
	return nil
}

func (p *process) Cursor(_ context.Context, name string) (Cursor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing != nil {
		return Cursor{}, p.failing
	}
	row := p.rows[name]
	if row == nil {
		return Cursor{}, fault.NotFound("There is no consumer %s.", name)
	}
	c := row.cursor
	c.SeenAt = row.seen
	c.Held = row.owner != nil && time.Now().Before(row.until)
	return c, nil
}

func (p *process) Read(_ context.Context, after int64, kinds []incident.EventKind, limit int) (Batch, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := Batch{Through: after}
	for _, e := range p.events[after:] {
		if len(b.Events) == limit {
			break
		}
		b.Through = e.ID
		if kinds == nil || slices.Contains(kinds, e.Kind()) {
			b.Events = append(b.Events, e)
		}
	}
	return b, nil
}

func (p *process) Skip(_ context.Context, name string, from, to int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows[name].cursor.Position == from {
		p.rows[name].cursor.Position = to
		p.skips++
	}
	return nil
}

func (p *process) Claim(_ context.Context, name string, position int64) (Claim, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	row := p.rows[name]
	if row.cursor.Position != position || row.owner != nil && time.Now().Before(row.until) {
		return Claim{}, false, nil
	}
	row.owner, row.until = p, time.Now().Add(Lease)
	return Claim{Name: name, Position: position}, true, nil
}

func (p *process) Renew(_ context.Context, c Claim) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false, errAway
	}
	row := p.rows[c.Name]
	if row.owner != p {
		return false, nil
	}
	row.until = time.Now().Add(Lease)
	return true, nil
}

// end runs change where this process still holds the lease.
func (p *process) end(c Claim, change func(*memoryRow)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	row := p.rows[c.Name]
	if row.owner != p || row.cursor.Position != c.Position {
		return false
	}
	row.owner = nil
	change(row)
	return true
}

func (p *process) Advance(ctx context.Context, c Claim, to int64, aside []SetAside) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return p.end(c, func(row *memoryRow) {
		row.cursor, row.aside, row.failure = Cursor{Position: to}, append(row.aside, aside...), Failure{}
	}), nil
}

func (p *process) Fail(ctx context.Context, c Claim, f Failure) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.end(c, func(row *memoryRow) {
		row.cursor.Tries, row.cursor.RetryAt, row.failure = f.Tries, &f.RetryAt, f
	})
	return nil
}

func (p *process) Release(ctx context.Context, c Claim) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.end(c, func(*memoryRow) {})
	return nil
}

func (p *process) Unavailable(err error) bool { return errors.Is(err, errAway) }

// recorder is a consumer that remembers what it got.
type recorder struct {
	name    string
	kinds   []incident.EventKind
	got     []int64 // events that went through
	calls   int
	consume func(ctx context.Context, events []Event) error // nil takes everything
}

func (r *recorder) Name() string                { return r.name }
func (r *recorder) Kinds() []incident.EventKind { return r.kinds }

func (r *recorder) Consume(ctx context.Context, events []Event) error {
	r.calls++
	if r.consume != nil {
		if err := r.consume(ctx, events); err != nil {
			return err
		}
	}
	for _, e := range events {
		r.got = append(r.got, e.ID)
	}
	return nil
}

func newRunner(p *process, c Consumer) *Runner {
	return &Runner{Consumer: c, Store: p, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}
