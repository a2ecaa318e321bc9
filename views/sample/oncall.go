package sample

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
	"github.com/tocsin-oncall/tocsin/views/policies"
)

// madridDay is 09:00 in Madrid, some days after that Monday.
func madridDay(days, hour int) time.Time {
	return time.Date(2026, 11, 23+days, hour, 0, 0, 0, madrid)
}

func paymentsNow() oncall.ScheduleNow {
	return oncall.ScheduleNow{
		Schedule: payments, Zone: "Europe/Madrid",
		Positions: []oncall.Position{
			{Name: "main", Now: []oncall.Holder{{Person: ana, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Slack: "U0001", Email: "ana@acme.example", MayPage: true}, From: madridDay(-7, 9), Until: madridDay(0, 9)}},
				Next: oncall.Holder{Person: ben, From: madridDay(0, 9)}},
			{Name: "backup", Now: []oncall.Holder{
				{Person: ben, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Slack: "U0001", Email: "ben@acme.example", MayPage: true}, Zone: zone("Europe/London"), Until: madridDay(0, 9), Override: true},
				{Person: emre, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Slack: "U0001", Email: "emre@acme.example", MayPage: true}, Shadow: true}},
				Next: oncall.Holder{Person: chiara, From: madridDay(7, 9)}},
		},
	}
}

func coordinatorsNow() oncall.ScheduleNow {
	return oncall.ScheduleNow{
		Schedule: element.Ref{Slug: "coordinators", Name: "Incident coordinators"}, Zone: "Europe/Berlin",
		Positions: []oncall.Position{{Name: "main", GapSince: madridDay(-1, 20), GapUntil: madridDay(0, 9), Next: oncall.Holder{Person: dana, From: madridDay(0, 9)}}},
	}
}

func onCallPages() []Page {
	nowPage := oncall.NowPage{
		Frame: frame("Who is on call", layout.OnCall),
		Teams: []oncall.Team{
			{Team: payments, Schedules: []oncall.ScheduleNow{paymentsNow()}},
			{Team: platform, Schedules: []oncall.ScheduleNow{{Schedule: platform, Zone: "America/New_York", Positions: []oncall.Position{
				{Name: "main", Now: []oncall.Holder{{Person: farah, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Slack: "U0001", Email: "farah@acme.example", MayPage: true}, Zone: zone("America/New_York"), Until: madridDay(2, 15)}}, Next: oncall.Holder{Person: goran, From: madridDay(2, 15)}}}}}},
			{Schedules: []oncall.ScheduleNow{coordinatorsNow()}},
		},
	}
	ahead := oncall.NowPage{Frame: frame("Who is on call", layout.OnCall), Query: "o", Teams: nowPage.Teams[1:2], People: []oncall.PersonFound{
		{Person: goran, Contacts: element.Contacts{Phones: []string{"+34600000009"}, Email: "goran@acme.example", MayPage: true},
			Shifts: []oncall.PersonShift{{Schedule: payments, Position: "main", From: madridDay(1, 0), Until: madridDay(1, 9)}}},
		{Person: chiara, Schedules: []element.Ref{payments}}, {Person: emre}},
		Services: []oncall.ServiceFound{
			{Service: checkout, Targets: []oncall.Target{
				{Words: "everyone in Payments", People: []oncall.Reached{{Person: ana, Contacts: element.Contacts{Email: "ana@acme.example", MayPage: true}}, {Person: ben}}},
				{Words: "Emre Kaya", OnePerson: true}}},
			{Service: element.Ref{Slug: "online-shop", Name: "Online shop"}, NoPolicy: true}}}
	nobody := oncall.NowPage{Frame: frame("Who is on call", layout.OnCall), Query: "billing"}
	none := oncall.NowPage{Frame: administrator("Who is on call", layout.OnCall)}
	stakeholder := oncall.NowPage{Frame: nowPage.Frame, Teams: []oncall.Team{{Team: payments, Schedules: []oncall.ScheduleNow{{Schedule: payments, Positions: []oncall.Position{
		{Name: "main", Now: []oncall.Holder{{Person: ana, Until: madridDay(0, 9)}}, Next: oncall.Holder{Person: ben, From: madridDay(0, 9)}}}}}}}}
	stakeholder.Frame.User = layout.User{Person: goran, Role: "stakeholder"}
	list := oncall.ListPage{Frame: frame("Schedules", layout.Schedules), Schedules: []oncall.ListRow{
		{Schedule: payments, Team: payments, Zone: "Europe/Madrid", Positions: paymentsNow().Positions, Gaps: 1},
		{Schedule: element.Ref{Slug: "coordinators", Name: "Incident coordinators"}, Zone: "Europe/Berlin", Positions: coordinatorsNow().Positions},
	}}
	return []Page{
		{"oncall-now", oncall.Now(nowPage)},
		{"oncall-stakeholder", oncall.Now(stakeholder)},
		{"oncall-ahead", oncall.Now(ahead)},
		{"oncall-nobody", oncall.Now(nobody)},
		{"oncall-none", oncall.Now(none)},
		{"schedules", oncall.List(list)},
		{"schedules-none", oncall.List(oncall.ListPage{Frame: frame("Schedules", layout.Schedules)})},
		{"schedule", oncall.Schedule(schedule())},
		{"schedule-quiet", oncall.Schedule(quietSchedule())},
		{"policies", policies.List(policies.ListPage{Frame: frame("Escalation policies", layout.Policies), Policies: []policies.ListRow{{Policy: payments, Team: payments, Steps: policy().Steps, Repeat: 3, Services: 4}}})},
		{"policies-none", policies.List(policies.ListPage{Frame: administrator("Escalation policies", layout.Policies)})},
		{"policy", policies.Policy(policy())},
		{"policy-short", policies.Policy(shortPolicy())},
	}
}

func schedule() oncall.SchedulePage {
	shift := func(p element.Person, from, to int) oncall.Block {
		return oncall.Block{Person: p, Start: madridDay(from, 9), End: madridDay(to, 9)}
	}
	main := oncall.Lane{Position: "main", Blocks: []oncall.Block{
		{Person: ana, Start: madridDay(0, 0), End: madridDay(0, 9)}, shift(ana, 0, 4),
		{Person: ben, Start: madridDay(4, 9), End: madridDay(6, 9), Override: true}, shift(ana, 6, 7), {Person: ben, Start: madridDay(7, 9), End: madridDay(14, 0)}}}
	backup := oncall.Lane{Position: "backup", Blocks: []oncall.Block{
		{Person: ben, Start: madridDay(0, 0), End: madridDay(7, 9)}, {Person: chiara, Start: madridDay(7, 9), End: madridDay(12, 1)},
		{Gap: true, Start: madridDay(12, 1), End: madridDay(14, 0)}}}
	weekly := oncall.Lane{Position: "main", Blocks: []oncall.Block{{Person: ana, Start: madridDay(0, 0), End: madridDay(7, 9)}, {Person: ben, Start: madridDay(7, 9), End: madridDay(14, 0)}}}
	nights := oncall.Lane{Position: "backup"}
	for d := range 14 {
		nights.Blocks = append(nights.Blocks, oncall.Block{Person: farah, Start: madridDay(d, 0), End: madridDay(d, 6)})
	}
	return oncall.SchedulePage{
		Frame: frame("Payments", layout.Schedules), Schedule: payments, Team: payments, Zone: madrid,
		Positions: paymentsNow().Positions, Reader: zone("Europe/London"), MayFilter: true, From: madridDay(0, 0), To: madridDay(14, 0), Earlier: "2026-11-09", Later: "2026-12-07",
		Final: []oncall.Lane{main, backup},
		Layers: []oncall.Layer{
			{Name: "weekly", Members: []element.Person{ana, ben, chiara}, Every: 1, Unit: "week", Handoff: madridDay(0, 9), Lanes: []oncall.Lane{weekly, backup}},
			{Name: "nights", Members: []element.Person{farah}, Positions: []string{"backup"}, Zone: zone("America/New_York"), Restrictions: []string{"every day 18:00–24:00"}, Lanes: []oncall.Lane{nights}},
		},
		Gaps:      []oncall.Gap{{Position: "backup", Start: madridDay(12, 1), End: madridDay(14, 0)}},
		Conflicts: []oncall.Conflict{{Person: ben, Positions: []string{"main", "backup"}, Start: madridDay(4, 9), End: madridDay(6, 9)}},
		Upcoming: []oncall.Shift{
			{Position: "main", Person: ben, Start: madridDay(4, 9), End: madridDay(6, 9), Override: true},
			{Position: "main", Person: ben, Start: madridDay(7, 9), End: madridDay(14, 9)},
			{Position: "backup", Person: chiara, Start: madridDay(7, 9), End: madridDay(12, 1)},
		},
		Overrides: []oncall.Override{
			{Position: "main", Kind: "replace", Replaced: ana, With: ben, From: madridDay(4, 9), To: madridDay(6, 9), By: dana.Name, Reason: "Ana is at a wedding."},
			{Position: "main", Kind: "replace", Replaced: chiara, With: ben, From: madridDay(31, 9), To: madridDay(34, 9), By: dana.Name, Unmatched: true},
			{Kind: "remove", Position: "backup", From: madridDay(5, 9), To: madridDay(6, 9)},
			{Kind: "add", With: farah, From: madridDay(3, 9), To: madridDay(3, 18), By: farah.Name},
		},
		Shadows: []oncall.ShadowRow{{Person: emre, Position: "main", To: madridDay(14, 9)}},
	}
}

// quietSchedule has one position, no gap, and the day of 25 hours.
func quietSchedule() oncall.SchedulePage {
	from := time.Date(2026, 10, 19, 0, 0, 0, 0, madrid)
	to := time.Date(2026, 11, 2, 0, 0, 0, 0, madrid)
	p := schedule()
	p.From, p.To, p.Today = from, to, "2026-11-23"
	p.Final = []oncall.Lane{{Position: "main", Blocks: []oncall.Block{{Person: dana, Start: from, End: to}}}}
	p.Layers = []oncall.Layer{{Name: "always", Members: []element.Person{dana}, Lanes: p.Final}}
	p.Gaps, p.Conflicts, p.Overrides, p.Shadows, p.Upcoming = nil, nil, nil, nil, nil
	return p
}

func policy() policies.Page {
	main := policies.Target{Words: "main on call in Payments", Href: "/schedules/payments", Now: []element.Person{ana}}
	backup := policies.Target{Words: "backup on call in Payments", Href: "/schedules/payments", Now: []element.Person{ben}}
	everyone := policies.Target{Words: "everyone in Payments", Href: "/teams/payments", Now: []element.Person{ana, ben, chiara}, Unreachable: 1}
	manager := policies.Target{Words: "Dana Levi", Href: "/people/11", Now: []element.Person{dana}}
	return policies.Page{
		Frame: frame("Payments", layout.Policies), Policy: payments, Team: payments, Repeat: 3, Effective: madridDay(-60, 9),
		Steps: []policies.Step{
			{Targets: []policies.Target{main}, Timeout: time.Hour, TimeoutFor: []policies.PriorityTimeout{{Priority: p1, Timeout: 5 * time.Minute}}},
			{Targets: []policies.Target{backup}, Timeout: 2 * time.Hour},
			{Targets: []policies.Target{everyone}, Timeout: 4 * time.Hour},
			{Targets: []policies.Target{manager}, Timeout: time.Hour},
		},
		Fallback: []policies.Target{manager},
		Services: []element.Ref{checkout, ledger},
	}
}

func shortPolicy() policies.Page {
	p := policy()
	p.Policy = element.Ref{Slug: "coordinators", Name: "Incident coordinators"}
	p.Steps = []policies.Step{{Targets: []policies.Target{{Words: "main on call in Incident coordinators", Href: "/schedules/coordinators"}}, Timeout: 15 * time.Minute}}
	p.Repeat, p.Fallback, p.Services = 0, nil, nil
	return p
}
