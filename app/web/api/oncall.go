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
	schedules, err := config.schedulesOf(c.QueryParam("schedule"), c.QueryParam("team"), c.QueryParam("service"))
	if err != nil {
		return nil, err
	}
	maySeePeople := auth.Allow(by, auth.ViewPeople, auth.Object{}) == nil
	var shifts []shiftJSON
	for _, s := range schedules {
		for i, shift := range s.Schedule.OnCall(at, "") {
			if shift.Shadow {
				continue
			}
			row := config.shift(s.Slug, shift, i)
			if !maySeePeople {
				row.User = nil
			}
			shifts = append(shifts, row)
		}
	}
	return paginate(c, shifts, func(s shiftJSON) string { return fmt.Sprintf("%s %06d", s.Schedule, s.order) })
}

// schedulesOf finds the schedules that a schedule's, a team's and a service's
// slug have in common, all where none is given. A service's are those that its
// escalation policy pages; where it pages none, its team's.
func (l *listing) schedulesOf(schedule, team, service string) ([]organization.ScheduleRecord, error) {
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
		paged := l.pagedBy(one.PolicyID)
		narrow(func(s organization.ScheduleRecord) bool {
			if len(paged) > 0 {
				return slices.Contains(paged, s.ID)
			}
			return s.TeamID != nil && one.TeamID != nil && *s.TeamID == *one.TeamID
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

// pagedBy are the schedules that the steps of a policy page.
func (l *listing) pagedBy(policyID *int64) []int64 {
	if policyID == nil {
		return nil
	}
	var ids []int64
	for _, step := range l.Policy(*policyID).Policy.Steps {
		for _, t := range step.Targets {
			if t.Schedule != 0 {
				ids = append(ids, t.Schedule)
			}
		}
	}
	return ids
}
