package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// resource is a kind of configuration that can be listed and read one by one.
type resource[T any] struct {
	word string // what one is called
	all  func(*listing) []T
	key  func(T) string
}

var (
	teamResource        = resource[teamJSON]{"team", (*listing).allTeams, func(t teamJSON) string { return t.Slug }}
	serviceResource     = resource[serviceJSON]{"service", (*listing).allServices, func(s serviceJSON) string { return s.Slug }}
	deploymentResource  = resource[deploymentJSON]{"deployment", (*listing).allDeployments, func(d deploymentJSON) string { return d.Slug }}
	priorityResource    = resource[priorityJSON]{"priority", (*listing).allPriorities, func(p priorityJSON) string { return strconv.Itoa(p.Level) }}
	integrationResource = resource[integrationJSON]{"integration", (*listing).allIntegrations, func(i integrationJSON) string { return i.Slug }}
	userResource        = resource[userJSON]{"user", (*listing).allUsers, func(u userJSON) string { return u.Email }}
	policyResource      = resource[policyJSON]{"escalation policy", (*listing).allPolicies, func(p policyJSON) string { return p.Slug }}
)

// list answers a page of all.
func (r resource[T]) list(h *handlers, c echo.Context, _ auth.Actor) (any, error) {
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	return paginate(c, r.all(config), r.key)
}

// one answers the item whose key ends the path. Email addresses are not case
// sensitive.
func (r resource[T]) one(h *handlers, c echo.Context, _ auth.Actor) (any, error) {
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	key := c.ParamValues()[0]
	if plain, err := url.PathUnescape(key); err == nil {
		key = plain
	}
	if email, err := auth.NormalizeEmail(key); err == nil {
		key = email
	}
	if strings.Contains(c.ParamValues()[0], "/") {
		return nil, web.ErrNoRoute
	}
	all := r.all(config)
	i := slices.IndexFunc(all, func(item T) bool { return r.key(item) == key })
	if i < 0 {
		return nil, fault.NotFound("There is no %s %s.", r.word, key)
	}
	return all[i], nil
}

// paged are the parameters of a list: its own and those of paging.
func paged(own ...string) []string { return append(own, "limit", "cursor") }

// checkQuery rejects unknown parameters, and a second value where one is read: a
// filter with a typing error must not return everything.
func checkQuery(c echo.Context, known []string) error {
	var faults []fault.Field
	for name, values := range c.QueryParams() {
		if !slices.Contains(known, name) {
			faults = append(faults, fault.Field{Path: name, Message: "is not a parameter here; there are " + strings.Join(known, ", ")})
		} else if len(values) > 1 && name != "status" {
			return fault.Invalid("The parameter %s is given %d times; it takes one value.", name, len(values)).
				With(fault.Field{Path: name, Message: "is given more than once"})
		}
	}
	if faults == nil {
		return nil
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = strconv.Quote(f.Path)
	}
	return fault.Invalid("Here is no parameter %s; there are %s.", strings.Join(names, ", "), strings.Join(known, ", ")).With(faults...)
}
