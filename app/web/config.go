package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// ConfigReader reads the configuration that the API and pages show.
type ConfigReader interface {
	// ConfigVersion is raised by every change of configuration.
	ConfigVersion(ctx context.Context) (int64, error)
	// Listing is the configuration without contact methods, rules and keys.
	Listing(ctx context.Context) (*blueprint.State, error)
}

// Config is the configuration at one version, with its lists by id. It is never
// changed and shared by requests.
type Config struct {
	*blueprint.State
	UsersByID       map[int64]auth.User
	TeamsByID       map[int64]catalog.Team
	ServicesByID    map[int64]catalog.Service
	PoliciesByID    map[int64]blueprint.KeptPolicy
	SchedulesByID   map[int64]blueprint.KeptSchedule
	DeploymentsByID map[int64]catalog.Deployment
}

// ConfigCache keeps the configuration that was read last.
type ConfigCache struct {
	reader ConfigReader
	last   atomic.Pointer[Config]
}

// NewConfigCache has read nothing yet.
func NewConfigCache(reader ConfigReader) *ConfigCache { return &ConfigCache{reader: reader} }

// Current is the configuration as of now. It costs a query for the version; the
// rest is read only when that has changed.
func (k *ConfigCache) Current(ctx context.Context) (*Config, error) {
	version, err := k.reader.ConfigVersion(ctx)
	if err != nil {
		return nil, err
	}
	if last := k.last.Load(); last != nil && last.Organization.ConfigVersion == version {
		return last, nil
	}
	state, err := k.reader.Listing(ctx)
	if err != nil {
		return nil, err
	}
	config := newConfig(state)
	k.last.Store(config)
	return config, nil
}

func newConfig(s *blueprint.State) *Config {
	return &Config{
		State:           s,
		UsersByID:       byID(s.Users, func(u auth.User) int64 { return u.ID }),
		TeamsByID:       byID(s.Teams, func(t catalog.Team) int64 { return t.ID }),
		ServicesByID:    byID(s.Services, func(v catalog.Service) int64 { return v.ID }),
		PoliciesByID:    byID(s.Policies, func(p blueprint.KeptPolicy) int64 { return p.ID }),
		SchedulesByID:   byID(s.Schedules, func(v blueprint.KeptSchedule) int64 { return v.ID }),
		DeploymentsByID: byID(s.Deployments, func(d catalog.Deployment) int64 { return d.ID }),
	}
}

func byID[T any](items []T, id func(T) int64) map[int64]T {
	m := make(map[int64]T, len(items))
	for _, item := range items {
		m[id(item)] = item
	}
	return m
}

// ServiceNamed finds a service by its slug. The fault names the query parameter
// that the slug stands in; so do those of TeamNamed and ScheduleNamed.
func (k *Config) ServiceNamed(slug string) (catalog.Service, error) {
	return named(k.Services, "service", slug, func(s catalog.Service) string { return s.Slug })
}

// TeamNamed finds a team by its slug.
func (k *Config) TeamNamed(slug string) (catalog.Team, error) {
	return named(k.Teams, "team", slug, func(t catalog.Team) string { return t.Slug })
}

// ScheduleNamed finds a schedule by its slug.
func (k *Config) ScheduleNamed(slug string) (blueprint.KeptSchedule, error) {
	return named(k.Schedules, "schedule", slug, func(s blueprint.KeptSchedule) string { return s.Slug })
}

// PriorityLevel reads the level of one of the priorities, such as 2 or P2.
func (k *Config) PriorityLevel(text string) (*int, error) {
	level, err := strconv.Atoi(strings.TrimPrefix(text, "P"))
	if err != nil || !slices.ContainsFunc(k.Priorities, func(p catalog.Priority) bool { return p.Level == level }) {
		return nil, InvalidField("priority", "There is no priority %q. A priority is a level such as 2, or none.", text)
	}
	return &level, nil
}

func named[T any](items []T, what, slug string, key func(T) string) (T, error) {
	if i := slices.IndexFunc(items, func(v T) bool { return key(v) == slug }); i >= 0 {
		return items[i], nil
	}
	var none T
	return none, InvalidField(what, "There is no %s %q.", what, slug)
}

// InvalidField is a fault of kind invalid about one field or parameter.
func InvalidField(path, format string, args ...any) error {
	f := fault.Invalid(format, args...)
	return f.With(fault.Field{Path: path, Message: f.Message})
}
