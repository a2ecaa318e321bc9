package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func (c *cli) oncall() *cobra.Command {
	var team, schedule, service, at string
	cmd := &cobra.Command{
		Use:   "oncall",
		Short: "Say who is on call",
		Long: `Say who is on call, a line for each position, in the schedule's zone. Of a service
it is those whom its escalation policy pages.`,
		Example: "  tocsin oncall --team payments\n  tocsin oncall --at \"2026-12-24 18:00\"",
		Args:    arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			ctx := cmd.Context()
			moment, err := in.moment(ctx, at)
			if err != nil {
				return err
			}
			var seats []seat
			switch {
			case team != "":
				seats, err = in.seatsOfTeam(ctx, team, moment)
			case schedule != "":
				seats, err = in.seatsOfSchedule(ctx, schedule, moment)
			case service != "":
				seats, err = in.seatsOfService(ctx, service, moment)
			default:
				seats, err = in.seats(ctx, moment)
			}
			if err != nil {
				return err
			}
			return in.printSeats(cmd, seats, moment)
		}),
	}
	cmd.Flags().StringVar(&team, "team", "", "only the schedules of a team, by its `SLUG`")
	cmd.Flags().StringVar(&schedule, "schedule", "", "only one schedule, by its `SLUG`")
	cmd.Flags().StringVar(&service, "service", "", "only those whom a service's escalation policy pages, by its `SLUG`")
	cmd.Flags().StringVar(&at, "at", "", "at another `TIME` than now: 2026-12-24 18:00, in the organisation's zone, or 2026-12-24T18:00:00+01:00")
	cmd.MarkFlagsMutuallyExclusive("team", "schedule", "service")
	return cmd
}

// moment parses a time argument; empty is now.
func (in *installation) moment(ctx context.Context, text string) (time.Time, error) {
	if text == "" {
		return in.db.Now(), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	wall, err := oncall.ParseWallTime(text)
	if err != nil {
		return time.Time{}, fault.Invalid("%q is no time: write 2026-12-24 18:00 or 2026-12-24T18:00:00+01:00.", text)
	}
	view, err := in.view(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return wall.In(zoneOf(view.Organization.Timezone)), nil
}

// zoneOf is a zone of the configuration, which was validated when it was stored.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// seat is a position of a schedule, or another target of a policy.
type seat struct {
	schedule organization.ScheduleRecord
	position oncall.Position
	// said is the line of a target of a policy that is no schedule.
	said string
}

// seatsOf are the positions that a schedule has at a moment.
func seatsOf(s organization.ScheduleRecord, at time.Time) []seat {
	version, ok := s.Schedule.VersionAt(at)
	if !ok {
		return []seat{{schedule: s}}
	}
	var seats []seat
	for _, p := range version.Positions {
		seats = append(seats, seat{schedule: s, position: p})
	}
	return seats
}

// seatsIn are the positions of the schedules for which is returns true, sorted by the
// name of the schedule.
func seatsIn(view *organization.View, at time.Time, is func(organization.ScheduleRecord) bool) []seat {
	schedules := slices.SortedFunc(slices.Values(view.Schedules), func(a, b organization.ScheduleRecord) int { return cmp.Compare(a.Name, b.Name) })
	var seats []seat
	for _, s := range schedules {
		if is(s) {
			seats = append(seats, seatsOf(s, at)...)
		}
	}
	return seats
}

func anySchedule(organization.ScheduleRecord) bool { return true }

func (in *installation) seats(ctx context.Context, at time.Time) ([]seat, error) {
	view, err := in.view(ctx)
	if err != nil {
		return nil, err
	}
	return seatsIn(view, at, anySchedule), nil
}

func (in *installation) seatsOfSchedule(ctx context.Context, slug string, at time.Time) ([]seat, error) {
	view, err := in.view(ctx)
	if err != nil {
		return nil, err
	}
	s, err := view.ScheduleBySlug(slug)
	if err != nil {
		return nil, err
	}
	return seatsOf(s, at), nil
}

func (in *installation) seatsOfTeam(ctx context.Context, slug string, at time.Time) ([]seat, error) {
	view, err := in.view(ctx)
	if err != nil {
		return nil, err
	}
	team, err := view.TeamBySlug(slug)
	if err != nil {
		return nil, err
	}
	return seatsIn(view, at, func(s organization.ScheduleRecord) bool { return s.TeamID != nil && *s.TeamID == team.ID }), nil
}

// seatsOfService are the targets of the steps of a service's policy, each once.
func (in *installation) seatsOfService(ctx context.Context, slug string, at time.Time) ([]seat, error) {
	view, err := in.view(ctx)
	if err != nil {
		return nil, err
	}
	service, err := view.ServiceBySlug(slug)
	if err != nil {
		return nil, err
	}
	if service.PolicyID == nil {
		return nil, fault.NotFound("%s has no escalation policy, so its incidents page the administrators.", service.Name)
	}
	var seats []seat
	for _, t := range view.PagedFor(service, at) {
		if t.Schedule != 0 {
			seats = append(seats, seat{view.Schedule(t.Schedule), oncall.Position(t.Position), ""})
			continue
		}
		var people []string
		for _, r := range t.People {
			people = append(people, view.User(r.UserID).Name)
		}
		said := view.Roster().Describe([]escalation.Target{t.Target})[0]
		switch {
		case len(people) == 0:
			said += ": nobody who can be reached"
		case t.User == 0:
			said += ": " + joined(people)
		}
		seats = append(seats, seat{said: said})
	}
	return seats, nil
}

func (in *installation) printSeats(cmd *cobra.Command, seats []seat, at time.Time) error {
	if len(seats) == 0 {
		cmd.Println("There is no schedule. `tocsin apply` brings one in.")
		return nil
	}
	users, err := in.auth.Users(cmd.Context(), auth.Tocsin)
	if err != nil {
		return err
	}
	names := map[oncall.Person]string{}
	for _, u := range users {
		names[oncall.Person(u.ID)] = u.Name
	}
	for _, s := range seats {
		cmd.Println(s.line(at, names))
	}
	return nil
}

// line is such as "Payments · main: Ana Ortiz until Mon 30 Nov 09:00
// (Europe/Madrid)".
func (s seat) line(at time.Time, names map[oncall.Person]string) string {
	if s.said != "" {
		return s.said
	}
	version, ok := s.schedule.Schedule.VersionAt(at)
	if !ok {
		return s.schedule.Name + ": nobody, since the schedule begins later"
	}
	zone := zoneOf(version.Zone)
	var on, shadows []string
	for _, shift := range s.schedule.Schedule.OnCall(at, s.position) {
		who := names[shift.Person] + until(shift.End, at, zone)
		if shift.Shadow {
			shadows = append(shadows, who)
		} else {
			on = append(on, who)
		}
	}
	said := joined(on)
	if len(on) == 0 {
		said = "nobody" + until(s.schedule.Schedule.NextHandover(at, s.position), at, zone)
		if cover := s.schedule.Schedule.NextCover(at); cover.After(at) {
			said = "not covered by agreement" + until(cover, at, zone)
		}
	}
	said = fmt.Sprintf("%s · %s: %s (%s)", s.schedule.Name, s.position, said, version.Zone)
	if len(shadows) > 0 {
		said += "; in the shadow " + joined(shadows)
	}
	return said
}

// until is " until Mon 30 Nov 09:00", with the year where it is another than
// at's, and nothing where there is no end.
func until(end, at time.Time, zone *time.Location) string {
	if end.IsZero() {
		return ""
	}
	layout := "Mon 2 Jan 15:04"
	if end.In(zone).Year() != at.In(zone).Year() {
		layout = "Mon 2 Jan 2006 15:04"
	}
	return " until " + end.In(zone).Format(layout)
}
