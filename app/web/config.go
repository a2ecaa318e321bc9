package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// ConfigReader reads the configuration that the API and pages show.
type ConfigReader interface {
	// View is the configuration as of now. It is the same until something changes.
	View(ctx context.Context) (*organization.View, error)
}

// Editor changes the configuration.
type Editor interface {
	Edit(ctx context.Context, by auth.Actor, edits ...organization.Edit) (organization.Applied, error)
}

// Config is the configuration at one revision, by the names that clients use. It is
// never changed and shared by requests.
type Config struct {
	*organization.View
}

// ConfigCache keeps the configuration that was read last.
type ConfigCache struct {
	reader ConfigReader
	last   atomic.Pointer[Config]
}

// NewConfigCache has read nothing yet.
func NewConfigCache(reader ConfigReader) *ConfigCache { return &ConfigCache{reader: reader} }

// Current is the configuration as of now.
func (k *ConfigCache) Current(ctx context.Context) (*Config, error) {
	view, err := k.reader.View(ctx)
	if err != nil {
		return nil, err
	}
	if last := k.last.Load(); last != nil && last.View == view {
		return last, nil
	}
	config := &Config{view}
	k.last.Store(config)
	return config, nil
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
func (k *Config) ScheduleNamed(slug string) (organization.ScheduleRecord, error) {
	return named(k.Schedules, "schedule", slug, func(s organization.ScheduleRecord) string { return s.Slug })
}

// PriorityLevel reads the level of one of the priorities, such as 2 or P2, or
// catalog.NoPriority, as 0 or none.
func (k *Config) PriorityLevel(text string) (*int, error) {
	if text == "none" {
		return new(catalog.NoPriority), nil
	}
	level, err := strconv.Atoi(strings.TrimPrefix(text, "P"))
	if err != nil || level != catalog.NoPriority && !slices.ContainsFunc(k.Priorities, func(p catalog.Priority) bool { return p.Level == level }) {
		return nil, InvalidField("priority", "There is no priority %q. A priority is a level such as 2, 0 for no priority, or unset.", text)
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
