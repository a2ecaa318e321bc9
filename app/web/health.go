package web

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Health has the checks of the readiness probe.
type Health struct {
	// Ping reaches the database.
	Ping func(ctx context.Context) error
	// Migrated reports whether the schema is the one that is needed.
	Migrated func(ctx context.Context) (bool, error)
	// Write tries to write to the database.
	Write func(ctx context.Context) error
	// ClockStep is the last jump of the clock that due times are compared with, and when
	// it was noticed; at is zero for none.
	ClockStep func() (at time.Time, by time.Duration)
	// Load reads the configuration, so that the first signal does not wait for it. It
	// is called until it has succeeded once.
	Load func(ctx context.Context) error
	// Swept is how long ago the engine last looked for due work; ok is false where it
	// has not yet.
	Swept func() (ago time.Duration, ok bool)
}

const (
	// probeTimeout bounds a probe.
	probeTimeout = 2 * time.Second
	// maxSweepAge is the age of the last sweep above which the engine counts as
	// stuck: it sweeps every second.
	maxSweepAge = 10 * time.Second
	// minWriteInterval is how long the result of a write is kept: anybody may probe.
	minWriteInterval = time.Second
)

func (r *Router) probeRoutes(routes Routes) {
	routes.Get("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	routes.Get("/readyz", r.readiness())
	routes.Get("/metrics", r.metrics)
}

// readiness answers whether this process should get requests, and which check
// failed if not.
func (r *Router) readiness() echo.HandlerFunc {
	var migrated, loaded atomic.Bool // once current, the schema stays so for this process
	probe := &writeProbe{write: r.Health.Write, now: r.Now}
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), probeTimeout)
		defer cancel()
		answer := map[string]string{"status": "ready", "database": "reachable", "clock": "steady", "migrations": "current", "configuration": "loaded", "engine": "sweeping"}
		fail := func(check, state string, err error) {
			answer["status"], answer[check] = "not ready", state
			r.Log.WarnContext(ctx, "not ready", check, state, "error", err)
		}
		if err := r.Health.Ping(ctx); err != nil {
			fail("database", "unreachable", err)
			answer["migrations"], answer["configuration"] = "unknown", "unknown"
		} else if !migrated.Load() {
			current, err := r.Health.Migrated(ctx)
			if migrated.Store(current && err == nil); !migrated.Load() {
				fail("migrations", "pending", err)
			}
		}
		if migrated.Load() && answer["database"] != "unreachable" {
			if err := probe.try(ctx); err != nil {
				fail("database", "cannot be written to", err)
			}
		}
		if at, by := r.Health.ClockStep(); !at.IsZero() {
			answer["clock"] = "jumped by " + by.Truncate(time.Second).String() + " at " + at.UTC().Format(time.RFC3339)
		}
		if answer["status"] == "ready" && !loaded.Load() {
			err := r.Health.Load(ctx)
			if loaded.Store(err == nil); err != nil {
				fail("configuration", "not loaded", err)
			}
		}
		if age, ok := r.Health.Swept(); !ok {
			fail("engine", "has not swept yet", nil)
		} else if age > maxSweepAge {
			fail("engine", "last swept "+age.Truncate(time.Second).String()+" ago", nil)
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		if answer["status"] != "ready" {
			return c.JSON(http.StatusServiceUnavailable, answer)
		}
		return c.JSON(http.StatusOK, answer)
	}
}

// writeProbe tries a write, at most once a minWriteInterval.
type writeProbe struct {
	write func(ctx context.Context) error
	now   func() time.Time

	mu  sync.Mutex
	at  time.Time
	err error
}

func (p *writeProbe) try(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := p.now().Sub(p.at); p.at.IsZero() || since < 0 || since >= minWriteInterval {
		p.err = p.write(context.WithoutCancel(ctx))
		p.at = p.now()
	}
	return p.err
}
