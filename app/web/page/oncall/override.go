package oncall

import (
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// scheduleInPath is the schedule of the path's slug.
func scheduleInPath(c echo.Context, req *page.Request) (organization.ScheduleRecord, error) {
	i := slices.IndexFunc(req.Config.Schedules, func(s organization.ScheduleRecord) bool { return s.Slug == c.Param("slug") })
	if i < 0 {
		return organization.ScheduleRecord{}, fault.NotFound("There is no schedule %q.", c.Param("slug"))
	}
	return req.Config.Schedules[i], nil
}

// overridesOf is the object of permissions on the overrides of a schedule.
func overridesOf(req *page.Request, s organization.ScheduleRecord) auth.Object {
	return auth.Object{ManagerID: req.Config.ManagerOf(s.TeamID), Member: req.Config.IsMember(req.User.ID, s.TeamID)}
}

// endOverride takes an override back, or ends it now where it has begun.
func (p *handlers) endOverride(c echo.Context, req *page.Request) error {
	s, err := scheduleInPath(c, req)
	if err != nil {
		return err
	}
	if err := auth.Allow(req.Actor, auth.MakeOverride, overridesOf(req, s)); err != nil {
		return err
	}
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	address := "/schedules/" + s.Slug
	_, err = p.Editor.Edit(c.Request().Context(), req.Actor, &organization.EndOverride{Schedule: s.Slug, ID: id, Reason: c.FormValue("reason")})
	if err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, address, "The override was removed.")
}
