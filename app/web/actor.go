package web

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

const (
	actorKey = "actor"
	userKey  = "user"
)

// Actor is whoever makes a request: by an API token if it has one, else by the
// browser's session. It is a fault of kind unauthorized where it is nobody.
func (r *Router) Actor(c echo.Context) (auth.Actor, error) {
	if known, ok := c.Get(actorKey).(auth.Actor); ok {
		return known, nil
	}
	token, ok := BearerToken(c.Request())
	if !ok {
		user, err := r.User(c)
		if fault.Is(err, fault.KindUnauthorized) {
			err = fault.Unauthorized("Send an API token as Authorization: Bearer …, or sign in.").Because(err)
		}
		if err != nil {
			return auth.Actor{}, err
		}
		return user.Actor(), nil
	}
	known, err := r.Auth.ByToken(c.Request().Context(), token, c.RealIP())
	if err != nil {
		return auth.Actor{}, err
	}
	c.Set(actorKey, known)
	return known, nil
}

// User is whoever is signed in: nobody where the route loads no session.
func (r *Router) User(c echo.Context) (*auth.User, error) {
	if known, ok := c.Get(userKey).(*auth.User); ok {
		return known, nil
	}
	if c.Get(sessionKey) == nil {
		return nil, fault.Unauthorized("Sign in first.")
	}
	user, err := r.Auth.SignedIn(c.Request().Context())
	if err != nil {
		return nil, err
	}
	c.Set(userKey, user)
	return user, nil
}

// allow is nil where whoever makes the request may do the action.
func (r *Router) allow(c echo.Context, action auth.Action, object auth.Object) error {
	actor, err := r.Actor(c)
	if err != nil {
		return err
	}
	return auth.Allow(actor, action, object)
}

// By says who acts on an incident, and through what; the incident service sets
// the time.
func By(actor auth.Actor, via string) incident.By {
	b := incident.By{Actor: actor.String(), Via: via}
	if actor.Kind == auth.Person {
		b.UserID = &actor.UserID
	}
	return b
}

// IncidentNumber reads the number of an incident from the path.
func IncidentNumber(c echo.Context) (int64, error) {
	n, ok := ParseNumber(c.Param("number"))
	if !ok {
		return 0, fault.NotFound("There is no incident with number %q.", c.Param("number"))
	}
	return n, nil
}

// ParseNumber reads a positive number.
func ParseNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// FormatInt writes a number as it stands in addresses.
func FormatInt(n int64) string { return strconv.FormatInt(n, 10) }
