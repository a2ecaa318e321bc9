package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	duty "github.com/tocsin-oncall/tocsin/views/oncall"
)

const (
	// stripDays are those that a schedule's page shows at once.
	stripDays = 14
	// watched is how far ahead gaps and conflicts are told of.
	watched = 14 * 24 * time.Hour
	// The next shifts are at most mostShifts of those within shiftLook.
	mostShifts = 12
	shiftLook  = 100 * 24 * time.Hour
)

func (p *pages) listSchedules(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Schedules", layout.OnCall)
	if err != nil {
		return err
	}
	page := duty.ListPage{Frame: frame}
	for _, s := range v.schedules() {
		now := v.scheduleNow(s)
		page.Schedules = append(page.Schedules, duty.ListRow{
			Schedule: now.Schedule, Team: v.picture.teamRef(s.TeamID), Zone: now.Zone, Positions: now.Positions,
			Gaps: len(s.Schedule.Gaps(v.clock.Now, v.clock.Now.Add(watched))),
		})
	}
	return render(c, http.StatusOK, duty.List(page))
}

// showSchedule shows two weeks of a schedule, in its own zone.
func (p *pages) showSchedule(c echo.Context, v *visit) error {
	i := slices.IndexFunc(v.picture.Schedules, func(s organization.ScheduleRecord) bool { return s.Slug == c.Param("slug") })
	if i < 0 {
		return fault.NotFound("There is no schedule %q.", c.Param("slug"))
	}
	s := v.picture.Schedules[i]
	frame, err := p.frame(c, v, s.Name, layout.OnCall)
	if err != nil {
		return err
	}
	now := v.scheduleNow(s)
	page := duty.SchedulePage{Frame: frame, Schedule: now.Schedule, Team: v.picture.teamRef(s.TeamID), Zone: location(now.Zone), Positions: now.Positions}
	page.Frame.Elsewhere = element.Clock{Now: v.clock.Now, Zone: page.Zone}.ZoneName()
	page.Effective, page.Before = inForce(beginnings(s), v.clock.Now)
	bound(&page, c.QueryParam("from"))
	v.draw(&page, s.Schedule)
	v.watch(&page, s.Schedule)
	return render(c, http.StatusOK, duty.Schedule(page))
}

// beginnings is when each version of a schedule began to hold, oldest first; of
// the one that holds since ever, when it was made.
func beginnings(s organization.ScheduleRecord) []time.Time {
	var since []time.Time
	for _, version := range s.Schedule.Versions {
		from := version.Effective
		if from.IsZero() {
			from = s.MadeAt
		}
		since = append(since, from)
	}
	return since
}

// mostVersions bounds how many versions before the present one are named.
const mostVersions = 5

// inForce is since when the version that holds at now does, and the ones before
// it, newest first.
func inForce(since []time.Time, now time.Time) (effective time.Time, earlier []time.Time) {
	for _, from := range slices.Backward(since) {
		switch {
		case from.After(now) || from.IsZero():
		case effective.IsZero():
			effective = from
		case len(earlier) < mostVersions:
			earlier = append(earlier, from)
		}
	}
	return effective, earlier
}

// bound sets the strip: from the day that was asked for, else from today. What
// is no day is taken for today.
func bound(page *duty.SchedulePage, from string) {
	now := page.Frame.Clock.Now.In(page.Zone)
	first, err := time.ParseInLocation(time.DateOnly, from, page.Zone)
	if err != nil {
		first = midnight(now, 0)
	}
	page.From, page.To = first, midnight(first, stripDays)
	page.Earlier, page.Later = midnight(first, -stripDays).Format(time.DateOnly), page.To.Format(time.DateOnly)
	if now.Before(page.From) || !now.Before(page.To) {
		page.Today = now.Format(time.DateOnly)
	}
}

// midnight begins the day that lies so many after t's, in t's zone.
func midnight(t time.Time, days int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, t.Location())
}

// draw fills in the strip: the schedule as it comes out, and layer by layer.
func (v *visit) draw(page *duty.SchedulePage, s oncall.Schedule) {
	version, ok := s.VersionAt(v.clock.Now)
	if !ok && len(s.Versions) > 0 {
		version, ok = s.Versions[0], true
	}
	if !ok {
		return
	}
	page.Final = v.lanes(version.Positions, s.Shifts(page.From, page.To), s.Gaps(page.From, page.To))
	for _, l := range version.Layers {
		page.Layers = append(page.Layers, v.layer(l, version, s.LayerShifts(l.Name, page.From, page.To)))
	}
	for _, shadow := range version.Shadows {
		page.Shadows = append(page.Shadows, duty.ShadowRow{Person: v.picture.person(int64(shadow.Person)), Position: string(shadow.Position), From: shadow.From, To: shadow.To})
	}
}

func (v *visit) lanes(positions []oncall.Position, shifts []oncall.Shift, gaps []oncall.Gap) []duty.Lane {
	lanes := make([]duty.Lane, len(positions))
	for i, position := range positions {
		lanes[i].Position = string(position)
		for _, s := range shifts {
			if s.Position == position && !s.Shadow {
				lanes[i].Blocks = append(lanes[i].Blocks, duty.Block{Start: s.Start, End: s.End, Person: v.picture.person(int64(s.Person)), Override: s.Source == "override"})
			}
		}
		for _, g := range gaps {
			if g.Position == position {
				lanes[i].Blocks = append(lanes[i].Blocks, duty.Block{Start: g.Start, End: g.End, Gap: true})
			}
		}
		slices.SortStableFunc(lanes[i].Blocks, func(a, b duty.Block) int { return a.Start.Compare(b.Start) })
	}
	return lanes
}

// layer is a rotation in words and as a strip of what it would have alone.
func (v *visit) layer(l oncall.Layer, version oncall.Version, shifts []oncall.Shift) duty.Layer {
	positions := l.Positions
	row := duty.Layer{Name: l.Name, Members: v.picture.persons(personIDs(l.Members))}
	for _, position := range l.Positions {
		row.Positions = append(row.Positions, string(position))
	}
	if len(positions) == 0 {
		positions = version.Positions
	}
	zone := version.Zone
	if l.Zone != "" && l.Zone != zone {
		zone, row.Zone = l.Zone, location(l.Zone)
	}
	if l.Rotate != nil {
		row.Every, row.Unit, row.Handoff = l.Rotate.Every, string(l.Rotate.Unit), l.Start.In(location(zone))
	}
	for _, w := range l.Restrictions {
		names := make([]string, len(w.Days))
		for i, d := range w.Days {
			names[i] = d.String()
		}
		row.Restrictions = append(row.Restrictions, days(names)+" "+w.From.String()+"–"+w.To.String())
	}
	row.Lanes = v.lanes(positions, shifts, nil)
	return row
}

// watch fills in what comes next, and what is amiss with it.
func (v *visit) watch(page *duty.SchedulePage, s oncall.Schedule) {
	now := v.clock.Now
	for _, g := range s.Gaps(now, now.Add(watched)) {
		page.Gaps = append(page.Gaps, duty.Gap{Position: string(g.Position), Start: g.Start, End: g.End})
	}
	for _, conflict := range s.Conflicts(now, now.Add(watched)) {
		row := duty.Conflict{Person: v.picture.person(int64(conflict.Person)), Start: conflict.Start, End: conflict.End}
		for _, position := range conflict.Positions {
			row.Positions = append(row.Positions, string(position))
		}
		page.Conflicts = append(page.Conflicts, row)
	}
	page.Upcoming = v.comingShifts(s)
	unmatched := s.Unmatched(now)
	for _, o := range s.Overrides {
		if !o.To.After(now) {
			continue
		}
		page.Overrides = append(page.Overrides, duty.Override{
			Position: string(o.Position), Kind: string(o.Kind), Replaced: v.picture.person(int64(o.Out)), With: v.picture.person(int64(o.In)),
			From: o.From, To: o.To, Reason: o.Reason, By: v.picture.actor(o.By),
			Unmatched: slices.ContainsFunc(unmatched, func(u oncall.Override) bool { return u.ID == o.ID }),
		})
	}
}

// comingShifts begin after now. One that is cut by how far we look has no end in
// sight.
func (v *visit) comingShifts(s oncall.Schedule) []duty.Shift {
	end := v.clock.Now.Add(shiftLook)
	var rows []duty.Shift
	for _, shift := range s.Shifts(v.clock.Now, end) {
		if shift.Shadow || !shift.Start.After(v.clock.Now) || len(rows) == mostShifts {
			continue
		}
		row := duty.Shift{Position: string(shift.Position), Person: v.picture.person(int64(shift.Person)), Start: shift.Start, Override: shift.Source == "override"}
		if shift.End.Before(end) {
			row.End = shift.End
		}
		rows = append(rows, row)
	}
	return rows
}
