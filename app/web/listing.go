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

// Listing reads the configuration as it may be listed.
type Listing interface {
	// ConfigVersion is raised by every change of configuration.
	ConfigVersion(ctx context.Context) (int64, error)
	// Listing is the configuration without contact methods, rules and keys.
	Listing(ctx context.Context) (*organization.State, error)
}

// listing is the configuration at one version, by the names that clients use.
type listing struct {
	*organization.State
	users       map[int64]auth.User
	teams       map[int64]catalog.Team
	services    map[int64]catalog.Service
	policies    map[int64]organization.PolicyRecord
	schedules   map[int64]organization.ScheduleRecord
	deployments map[int64]catalog.Deployment
}

// listing is the configuration as it is now. The last one that was read is
// kept, and compared with the version.
func (h *edge) listing(c echo.Context) (*listing, error) {
	ctx := c.Request().Context()
	version, err := h.Listing.ConfigVersion(ctx)
	if err != nil {
		return nil, err
	}
	if kept := h.kept.Load(); kept != nil && kept.Organization.ConfigVersion == version {
		return kept, nil
	}
	state, err := h.Listing.Listing(ctx)
	if err != nil {
		return nil, err
	}
	fresh := newListing(state)
	h.kept.Store(fresh)
	return fresh, nil
}

func newListing(s *organization.State) *listing {
	return &listing{
		State:       s,
		users:       keyed(s.Users, func(u auth.User) int64 { return u.ID }),
		teams:       keyed(s.Teams, func(t catalog.Team) int64 { return t.ID }),
		services:    keyed(s.Services, func(v catalog.Service) int64 { return v.ID }),
		policies:    keyed(s.Policies, func(p organization.PolicyRecord) int64 { return p.ID }),
		schedules:   keyed(s.Schedules, func(v organization.ScheduleRecord) int64 { return v.ID }),
		deployments: keyed(s.Deployments, func(d catalog.Deployment) int64 { return d.ID }),
	}
}

func keyed[T any](all []T, key func(T) int64) map[int64]T {
	byKey := make(map[int64]T, len(all))
	for _, v := range all {
		byKey[key(v)] = v
	}
	return byKey
}

// email is a person's address; empty for nobody.
func (l *listing) email(id int64) string { return l.users[id].Email }

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
	return orNull(l.teams[*id].Slug)
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
