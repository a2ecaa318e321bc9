package web

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Health is what readiness depends on.
type Health struct {
	// Ping reaches the database.
	Ping func(ctx context.Context) error
	// Migrated reports whether the schema is the one that is needed.
	Migrated func(ctx context.Context) (bool, error)
	// Swept is how long ago the engine last looked for due work.
	Swept func() time.Duration
}

const (
	// probeTime bounds what a probe waits for.
	probeTime = 2 * time.Second
	// sweptWithin is how old the last sweep of an engine may be that works: it
	// sweeps every second.
	sweptWithin = 10 * time.Second
)

func (h *edge) probeRoutes(r routes) {
	r.get("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	r.get("/readyz", h.readiness())
	r.get("/metrics", h.metrics)
}

// readiness says whether this process should be sent requests, and what is
// wrong where it should not.
func (h *edge) readiness() echo.HandlerFunc {
	var migrated atomic.Bool // a schema that is right stays right for this process
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), probeTime)
		defer cancel()
		answer := map[string]string{"status": "ready", "database": "reachable", "migrations": "current", "engine": "sweeping"}
		fail := func(check, state string, err error) {
			answer["status"], answer[check] = "not ready", state
			h.Log.WarnContext(ctx, "not ready", check, state, "error", err)
		}
		if err := h.Health.Ping(ctx); err != nil {
			fail("database", "unreachable", err)
			answer["migrations"] = "unknown"
		} else if !migrated.Load() {
			current, err := h.Health.Migrated(ctx)
			if migrated.Store(current && err == nil); !migrated.Load() {
				fail("migrations", "pending", err)
			}
		}
		if age := h.Health.Swept(); age > sweptWithin {
			fail("engine", "last swept "+age.Truncate(time.Second).String()+" ago", nil)
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		if answer["status"] != "ready" {
			return c.JSON(http.StatusServiceUnavailable, answer)
		}
		return c.JSON(http.StatusOK, answer)
	}
}
