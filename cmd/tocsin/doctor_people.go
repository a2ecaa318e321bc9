package main

import (
	"context"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/store/organization"
)

// lookAhead is how far gaps are looked for.
const lookAhead = 14 * 24 * time.Hour

// people looks at whom pages reach.
func (d *diagnosis) people(ctx context.Context, in *installation) error {
	skew := time.Until(in.db.Now()).Abs()
	if skew > 2*time.Second {
		d.doubt("clock", "This machine's clock and the database's are %s apart. Pages go by the database's.\nLet both keep time by NTP.", skew.Round(time.Second))
	} else {
		d.ok("clock", "it agrees with the database's")
	}
	roster, err := in.db.Organization.Roster(ctx, in.works())
	if err != nil {
		return err
	}
	now := in.db.Now()
	d.administrators(roster)
	d.unreachable(roster)
	if err := d.policies(ctx, in, roster, now); err != nil {
		return err
	}
	if err := d.services(ctx, in); err != nil {
		return err
	}
	schedules, err := in.db.Organization.Schedules(ctx)
	if err != nil {
		return err
	}
	for _, s := range schedules {
		d.gaps(s, now)
	}
	return nil
}

// works tells which media a channel carries; while none is configured the log
// carries all.
func (in *installation) works() func(notify.Medium) bool {
	channels, onlyLog := in.config.Channels(), true
	for _, configured := range channels {
		onlyLog = onlyLog && !configured
	}
	return func(m notify.Medium) bool { return onlyLog || channels[string(m)] }
}

// administrators are paged when nobody else answers.
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
		d.wrong("administrators", "None has a verified contact method on a channel that works, so nobody is paged when a policy is exhausted.\nEach adds one at /me.")
		return
	}
	d.wrong("administrators", "There is none. `tocsin serve` prints the link that creates one, and `tocsin user role EMAIL administrator` makes one of somebody.")
}

// unreachable names those who are in a team or a rotation and count as nobody.
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
		d.doubt("people", "No verified contact method on a channel that works: %s.\nThey count as nobody when they are paged. Each adds one at /me.", strings.Join(sorted(names), ", "))
	}
}

// policies resolves each as the engine would do now.
func (d *diagnosis) policies(ctx context.Context, in *installation, roster *escalation.Roster, now time.Time) error {
	policies, err := in.db.Organization.Policies(ctx)
	if err != nil {
		return err
	}
	good := 0
	for _, p := range policies {
		targets := p.Policy.Fallback
		for _, step := range p.Policy.Steps {
			targets = append(targets[:len(targets):len(targets)], step.Targets...)
		}
		if !escalation.Covered(roster.Resolve(targets, now)) {
			d.wrong("policy "+p.Name, "At this moment it reaches nobody: its incidents go to the administrators.\nLook at its schedules, and at the contact methods of its people.")
			continue
		}
		good++
	}
	if good > 0 {
		d.ok("policies", "%d of %d reach somebody at this moment", good, len(policies))
	}
	return nil
}

// services looks for those whose incidents nobody but the administrators gets,
// though signals come in for them.
func (d *diagnosis) services(ctx context.Context, in *installation) error {
	services, err := in.db.Organization.Services(ctx)
	if err != nil {
		return err
	}
	for _, s := range services {
		if s.Policy == nil && len(s.Integrations) > 0 {
			d.doubt("service "+s.Name, "Signals come in for it and it has no escalation policy, so they page the administrators.")
		}
	}
	return nil
}

// gaps tells of the positions that have nobody within the next two weeks.
func (d *diagnosis) gaps(s organization.Schedule, now time.Time) {
	version, ok := s.Schedule.VersionAt(now)
	if !ok {
		d.doubt("schedule "+s.Name, "It has nobody yet, since it begins later.")
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
		d.doubt("schedule "+s.Name, "%s has nobody from %s%s (%s)%s.", p, g.Start.In(zone).Format("Mon 2 Jan 15:04"), until(g.End, now, zone), version.Zone, more)
	}
	if len(count) == 0 {
		d.ok("schedule "+s.Name, "no gap within 14 days")
	}
}
