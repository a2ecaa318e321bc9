package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Actions carries out commands on incidents: incident.Service.
type Actions interface {
	Do(ctx context.Context, c incident.Command) (incident.Outcome, error)
}

// actOperations are those of the acts that the API offers.
func actOperations() []operation {
	var all []operation
	for _, kind := range incident.ActKinds {
		if !kind.API {
			continue
		}
		act := func(h *handlers, c echo.Context, by auth.Actor) (any, error) { return h.act(c, by, kind) }
		all = append(all, operation{http.MethodPost, "/incidents/:number/" + kind.Name, web.ActPermission(kind.Name), http.StatusOK, act, nil})
	}
	return all
}

// act carries out an act of a kind and answers with the incident after it. What
// the incident's state does not allow is a conflict; what was so already is not.
func (h *handlers) act(c echo.Context, actor auth.Actor, kind incident.ActKind) (any, error) {
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	act, err := readAct(c, kind, config.Roster(), h.Now())
	if err != nil {
		return nil, err
	}
	n, err := web.IncidentNumber(c)
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	out, err := h.Actions.Do(ctx, incident.Command{Number: n, By: web.By(actor, "api"), Act: act})
	if err != nil {
		return nil, err
	}
	if err := out.Err(); err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(ctx, n)
	return h.incidentJSON(row), err
}

// readAct reads an act from the body. A fault about single fields names every one
// that is unknown or of the wrong type; what the act says of them comes after that.
func readAct(c echo.Context, kind incident.ActKind, roster *escalation.Roster, now time.Time) (incident.Act, error) {
	members, err := readMembers(c)
	if err != nil {
		return nil, err
	}
	fields := &actFields{members: members, faults: map[string]string{}, roster: roster, now: now}
	act, failure := kind.Read(fields)
	if err := fields.err(kind.Fields); err != nil {
		return nil, err
	}
	return act, failure
}

// actFields are the members of a body as an act reads them.
type actFields struct {
	members map[string]json.RawMessage
	// faults are messages about members of the wrong type, by name.
	faults map[string]string
	roster *escalation.Roster
	now    time.Time
}

// Given implements incident.Fields.
func (f *actFields) Given(name string) bool {
	_, ok := f.members[name]
	return ok
}

// Text implements incident.Fields.
func (f *actFields) Text(name string) string { return field[string](f, name) }

// Level implements incident.Fields.
func (f *actFields) Level(name string) *int { return field[*int](f, name) }

// Flag implements incident.Fields.
func (f *actFields) Flag(name string) bool { return field[bool](f, name) }

// Targets implements incident.Fields. "user" is one name, the others are lists.
func (f *actFields) Targets(name string) []incident.NamedTarget {
	var names []string
	if name == "user" {
		names = []string{field[string](f, name)}
	} else {
		names = field[[]string](f, name)
	}
	targets, err := f.roster.Named(name, names, f.now)
	var refused *fault.Error
	if errors.As(err, &refused) && f.faults[name] == "" {
		f.faults[name] = refused.Message
	}
	return targets
}

// field reads a member; the zero value where it is missing or of another type.
func field[T any](f *actFields, name string) T {
	var value T
	raw, ok := f.members[name]
	if !ok {
		return value
	}
	if message := readMember(raw, &value); message != "" {
		f.faults[name] = message
		return *new(T)
	}
	return value
}

// err is a fault that names what is not among the known names, or of the wrong
// type; else nil.
func (f *actFields) err(known []string) error {
	var faults []fault.Field
	for name := range f.members {
		if !slices.Contains(known, name) {
			faults = append(faults, unknownMember(name))
		} else if message := f.faults[name]; message != "" {
			faults = append(faults, fault.Field{Path: name, Message: message})
		}
	}
	return bodyFault(faults)
}
