package web

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// Organization reads the configuration.
type Organization interface {
	// View is the configuration as of now. It is the same until something changes.
	View(ctx context.Context) (*organization.View, error)
}

// Editor changes the configuration.
type Editor interface {
	Edit(ctx context.Context, by auth.Actor, edits ...organization.Edit) (organization.Applied, error)
}

// listing is the configuration at one revision, by the names that clients use.
type listing struct {
	*organization.View
}

// listing is the configuration as of now.
func (h *edge) listing(c echo.Context) (*listing, error) {
	view, err := h.Organization.View(c.Request().Context())
	if err != nil {
		return nil, err
	}
	return &listing{view}, nil
}

// email is a person's address; empty for nobody.
func (l *listing) email(id int64) string { return l.User(id).Email }

// emailOf is null for nobody.
func (l *listing) emailOf(id *int64) *string {
	if id == nil {
		return nil
	}
	return orNull(l.email(*id))
}

// teamSlug is null for none.
func (l *listing) teamSlug(id *int64) *string {
	if id == nil {
		return nil
	}
	return orNull(l.Team(*id).Slug)
}

// service, team, schedule and user find what a parameter of their name means.

func (l *listing) service(slug string) (catalog.Service, error) {
	return named(l.Services, "service", slug, func(s catalog.Service) string { return s.Slug })
}

func (l *listing) team(slug string) (catalog.Team, error) {
	return named(l.Teams, "team", slug, func(t catalog.Team) string { return t.Slug })
}

func (l *listing) schedule(slug string) (organization.ScheduleRecord, error) {
	return named(l.Schedules, "schedule", slug, func(s organization.ScheduleRecord) string { return s.Slug })
}

// level reads one of the priorities' levels, such as 2 or P2.
func (l *listing) level(text string) (*int, error) {
	level, err := strconv.Atoi(strings.TrimPrefix(text, "P"))
	if err != nil || !slices.ContainsFunc(l.Priorities, func(p catalog.Priority) bool { return p.Level == level }) {
		return nil, refuse("priority", "There is no priority %q. A priority is a level such as 2, or none.", text)
	}
	return &level, nil
}

func named[T any](all []T, what, slug string, key func(T) string) (T, error) {
	if i := slices.IndexFunc(all, func(v T) bool { return key(v) == slug }); i >= 0 {
		return all[i], nil
	}
	var none T
	return none, refuse(what, "There is no %s %q.", what, slug)
}
