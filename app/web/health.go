package web

import (
	"context"
	"net/http"
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
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), probeTimeout)
		defer cancel()
		answer := map[string]string{"status": "ready", "database": "reachable", "migrations": "current", "configuration": "loaded", "engine": "sweeping"}
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
