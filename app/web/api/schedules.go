package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web"
)

type windowJSON struct {
	Days []oncall.Weekday `json:"days"` // empty for every day
	From oncall.Clock     `json:"from"`
	To   oncall.Clock     `json:"to"`
}

type layerJSON struct {
	Name         string            `json:"name"`
	Timezone     *string           `json:"timezone"`
	Start        *string           `json:"start"` // on the wall of the zone
	Rotate       *oncall.Rotate    `json:"rotate"`
	Members      []string          `json:"members"`
	Positions    []oncall.Position `json:"positions"`
	Restrictions []windowJSON      `json:"restrictions"`
	// CountsOnlyCovered leaves out of the turns the periods that the restrictions
	// exclude as a whole.
	CountsOnlyCovered bool `json:"counts_only_covered"`
}

type overrideJSON struct {
	ID        int64     `json:"id"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Position  *string   `json:"position"` // null for all
	Kind      string    `json:"kind"`
	Replace   *string   `json:"replace"`
	With      *string   `json:"with"`
	Add       *string   `json:"add"`
	Remove    *string   `json:"remove"` // of a removal, null for whoever is on
	Reason    *string   `json:"reason"`
	CreatedBy string    `json:"created_by"`
}

// scheduleJSON is a schedule's version in force, and the overrides that have not
// ended.
type scheduleJSON struct {
	Slug      string            `json:"slug"`
	Name      string            `json:"name"`
	Team      *string           `json:"team"`
	Timezone  *string           `json:"timezone"` // null before its first version
	Positions []oncall.Position `json:"positions"`
	Cover     []windowJSON      `json:"required_cover"`
	Layers    []layerJSON       `json:"layers"`
	Overrides []overrideJSON    `json:"overrides"`
}

func (h *handlers) listSchedules(c echo.Context, _ auth.Actor) (any, error) {
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	all := make([]scheduleJSON, len(config.Schedules))
	for i, s := range config.Schedules {
		all[i] = config.scheduleAt(s, h.Now())
	}
	return paginate(c, all, func(s scheduleJSON) string { return s.Slug })
}

func (h *handlers) getSchedule(c echo.Context, _ auth.Actor) (any, error) {
	config, s, err := h.scheduleInPath(c)
	if err != nil {
		return nil, err
	}
	return config.scheduleAt(s, h.Now()), nil
}

func (h *handlers) scheduleInPath(c echo.Context) (*listing, organization.ScheduleRecord, error) {
	config, err := h.current(c)
	if err != nil {
		return nil, organization.ScheduleRecord{}, err
	}
	s, err := config.ScheduleNamed(c.Param("slug"))
	if err != nil {
		return nil, s, fault.NotFound("There is no schedule %q.", c.Param("slug"))
	}
	return config, s, nil
}

func (l *listing) scheduleAt(s organization.ScheduleRecord, now time.Time) scheduleJSON {
	shown := scheduleJSON{Slug: s.Slug, Name: s.Name, Team: l.teamSlug(s.TeamID), Positions: []oncall.Position{}, Cover: []windowJSON{}, Layers: []layerJSON{}, Overrides: []overrideJSON{}}
	if version, ok := s.Schedule.VersionAt(now); ok {
		shown.Timezone, shown.Positions, shown.Cover = orNull(version.Zone), orEmpty(version.Positions), windows(version.RequiredCover)
		for _, layer := range version.Layers {
			shown.Layers = append(shown.Layers, l.layer(layer, version))
		}
	}
	for _, o := range s.Schedule.Overrides {
		if o.To.After(now) {
			shown.Overrides = append(shown.Overrides, l.override(o))
		}
	}
	return shown
}

func (l *listing) layer(layer oncall.Layer, version oncall.Version) layerJSON {
	shown := layerJSON{
		Name: layer.Name, Timezone: orNull(layer.Zone), Start: orNull(layer.Start.String()), Rotate: layer.Rotate,
		Members: []string{}, Positions: layer.Positions, Restrictions: windows(layer.Restrictions),
		CountsOnlyCovered: layer.CountsOnlyCovered,
	}
	for _, m := range layer.Order() {
		shown.Members = append(shown.Members, l.email(int64(m)))
	}
	if len(layer.Positions) == 0 {
		shown.Positions = orEmpty(version.Positions)
	}
	return shown
}

func windows(list []oncall.Window) []windowJSON {
	shown := make([]windowJSON, len(list))
	for i, w := range list {
		shown[i] = windowJSON{orEmpty(w.Days), w.From, w.To}
	}
	return shown
}

func (l *listing) override(o oncall.Override) overrideJSON {
	shown := overrideJSON{ID: o.ID, From: o.From.UTC(), To: o.To.UTC(), Position: orNull(string(o.Position)), Kind: string(o.Kind), Reason: orNull(o.Reason), CreatedBy: o.By}
	in, out := orNull(l.email(int64(o.In))), orNull(l.email(int64(o.Out)))
	switch o.Kind {
	case oncall.Replace:
		shown.Replace, shown.With = out, in
	case oncall.Add:
		shown.Add = in
	case oncall.Remove:
		shown.Remove = out
	}
	return shown
}

const (
	defaultRange = 14 * 24 * time.Hour
	maxRange     = 366 * 24 * time.Hour
)

// listShifts answers the final schedule between two instants, cut to them.
func (h *handlers) listShifts(c echo.Context, _ auth.Actor) (any, error) {
	config, s, err := h.scheduleInPath(c)
	if err != nil {
		return nil, err
	}
	asked, err := h.partOf(c, s)
	if err != nil {
		return nil, err
	}
	var shifts []shiftJSON
	for i, shift := range s.Schedule.Shifts(asked.from, asked.to) {
		if !shift.Shadow && asked.covers(shift.Position) {
			shifts = append(shifts, config.shift(s.Slug, shift, i))
		}
	}
	return paginate(c, shifts, func(s shiftJSON) string { return fmt.Sprintf("%s %06d", s.startKey(), s.order) })
}

// schedulePart is the part of a final schedule that a request asks for.
type schedulePart struct {
	from, to time.Time
	position oncall.Position // empty for all
}

func (p schedulePart) covers(position oncall.Position) bool {
	return p.position == "" || p.position == position
}

func (h *handlers) partOf(c echo.Context, s organization.ScheduleRecord) (schedulePart, error) {
	from, err := timeIn(c, "from", h.Now().UTC().Truncate(time.Second))
	if err != nil {
		return schedulePart{}, err
	}
	to, err := timeIn(c, "to", from.Add(defaultRange))
	if err != nil {
		return schedulePart{}, err
	}
	if !to.After(from) || to.Sub(from) > maxRange {
		return schedulePart{}, web.InvalidField("to", "The end must be after the start, and at most 366 days.")
	}
	position := oncall.Position(c.QueryParam("position"))
	return schedulePart{from, to, position}, checkPosition(s, position)
}

// gapJSON is a time in which a position has nobody.
type gapJSON struct {
	Schedule string          `json:"schedule"`
	Position oncall.Position `json:"position"`
	Start    time.Time       `json:"start"`
	End      time.Time       `json:"end"`
	// Required says that it lies within required cover.
	Required bool `json:"required"`
}

// listGaps answers when positions have nobody between two instants, within required
// cover and outside it.
func (h *handlers) listGaps(c echo.Context, _ auth.Actor) (any, error) {
	_, s, err := h.scheduleInPath(c)
	if err != nil {
		return nil, err
	}
	asked, err := h.partOf(c, s)
	if err != nil {
		return nil, err
	}
	var gaps []gapJSON
	add := func(list []oncall.Gap, required bool) {
		for _, g := range list {
			if asked.covers(g.Position) {
				gaps = append(gaps, gapJSON{s.Slug, g.Position, g.Start.UTC(), g.End.UTC(), required})
			}
		}
	}
	add(s.Schedule.Gaps(asked.from, asked.to), true)
	add(s.Schedule.UncoveredByAgreement(asked.from, asked.to), false)
	return paginate(c, gaps, func(g gapJSON) string { return g.Start.Format(time.RFC3339Nano) + " " + string(g.Position) })
}

// checkPosition rejects a position that no version of the schedule has; empty
// stands for all.
func checkPosition(s organization.ScheduleRecord, position oncall.Position) error {
	if position == "" {
		return nil
	}
	for _, v := range s.Schedule.Versions {
		if slices.Contains(v.Positions, position) {
			return nil
		}
	}
	return fault.Rejected([]fault.Field{{Path: "position", Message: fmt.Sprintf("must be one of the schedule %s, which has no %q", s.Slug, position)}})
}

// overrideBody is exactly one of: replace with, add, remove.
type overrideBody struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Position string    `json:"position"`
	Replace  string    `json:"replace"`
	With     string    `json:"with"`
	Add      string    `json:"add"`
	Remove   string    `json:"remove"`
	Reason   string    `json:"reason"`
}

func (h *handlers) addOverride(c echo.Context, actor auth.Actor) (any, error) {
	config, s, err := h.scheduleInPath(c)
	if err != nil {
		return nil, err
	}
	if err := auth.Allow(actor, auth.MakeOverride, auth.Object{ManagerID: config.managerOf(s.TeamID), Member: config.isMember(actor, s.TeamID)}); err != nil {
		return nil, err
	}
	var body overrideBody
	given, err := readBody(c, &body)
	if err != nil {
		return nil, err
	}
	override, err := config.overrideFrom(body, given, s)
	if err != nil {
		return nil, err
	}
	if !override.To.After(h.Now()) {
		return nil, web.InvalidField("to", "The override would be over already.")
	}
	applied, err := h.Editor.Edit(c.Request().Context(), actor, &organization.AddOverride{Schedule: s.Slug, Override: organization.Override{
		From: organization.MomentIn(override.From, time.UTC.String()), To: organization.MomentIn(override.To, time.UTC.String()),
		Position: body.Position, Replace: body.Replace, With: body.With, Add: body.Add, Remove: body.Remove, Reason: body.Reason,
	}})
	if err != nil {
		return nil, err
	}
	override.ID, override.By = applied.Overrides[0], actor.String()
	return config.override(override), nil
}

// endOverride takes an override back, or ends it now where it has begun, and answers
// it as it was.
func (h *handlers) endOverride(c echo.Context, actor auth.Actor) (any, error) {
	config, s, err := h.scheduleInPath(c)
	if err != nil {
		return nil, err
	}
	if err := auth.Allow(actor, auth.MakeOverride, auth.Object{ManagerID: config.managerOf(s.TeamID), Member: config.isMember(actor, s.TeamID)}); err != nil {
		return nil, err
	}
	id, _ := web.ParseNumber(c.Param("id"))
	i := slices.IndexFunc(s.Schedule.Overrides, func(o oncall.Override) bool { return o.ID == id && o.To.After(h.Now()) })
	if i < 0 {
		return nil, fault.NotFound("There is no override %s that is not over.", c.Param("id"))
	}
	_, err = h.Editor.Edit(c.Request().Context(), actor, &organization.EndOverride{Schedule: s.Slug, ID: id, Reason: c.QueryParam("reason")})
	if err != nil {
		return nil, err
	}
	return config.override(s.Schedule.Overrides[i]), nil
}

// isMember reports whether whoever acts is a person of a team.
func (l *listing) isMember(actor auth.Actor, teamID *int64) bool {
	return teamID != nil && slices.ContainsFunc(l.Members, func(m catalog.TeamMember) bool {
		return m.TeamID == *teamID && m.UserID == actor.UserID
	})
}

// managerOf is 0 where there is none.
func (l *listing) managerOf(teamID *int64) int64 {
	if teamID == nil {
		return 0
	}
	if manager := l.Team(*teamID).ManagerID; manager != nil {
		return *manager
	}
	return 0
}

// overrideFrom is the override of a body with the given members.
func (l *listing) overrideFrom(b overrideBody, given map[string]json.RawMessage, s organization.ScheduleRecord) (oncall.Override, error) {
	o := oncall.Override{From: b.From.UTC(), To: b.To.UTC(), Position: oncall.Position(b.Position), Reason: b.Reason}
	var faults []fault.Field
	person := func(path, email string) oncall.Person {
		if i := slices.IndexFunc(l.Users, func(u auth.User) bool { return u.Email == email && u.Active }); i >= 0 {
			return oncall.Person(l.Users[i].ID)
		}
		message := fmt.Sprintf("must be the address of somebody active, as %q is not", email)
		if email == "" {
			message = missing
		}
		faults = append(faults, fault.Field{Path: path, Message: message})
		return oncall.Nobody
	}
	switch {
	case (b.Replace != "" || b.With != "") && b.Add == "" && b.Remove == "":
		o.Kind, o.Out, o.In = oncall.Replace, person("replace", b.Replace), person("with", b.With)
	case b.Add != "" && b.Replace+b.With+b.Remove == "":
		o.Kind, o.In = oncall.Add, person("add", b.Add)
	case b.Remove != "" && b.Replace+b.With+b.Add == "":
		o.Kind = oncall.Remove
		if b.Remove != organization.Everyone {
			o.Out = person("remove", b.Remove)
		}
	default:
		return o, web.InvalidField("replace", "An override is exactly one of: replace and with, add, or remove.")
	}
	for path, at := range map[string]time.Time{"from": o.From, "to": o.To} {
		switch {
		case !isGiven(given, path):
			faults = append(faults, fault.Field{Path: path, Message: missing})
		case !inRange(at):
			faults = append(faults, fault.Field{Path: path, Message: "must be a time from the year 2000 to 9000"})
		}
	}
	if err := checkPosition(s, o.Position); err != nil {
		faults = append(faults, web.FaultOf(err).Fields...)
	}
	if err := bodyFault(faults); err != nil {
		return o, err
	}
	return o, o.Validate()
}
