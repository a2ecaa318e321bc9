package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	duty "github.com/tocsin-oncall/tocsin/views/oncall"
)

func (p *pages) onCallRoutes(r routes) {
	r.get("/oncall", p.to(auth.ViewOnCall, p.onCallNow))
	r.get("/schedules", p.to(auth.ViewSchedules, p.listSchedules))
	r.get("/schedules/:slug", p.to(auth.ViewSchedules, p.showSchedule))
	r.get("/policies", p.to(auth.ViewPolicies, p.listPolicies))
	r.get("/policies/:slug", p.to(auth.ViewPolicies, p.showPolicy))
}

// onCallNow is who is on call at this moment, team by team.
func (p *pages) onCallNow(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Who is on call", layout.OnCall)
	if err != nil {
		return err
	}
	query := strings.TrimSpace(c.QueryParam("q"))
	page := duty.NowPage{Frame: frame, Query: query, SeesSchedules: v.may(auth.ViewSchedules)}
	for _, t := range v.teamsNow() {
		if t.Schedules = v.found(t, query); len(t.Schedules) > 0 {
			page.Teams = append(page.Teams, t)
		}
	}
	if query != "" && len(page.Teams) == 0 {
		page.Known = v.knownAs(query)
	}
	return render(c, http.StatusOK, duty.Now(page))
}

// mostKnown bounds the sentences about what a query means.
const mostKnown = 10

// knownAs is what a query means that has nobody on call: people, to those who may
// see them, teams and services, each in a sentence.
func (v *visit) knownAs(query string) []string {
	var known []string
	for _, u := range v.picture.Users {
		if v.may(auth.ViewPeople) && u.Active && matches(query, u.Name, u.Email) {
			known = append(known, u.Name+" is "+v.listedIn(oncall.Person(u.ID))+".")
		}
	}
	for _, t := range v.picture.Teams {
		if matches(query, t.Name, t.Slug) {
			known = append(known, "The team "+t.Name+" has no schedule.")
		}
	}
	for _, s := range v.picture.Services {
		if matches(query, s.Name, s.Slug) {
			known = append(known, "No schedule belongs to the team of "+s.Name+".")
		}
	}
	return known[:min(len(known), mostKnown)]
}

// listedIn says where somebody is listed who is neither on nor next.
func (v *visit) listedIn(person oncall.Person) string {
	var names []string
	for _, s := range v.schedules() {
		if mentions(s.Schedule, person) {
			names = append(names, s.Name)
		}
	}
	if names == nil {
		return "in no schedule"
	}
	return "in " + element.And(names) + ", but neither on call nor next"
}

// teamsNow are all that have schedules, by name; what belongs to no team comes
// last.
func (v *visit) teamsNow() []duty.Team {
	var teams []duty.Team
	for _, ref := range append(v.picture.teamRefs(), element.Ref{}) {
		t := duty.Team{Team: ref}
		for _, s := range v.schedules() {
			if v.picture.teamRef(s.TeamID) == ref {
				t.Schedules = append(t.Schedules, v.scheduleNow(s))
			}
		}
		if len(t.Schedules) > 0 {
			teams = append(teams, t)
		}
	}
	return teams
}

// schedules are all, by name.
func (v *visit) schedules() []organization.ScheduleRecord {
	return slices.SortedFunc(slices.Values(v.picture.Schedules), func(a, b organization.ScheduleRecord) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug))
	})
}

// found are a team's schedules that a query means: all of them by the name of
// the team or of a service of its, else those with that name or such people.
func (v *visit) found(t duty.Team, query string) []duty.ScheduleNow {
	if matches(query, t.Team.Name, t.Team.Slug) {
		return t.Schedules
	}
	for _, s := range v.picture.Services {
		if t.Team.Slug != "" && v.picture.teamRef(s.TeamID) == t.Team && matches(query, s.Name, s.Slug) {
			return t.Schedules
		}
	}
	return slices.DeleteFunc(t.Schedules, func(s duty.ScheduleNow) bool {
		words := []string{s.Schedule.Name, s.Schedule.Slug}
		for _, position := range s.Positions {
			for _, h := range append(position.Now, position.Next) {
				words = append(words, h.Person.Name, h.Email)
			}
		}
		return !matches(query, words...)
	})
}

func matches(query string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return strings.Contains(strings.ToLower(w), strings.ToLower(query))
	})
}

// scheduleNow is who is on in a schedule, a position a row.
func (v *visit) scheduleNow(s organization.ScheduleRecord) duty.ScheduleNow {
	now := duty.ScheduleNow{Schedule: element.Ref{Slug: s.Slug, Name: s.Name}}
	version, ok := s.Schedule.VersionAt(v.clock.Now)
	if !ok {
		return now
	}
	now.Zone = version.Zone
	for _, position := range version.Positions {
		now.Positions = append(now.Positions, v.positionNow(s.Schedule, position))
	}
	return now
}

// gapLook is how far back the beginning of a gap is looked for.
const gapLook = 30 * 24 * time.Hour

func (v *visit) positionNow(s oncall.Schedule, position oncall.Position) duty.Position {
	at := v.clock.Now
	pos := duty.Position{Name: string(position)}
	covered := false
	var present []oncall.Person
	for _, shift := range s.OnCall(at, position) {
		pos.Now = append(pos.Now, v.holder(shift))
		if !shift.Shadow {
			covered, present = true, append(present, shift.Person)
		}
	}
	pos.Next = v.next(s, position, present)
	if covered {
		return pos
	}
	pos.GapUntil = s.NextHandover(at, position)
	from := at.Add(-gapLook)
	for _, gap := range s.Gaps(from, at.Add(time.Microsecond)) {
		if gap.Position == position && gap.End.After(at) && gap.Start.After(from) {
			pos.GapSince = gap.Start
		}
	}
	return pos
}

// mostHandovers bounds the look for somebody else: a position may be handed over
// to nobody, or back, before.
const mostHandovers = 4

// next is who comes on after those who are present.
func (v *visit) next(s oncall.Schedule, position oncall.Position, present []oncall.Person) duty.Holder {
	at := v.clock.Now
	for range mostHandovers {
		if at = s.NextHandover(at, position); at.IsZero() {
			break
		}
		for _, shift := range s.OnCall(at, position) {
			if !shift.Shadow && !slices.Contains(present, shift.Person) {
				return v.holder(shift)
			}
		}
	}
	return duty.Holder{}
}

func (v *visit) holder(s oncall.Shift) duty.Holder {
	u := v.picture.User(int64(s.Person))
	h := duty.Holder{Person: v.picture.person(u.ID), Email: u.Email, From: s.Start, Until: s.End, Override: s.Source == "override", Shadow: s.Shadow}
	if zone := cmp.Or(u.Timezone, v.picture.Organization.Timezone); zone != v.clock.Zone.String() {
		h.Zone = location(zone)
	}
	return h
}

// hours are in words: "Mon–Fri 09:00–17:00 Europe/Madrid"; empty for none.
func hours(h *catalog.Hours) string {
	if h == nil {
		return ""
	}
	return strings.TrimSpace(days(h.Days) + " " + h.From + "–" + h.To + " " + h.Timezone)
}

var week = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// days joins days that follow one another: "Mon–Wed, Sat". None means every day.
func days(names []string) string {
	var parts []string
	for i := 0; i < len(week); i++ {
		if !slices.Contains(names, week[i]) {
			continue
		}
		first := i
		for i+1 < len(week) && slices.Contains(names, week[i+1]) {
			i++
		}
		part := capital(week[first])
		switch i - first {
		case 0:
		case 1:
			part += ", " + capital(week[i])
		default:
			part += "–" + capital(week[i])
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "Every day"
	}
	return strings.Join(parts, ", ")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
