package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Requests keeps what was answered to POSTs that carried an Idempotency-Key.
type Requests interface {
	BeginRequest(ctx context.Context, r *auth.IdempotentRequest) (*auth.KeptAnswer, error)
	FinishRequest(ctx context.Context, r *auth.IdempotentRequest, answer auth.KeptAnswer) error
	ForgetRequest(ctx context.Context, r *auth.IdempotentRequest) error
}

const apiPrefix = "/api/v1"

// apiRoute is one operation of the API.
type apiRoute struct {
	method, path string
	// action is what whoever asks must be allowed to do; 0 where the handler
	// has to look first whose thing it is.
	action auth.Action
	status int // of success
	handle func(h *edge, c echo.Context, by auth.Actor) (any, error)
	// query names the parameters that there are; where it is nil, none are looked
	// at.
	query []string
}

// apiTable is every operation. openapi.yaml describes each of them, which a
// test sees to.
var apiTable = []apiRoute{
	{"GET", "/incidents", auth.ViewIncidents, 200, (*edge).apiIncidents, inParts("status", "service", "team", "priority")},
	{"POST", "/incidents", auth.ActOnIncident, 201, (*edge).apiOpenIncident, nil},
	{"GET", "/incidents/:number", auth.ViewIncidents, 200, (*edge).apiIncident, nil},
	{"GET", "/incidents/:number/timeline", auth.ViewIncidents, 200, (*edge).apiTimeline, inParts()},
	{"GET", "/incidents/:number/pages", auth.ViewIncidents, 200, (*edge).apiPages, inParts()},
	{"POST", "/incidents/:number/acknowledge", auth.ActOnIncident, 200, (*edge).apiAcknowledge, nil},
	{"POST", "/incidents/:number/unacknowledge", auth.ActOnIncident, 200, (*edge).apiUnacknowledge, nil},
	{"POST", "/incidents/:number/resolve", auth.ActOnIncident, 200, (*edge).apiResolve, nil},
	{"POST", "/incidents/:number/reopen", auth.ActOnIncident, 200, (*edge).apiReopen, nil},
	{"POST", "/incidents/:number/escalate", auth.ActOnIncident, 200, (*edge).apiEscalate, nil},
	{"POST", "/incidents/:number/priority", auth.ActOnIncident, 200, (*edge).apiSetPriority, nil},
	{"POST", "/incidents/:number/notes", auth.ActOnIncident, 200, (*edge).apiNote, nil},
	{"GET", "/oncall", auth.ViewOnCall, 200, (*edge).apiOnCall, inParts("schedule", "team", "service", "at")},
	{"POST", "/simulate", auth.Simulate, 200, (*edge).apiSimulate, nil},
	{"GET", "/schedules", auth.ViewSchedules, 200, (*edge).apiSchedules, inParts()},
	{"GET", "/schedules/:slug", auth.ViewSchedules, 200, (*edge).apiSchedule, nil},
	{"GET", "/schedules/:slug/shifts", auth.ViewSchedules, 200, (*edge).apiShifts, inParts("from", "to", "position")},
	{"POST", "/schedules/:slug/overrides", 0, 201, (*edge).apiAddOverride, nil},
	{"GET", "/teams", auth.ViewCatalog, 200, teamResource.list, inParts()},
	{"GET", "/teams/:slug", auth.ViewCatalog, 200, teamResource.one, nil},
	{"GET", "/services", auth.ViewCatalog, 200, serviceResource.list, inParts()},
	{"GET", "/services/:slug", auth.ViewCatalog, 200, serviceResource.one, nil},
	{"GET", "/deployments", auth.ViewCatalog, 200, deploymentResource.list, inParts()},
	{"GET", "/deployments/:slug", auth.ViewCatalog, 200, deploymentResource.one, nil},
	{"GET", "/priorities", auth.ViewCatalog, 200, priorityResource.list, inParts()},
	{"GET", "/priorities/:level", auth.ViewCatalog, 200, priorityResource.one, nil},
	{"GET", "/integrations", auth.ViewCatalog, 200, integrationResource.list, inParts()},
	{"GET", "/integrations/:slug", auth.ViewCatalog, 200, integrationResource.one, nil},
	{"GET", "/users", auth.ViewPeople, 200, userResource.list, inParts()},
	{"GET", "/users/:email", auth.ViewPeople, 200, userResource.one, nil},
	{"GET", "/escalation-policies", auth.ViewPolicies, 200, policyResource.list, inParts()},
	{"GET", "/escalation-policies/:slug", auth.ViewPolicies, 200, policyResource.one, nil},
}

// changes reports whether an operation happens, so that it should happen once.
func (r apiRoute) changes() bool { return r.method == http.MethodPost && r.action != auth.Simulate }

func (h *edge) apiRoutes(r routes) {
	for _, route := range apiTable {
		if route.method == http.MethodGet {
			r.get(apiPrefix+route.path, h.operation(route))
		} else {
			r.add(route.method, apiPrefix+route.path, h.operation(route))
		}
	}
	r.get(apiPrefix+"/openapi.json", openAPI)
}

// operation answers one operation: who asks, whether they may, what came of it.
func (h *edge) operation(route apiRoute) echo.HandlerFunc {
	return func(c echo.Context) error {
		actor, err := h.actor(c)
		if err != nil {
			return err
		}
		if route.action != 0 {
			if err := auth.Allow(actor, route.action, auth.Object{}); err != nil {
				return err
			}
		}
		if route.query != nil {
			if err := checkQuery(c, route.query); err != nil {
				return err
			}
		}
		if key := c.Request().Header.Get("Idempotency-Key"); key != "" && route.changes() {
			return h.once(c, actor, key, route)
		}
		body, err := run(h, c, actor, route)
		if err != nil {
			return err
		}
		return writeAnswer(c, auth.KeptAnswer{Status: route.status, Body: body})
	}
}

func run(h *edge, c echo.Context, actor auth.Actor, route apiRoute) ([]byte, error) {
	answer, err := route.handle(h, c, actor)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return append(body, '\n'), nil
}

// once runs an operation under a key, or gives again what was answered to it.
// What failed for a reason that passes may be tried again under the same key.
func (h *edge) once(c echo.Context, actor auth.Actor, key string, route apiRoute) error {
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fault.Malformed("An Idempotency-Key is of printable ASCII characters.")
	}
	r := c.Request()
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return unreceived(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	sum := sha256.Sum256(append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), sent...))
	request := &auth.IdempotentRequest{Actor: actor.String(), Key: key, Hash: sum[:]}
	kept, err := h.Requests.BeginRequest(r.Context(), request)
	if err != nil {
		return err
	}
	if kept != nil {
		c.Response().Header().Set("Idempotent-Replayed", "true")
		return writeAnswer(c, *kept)
	}
	body, failure := run(h, c, actor, route)
	ctx := context.WithoutCancel(r.Context())
	answer := auth.KeptAnswer{Status: route.status, Body: body}
	if failure != nil {
		p := problemOf(failure)
		if p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests {
			return errors.Join(failure, h.Requests.ForgetRequest(ctx, request))
		}
		p.Reference = requestID(c)
		if answer.Body, err = json.Marshal(p); err != nil {
			return err
		}
		answer.Status = p.Status
	}
	if err := h.Requests.FinishRequest(ctx, request, answer); err != nil {
		h.Log.ErrorContext(ctx, "an answer could not be kept", "request", requestID(c), "error", err)
	}
	return writeAnswer(c, answer)
}

// writeAnswer writes an answer, be it given for the first time or again. What was
// made says itself where it is.
func writeAnswer(c echo.Context, answer auth.KeptAnswer) error {
	if answer.Status >= http.StatusBadRequest {
		return c.Blob(answer.Status, problemType, answer.Body)
	}
	var made struct {
		URL string `json:"url"`
	}
	if answer.Status == http.StatusCreated && json.Unmarshal(answer.Body, &made) == nil && made.URL != "" {
		c.Response().Header().Set("Location", made.URL)
	}
	return c.Blob(answer.Status, "application/json", answer.Body)
}

// list is a part of a longer one.
type list[T any] struct {
	Items []T `json:"items"`
	// NextCursor is nil where this part is the last.
	NextCursor *string `json:"next_cursor"`
}

func refuse(path, format string, args ...any) error {
	f := fault.Invalid(format, args...)
	return f.With(fault.Field{Path: path, Message: f.Message})
}
