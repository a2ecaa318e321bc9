package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// shiftJSON is a person in a position for a time.
type shiftJSON struct {
	Schedule string     `json:"schedule"`
	Position string     `json:"position"`
	User     *string    `json:"user"` // null for those who may not see people
	Name     string     `json:"name"`
	Start    *time.Time `json:"start"` // null: no start
	End      *time.Time `json:"end"`   // null: no known end
	Source   string     `json:"source"`

	order int // among those of the schedule
}

func (l *listing) shift(schedule string, s oncall.Shift, order int) shiftJSON {
	return shiftJSON{
		Schedule: schedule, Position: string(s.Position), User: orNull(l.email(int64(s.Person))), Name: l.User(int64(s.Person)).Name,
		Start: utc(&s.Start), End: utc(&s.End), Source: s.Source, order: order,
	}
}

// startKey sorts shifts by their start; those without one come first.
func (s shiftJSON) startKey() string {
	if s.Start == nil {
		return ""
	}
	return s.Start.Format(time.RFC3339Nano)
}

// listOnCall answers who is on call at an instant, with their whole shifts. Shadows
// are left out: they are not to be called.
func (h *handlers) listOnCall(c echo.Context, by auth.Actor) (any, error) {
	at, err := timeIn(c, "at", h.Now().UTC())
	if err != nil {
		return nil, err
	}
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	schedules, err := config.schedulesOf(c.QueryParam("schedule"), c.QueryParam("team"), c.QueryParam("service"), at)
	if err != nil {
		return nil, err
	}
	shifts, pages, err := config.pagedFor(c, at)
	if err != nil {
		return nil, err
	}
	for _, s := range schedules {
		for i, shift := range s.Schedule.OnCall(at, "") {
			if !shift.Shadow && pages(s.ID, shift.Position) {
				shifts = append(shifts, config.shift(s.Slug, shift, i))
			}
		}
	}
	if auth.Allow(by, auth.ViewPeople, auth.Object{}) != nil {
		for i := range shifts {
			shifts[i].User = nil
		}
	}
	return paginate(c, shifts, func(s shiftJSON) string { return fmt.Sprintf("%s %06d", s.Schedule, s.order) })
}

// schedulesOf finds the schedules that a schedule's, a team's and a service's
// slug have in common, all where none is given. A service's are those that its
// escalation policy pages.
func (l *listing) schedulesOf(schedule, team, service string, at time.Time) ([]organization.ScheduleRecord, error) {
	wanted := func(organization.ScheduleRecord) bool { return true }
	narrow := func(also func(organization.ScheduleRecord) bool) {
		before := wanted
		wanted = func(s organization.ScheduleRecord) bool { return before(s) && also(s) }
	}
	if schedule != "" {
		one, err := l.ScheduleNamed(schedule)
		if err != nil {
			return nil, err
		}
		narrow(func(s organization.ScheduleRecord) bool { return s.ID == one.ID })
	}
	if team != "" {
		one, err := l.TeamNamed(team)
		if err != nil {
			return nil, err
		}
		narrow(func(s organization.ScheduleRecord) bool { return s.TeamID != nil && *s.TeamID == one.ID })
	}
	if service != "" {
		one, err := l.ServiceNamed(service)
		if err != nil {
			return nil, err
		}
		paged := l.PagedFor(one, at)
		narrow(func(s organization.ScheduleRecord) bool {
			return slices.ContainsFunc(paged, func(t organization.PagedTarget) bool { return t.Schedule == s.ID })
		})
	}
	var found []organization.ScheduleRecord
	for _, s := range l.Schedules {
		if wanted(s) {
			found = append(found, s)
		}
	}
	return found, nil
}

// pagedFor are those whom the policy of the service in the query pages otherwise than by
// a schedule, nobody where the query asks for a schedule or a team too, and whether the
// policy pages a position of a schedule. Without a service every position counts.
func (l *listing) pagedFor(c echo.Context, at time.Time) (shifts []shiftJSON, pages func(schedule int64, position oncall.Position) bool, err error) {
	service := c.QueryParam("service")
	if service == "" {
		return nil, func(int64, oncall.Position) bool { return true }, nil
	}
	one, err := l.ServiceNamed(service)
	if err != nil {
		return nil, nil, err
	}
	targets := l.PagedFor(one, at)
	pages = func(schedule int64, position oncall.Position) bool {
		return slices.ContainsFunc(targets, func(t organization.PagedTarget) bool {
			return t.Schedule == schedule && t.Position == string(position)
		})
	}
	if c.QueryParam("schedule") != "" || c.QueryParam("team") != "" {
		return nil, pages, nil
	}
	for _, t := range targets {
		source := "role"
		switch {
		case t.Schedule != 0:
			continue
		case t.User != 0:
			source = "user"
		case t.Team != 0:
			source = "team"
		}
		for _, person := range t.People {
			shifts = append(shifts, shiftJSON{User: orNull(l.email(person.UserID)), Name: l.User(person.UserID).Name, Source: source, order: len(shifts)})
		}
	}
	return shifts, pages, nil
}
