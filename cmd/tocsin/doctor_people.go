package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// lookAhead is how far ahead gaps are searched for.
const lookAhead = 14 * 24 * time.Hour

// minClockStep is the smallest step back of the clock that is worth a look.
const minClockStep = 5 * time.Second

// people checks whom pages reach.
func (d *diagnosis) people(ctx context.Context, in *installation) error {
	skew := time.Until(in.db.Now()).Abs()
	if skew > 2*time.Second {
		d.warning("clock", "This machine's clock and the database's are %s apart. Pages go by the database's.\nLet both keep time by NTP.", skew.Round(time.Second))
	} else {
		d.ok("clock", "it agrees with the database's")
	}
	if err := d.clockSetBack(ctx, in); err != nil {
		return err
	}
	view, err := in.view(ctx)
	if err != nil {
		return err
	}
	roster, now := view.Roster(), in.db.Now()
	d.administrators(roster)
	d.unreachable(roster)
	d.onCall(roster, now)
	d.policies(view, now)
	d.services(view)
	for _, s := range inOrder(view.Schedules, func(s organization.ScheduleRecord) string { return s.Name }) {
		d.gaps(s, now)
	}
	d.lateRules(view)
	d.unreadable(view)
	return nil
}

// maxLateRules bounds how many rules that never fire are listed.
const maxLateRules = 10

// lateRules lists the personal rules that never fire in a step.
func (d *diagnosis) lateRules(view *organization.View) {
	late := view.LateRules("")
	if len(late) == 0 {
		return
	}
	var lines []string
	for _, r := range late[:min(len(late), maxLateRules)] {
		lines = append(lines, r.User+": "+r.Words())
	}
	if more := len(late) - maxLateRules; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	d.warning("personal rules", "%s never fire in a step that they are for.\n%s", counted(len(late), "rule"), strings.Join(lines, "\n"))
}

// clockSetBack compares the clock with the heartbeat that a server wrote last.
func (d *diagnosis) clockSetBack(ctx context.Context, in *installation) error {
	last, err := in.db.LastHeartbeat(ctx)
	if err != nil {
		return err
	}
	if back := last.Sub(in.db.Now()); back > minClockStep {
		d.warning("clock", "It was set back by %s since a server wrote last. What is due keeps its time; the server's clock runs slower until it is right.\nLet it keep time by NTP.", back.Round(time.Second))
	}
	return nil
}

// administrators checks the administrators, who are paged when nobody else
// acknowledges.
func (d *diagnosis) administrators(roster *escalation.Roster) {
	found := false
	for _, p := range roster.People {
		if p.Role != "administrator" {
			continue
		}
		if p.Reachable {
			d.ok("administrators", "somebody can be paged when nobody else answers")
			return
		}
		found = true
	}
	if found {
		d.problem("administrators", "None has a verified contact method on a channel that works, so nobody is paged when a policy is exhausted.\nEach adds one at /me.")
		return
	}
	d.problem("administrators", "There is none. `tocsin serve` prints the link that creates one, and `tocsin user role EMAIL administrator` makes one of somebody.")
}

// unreachable lists the people in a team or a rotation who cannot be reached.
func (d *diagnosis) unreachable(roster *escalation.Roster) {
	names := map[string]bool{}
	note := func(id int64) {
		if p, ok := roster.People[id]; ok && !p.Reachable {
			names[p.Name] = true
		}
	}
	for _, t := range roster.Teams {
		for _, id := range t.Members {
			note(id)
		}
	}
	for _, s := range roster.Schedules {
		if len(s.Schedule.Versions) == 0 {
			continue
		}
		for _, layer := range s.Schedule.Versions[len(s.Schedule.Versions)-1].Layers {
			for _, member := range layer.Members {
				note(int64(member))
			}
		}
	}
	if len(names) > 0 {
		d.warning("people", "No verified contact method on a channel that works: %s.\nThey cannot be paged; escalations skip them. Each adds one at /me.", strings.Join(sorted(names), ", "))
	}
}

// onCall lists those who are on call now and cannot be reached.
func (d *diagnosis) onCall(roster *escalation.Roster, now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(roster.Schedules)) {
		for _, u := range roster.Unreached([]escalation.Target{{Schedule: id}}, now) {
			d.problem("on call", "%s is on call for %s and cannot be paged: %s.", roster.People[u.Person].Name, roster.Schedules[id].Name, u.Reason)
		}
	}
}

// inOrder returns rows sorted by name.
func inOrder[T any](rows []T, name func(T) string) []T {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b T) int { return cmp.Compare(name(a), name(b)) })
}

// policies resolves each as the engine would do now, or when the required cover of its
// schedules begins.
func (d *diagnosis) policies(view *organization.View, now time.Time) {
	good := 0
	for _, p := range inOrder(view.Policies, func(p organization.PolicyRecord) string { return p.Name }) {
		targets := p.Policy.Fallback
		for _, step := range p.Policy.Steps {
			targets = append(targets[:len(targets):len(targets)], step.Targets...)
		}
		at := now
		if cover := view.Roster().NextCover(targets, now); cover.After(now) {
			at = cover
		}
		if !escalation.AnyNonShadow(view.Roster().Resolve(targets, at)) {
			d.problem("policy "+p.Name, "At this moment it reaches nobody: its incidents go to the administrators.\nLook at its schedules, and at the contact methods of its people.")
			continue
		}
		good++
	}
	if good > 0 {
		d.ok("policies", "%d of %d reach somebody at this moment", good, len(view.Policies))
	}
}

// services lists the services that receive signals but page only the administrators.
func (d *diagnosis) services(view *organization.View) {
	for _, s := range inOrder(view.Services, func(s catalog.Service) string { return s.Name }) {
		if s.PolicyID == nil && len(view.IntegrationsOf(s.ID)) > 0 {
			d.warning("service "+s.Name, "Signals come in for it and it has no escalation policy, so they page the administrators.")
		}
	}
}

// unreadable lists the rows of the configuration that cannot be read and are left out.
func (d *diagnosis) unreadable(view *organization.View) {
	for _, u := range view.Unreadable {
		d.problem("configuration", "Row %d of the table %s cannot be read as a whole, and pages are made without it.\n%v", u.ID, u.Table, u.Err)
	}
}

// gaps lists the gaps of a schedule within lookAhead.
func (d *diagnosis) gaps(s organization.ScheduleRecord, now time.Time) {
	version, ok := s.Schedule.VersionAt(now)
	if !ok {
		d.warning("schedule "+s.Name, "It has nobody yet, since it begins later.")
		return
	}
	zone := zoneOf(version.Zone)
	first, count := map[oncall.Position]oncall.Gap{}, map[oncall.Position]int{}
	for _, g := range s.Schedule.Gaps(now, now.Add(lookAhead)) {
		if count[g.Position] == 0 {
			first[g.Position] = g
		}
		count[g.Position]++
	}
	for _, p := range version.Positions {
		if count[p] == 0 {
			continue
		}
		g, more := first[p], ""
		if count[p] > 1 {
			more = ", and " + counted(count[p]-1, "gap") + " more within 14 days"
		}
		d.warning("schedule "+s.Name, "%s has nobody from %s%s (%s)%s.", p, g.Start.In(zone).Format("Mon 2 Jan 15:04"), until(g.End, now, zone), version.Zone, more)
	}
	if len(count) == 0 {
		d.ok("schedule "+s.Name, "no gap within 14 days")
	}
}
