package web

import (
	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

const (
	actorKey = "actor"
	userKey  = "user"
)

// actor is whoever makes a request: by an API token where there is one, else by
// the browser's session. It is a fault of kind unauthorized where it is nobody.
func (h *edge) actor(c echo.Context) (auth.Actor, error) {
	if known, ok := c.Get(actorKey).(auth.Actor); ok {
		return known, nil
	}
	token, ok := bearer(c.Request())
	if !ok {
		user, err := h.user(c)
		if fault.Is(err, fault.KindUnauthorized) {
			err = fault.Unauthorized("Send an API token as Authorization: Bearer …, or sign in.").Because(err)
		}
		if err != nil {
			return auth.Actor{}, err
		}
		return user.Actor(), nil
	}
	known, err := h.Auth.ByToken(c.Request().Context(), token, c.RealIP())
	if err != nil {
		return auth.Actor{}, err
	}
	c.Set(actorKey, known)
	return known, nil
}

// user is whoever is signed in: nobody where the route is not behind h.session.
func (h *edge) user(c echo.Context) (*auth.User, error) {
	if known, ok := c.Get(userKey).(*auth.User); ok {
		return known, nil
	}
	if c.Get(sessionKey) == nil {
		return nil, fault.Unauthorized("Sign in first.")
	}
	user, err := h.Auth.SignedIn(c.Request().Context())
	if err != nil {
		return nil, err
	}
	c.Set(userKey, user)
	return user, nil
}

// allow is nil where whoever makes the request may do the action.
func (h *edge) allow(c echo.Context, action auth.Action, object auth.Object) error {
	actor, err := h.actor(c)
	if err != nil {
		return err
	}
	return auth.Allow(actor, action, object)
}

// by says who acts on an incident, and how; its time is the service's to set.
func by(actor auth.Actor, via string) incident.By {
	b := incident.By{Actor: actor.String(), Via: via}
	if actor.Kind == auth.Person {
		b.UserID = &actor.UserID
	}
	return b
}

// number reads the number of an incident in the path.
func number(c echo.Context) (int64, error) {
	n, ok := parseNumber(c.Param("number"))
	if !ok {
		return 0, fault.NotFound("There is no incident with number %q.", c.Param("number"))
	}
	return n, nil
}
