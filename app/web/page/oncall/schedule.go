package oncall

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/oncall"
)

const (
	// stripDays is how many days a schedule's page shows.
	stripDays = 14
	// lookAhead is how far ahead the list of schedules counts gaps.
	lookAhead = 14 * 24 * time.Hour
	// The next shifts are at most maxShifts of those within maxShiftLookAhead.
	maxShifts         = 12
	maxShiftLookAhead = 100 * 24 * time.Hour
)

func (p *handlers) listSchedules(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Schedules", layout.Schedules)
	if err != nil {
		return err
	}
	data := view.ListPage{Frame: frame}
	for _, s := range req.Schedules() {
		now := req.ScheduleNow(s)
		data.Schedules = append(data.Schedules, view.ListRow{
			Schedule: now.Schedule, Team: req.Config.TeamRef(s.TeamID), Zone: now.Zone, Positions: now.Positions,
			Gaps: len(s.Schedule.Gaps(req.Clock.Now, req.Clock.Now.Add(lookAhead))),
		})
	}
	return page.Render(c, http.StatusOK, view.List(data))
}

// showSchedule shows two weeks of a schedule, in its own zone.
func (p *handlers) showSchedule(c echo.Context, req *page.Request) error {
	s, err := scheduleInPath(c, req)
	if err != nil {
		return err
	}
	frame, err := p.Frame(c, req, s.Name, layout.Schedules)
	if err != nil {
		return err
	}
	now := req.ScheduleNow(s)
	data := view.SchedulePage{Frame: frame, Schedule: now.Schedule, Team: req.Config.TeamRef(s.TeamID), Zone: page.Location(now.Zone), Positions: now.Positions}
	data.Reader = req.Clock.Zone
	data.Mine, data.MayFilter = c.QueryParam("mine") != "", page.Mentions(s.Schedule, oncall.Person(req.User.ID))
	data.Frame.Elsewhere = element.Clock{Now: req.Clock.Now, Zone: data.Zone}.ZoneName()
	data.Effective, data.Before = page.InForce(effectiveDates(s), req.Clock.Now)
	setRange(&data, c.QueryParam("from"))
	fillStrip(req, &data, s.Schedule)
	fillUpcoming(req, &data, s.Schedule)
	data.MayOverride = req.MayOn(auth.MakeOverride, overridesOf(req, s))
	return page.Render(c, http.StatusOK, view.Schedule(data))
}

// effectiveDates is when each version of a schedule took effect, oldest first; of a
// version without such a date, when it was created.
func effectiveDates(s organization.ScheduleRecord) []time.Time {
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

// setRange sets the days of the strip: from the requested day, or from today if
// that is missing or no date.
func setRange(data *view.SchedulePage, from string) {
	now := data.Frame.Clock.Now.In(data.Zone)
	first, err := time.ParseInLocation(time.DateOnly, from, data.Zone)
	if err != nil {
		first = midnight(now, 0)
	}
	data.From, data.To = first, midnight(first, stripDays)
	data.Earlier, data.Later = midnight(first, -stripDays).Format(time.DateOnly), data.To.Format(time.DateOnly)
	if now.Before(data.From) || !now.Before(data.To) {
		data.Today = now.Format(time.DateOnly)
	}
}

// midnight is the start of the day that is so many days after t's, in t's zone.
func midnight(t time.Time, days int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, t.Location())
}

// fillStrip fills in the final schedule and each layer.
func fillStrip(req *page.Request, data *view.SchedulePage, s oncall.Schedule) {
	version, ok := s.VersionAt(req.Clock.Now)
	if !ok && len(s.Versions) > 0 {
		version, ok = s.Versions[0], true
	}
	if !ok {
		return
	}
	data.RequiredCover = windowWords(version.RequiredCover)
	data.Final = laneRows(req, version.Positions, s.Shifts(data.From, data.To), s.Gaps(data.From, data.To), s.UncoveredByAgreement(data.From, data.To))
	for _, l := range version.Layers {
		data.Layers = append(data.Layers, layerRow(req, l, version, s.LayerShifts(l.Name, data.From, data.To)))
	}
	for _, shadow := range version.Shadows {
		data.Shadows = append(data.Shadows, view.ShadowRow{Person: req.Config.Person(int64(shadow.Person)), Position: string(shadow.Position), From: shadow.From, To: shadow.To})
	}
}

// laneRows are the lanes of positions; agreed are the times outside required cover.
func laneRows(req *page.Request, positions []oncall.Position, shifts []oncall.Shift, gaps, agreed []oncall.Gap) []view.Lane {
	lanes := make([]view.Lane, len(positions))
	for i, position := range positions {
		lanes[i].Position = string(position)
		for _, s := range shifts {
			if s.Position == position && !s.Shadow {
				lanes[i].Blocks = append(lanes[i].Blocks, view.Block{Start: s.Start, End: s.End, Person: req.Config.Person(int64(s.Person)), Override: s.Source == "override"})
			}
		}
		for _, g := range gaps {
			if g.Position == position {
				lanes[i].Blocks = append(lanes[i].Blocks, view.Block{Start: g.Start, End: g.End, Gap: true})
			}
		}
		for _, g := range agreed {
			if g.Position == position {
				lanes[i].Blocks = append(lanes[i].Blocks, view.Block{Start: g.Start, End: g.End, Gap: true, Agreed: true})
			}
		}
		slices.SortStableFunc(lanes[i].Blocks, func(a, b view.Block) int { return a.Start.Compare(b.Start) })
	}
	return lanes
}

// layerRow describes a layer, with a strip of its shifts before other layers and
// overrides.
func layerRow(req *page.Request, l oncall.Layer, version oncall.Version, shifts []oncall.Shift) view.Layer {
	positions := l.Positions
	row := view.Layer{Name: l.Name, Members: req.Config.Persons(page.PersonIDs(l.Members))}
	for _, position := range l.Positions {
		row.Positions = append(row.Positions, string(position))
	}
	if len(positions) == 0 {
		positions = version.Positions
	}
	zone := version.Zone
	if l.Zone != "" && l.Zone != zone {
		zone, row.Zone = l.Zone, page.Location(l.Zone)
	}
	if l.Rotate != nil {
		row.Every, row.Unit, row.Handoff = l.Rotate.Every, string(l.Rotate.Unit), l.Start.In(page.Location(zone))
	}
	row.Restrictions, row.CountsOnlyCovered = windowWords(l.Restrictions), l.CountsOnlyCovered
	row.Lanes = laneRows(req, positions, shifts, nil, nil)
	return row
}

// windowWords are such as "Mon–Fri 09:00–17:00".
func windowWords(windows []oncall.Window) []string {
	var all []string
	for _, w := range windows {
		names := make([]string, len(w.Days))
		for i, d := range w.Days {
			names[i] = d.String()
		}
		all = append(all, strings.TrimSpace(page.DaysText(names)+" "+w.From.String()+"–"+w.To.String()))
	}
	return all
}

// fillUpcoming fills in shifts, overrides, gaps and conflicts: of the days shown, and
// where today is one of them, from now on.
func fillUpcoming(req *page.Request, data *view.SchedulePage, s oncall.Schedule) {
	now := req.Clock.Now
	from, current := data.From, !now.Before(data.From) && now.Before(data.To)
	if current {
		from = now
	}
	for _, g := range s.Gaps(from, data.To) {
		data.Gaps = append(data.Gaps, view.Gap{Position: string(g.Position), Start: g.Start, End: g.End})
	}
	for _, conflict := range s.Conflicts(from, data.To) {
		row := view.Conflict{Person: req.Config.Person(int64(conflict.Person)), Start: conflict.Start, End: conflict.End}
		for _, position := range conflict.Positions {
			row.Positions = append(row.Positions, string(position))
		}
		data.Conflicts = append(data.Conflicts, row)
	}
	if current {
		data.Upcoming = shiftsFrom(req, s, data.Mine, now, now.Add(maxShiftLookAhead))
	} else {
		data.Upcoming = shiftsFrom(req, s, data.Mine, data.From.Add(-time.Nanosecond), data.To)
	}
	unmatched := s.Unmatched(now)
	for _, o := range s.Overrides {
		if !o.To.After(from) || !current && !o.From.Before(data.To) {
			continue
		}
		data.Overrides = append(data.Overrides, view.Override{
			ID: o.ID, Position: string(o.Position), Kind: string(o.Kind), Replaced: req.Config.Person(int64(o.Out)), With: req.Config.Person(int64(o.In)),
			From: o.From, To: o.To, Reason: o.Reason, By: req.Config.ActorName(o.By),
			Unmatched: slices.ContainsFunc(unmatched, func(u oncall.Override) bool { return u.ID == o.ID }),
		})
	}
}

// shiftsFrom are those that start after one instant and before another, the reader's
// alone where mine. One that goes on for more than maxShiftLookAhead after that has no
// known end.
func shiftsFrom(req *page.Request, s oncall.Schedule, mine bool, after, before time.Time) []view.Shift {
	end := before.Add(maxShiftLookAhead)
	var rows []view.Shift
	for _, shift := range s.Shifts(after, end) {
		if shift.Shadow || !shift.Start.After(after) || !shift.Start.Before(before) || mine && int64(shift.Person) != req.User.ID || len(rows) == maxShifts {
			continue
		}
		row := view.Shift{Position: string(shift.Position), Person: req.Config.Person(int64(shift.Person)), Start: shift.Start, Override: shift.Source == "override"}
		if shift.End.Before(end) {
			row.End = shift.End
		}
		rows = append(rows, row)
	}
	return rows
}
