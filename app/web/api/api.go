// Package api is the REST API under /api/v1, described by openapi.yaml.
package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Deps is what the API needs. All are required.
type Deps struct {
	PublicURL string
	Now       func() time.Time
	Log       *slog.Logger

	// Configs is what is listed and simulated, Editor changes it.
	Configs *web.ConfigCache
	Editor  web.Editor
	Works   func(notify.Medium) bool

	Formats *ingest.Formats // of what is simulated

	Manual Manual

	Incidents Incidents
	Actions   Actions
	Requests  web.Requests
}

// handlers are those of the API's operations.
type handlers struct {
	Deps
	router *web.Router
	// simulating limits the simulations that run at once.
	simulating semaphore
}

const prefix = "/api/v1"

// operation is one operation of the API.
type operation struct {
	method, path string
	// action is what the actor must be allowed to do; 0 where the handler checks,
	// since it depends on the object.
	action auth.Action
	status int // of success
	handle func(h *handlers, c echo.Context, by auth.Actor) (any, error)
	// query names the accepted parameters; nil accepts any and reads none.
	query []string
}

// operations are all of the API. openapi.yaml describes each of them, which a
// test checks.
var operations = append(actOperations(), []operation{
	{"GET", "/incidents", auth.ViewIncidents, 200, (*handlers).listIncidents, paged("status", "service", "team", "priority")},
	{"POST", "/incidents", auth.ActOnIncident, 201, (*handlers).openIncident, nil},
	{"GET", "/incidents/:number", auth.ViewIncidents, 200, (*handlers).getIncident, nil},
	{"GET", "/incidents/:number/timeline", auth.ViewIncidents, 200, (*handlers).listTimeline, paged()},
	{"GET", "/incidents/:number/pages", auth.ViewIncidents, 200, (*handlers).listPages, paged()},
	{"GET", "/incidents/:number/responders", auth.ViewIncidents, 200, (*handlers).listResponders, paged()},
	{"GET", "/oncall", auth.ViewOnCall, 200, (*handlers).listOnCall, paged("schedule", "team", "service", "at")},
	{"POST", "/simulate", auth.Simulate, 200, (*handlers).simulate, nil},
	{"GET", "/schedules", auth.ViewSchedules, 200, (*handlers).listSchedules, paged()},
	{"GET", "/schedules/:slug", auth.ViewSchedules, 200, (*handlers).getSchedule, nil},
	{"GET", "/schedules/:slug/shifts", auth.ViewSchedules, 200, (*handlers).listShifts, paged("from", "to", "position")},
	{"GET", "/schedules/:slug/gaps", auth.ViewSchedules, 200, (*handlers).listGaps, paged("from", "to", "position")},
	{"POST", "/schedules/:slug/overrides", 0, 201, (*handlers).addOverride, nil},
	{"DELETE", "/schedules/:slug/overrides/:id", 0, 200, (*handlers).endOverride, []string{"reason"}},
	{"GET", "/teams", auth.ViewPeople, 200, teamResource.list, paged()},
	{"GET", "/teams/:slug", auth.ViewPeople, 200, teamResource.one, nil},
	{"GET", "/services", auth.ViewCatalog, 200, serviceResource.list, paged()},
	{"GET", "/services/:slug", auth.ViewCatalog, 200, serviceResource.one, nil},
	{"GET", "/deployments", auth.ViewCatalog, 200, deploymentResource.list, paged()},
	{"GET", "/deployments/:slug", auth.ViewCatalog, 200, deploymentResource.one, nil},
	{"GET", "/priorities", auth.ViewCatalog, 200, priorityResource.list, paged()},
	{"GET", "/priorities/:level", auth.ViewCatalog, 200, priorityResource.one, nil},
	{"GET", "/integrations", auth.ViewIntegrations, 200, integrationResource.list, paged()},
	{"GET", "/integrations/:slug", auth.ViewIntegrations, 200, integrationResource.one, nil},
	{"GET", "/users", auth.ViewPeople, 200, userResource.list, paged()},
	{"GET", "/users/:email", auth.ViewPeople, 200, userResource.one, nil},
	{"GET", "/escalation-policies", auth.ViewPolicies, 200, policyResource.list, paged()},
	{"GET", "/escalation-policies/:slug", auth.ViewPolicies, 200, policyResource.one, nil},
}...)

// changes reports whether an operation has effects, which must happen once under
// one Idempotency-Key.
func (o operation) changes() bool { return o.method == http.MethodPost && o.action != auth.Simulate }

// Mount adds the routes of the API.
func Mount(r *web.Router, d Deps) {
	h := &handlers{Deps: d, router: r, simulating: make(semaphore, maxSimulations)}
	routes := r.API()
	for _, o := range operations {
		if o.method == http.MethodGet {
			routes.Get(prefix+o.path, h.serve(o))
		} else {
			routes.Add(o.method, prefix+o.path, h.serve(o))
		}
	}
	routes.Get(prefix+"/openapi.json", openAPI)
}

func (h *handlers) incidentURL(number int64) string {
	return h.PublicURL + "/incidents/" + web.FormatInt(number)
}

// current is the configuration as of now.
func (h *handlers) current(c echo.Context) (*listing, error) {
	config, err := h.Configs.Current(c.Request().Context())
	if err != nil {
		return nil, err
	}
	return &listing{config}, nil
}

// serve answers one operation: it authenticates, authorizes and runs it.
func (h *handlers) serve(o operation) echo.HandlerFunc {
	return func(c echo.Context) error {
		actor, err := h.router.Actor(c)
		if err != nil {
			return err
		}
		if o.action != 0 {
			if err := auth.Allow(actor, o.action, auth.Object{}); err != nil {
				return err
			}
		}
		if o.query != nil {
			if err := checkQuery(c, o.query); err != nil {
				return err
			}
		}
		if key := c.Request().Header.Get("Idempotency-Key"); key != "" && o.changes() {
			return h.once(c, actor, key, o)
		}
		body, err := run(h, c, actor, o)
		if err != nil {
			return err
		}
		return writeAnswer(c, auth.KeptAnswer{Status: o.status, Body: body})
	}
}

func run(h *handlers, c echo.Context, actor auth.Actor, o operation) ([]byte, error) {
	answer, err := o.handle(h, c, actor)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return append(body, '\n'), nil
}

// once runs an operation under a key, or repeats the answer that the key got. After
// a temporary error the same key may be used again.
func (h *handlers) once(c echo.Context, actor auth.Actor, key string, o operation) error {
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fault.Malformed("An Idempotency-Key is of printable ASCII characters.")
	}
	r := c.Request()
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return web.BodyError(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	sum := sha256.Sum256(append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), sent...))
	request := &auth.IdempotentRequest{Actor: actor.String(), Key: key, Hash: sum[:]}
	stored, err := h.Requests.BeginRequest(r.Context(), request)
	if err != nil {
		return err
	}
	if stored != nil {
		c.Response().Header().Set("Idempotent-Replayed", "true")
		return writeAnswer(c, *stored)
	}
	body, failure := run(h, c, actor, o)
	ctx := context.WithoutCancel(r.Context())
	answer := auth.KeptAnswer{Status: o.status, Body: body}
	if failure != nil {
		p := web.ProblemOf(failure)
		if p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests {
			return errors.Join(failure, h.Requests.ForgetRequest(ctx, request))
		}
		p.Reference = web.RequestID(c)
		if answer.Body, err = json.Marshal(p); err != nil {
			return err
		}
		answer.Status = p.Status
	}
	if err := h.Requests.FinishRequest(ctx, request, answer); err != nil {
		h.Log.ErrorContext(ctx, "store answer", "request", web.RequestID(c), "error", err)
	}
	return writeAnswer(c, answer)
}

// writeAnswer writes an answer, a new or a repeated one. The Location of what was
// created is the url in its body.
func writeAnswer(c echo.Context, answer auth.KeptAnswer) error {
	if answer.Status >= http.StatusBadRequest {
		return c.Blob(answer.Status, web.ProblemType, answer.Body)
	}
	var created struct {
		URL string `json:"url"`
	}
	if answer.Status == http.StatusCreated && json.Unmarshal(answer.Body, &created) == nil && created.URL != "" {
		c.Response().Header().Set("Location", created.URL)
	}
	return c.Blob(answer.Status, "application/json", answer.Body)
}

// list is one page of a list.
type list[T any] struct {
	Items []T `json:"items"`
	// NextCursor is nil on the last page.
	NextCursor *string `json:"next_cursor"`
}
